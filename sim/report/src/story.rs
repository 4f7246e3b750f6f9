//! A run as a reader would tell it: commands, faults, what became of nodes, how pods are resized, and the events that
//! matter.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use api::{Kind, PodPhase};
use base::Name;
use cluster::Cluster;
use record::{Record, Subresource, What};

use crate::summary::Expectation;
use crate::tables::seconds;

/// Events that tell of steps that every pod takes.
const ORDINARY: [&str; 11] = [
    "Created",
    "NodeAllocatableEnforced",
    "NodeHasNoDiskPressure",
    "NodeHasSufficientMemory",
    "NodeHasSufficientPID",
    "Pulled",
    "Pulling",
    "RegisteredNode",
    "SuccessfulCreate",
    "SuccessfulDelete",
    "Unhealthy",
];

/// The story of a run, line by line, with the pods that are left and the expectations at its end.
pub fn story(cluster: &Cluster, expectations: &[Expectation]) -> String {
    let mut text = String::new();
    for record in cluster.log().iter().filter(matters) {
        let at = seconds(cluster.started(), record.at);
        let _ = writeln!(text, "{:>11} {:<22} {}", &at[..at.len() - 3], record.actor.as_str(), record.what);
    }
    text.push('\n');
    for ((namespace, owner, node), (ready, all)) in pods_left(cluster) {
        let _ = writeln!(text, "{namespace}/{owner} on {node}: {ready} of {all} ready");
    }
    text.push('\n');
    for it in expectations {
        let at = it.at.map(|at| format!(" at {at:.3} s")).unwrap_or_default();
        let _ = writeln!(text, "{} {}{at}", if it.ok { "ok  " } else { "FAIL" }, it.name);
    }
    text
}

fn matters(record: &Record) -> bool {
    match &record.what {
        What::Command { .. } | What::Fault { .. } | What::Note { object: None, .. } => true,
        What::Event { reason, .. } => !ORDINARY.contains(&reason.as_str()),
        What::Commit { object, sub, changes, .. } if object.kind == Kind::Pod => {
            *sub == Subresource::Resize || changes.contains("PodResize")
        }
        What::Commit { object, changes, .. } => {
            object.kind == Kind::Node && (changes.contains("Ready") || changes.contains("taint"))
        }
        What::Decision { node, .. } => node.is_none(),
        What::Rejected { .. } | What::Container { .. } | What::Silence { .. } | What::Note { .. } => false,
    }
}

type Place = (Name, Name, Name);

/// By namespace, owner and node: how many pods are ready, of how many.
fn pods_left(cluster: &Cluster) -> BTreeMap<Place, (usize, usize)> {
    let mut left: BTreeMap<Place, (usize, usize)> = BTreeMap::new();
    let there = |it: &&cluster::PodLife| it.deleted.is_none() && it.phase != PodPhase::Succeeded;
    for life in cluster.ledger().lives().iter().filter(there) {
        let counts = left.entry((life.namespace.clone(), life.owner.clone(), life.node.clone())).or_default();
        counts.0 += usize::from(life.is_ready);
        counts.1 += 1;
    }
    left
}
