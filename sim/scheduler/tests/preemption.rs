//! Preemption chooses what the rules of upstream say, restated here over plain numbers.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use api::{Node, Object, Pod, PodDisruptionBudget, Uid};
use base::Name;
use client::Change;
use proptest::prelude::*;
use scheduler::{Core, Nominate, Profile, Ties};
use serde_json::{Value, json};

#[derive(Clone, Debug)]
struct Running {
    priority: i32,
    cpu: i64,
    start: i64,
    app: usize,
}

#[derive(Clone, Debug)]
struct Given {
    /// Each with its cores and its pods.
    nodes: Vec<(i64, Vec<Running>)>,
    /// By app: how many of its pods may go.
    budgets: BTreeMap<usize, i32>,
    priority: i32,
    cpu: i64,
}

/// What is expected of one node.
#[derive(Clone, Debug, PartialEq)]
struct Candidate {
    node: String,
    victims: Vec<String>,
    pdb_violations: i64,
}

fn given() -> impl Strategy<Value = Given> {
    let running = (0..4_i32, 1..4_i64, 0..6_i64, 0..3_usize)
        .prop_map(|(priority, cpu, start, app)| Running { priority, cpu, start, app });
    let node = (2..9_i64, prop::collection::vec(running, 0..6));
    let budgets = prop::collection::btree_map(0..3_usize, 0..3_i32, 0..3);
    (prop::collection::vec(node, 1..6), budgets, 0..5_i32, 1..9_i64)
        .prop_map(|(nodes, budgets, priority, cpu)| Given { nodes, budgets, priority, cpu })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn the_cheapest_preemption_is_nominated(given in given()) {
        let (mut core, pod) = given.set_up();
        let info = core.cluster.pod_info(&Arc::new(pod));
        let outcome = core.schedule(0, &info, 1, None);
        prop_assert_eq!(outcome.is_ok(), given.fits_somewhere());
        let Err(diagnosis) = outcome else { return Ok(()) };
        let post_filter = diagnosis.post_filter.as_ref().expect("the default plugins preempt");
        let expected = given.candidates();
        match (&post_filter.nominate, given.choose(&expected)) {
            (Nominate::Node(found), Some(node)) => {
                prop_assert_eq!(found.node.as_str(), node);
                let found: Vec<Candidate> = found.candidates.iter().map(tell).collect();
                prop_assert_eq!(found, expected);
            }
            (Nominate::Clear, None) => {
                let text = given.why_not();
                prop_assert!(diagnosis.message().ends_with(&text), "{} lacks {text}", diagnosis.message());
            }
            other => prop_assert!(false, "{other:?}"),
        }
    }
}

impl Given {
    fn set_up(&self) -> (Core, Pod) {
        let profile = Profile::with_defaults(Name::from_static("default-scheduler"));
        let mut core = Core::new(vec![profile], Ties::FirstName);
        for (n, (cpu, pods)) in self.nodes.iter().enumerate() {
            let status = json!({"allocatable": {"cpu": format!("{cpu}"), "pods": "110"}});
            let node: Node = from_json(json!({"metadata": {"name": format!("n{n}")}, "status": status}));
            core.cluster.set_node(&Arc::new(node));
            for (k, it) in pods.iter().enumerate() {
                core.cluster.set_pod(&Arc::new(it.pod(n, k)));
            }
        }
        for (app, allowed) in &self.budgets {
            let budget: PodDisruptionBudget = from_json(json!({
                "metadata": {"name": format!("b{app}"), "namespace": "default"},
                "spec": {"selector": {"matchLabels": {"app": format!("{app}")}}},
                "status": {"disruptionsAllowed": allowed},
            }));
            let new = Object::PodDisruptionBudget(Arc::new(budget));
            core.cluster.objects.hear(&Change::Set { old: None, new });
        }
        (core, pod("wanted", 0, self.priority, self.cpu, 0))
    }

    fn fits_somewhere(&self) -> bool {
        self.nodes.iter().any(|(all, pods)| sum(pods.iter()) + self.cpu <= *all)
    }

    fn is_lower(&self, pod: &Running) -> bool {
        pod.priority < self.priority
    }

    /// Those without violations first.
    fn candidates(&self) -> Vec<Candidate> {
        let mut found: Vec<Candidate> = (0..self.nodes.len()).filter_map(|n| self.candidate(n)).collect();
        found.sort_by_key(|it| it.pdb_violations > 0);
        found
    }

    fn candidate(&self, n: usize) -> Option<Candidate> {
        let (all, pods) = &self.nodes[n];
        let mut used = sum(pods.iter().filter(|it| !self.is_lower(it)));
        let mut lower: Vec<usize> = (0..pods.len()).filter(|&k| self.is_lower(&pods[k])).collect();
        if lower.is_empty() || used + self.cpu > *all {
            return None;
        }
        let rank = |&k: &usize| (Reverse(pods[k].priority), pods[k].start);
        lower.sort_by_key(rank);
        let mut left = self.budgets.clone();
        let mut order: Vec<(bool, usize)> = Vec::new();
        for k in lower {
            let left = left.get_mut(&pods[k].app);
            let is_kind = left.is_none_or(|left| {
                *left -= 1;
                *left >= 0
            });
            order.push((is_kind, k));
        }
        order.sort_by_key(|it| it.0); // A stable sort: those that violate a budget come first.
        let mut victims = Vec::new();
        for (is_kind, k) in order {
            if used + pods[k].cpu + self.cpu <= *all {
                used += pods[k].cpu;
            } else {
                victims.push((is_kind, k));
            }
        }
        let pdb_violations = i64::try_from(victims.iter().filter(|it| !it.0).count()).expect("there are few");
        victims.sort_by_key(|it| rank(&it.1));
        let victims = victims.iter().map(|it| format!("p{n}-{}", it.1)).collect();
        Some(Candidate { node: format!("n{n}"), victims, pdb_violations })
    }

    fn choose<'a>(&self, candidates: &'a [Candidate]) -> Option<&'a str> {
        let cost = |it: &&Candidate| {
            let pods: Vec<&Running> = it.victims.iter().map(|name| self.find(name)).collect();
            let highest = pods.iter().map(|it| it.priority).max();
            let sum: i64 = pods.iter().map(|it| i64::from(it.priority) + (1 << 31)).sum();
            let start = pods.iter().filter(|it| Some(it.priority) == highest).map(|it| it.start).min();
            (it.pdb_violations, highest, sum, pods.len(), Reverse(start), it.node.clone())
        };
        candidates.iter().min_by_key(cost).map(|it| it.node.as_str())
    }

    fn find(&self, name: &str) -> &Running {
        let (n, k) = name[1..].split_once('-').expect("named so above");
        &self.nodes[n.parse::<usize>().expect("a number")].1[k.parse::<usize>().expect("a number")]
    }

    fn why_not(&self) -> String {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for (all, pods) in &self.nodes {
            let reason = if self.cpu > *all {
                "Preemption is not helpful for scheduling"
            } else if pods.iter().any(|it| self.is_lower(it)) {
                "Insufficient cpu"
            } else {
                "No preemption victims found for incoming pod"
            };
            *counts.entry(reason).or_default() += 1;
        }
        let mut lines: Vec<String> = counts.iter().map(|(why, count)| format!("{count} {why}")).collect();
        lines.sort();
        format!("preemption: 0/{} nodes are available: {}.", self.nodes.len(), lines.join(", "))
    }
}

impl Running {
    fn pod(&self, n: usize, k: usize) -> Pod {
        let mut pod = pod(&format!("p{n}-{k}"), n * 100 + k + 1, self.priority, self.cpu, self.app);
        pod.node = Name::from(format!("n{n}"));
        pod.status.start_time = Some(api::Timestamp::from_secs(self.start));
        pod
    }
}

fn tell(candidate: &scheduler::Candidate) -> Candidate {
    Candidate {
        node: candidate.node.to_string(),
        victims: candidate.victims.iter().map(|it| it.pod.meta.name.to_string()).collect(),
        pdb_violations: candidate.pdb_violations,
    }
}

fn sum<'a>(pods: impl Iterator<Item = &'a Running>) -> i64 {
    pods.map(|it| it.cpu).sum()
}

fn pod(name: &str, uid: usize, priority: i32, cpu: i64, app: usize) -> Pod {
    let mut pod: Pod = from_json(json!({
        "metadata": {"name": name, "namespace": "default", "labels": {"app": format!("{app}")}},
        "spec": {
            "priority": priority,
            "containers": [{"name": "main", "resources": {"requests": {"cpu": format!("{cpu}")}}}],
        },
    }));
    pod.meta.uid = Uid(uid as u128 + 1);
    pod
}

fn from_json<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).expect("written as the API server would")
}
