//! DefaultTolerationSeconds: pods stay five minutes on a node that is gone, unless they say otherwise.
//!
//! Upstream: `plugin/pkg/admission/defaulttolerationseconds/admission.go`

use std::sync::Arc;

use api::{Pod, PodSpec, TaintEffect, Toleration, TolerationOperator};
use base::Name;

/// `--default-not-ready-toleration-seconds` and `--default-unreachable-toleration-seconds`.
const SECONDS: i64 = 300;

const TAINTS: [Name; 2] =
    [Name::from_static("node.kubernetes.io/not-ready"), Name::from_static("node.kubernetes.io/unreachable")];

pub(super) fn admit(pod: &mut Pod) {
    let missing: Vec<Toleration> =
        TAINTS.into_iter().filter(|key| !tolerates(&pod.spec, key)).map(toleration).collect();
    if !missing.is_empty() {
        PodSpec::edit(&mut pod.spec, |spec| spec.tolerations.extend(missing));
    }
}

/// A pod that was created before this plugin was on gets its tolerations with the next update.
pub(super) fn admit_change(pod: &mut Arc<Pod>) {
    if TAINTS.iter().any(|key| !tolerates(&pod.spec, key)) {
        admit(Arc::make_mut(pod));
    }
}

fn tolerates(spec: &PodSpec, taint: &Name) -> bool {
    spec.tolerations.iter().any(|it| {
        (it.key == *taint || it.key.is_empty())
            && (it.effect == TaintEffect::NoExecute || it.effect.is_unset())
    })
}

fn toleration(key: Name) -> Toleration {
    Toleration {
        key,
        operator: TolerationOperator::Exists,
        effect: TaintEffect::NoExecute,
        toleration_seconds: Some(SECONDS),
        ..Toleration::default()
    }
}
