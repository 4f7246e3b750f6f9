//! What a kubelet keeps from the pods of its node.
//!
//! Upstream: `pkg/kubelet/cm/node_container_manager_linux.go`, `GetNodeAllocatableReservation`, `validateNodeAllocatable`;
//! `cmd/kubelet/app/server.go`, `parseResourceList`.

use std::collections::BTreeMap;

use api::{Quantity, ResourceList};
use base::Name;

use super::check::add_to_entry;
use super::{Configuration, Problem, default_eviction_hard};
use crate::eviction::hard_thresholds;

/// What may be reserved. Processes are not part of a node's capacity, so that reserving them keeps none from pods.
const RESOURCES: [&str; 4] = ["cpu", "memory", "ephemeral-storage", "pid"];

/// What may be enforced, and the setting that must name the cgroup for it. Upstream: `pkg/kubelet/types/constants.go`.
const NONE: &str = "none";
const PODS: &str = "pods";
const ENFORCEMENTS: [(&str, Option<&str>); 6] = [
    (PODS, None),
    ("system-reserved", Some("systemReservedCgroup (--system-reserved-cgroup)")),
    ("kube-reserved", Some("kubeReservedCgroup (--kube-reserved-cgroup)")),
    ("system-reserved-compressible", Some("systemReservedCgroup (--system-reserved-cgroup)")),
    ("kube-reserved-compressible", Some("kubeReservedCgroup (--kube-reserved-cgroup)")),
    (NONE, None),
];

impl Configuration {
    /// What is kept from pods of so much: for Kubernetes, for the system, and as much memory and disk as makes the
    /// kubelet evict pods. Nothing where the configuration says nothing of any of these: then the node's pool says what
    /// its pods may have.
    pub fn reservation(&self, capacity: &ResourceList) -> ResourceList {
        let says_nothing = self.kube_reserved.is_empty()
            && self.system_reserved.is_empty()
            && self.eviction_hard == default_eviction_hard();
        if says_nothing {
            return ResourceList::default();
        }
        let mut reserved = read(&self.system_reserved);
        reserved.add(&read(&self.kube_reserved));
        reserved.add(&hard_thresholds(self, capacity));
        let in_capacity = reserved.iter().filter(|(name, _)| capacity.contains_key(name.as_str()));
        in_capacity.map(|(name, quantity)| (name.clone(), *quantity)).collect()
    }

    /// What is wrong with that on nodes with so much: more is kept than there is.
    pub fn reservation_problems(&self, capacity: &ResourceList) -> Vec<Problem> {
        let excess = |(name, reserved): (&Name, &Quantity)| {
            let there = capacity.get(name).filter(|there| *there < reserved)?;
            let message = format!(
                "invalid Node Allocatable configuration. Resource \"{name}\" has a reservation of {reserved} but \
                 capacity of {there}. Expected capacity >= reservation."
            );
            Some(self.problem_of_reservation(name, message))
        };
        self.reservation(capacity).iter().filter_map(excess).collect()
    }

    /// Whether all pods together are held to what is allocatable.
    pub(crate) fn enforces_pods(&self) -> bool {
        self.enforce_node_allocatable.iter().any(|it| it == PODS)
    }

    /// It is told of at the first setting that has a part in it.
    fn problem_of_reservation(&self, resource: &Name, message: String) -> Problem {
        let entry = Some(resource.clone());
        if self.kube_reserved.contains_key(resource) {
            Problem { field: "kubeReserved", entry, message }
        } else if self.system_reserved.contains_key(resource) {
            Problem { field: "systemReserved", entry, message }
        } else {
            Problem { field: "evictionHard", entry: None, message }
        }
    }

    pub(super) fn check_reservations(&self, found: &mut Vec<Problem>) {
        for (field, stated) in
            [("kubeReserved", &self.kube_reserved), ("systemReserved", &self.system_reserved)]
        {
            for (name, amount) in stated {
                if let Some(message) = problem_of(name, amount) {
                    add_to_entry(found, field, name, message);
                }
            }
        }
        for option in &self.enforce_node_allocatable {
            let message = self.problem_of_enforcement(option);
            let problem = |message| Problem { field: "enforceNodeAllocatable", entry: None, message };
            found.extend(message.map(problem));
        }
    }

    fn problem_of_enforcement(&self, option: &Name) -> Option<String> {
        const SETTING: &str = "enforceNodeAllocatable (--enforce-node-allocatable)";
        let stated = &self.enforce_node_allocatable;
        let Some((_, cgroup)) = ENFORCEMENTS.iter().find(|it| option == it.0) else {
            let names: Vec<String> = ENFORCEMENTS.iter().map(|it| format!("\"{}\"", it.0)).collect();
            let (last, others) = names.split_last().expect("there are six");
            let others = others.join(", ");
            return Some(format!(
                "option \"{option}\" specified for {SETTING}. Valid options are {others}, or {last}"
            ));
        };
        if option == NONE && 1 < stated.len() {
            return Some(format!(
                "{SETTING} may not contain additional enforcements when \"{NONE}\" is specified"
            ));
        }
        let is_named = if option.starts_with("kube") {
            &self.kube_reserved_cgroup
        } else {
            &self.system_reserved_cgroup
        };
        if let Some(cgroup) = cgroup.filter(|_| is_named.is_empty()) {
            return Some(format!("{cgroup} must be specified when \"{option}\" contained in {SETTING}"));
        }
        let compressible = format!("{option}-compressible");
        stated.iter().any(|it| *it == compressible.as_str()).then(|| {
            format!("both \"{option}\" and \"{compressible}\" cannot be specified together in {SETTING}")
        })
    }
}

/// What is wrong with one entry, if anything.
fn problem_of(name: &Name, amount: &Name) -> Option<String> {
    if !RESOURCES.contains(&name.as_str()) {
        let meant = api::nearest(name, RESOURCES.iter().copied());
        let hint = meant.map_or(String::new(), |it| format!("; did you mean `{it}`?"));
        return Some(format!("cannot reserve \"{name}\" resource{hint}"));
    }
    match amount.parse::<Quantity>() {
        Err(error) => Some(format!("failed to parse quantity \"{amount}\" for \"{name}\" resource: {error}")),
        Ok(quantity) if quantity.is_negative() => {
            Some(format!("resource quantity for \"{name}\" cannot be negative: {amount}"))
        }
        Ok(_) => None,
    }
}

/// What cannot be read was refused before.
fn read(stated: &BTreeMap<Name, Name>) -> ResourceList {
    stated.iter().filter_map(|(name, amount)| Some((name.clone(), amount.parse().ok()?))).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn configuration(value: serde_json::Value) -> Configuration {
        serde_json::from_value(value).unwrap()
    }

    fn capacity() -> ResourceList {
        let all = [("cpu", "8"), ("memory", "32Gi"), ("ephemeral-storage", "100Gi"), ("pods", "110")];
        all.into_iter().map(|(name, amount)| (Name::new(name), amount.parse().unwrap())).collect()
    }

    fn reserved(value: serde_json::Value) -> String {
        let reserved = configuration(value).reservation(&capacity());
        let told: Vec<String> = reserved.iter().map(|(name, amount)| format!("{name} {amount}")).collect();
        told.join(", ")
    }

    /// 500m + 200m; 1Gi + 512Mi + 100Mi; 10 % of 100Gi, as a 32-bit float has it, and 1Gi.
    #[test]
    fn reservations_add_up_with_the_hard_thresholds() {
        assert_eq!(reserved(json!({})), "");
        let all = reserved(json!({
            "kubeReserved": {"cpu": "500m", "memory": "1Gi", "ephemeral-storage": "1Gi", "pid": "1000"},
            "systemReserved": {"cpu": "200m", "memory": "512Mi"},
        }));
        assert_eq!(all, "cpu 700m, ephemeral-storage 11811160224, memory 1636Mi");
        let own = reserved(json!({"evictionHard": {"memory.available": "1Gi", "nodefs.available": "0%"}}));
        assert_eq!(own, "memory 1Gi");
        assert_eq!(reserved(json!({"evictionHard": {}})), "");
    }

    #[test]
    fn what_is_wrong_is_told_in_upstreams_words() {
        let problems = |value| -> Vec<String> {
            configuration(value)
                .problems()
                .into_iter()
                .map(|it| format!("{}: {}", it.field, it.message))
                .collect()
        };
        assert_eq!(
            problems(json!({
                "kubeReserved": {"memry": "1Gi", "cpu": "-1"}, "systemReserved": {"memory": "much"},
                "enforceNodeAllocatable": ["pods", "kube-reserved", "all"],
            })),
            [
                "kubeReserved: resource quantity for \"cpu\" cannot be negative: -1",
                "kubeReserved: cannot reserve \"memry\" resource; did you mean `memory`?",
                "systemReserved: failed to parse quantity \"much\" for \"memory\" resource: quantities must match the \
                 regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
                "enforceNodeAllocatable: kubeReservedCgroup (--kube-reserved-cgroup) must be specified when \
                 \"kube-reserved\" contained in enforceNodeAllocatable (--enforce-node-allocatable)",
                "enforceNodeAllocatable: option \"all\" specified for enforceNodeAllocatable \
                 (--enforce-node-allocatable). Valid options are \"pods\", \"system-reserved\", \"kube-reserved\", \
                 \"system-reserved-compressible\", \"kube-reserved-compressible\", or \"none\"",
            ]
        );
        assert_eq!(
            problems(json!({"enforceNodeAllocatable": ["none", "pods"]})),
            [
                "enforceNodeAllocatable: enforceNodeAllocatable (--enforce-node-allocatable) may not contain additional \
              enforcements when \"none\" is specified"
            ]
        );
        let cgroup = json!({
            "systemReservedCgroup": "/system.slice",
            "enforceNodeAllocatable": ["system-reserved", "system-reserved-compressible"],
        });
        assert_eq!(
            problems(cgroup),
            [
                "enforceNodeAllocatable: both \"system-reserved\" and \"system-reserved-compressible\" cannot be \
              specified together in enforceNodeAllocatable (--enforce-node-allocatable)"
            ]
        );
    }

    #[test]
    fn no_more_is_reserved_than_there_is() {
        let it = configuration(json!({"kubeReserved": {"cpu": "6"}, "systemReserved": {"cpu": "3"}}));
        let problems = it.reservation_problems(&capacity());
        assert_eq!(
            problems,
            [Problem {
                field: "kubeReserved",
                entry: Some(Name::new("cpu")),
                message: "invalid Node Allocatable configuration. Resource \"cpu\" has a reservation of 9 but capacity \
                          of 8. Expected capacity >= reservation."
                    .to_owned(),
            }]
        );
    }
}
