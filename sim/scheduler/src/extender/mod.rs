//! Schedulers outside this one: what they are asked over HTTP, and how their answers are read.
//!
//! The calls are data; who carries them is a [`Transport`]. Upstream: `pkg/scheduler/extender.go`.

mod answer;
mod error;
mod request;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use api::{Container, Node, Pod, Uid};
use base::{Name, Span};
use serde_json::Value;

use crate::MAX_NODE_SCORE;
use crate::config::Extender;

pub use self::answer::Filtered;
pub use self::error::{ExtenderError, Transport, TransportError};

/// The greatest priority that an extender gives. Upstream: `MaxExtenderPriority` in
/// `staging/src/k8s.io/kube-scheduler/extender/v1/types.go`.
pub const MAX_EXTENDER_PRIORITY: i64 = 10;

/// Upstream: `DefaultExtenderTimeout`.
const DEFAULT_TIMEOUT: Span = Span::secs(5);

/// One scheduler outside this one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpExtender {
    config: Extender,
}

/// Pods that would have to go from one node.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Victims {
    pub pods: Vec<Arc<Pod>>,
    /// How many disruption budgets that would violate.
    pub pdb_violations: i64,
}

/// Which pod is to run where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    pub namespace: Name,
    pub name: Name,
    pub uid: Uid,
    pub node: Name,
}

impl HttpExtender {
    pub const fn new(config: Extender) -> Self {
        Self { config }
    }

    /// Its address: what upstream calls it.
    pub const fn name(&self) -> &Name {
        &self.config.url_prefix
    }

    /// For one call.
    pub fn timeout(&self) -> Span {
        let stated = self.config.http_timeout.span_or_zero();
        if stated == Span::ZERO { DEFAULT_TIMEOUT } else { stated }
    }

    /// Whether pods are scheduled without it when it fails.
    pub const fn is_ignorable(&self) -> bool {
        self.config.ignorable
    }

    pub fn is_binder(&self) -> bool {
        !self.config.bind_verb.is_empty()
    }

    pub fn supports_preemption(&self) -> bool {
        !self.config.preempt_verb.is_empty()
    }

    /// Whether it is to be asked about `pod`: whether the pod mentions a resource that it manages.
    pub fn is_interested(&self, pod: &Pod) -> bool {
        let is_managed = |name: &Name| self.config.managed_resources.iter().any(|it| it.name == *name);
        let mentions = |it: &Container| {
            let resources = &it.resources;
            resources.requests.keys().chain(resources.limits.keys()).any(is_managed)
        };
        self.config.managed_resources.is_empty() || pod.spec.all_containers().any(mentions)
    }

    /// Which of `nodes` it leaves; all of them if it does not filter.
    ///
    /// # Errors
    ///
    /// If it cannot be asked, says that it failed, or names a node that was not on the list.
    pub fn filter(
        &self,
        pod: &Pod,
        nodes: &[Arc<Node>],
        transport: &mut impl Transport,
    ) -> Result<Filtered, ExtenderError> {
        if self.config.filter_verb.is_empty() {
            let all = nodes.iter().map(|it| it.meta.name.clone()).collect();
            return Ok(Filtered { nodes: all, ..Filtered::default() });
        }
        let (url, answer) = self.send(&self.config.filter_verb, &self.candidates(pod, nodes), transport)?;
        let filtered = answer::read_filtered(&answer, self.config.node_cache_capable)
            .map_err(|problem| ExtenderError::Answer { url, problem })??;
        let known: BTreeSet<&Name> = nodes.iter().map(|it| &it.meta.name).collect();
        match filtered.nodes.iter().find(|it| !known.contains(it)) {
            Some(node) => Err(ExtenderError::UnknownNode { url: self.name().clone(), node: node.clone() }),
            None => Ok(filtered),
        }
    }

    /// What to add to the score of each node: its priorities times its weight, on the scale of scores. Nothing
    /// if it does not score.
    ///
    /// # Errors
    ///
    /// If it cannot be asked.
    pub fn prioritize(
        &self,
        pod: &Pod,
        nodes: &[Arc<Node>],
        transport: &mut impl Transport,
    ) -> Result<Vec<(Name, i64)>, ExtenderError> {
        if self.config.prioritize_verb.is_empty() {
            return Ok(Vec::new());
        }
        let candidates = self.candidates(pod, nodes);
        let (url, answer) = self.send(&self.config.prioritize_verb, &candidates, transport)?;
        let priorities = answer::read_priorities(&answer);
        let priorities = priorities.map_err(|problem| ExtenderError::Answer { url, problem })?;
        Ok(priorities.into_iter().map(|(node, priority)| (node, self.score(priority))).collect())
    }

    /// Which of the nodes, and which victims on them, it leaves for preemption. `pods_on` a node are those that
    /// it may choose from; `None` if there is no such node.
    ///
    /// # Errors
    ///
    /// If it takes no part in preemption, cannot be asked, or names a node or pod that is not there.
    pub fn preempt<'a>(
        &self,
        pod: &Pod,
        victims: &BTreeMap<Name, Victims>,
        pods_on: impl Fn(&Name) -> Option<&'a [Arc<Pod>]>,
        transport: &mut impl Transport,
    ) -> Result<BTreeMap<Name, Victims>, ExtenderError> {
        if !self.supports_preemption() {
            return Err(ExtenderError::NoPreemptVerb { url: self.name().clone() });
        }
        let body = request::preemption(pod, victims, self.config.node_cache_capable);
        let (url, answer) = self.send(&self.config.preempt_verb, &body, transport)?;
        let chosen = answer::read_victims(&answer);
        let chosen = chosen.map_err(|problem| ExtenderError::Answer { url, problem })?;
        let find = |(node, chosen): (Name, answer::MetaVictims)| {
            let pods = pods_on(&node).ok_or_else(|| ExtenderError::NoNodeInfo { node: node.clone() })?;
            Ok((node.clone(), self.find_victims(&node, &chosen, pods)?))
        };
        chosen.into_iter().map(find).collect()
    }

    /// Has the pod bound.
    ///
    /// # Errors
    ///
    /// If it does not bind, cannot be asked, or says that it failed.
    pub fn bind(&self, binding: &Binding, transport: &mut impl Transport) -> Result<(), ExtenderError> {
        if !self.is_binder() {
            return Err(ExtenderError::NoBindVerb);
        }
        let (url, answer) = self.send(&self.config.bind_verb, &request::binding(binding), transport)?;
        answer::read_bound(&answer).map_err(|problem| ExtenderError::Answer { url, problem })?
    }

    /// `priority` on the scale of scores. Upstream: `prioritizeNodes` in `pkg/scheduler/schedule_one.go`, where
    /// too great numbers wrap around, too.
    const fn score(&self, priority: i64) -> i64 {
        priority.wrapping_mul(self.config.weight).wrapping_mul(MAX_NODE_SCORE / MAX_EXTENDER_PRIORITY)
    }

    fn candidates(&self, pod: &Pod, nodes: &[Arc<Node>]) -> Value {
        request::candidates(pod, nodes, self.config.node_cache_capable)
    }

    fn find_victims(
        &self,
        node: &Name,
        chosen: &answer::MetaVictims,
        pods: &[Arc<Pod>],
    ) -> Result<Victims, ExtenderError> {
        let find = |uid: &String| {
            let found = pods.iter().find(|it| it.meta.uid.to_string() == *uid).cloned();
            let (url, node) = (self.name().clone(), node.clone());
            found.ok_or_else(|| ExtenderError::UnknownVictim { url, node, uid: uid.clone() })
        };
        let pods = chosen.uids.iter().map(find).collect::<Result<_, _>>()?;
        Ok(Victims { pods, pdb_violations: chosen.pdb_violations })
    }

    /// Its address for `verb`, and what it answers there.
    fn send(
        &self,
        verb: &str,
        body: &Value,
        transport: &mut impl Transport,
    ) -> Result<(String, Value), ExtenderError> {
        let url = format!("{}/{verb}", self.config.url_prefix.trim_end_matches('/'));
        let answer = transport.call(&url, &body.to_string());
        let answer = match answer {
            Ok(answer) => answer,
            Err(source) => return Err(ExtenderError::Transport { verb: verb.into(), url, source }),
        };
        match serde_json::from_str(&answer) {
            Ok(answer) => Ok((url, answer)),
            Err(error) => Err(ExtenderError::Answer { url, problem: format!("not JSON: {error}") }),
        }
    }
}
