//! The Kubernetes object model that decisions are made on: compact, shared, in Kubernetes' own words.
//!
//! Each kind is a type in Kubernetes' JSON form and a row in [`kind`]. What we do not model is kept in
//! [`Rest`] fields. Knows nothing of the simulation, nor of the schema: the edge has checked what comes in.

mod affinity;
mod apps;
mod autoscaling;
mod batch;
mod claim;
mod container;
mod csi;
pub mod defaults;
mod device;
mod device_claim;
mod device_class;
mod device_taint;
mod duration;
mod event;
mod fold;
mod int_or_string;
mod kind;
mod labels;
mod meta;
pub mod naming;
mod nearest;
mod node;
pub mod node_selector;
mod object;
mod persistent_volume;
mod pod;
mod pod_claim;
mod policy;
mod qos;
mod quantity;
mod quote;
mod raw;
mod replication_controller;
mod request;
mod resize;
mod resources;
mod revision;
mod selector;
mod service;
mod sets;
mod storage;
pub mod storage_helpers;
mod taint;
mod time;
pub mod validation;
mod volume;
mod volume_source;
mod wire;

pub use crate::affinity::*;
pub use crate::apps::*;
pub use crate::autoscaling::*;
pub use crate::batch::*;
pub use crate::claim::*;
pub use crate::container::*;
pub use crate::csi::*;
pub use crate::device::*;
pub use crate::device_claim::*;
pub use crate::device_class::*;
pub use crate::device_taint::*;
pub use crate::duration::*;
pub use crate::event::*;
pub use crate::int_or_string::*;
pub use crate::kind::{CustomKind, Kind, KindInfo, Object, Resource};
pub use crate::labels::Labels;
pub use crate::meta::{Key, Meta, ObjectReference, OwnerReference, Revision, Uid};
pub use crate::nearest::nearest;
pub use crate::node::*;
pub use crate::persistent_volume::*;
pub use crate::pod::*;
pub use crate::pod_claim::*;
pub use crate::policy::*;
pub use crate::qos::qos_class;
pub use crate::quantity::{Format as QuantityFormat, Quantity, QuantityError, scale};
pub use crate::quote::quote;
pub use crate::raw::Raw;
pub use crate::replication_controller::*;
pub use crate::request::*;
pub use crate::resources::{
    CPU, EPHEMERAL_STORAGE, MEMORY, PODS, ResourceList, ResourceRequirements, Resources,
    container_request_list, pod_limits, pod_request_list,
};
pub use crate::revision::*;
pub use crate::selector::*;
pub use crate::service::*;
pub use crate::sets::*;
pub use crate::storage::*;
pub use crate::taint::*;
pub use crate::time::{MicroTime, ParseTimeError, Timestamp};
pub use crate::volume::*;
pub use crate::volume_source::*;
pub use crate::wire::{Rest, UNMODELLED, drop_nulls};
