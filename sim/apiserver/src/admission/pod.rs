//! Admission of pods. What depends on the spec alone is done once for all pods that share it.

use api::{Pod, PodSpec, Status, defaults};
use base::Time;

use super::memo::Incoming;
use super::{
    AdmittedSpecs, Context, default_toleration_seconds, limit_ranger, namespace_lifecycle, priority,
    runtime_class, service_account,
};
use crate::settings::Plugin;
use crate::strategy;

/// What is left to do for a pod after its admission.
#[derive(Debug)]
pub(crate) enum Admission {
    /// A pod with this spec was stored before. If its metadata was the same, too, only its name may be invalid.
    Known { is_same_meta: bool },
    /// To be remembered once it is stored.
    New(Incoming),
}

/// Fills in the defaults of a new pod, admits it and gives it its first status.
pub(crate) fn admit_new(
    context: Context<'_>,
    memo: &AdmittedSpecs,
    pod: &mut Pod,
    now: Time,
) -> Result<Admission, Status> {
    namespace_lifecycle::check_new_pod(context, pod)?;
    if let Some((admitted, valid)) = memo.find(pod) {
        if let Some(valid) = valid {
            valid.share_with(&mut pod.meta);
        }
        pod.spec = admitted.spec.clone();
        if let Some(note) = &admitted.limits_note {
            pod.meta.annotations.insert(limit_ranger::ANNOTATION, note.clone());
        }
        pod.status = strategy::initial_status(&pod.spec, admitted.qos_class.clone(), now);
        return Ok(Admission::Known { is_same_meta: valid.is_some() });
    }
    let incoming = Incoming::of(pod);
    if let Some(spec) = defaults::pod_spec(&pod.spec) {
        pod.spec = spec;
    }
    run_plugins(context, pod)?;
    if strategy::has_label_keys(&pod.spec) {
        let labels = pod.meta.labels.clone();
        PodSpec::edit(&mut pod.spec, |spec| strategy::apply_label_keys(spec, &labels));
    }
    incoming.share_with(pod);
    pod.status = strategy::initial_status(&pod.spec, api::qos_class(&pod.spec), now);
    Ok(Admission::New(incoming))
}

fn run_plugins(context: Context<'_>, pod: &mut Pod) -> Result<(), Status> {
    if context.has(Plugin::LimitRanger) {
        limit_ranger::set_defaults(context, pod);
    }
    if context.has(Plugin::ServiceAccount) {
        service_account::admit(context, pod)?;
    }
    if context.has(Plugin::Priority) {
        priority::admit(context, pod)?;
    }
    if context.has(Plugin::DefaultTolerationSeconds) {
        default_toleration_seconds::admit(pod);
    }
    if context.has(Plugin::RuntimeClass) {
        runtime_class::admit(context, pod)?;
    }
    if context.has(Plugin::LimitRanger) {
        limit_ranger::check_pod(context, pod)?;
    }
    Ok(())
}
