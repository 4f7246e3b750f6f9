//! All extenders of a scheduler together: whom it asks, in which order, and what it makes of failures.
//!
//! Nothing that an extender says is kept for another attempt.
//!
//! Upstream: `pkg/scheduler/schedule_one.go`, `findNodesThatPassExtenders`, `prioritizeNodes`, `extendersBinding`;
//! `pkg/scheduler/framework/preemption/preemption.go`, `callExtenders`.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use api::Pod;
use base::{Name, Span};

use super::said::{Answer, Said, Verb, duration};
use super::{Binding, ExtenderError, Filtered, HttpExtender, Transport, TransportError, Victims};
use crate::config;
use crate::framework::{Plugin, Rejection};
use crate::node_info::NodeIdx;
use crate::nodes::Nodes;
use crate::pod_info::PodInfo;
use crate::preemption::Candidate;

/// Stands for all extenders where plugins are named. Upstream: `ExtenderName`.
pub(crate) const EXTENDER: &str = "Extender";

/// The extenders of a scheduler, and who carries the calls to them.
#[derive(Clone, Debug, Default)]
pub struct Extenders {
    /// In the order in which they are asked.
    list: Arc<Vec<HttpExtender>>,
    transport: Option<Arc<dyn Transport>>,
    /// What a call takes in virtual time, if it is answered.
    latency: Span,
    /// Since the last look at it.
    said: RefCell<Vec<Said>>,
}

/// What extenders leave of the nodes that would do.
#[derive(Debug)]
pub(crate) struct Sieve {
    pub(crate) left: Vec<NodeIdx>,
    /// Why others are out, by name, as far as extenders say so; not all of them are nodes that there are.
    pub(crate) refused: BTreeMap<Name, Rejection>,
}

/// Has pods that extenders refused tried again, whatever happens. Upstream: `defaultEnqueueExtension`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ExtenderListener;

impl Extenders {
    /// Those of `config`, in its order. A call that is answered takes `latency` of virtual time; one that is not takes
    /// what the extender's timeout allows.
    pub fn new(config: &[config::Extender], transport: Option<Arc<dyn Transport>>, latency: Span) -> Self {
        let list = config.iter().cloned().map(HttpExtender::new).collect();
        Self { list: Arc::new(list), transport, latency, said: RefCell::default() }
    }

    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Whether all nodes that would do are of interest, and not only the first. Upstream: `hasExtenderFilters`,
    /// `hasScoring`.
    pub(crate) fn want_choice(&self) -> bool {
        self.list.iter().any(|it| it.is_filter() || it.is_prioritizer())
    }

    /// Takes what has been said since this was last called, and how long it took.
    pub(crate) fn take_said(&self) -> (Vec<Said>, Span) {
        let said = self.said.take();
        let took = duration(&said);
        (said, took)
    }

    /// One extender after the other, each asked about what those before it have left.
    pub(crate) fn filter(
        &self,
        pod: &Pod,
        feasible: &[NodeIdx],
        nodes: &Nodes,
    ) -> Result<Sieve, ExtenderError> {
        let mut sieve = Sieve { left: feasible.to_vec(), refused: BTreeMap::new() };
        for extender in self.list.iter().filter(|it| it.is_filter() && it.is_interested(pod)) {
            if sieve.left.is_empty() {
                break;
            }
            let candidates: Vec<_> = sieve.left.iter().map(|&idx| nodes[idx].node.clone()).collect();
            let filtered = self.call(|transport| extender.filter(pod, &candidates, transport));
            let answer = |it: &Filtered| Answer::Left { asked: candidates.len(), nodes: it.nodes.clone() };
            self.note(extender, Verb::Filter, filtered.as_ref().map(answer), extender.is_ignorable());
            match filtered {
                Ok(filtered) => sieve.take(filtered, nodes),
                Err(_) if extender.is_ignorable() => (),
                Err(error) => return Err(error),
            }
        }
        Ok(sieve)
    }

    /// Adds to `totals`, which go by `feasible`, what each extender makes of each node. One that fails has no say.
    pub(crate) fn prioritize(&self, pod: &Pod, feasible: &[NodeIdx], nodes: &Nodes, totals: &mut [i64]) {
        let mut candidates = Vec::new();
        for extender in self.list.iter().filter(|it| it.is_prioritizer() && it.is_interested(pod)) {
            if candidates.is_empty() {
                candidates.extend(feasible.iter().map(|&idx| nodes[idx].node.clone()));
            }
            let scores = self.call(|transport| extender.prioritize(pod, &candidates, transport));
            self.note(extender, Verb::Prioritize, scores.as_ref().map(|it| Answer::Scores(it.clone())), true);
            let mut sums: BTreeMap<Name, i64> = BTreeMap::new();
            for (node, score) in scores.unwrap_or_default() {
                let sum = sums.entry(node).or_default();
                *sum = sum.wrapping_add(score);
            }
            for (total, &idx) in totals.iter_mut().zip(feasible) {
                *total = total.wrapping_add(sums.get(nodes[idx].name()).copied().unwrap_or(0));
            }
        }
    }

    /// What extenders leave of the nodes where preemption would help, by name of the node.
    pub(crate) fn preempt(
        &self,
        pod: &Pod,
        candidates: Vec<Candidate>,
        nodes: &Nodes,
    ) -> Result<Vec<Candidate>, ExtenderError> {
        let mut asked =
            self.list.iter().filter(|it| it.supports_preemption() && it.is_interested(pod)).peekable();
        if asked.peek().is_none() {
            return Ok(candidates);
        }
        let mut victims: BTreeMap<Name, Victims> =
            candidates.iter().map(|it| (it.node.clone(), Victims::of(it))).collect();
        for extender in asked {
            if victims.is_empty() {
                break;
            }
            let chosen = self.call(|transport| extender.preempt(pod, &victims, nodes, transport));
            let chosen = chosen.and_then(|it| check_victims(it, extender.is_ignorable()));
            self.note(extender, Verb::Preempt, chosen.as_ref().map(told_victims), extender.is_ignorable());
            match chosen {
                Ok(chosen) => victims = chosen,
                Err(_) if extender.is_ignorable() => (),
                Err(error) => return Err(error),
            }
        }
        Ok(victims.into_iter().filter_map(|(node, it)| it.candidate(node, nodes)).collect())
    }

    /// Has an extender bind the pod; `None` if that is left to plugins.
    pub(crate) fn bind(&self, pod: &Pod, node: &Name) -> Option<Result<(), ExtenderError>> {
        let (namespace, name) = (pod.meta.namespace.clone(), pod.meta.name.clone());
        let binding = Binding { namespace, name, uid: pod.meta.uid, node: node.clone() };
        for extender in self.list.iter().filter(|it| it.is_binder() && it.is_interested(pod)) {
            let bound = self.call(|transport| extender.bind(&binding, transport));
            self.note(extender, Verb::Bind, bound.as_ref().map(|&()| Answer::Bound), extender.is_ignorable());
            if bound.is_ok() || !extender.is_ignorable() {
                return Some(bound);
            }
        }
        None
    }

    fn call<T>(
        &self,
        ask: impl FnOnce(&dyn Transport) -> Result<T, ExtenderError>,
    ) -> Result<T, ExtenderError> {
        match &self.transport {
            Some(transport) => ask(transport.as_ref()),
            None => {
                Err(ExtenderError::Body(TransportError::Body("nobody carries calls to extenders".into())))
            }
        }
    }

    fn note(
        &self,
        extender: &HttpExtender,
        verb: Verb,
        answer: Result<Answer, &ExtenderError>,
        is_ignored: bool,
    ) {
        let took = match &answer {
            Err(error) if error.is_timeout() => extender.timeout(),
            Ok(_) | Err(_) => self.latency,
        };
        let failed = |error: &ExtenderError| Answer::Failed { error: error.to_string().into(), is_ignored };
        let answer = answer.unwrap_or_else(failed);
        self.said.borrow_mut().push(Said { extender: extender.name().clone(), verb, answer, took });
    }
}

impl Sieve {
    fn take(&mut self, filtered: Filtered, nodes: &Nodes) {
        self.left = filtered.nodes.iter().filter_map(|name| nodes.position(name)).collect();
        let failed = filtered.failed.into_iter().map(|(node, why)| (node, Rejection::unschedulable(why)));
        let unresolvable = filtered.failed_and_unresolvable.into_iter();
        let unresolvable = unresolvable.map(|(node, why)| (node, Rejection::unresolvable(why)));
        self.refused.extend(failed.chain(unresolvable));
    }
}

impl Victims {
    fn of(candidate: &Candidate) -> Self {
        let pods = candidate.victims.iter().map(|it| it.pod.clone()).collect();
        Self { pods, pdb_violations: candidate.pdb_violations }
    }

    fn candidate(self, node: Name, nodes: &Nodes) -> Option<Candidate> {
        let there = nodes.find(&node)?.pods();
        let find = |pod: &Arc<Pod>| there.iter().find(|it| it.uid() == pod.meta.uid).cloned();
        let victims: Vec<PodInfo> = self.pods.iter().filter_map(find).collect();
        Some(Candidate { node, victims, pdb_violations: self.pdb_violations })
    }
}

/// Nobody has to go from a node where the pod fits anyway.
fn check_victims(
    mut chosen: BTreeMap<Name, Victims>,
    is_ignorable: bool,
) -> Result<BTreeMap<Name, Victims>, ExtenderError> {
    if is_ignorable {
        chosen.retain(|_, it| !it.pods.is_empty());
    }
    match chosen.iter().find(|(_, it)| it.pods.is_empty()) {
        Some((node, _)) => Err(ExtenderError::NoVictims { node: node.clone() }),
        None => Ok(chosen),
    }
}

fn told_victims(chosen: &BTreeMap<Name, Victims>) -> Answer {
    let names = |it: &Victims| it.pods.iter().map(|it| it.meta.name.clone()).collect();
    Answer::Victims(chosen.iter().map(|(node, it)| (node.clone(), names(it))).collect())
}

impl Plugin for ExtenderListener {
    fn name(&self) -> &'static str {
        EXTENDER
    }
}
