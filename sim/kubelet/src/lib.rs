//! The node agent, and the container runtime beside it.
//!
//! A [`Kubelet`] is a state machine without IO: input in, effects out. It is dropped when its process dies. The
//! [`Runtime`] is what lives on: sandboxes, containers, images. A container's life is decided when it starts, so
//! that its state is a function of time and nothing has to happen for it to end; the kubelet notices when it looks.
//!
//! What upstream does periodically is computed: a timer is set only for a tick that changes something. A node whose
//! pods are all well has no timer at all.
//!
//! Upstream: `pkg/kubelet`.

mod admission;
mod admit;
mod allocation;
mod backoff;
mod beat;
mod bucket;
mod configuration;
pub mod constants;
mod core;
mod eviction;
mod images;
mod input;
mod kubelet;
mod lease;
mod node;
mod phrases;
mod pod;
mod processor;
mod recorder;
mod reporter;
mod rounds;
mod runtime;
mod setup;
mod shutdown;
mod static_pods;
mod status;
mod text;
mod ticks;
mod volumes;

pub use crate::configuration::{
    Configuration, CrashLoopBackOff, Problem, ShutdownGracePeriod, default_eviction_hard,
};
pub use crate::images::{
    Allowance, BASE_SHARE, Catalog, Conditions, Demand, Failing, ImageSettings, InvalidName, Layer, Listing,
    Reference, Registries, Registry,
};
pub use crate::input::{Effect, Input, Note, RequestId, Start, Token, What};
pub use crate::kubelet::Kubelet;
pub use crate::pod::objects_needed;
pub use crate::runtime::{
    Answer, By, CidrError, Clock, Disk, End, Instance, Look, PodCidr, Runtime, Sandbox,
};
pub use crate::setup::Setup;
