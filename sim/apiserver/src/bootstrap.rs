//! What the API server creates for itself when it starts.
//!
//! Upstream: `pkg/controlplane/controller/systemnamespaces`, `pkg/apis/scheduling/v1/helpers.go`,
//! `pkg/registry/scheduling/rest/storage_scheduling.go`.

use api::{Meta, Namespace, Object, PreemptionPolicy, PriorityClass};
use base::{Name, Time};

use crate::commit::Call;
use crate::server::{ApiServer, SELF};

const NAMESPACES: [&str; 4] = ["default", "kube-system", "kube-public", "kube-node-lease"];

const PRIORITIES: [(&str, i32, &str); 2] = [
    (
        "system-cluster-critical",
        2_000_000_000,
        "Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.",
    ),
    (
        "system-node-critical",
        2_000_001_000,
        "Used for system critical pods that must not be moved from their current node.",
    ),
];

impl ApiServer {
    pub(crate) fn bootstrap(&mut self, now: Time) {
        let mut commits = Vec::new();
        let mut call = Call { now, actor: &SELF, verb: "create", commits: &mut commits };
        let priorities = PRIORITIES.map(|(name, value, description)| priority(name, value, description));
        for object in NAMESPACES.map(namespace).into_iter().chain(priorities) {
            self.create(&mut call, object).expect("an empty store takes its first objects");
        }
    }
}

fn namespace(name: &'static str) -> Object {
    Object::new(Namespace { meta: named(name), ..Namespace::default() })
}

fn priority(name: &'static str, value: i32, description: &'static str) -> Object {
    Object::new(PriorityClass {
        meta: named(name),
        value,
        description: Name::from_static(description),
        preemption_policy: PreemptionPolicy::PreemptLowerPriority,
        ..PriorityClass::default()
    })
}

fn named(name: &'static str) -> Meta {
    Meta { name: Name::from_static(name), ..Meta::default() }
}
