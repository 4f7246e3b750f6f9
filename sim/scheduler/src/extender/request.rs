//! What extenders are sent.
//!
//! Fields keep their Go names in JSON. Upstream: `staging/src/k8s.io/kube-scheduler/extender/v1/types.go`.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::{Node, Pod};
use base::Name;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{Binding, Victims};

/// `ExtenderArgs`: which nodes to filter or to score for `pod`. By name, for who knows the nodes.
pub(super) fn candidates(pod: &Pod, nodes: &[Arc<Node>], by_name: bool) -> Value {
    let (list, names) = if by_name {
        let names: Value = nodes.iter().map(|it| it.meta.name.as_str()).collect();
        (Value::Null, names)
    } else {
        let items: Value = nodes.iter().map(|it| object(&**it)).collect();
        (json!({ "metadata": {}, "items": items }), Value::Null)
    };
    json!({ "Pod": object(pod), "Nodes": list, "NodeNames": names })
}

/// `ExtenderPreemptionArgs`: which pods would make room for `pod`, by node. By identity, for who knows them.
pub(super) fn preemption(pod: &Pod, victims: &BTreeMap<Name, Victims>, by_uid: bool) -> Value {
    let identify = |it: &Pod| if by_uid { json!({ "UID": it.meta.uid.to_string() }) } else { object(it) };
    let show = |victims: &Victims| {
        let pods: Value = victims.pods.iter().map(|it| identify(it)).collect();
        json!({ "Pods": pods, "NumPDBViolations": victims.pdb_violations })
    };
    let map: Map<String, Value> = victims.iter().map(|(node, it)| (node.to_string(), show(it))).collect();
    let (whole, meta) = if by_uid { (Value::Null, map.into()) } else { (Value::from(map), Value::Null) };
    json!({ "Pod": object(pod), "NodeNameToVictims": whole, "NodeNameToMetaVictims": meta })
}

/// `ExtenderBindingArgs`.
pub(super) fn binding(binding: &Binding) -> Value {
    json!({
        "PodName": binding.name,
        "PodNamespace": binding.namespace,
        "PodUID": binding.uid.to_string(),
        "Node": binding.node,
    })
}

fn object(object: &impl Serialize) -> Value {
    serde_json::to_value(object).expect("our types have text keys and finite numbers")
}
