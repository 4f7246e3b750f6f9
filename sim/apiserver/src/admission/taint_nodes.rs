//! TaintNodesByCondition: a new node takes no pods until its controller has seen it ready.
//!
//! Upstream: `plugin/pkg/admission/nodetaint/admission.go`

use std::sync::Arc;

use api::{Object, Taint, TaintEffect};

pub(super) fn admit(object: &mut Object) {
    let Object::Node(node) = object else { return };
    let taint = Taint::new("node.kubernetes.io/not-ready", "", TaintEffect::NoSchedule);
    if !node.spec.taints.iter().any(|it| it.is_alike(&taint)) {
        Arc::make_mut(node).spec.taints.push(taint);
    }
}
