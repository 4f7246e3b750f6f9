//! The API server: verbs, admission, optimistic concurrency, on top of etcd.
//!
//! A state machine: [`ApiServer::handle`] takes one request at a time and says what it changed. It owns no clock
//! and no queue; what a request costs in time, and who hears of a change when, is the driver's matter.
//!
//! Every actor may do everything: authentication, RBAC, webhooks, flow control and the watch cache are not here
//! yet; nor are ResourceQuota and PodSecurity. The `kubernetes` service and its endpoints are left out, but its
//! address is taken.
//!
//! Upstream: `staging/src/k8s.io/apiserver`, `pkg/registry`, `plugin/pkg/admission`.

mod admission;
mod bootstrap;
mod commit;
mod housekeeping;
mod names;
mod refusal;
mod rules;
mod server;
mod service;
mod settings;
mod storage;
mod strategy;
mod validation;
mod verbs;
mod watch;

pub use crate::commit::Commit;
pub use crate::server::ApiServer;
pub use crate::settings::{Plugin, Settings};
pub use crate::watch::Event;
