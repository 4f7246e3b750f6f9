//! One attempt of ours to schedule a pod, told as recordings tell it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use api::Pod;
use base::Name;
use scheduler::{Diagnosis, Nominate, PostFilter, PreFilterTrace, Preemption, Refusal, Rejection, Trace};

use crate::record::{CandidateRecord, PreFilterRecord, Record, Verdict};
use crate::stage::{Ours, Stage, full_name, volumes_of};

/// Tries to schedule `pod`, whose `attempt`th time it is, and leaves it at that.
pub(crate) fn attempt(stage: &mut Stage, pod: &Arc<Pod>, attempt: u32) -> (Record, Ours) {
    let core = &mut stage.core;
    let info = core.cluster.pod_info(pod);
    let mut trace = Trace::default();
    let outcome = core.schedule(0, &info, attempt, Some(&mut trace));
    let mut record = Record { pod: full_name(pod), attempt, ..told(&trace) };
    let mut ours = Ours::default();
    match outcome {
        Err(diagnosis) => tell_failure(&mut record, &diagnosis),
        Ok(placement) => match core.reserve(0, &info, &placement.node) {
            Err(refusal) => record.reserve_error = Some(refusal.rejection.message()),
            Ok(reserved) => {
                record.volumes = volumes_of(&reserved);
                record.bound = Some(placement.node.clone());
                ours = Ours { bound: Some(placement.node), reserved: Some(reserved) };
            }
        },
    }
    record.sort();
    (record, ours)
}

/// The plugin that keeps `pod` out of the queue, if there is one.
pub(crate) fn gate(stage: &Stage, pod: &Pod) -> Option<Record> {
    let core = &stage.core;
    let (plugin, rejection) = core.profiles[0].gate(pod, &core.cluster)?;
    let gated = Some(verdict(&Refusal { plugin, rejection }));
    let mut record = Record { pod: full_name(pod), gated, ..Record::default() };
    record.sort();
    Some(record)
}

fn told(trace: &Trace) -> Record {
    let refused = trace.verdicts.iter().filter_map(|(node, refusal)| Some((node, refusal.as_ref()?)));
    let mut scores: BTreeMap<Name, BTreeMap<Name, i64>> = BTreeMap::new();
    for column in &trace.scores {
        for (node, score) in trace.feasible.iter().zip(&column.scores) {
            scores.entry(node.clone()).or_default().insert(Name::from_static(column.plugin), *score);
        }
    }
    Record {
        prefilter: pre_filter(&trace.pre_filter),
        nominated_fast_path: trace.nominated_fast_path,
        filter: refused.map(|(node, refusal)| (node.clone(), verdict(refusal))).collect(),
        scores,
        total: trace.feasible.iter().cloned().zip(trace.totals.iter().copied()).collect(),
        best: trace.best.clone(),
        ..Record::default()
    }
}

fn pre_filter(trace: &PreFilterTrace) -> Option<PreFilterRecord> {
    let names = |plugins: &BTreeSet<&'static str>| plugins.iter().map(|it| Name::from_static(it)).collect();
    match trace {
        PreFilterTrace::AllNodes => None,
        PreFilterTrace::Narrowed { nodes, plugins } => Some(PreFilterRecord {
            node_names: Some(nodes.clone()),
            plugins: names(plugins),
            ..PreFilterRecord::default()
        }),
        PreFilterTrace::Rejected { refusal, plugins } => Some(PreFilterRecord {
            plugin: (!refusal.plugin.is_empty()).then(|| Name::from_static(refusal.plugin)),
            plugins: names(plugins),
            code: Some(Name::from_static(refusal.rejection.code.as_str())),
            reasons: reasons(&refusal.rejection),
            node_names: None,
        }),
    }
}

fn tell_failure(record: &mut Record, diagnosis: &Diagnosis) {
    record.message = Some(diagnosis.message());
    let Some(PostFilter { code, nominate, .. }) = &diagnosis.post_filter else { return };
    record.postfilter = Some(Name::from_static(code.as_str()));
    if let Nominate::Node(preemption) = nominate {
        tell_preemption(record, preemption);
    }
}

fn tell_preemption(record: &mut Record, preemption: &Preemption) {
    let names = |pods: &[scheduler::PodInfo]| pods.iter().map(|it| full_name(&it.pod)).collect();
    record.nominated = Some(preemption.node.clone());
    record.nominated_ties.clone_from(&preemption.ties);
    record.victims = names(&preemption.victims);
    record.cleared_nominations = names(&preemption.cleared);
    let candidates = preemption.candidates.iter().map(|it| {
        let candidate = CandidateRecord { victims: names(&it.victims), pdb_violations: it.pdb_violations };
        (it.node.clone(), candidate)
    });
    record.candidates = candidates.collect();
}

fn verdict(refusal: &Refusal) -> Verdict {
    Verdict {
        plugin: Name::from_static(refusal.plugin),
        code: Name::from_static(refusal.rejection.code.as_str()),
        reasons: reasons(&refusal.rejection),
    }
}

fn reasons(rejection: &Rejection) -> Vec<Name> {
    rejection.reasons().cloned().collect()
}
