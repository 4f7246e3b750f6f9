//! Admission: what the cluster adds to an object, and what it forbids, in upstream's order.
//!
//! Upstream: `pkg/kubeapiserver/options/plugins.go`.

mod default_storage_class;
mod default_toleration_seconds;
mod limit_ranger;
mod memo;
mod namespace_lifecycle;
mod pod;
mod priority;
mod runtime_class;
mod service_account;
mod storage_protection;
mod taint_nodes;

use std::sync::Arc;

use api::{Object, Pod, Status};

pub(crate) use self::memo::AdmittedSpecs;
pub(crate) use self::namespace_lifecycle::check_deletion;
pub(crate) use self::pod::{Admission, admit_new as admit_new_pod};
use crate::settings::{Plugin, Settings};
use crate::storage::Storage;

/// What plugins look at besides the object itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Context<'a> {
    pub(crate) storage: &'a Storage,
    pub(crate) settings: &'a Settings,
}

impl Context<'_> {
    fn has(&self, plugin: Plugin) -> bool {
        !self.settings.disabled.contains(&plugin)
    }
}

/// Admits a new object of any kind but a pod.
pub(crate) fn admit_new(context: Context<'_>, object: &mut Object) -> Result<(), Status> {
    namespace_lifecycle::check_new(context, object)?;
    if context.has(Plugin::LimitRanger) {
        limit_ranger::check_claim(context, object)?;
    }
    if context.has(Plugin::TaintNodesByCondition) {
        taint_nodes::admit(object);
    }
    if context.has(Plugin::Priority) {
        priority::check_class(context, object, None)?;
    }
    if context.has(Plugin::DefaultStorageClass) {
        default_storage_class::admit(context, object);
    }
    if context.has(Plugin::StorageObjectInUseProtection) {
        storage_protection::admit(object);
    }
    Ok(())
}

/// Adds to a pod that is to be resized what the cluster adds to its resources.
pub(crate) fn admit_resize(context: Context<'_>, new: &mut Object) {
    if let Object::Pod(pod) = new
        && context.has(Plugin::LimitRanger)
        && !pod.is_deleting()
    {
        limit_ranger::set_defaults(context, Arc::make_mut(pod));
    }
}

/// Admits a resize of a pod as it is to be.
pub(crate) fn check_resize(context: Context<'_>, new: &Object) -> Result<(), Status> {
    let is_bounded = |it: &&Pod| context.has(Plugin::LimitRanger) && !it.is_deleting();
    new.get::<Pod>()
        .map(AsRef::as_ref)
        .filter(is_bounded)
        .map_or(Ok(()), |it| limit_ranger::check_pod(context, it))
}

/// Admits a change of the main resource of an object.
pub(crate) fn admit_update(context: Context<'_>, new: &mut Object, old: &Object) -> Result<(), Status> {
    if context.has(Plugin::LimitRanger) && !old.meta().is_deleting() {
        limit_ranger::check_claim(context, new)?;
    }
    if context.has(Plugin::Priority) {
        priority::check_class(context, new, Some(old))?;
    }
    if context.has(Plugin::DefaultTolerationSeconds)
        && let Object::Pod(pod) = new
    {
        default_toleration_seconds::admit_change(pod);
    }
    Ok(())
}
