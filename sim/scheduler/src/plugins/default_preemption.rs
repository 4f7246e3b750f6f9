//! Makes room for a pod that fits nowhere by taking pods of lower priority off a node.
//!
//! Upstream: `pkg/scheduler/framework/plugins/defaultpreemption/default_preemption.go`,
//! `pkg/scheduler/framework/preemption/preemption.go`.

use api::{ConditionStatus, Pod, PreemptionPolicy, condition};
use base::Name;
use client::Change;

use crate::cluster::Cluster;
use crate::config::DefaultPreemptionArgs;
use crate::diagnosis::Diagnosis;
use crate::failed_attempt::FailedAttempt;
use crate::framework::{Code, Plugin, PostFilter, Rejection};
use crate::hint::{Actions, ClusterEvent, EventResource};
use crate::node_info::NodeIdx;
use crate::pod_info::PodInfo;
use crate::preemption::{Candidate, DryRun, Findings, Nominate, Preemption, best, is_lower};

/// The reason of the condition `DisruptionTarget` of a victim. Upstream: `v1.PodReasonPreemptionByScheduler`.
pub(crate) const PREEMPTION_BY_SCHEDULER: &str = "PreemptionByScheduler";

#[derive(Clone, Debug, Default)]
pub struct DefaultPreemption {
    args: DefaultPreemptionArgs,
}

impl DefaultPreemption {
    pub fn new(args: &DefaultPreemptionArgs) -> Self {
        Self { args: args.clone() }
    }
}

impl Plugin for DefaultPreemption {
    fn name(&self) -> &'static str {
        "DefaultPreemption"
    }

    /// The pod waits while its victims are being asked to go.
    fn pre_enqueue(&self, pod: &Pod, cluster: &Cluster) -> Option<Rejection> {
        let reason = "waiting for the preemption for this pod to be finished";
        cluster.preempting.contains(&pod.meta.uid).then(|| Rejection::unresolvable(Name::from_static(reason)))
    }

    /// Upstream: `Evaluator.Preempt`.
    fn post_filter(&self, failed: &FailedAttempt<'_>) -> Option<PostFilter> {
        if let Err(why) = may_preempt(failed) {
            return Some(refused(Code::Unschedulable, why, Nominate::Keep));
        }
        let mut findings = self.try_nodes(failed);
        let candidates = std::mem::take(&mut findings.candidates);
        if !candidates.is_empty() {
            return Some(settle(failed, candidates));
        }
        Some(if findings.errors.is_empty() {
            refused(Code::Unschedulable, &explain(failed, findings), Nominate::Clear)
        } else {
            refused(Code::Error, &aggregate(findings.errors), Nominate::Keep)
        })
    }

    fn events_to_register(&self) -> Vec<ClusterEvent> {
        vec![ClusterEvent::new(EventResource::AssignedPod, Actions::DELETE)]
    }

    /// Whom this plugin holds back, another plugin had refused before; that one says when to try again.
    fn hint(&self, _pod: &PodInfo, _event: ClusterEvent, _change: &Change, _cluster: &Cluster) -> bool {
        false
    }
}

impl DefaultPreemption {
    /// Upstream: `findCandidates`.
    fn try_nodes(&self, failed: &FailedAttempt<'_>) -> Findings {
        let nodes: Vec<NodeIdx> = failed.resolvable_nodes().collect();
        if nodes.is_empty() {
            return Findings::default();
        }
        let first = failed.draw("scheduler.preemption.offset", nodes.len() as u64);
        let (before, from) = nodes.split_at(usize::try_from(first).unwrap_or(0));
        let ring = from.iter().chain(before).map(|&idx| &failed.cycle.cluster.nodes[idx]);
        DryRun::new(failed.cycle, failed.hypothesis(), self.enough_candidates(nodes.len())).run(ring)
    }

    /// Upstream: `calculateNumCandidates`.
    fn enough_candidates(&self, nodes: usize) -> usize {
        let number = |it: i32| usize::try_from(it).unwrap_or(0);
        let share = nodes * number(self.args.min_candidate_nodes_percentage) / 100;
        share.max(number(self.args.min_candidate_nodes_absolute)).min(nodes)
    }
}

/// Upstream: `PodEligibleToPreemptOthers`.
fn may_preempt(failed: &FailedAttempt<'_>) -> Result<(), &'static str> {
    let pod = &failed.cycle.pod.pod;
    if pod.spec.preemption_policy == PreemptionPolicy::Never {
        return Err("not eligible due to preemptionPolicy=Never.");
    }
    let Some(idx) = failed.cycle.cluster.nodes.position(&pod.status.nominated_node_name) else {
        return Ok(());
    };
    if failed.rejection(idx).is_none_or(|it| it.code == Code::UnschedulableAndUnresolvable) {
        return Ok(()); // The promise is worth nothing any more.
    }
    let mut going = failed.cycle.cluster.nodes[idx].pods().iter().filter(|it| is_preempted(&it.pod));
    if going.any(|it| is_lower(it, &failed.cycle)) {
        return Err("not eligible due to a terminating pod on the nominated node.");
    }
    Ok(())
}

/// Upstream: `podTerminatingByPreemption`.
fn is_preempted(pod: &Pod) -> bool {
    pod.is_deleting()
        && pod
            .status
            .condition(&condition::DISRUPTION_TARGET)
            .is_some_and(|it| it.status == ConditionStatus::True && it.reason == PREEMPTION_BY_SCHEDULER)
}

/// Preemption would help on each of `candidates`; extenders may see that otherwise.
fn settle(failed: &FailedAttempt<'_>, candidates: Vec<Candidate>) -> PostFilter {
    match failed.ask_extenders(candidates).map(|left| choose(failed, left)) {
        Ok(Some(preemption)) => PostFilter {
            code: Code::Success,
            reasons: Vec::new(),
            nominate: Nominate::Node(Box::new(preemption)),
            deallocate: None,
        },
        Ok(None) => refused(Code::Unschedulable, "no candidate node for preemption", Nominate::Keep),
        Err(error) => refused(Code::Error, &error.to_string(), Nominate::Keep),
    }
}

/// Upstream: `SelectCandidate`, which takes any of those that cost least.
fn choose(failed: &FailedAttempt<'_>, candidates: Vec<Candidate>) -> Option<Preemption> {
    let mut ties = best(&candidates);
    ties.sort_by(|&a, &b| candidates[a].node.cmp(&candidates[b].node));
    let drawn = failed.draw("scheduler.preemption.ties", ties.len().max(1) as u64);
    let chosen = &candidates[*ties.get(usize::try_from(drawn).unwrap_or(0))?];
    let promised = failed.cycle.cluster.nominated.pods_on(&chosen.node).iter();
    Some(Preemption {
        node: chosen.node.clone(),
        victims: chosen.victims.clone(),
        cleared: promised.filter(|it| is_lower(it, &failed.cycle)).cloned().collect(),
        ties: ties.iter().map(|&idx| candidates[idx].node.clone()).collect(),
        candidates,
    })
}

/// Why there is no candidate: the same text as for the pod, about the nodes without their less important pods.
fn explain(failed: &FailedAttempt<'_>, findings: Findings) -> Name {
    let nodes = failed.cycle.cluster.nodes.len();
    let mut diagnosis = Diagnosis { nodes, reasons: findings.reasons, ..Diagnosis::default() };
    if findings.refused < nodes {
        let others = Name::from_static("Preemption is not helpful for scheduling");
        *diagnosis.reasons.entry(others).or_default() += nodes - findings.refused;
    }
    diagnosis.message()
}

fn refused(code: Code, why: &str, nominate: Nominate) -> PostFilter {
    let reasons = vec![Name::from(format_args!("preemption: {why}"))];
    PostFilter { code, reasons, nominate, deallocate: None }
}

/// Several errors as one, each of them once. Upstream: `utilerrors.NewAggregate`.
fn aggregate(mut errors: Vec<Name>) -> Name {
    let mut seen = std::collections::BTreeSet::new();
    errors.retain(|it| seen.insert(it.clone()));
    match &errors[..] {
        [error] => error.clone(),
        _ => {
            let errors: Vec<&str> = errors.iter().map(Name::as_str).collect();
            Name::from(format_args!("[{}]", errors.join(", ")))
        }
    }
}
