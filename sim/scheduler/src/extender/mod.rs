//! Schedulers outside this one: what they are asked over HTTP, and how their answers are read.
//!
//! The calls are data; who carries them is a [`Transport`]. Upstream: `pkg/scheduler/extender.go`.

mod address;
mod answer;
mod error;
mod panel;
mod request;
mod said;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use api::{Container, Node, Pod, Uid};
use base::{Name, Span};
use serde_json::Value;

use crate::MAX_NODE_SCORE;
use crate::config::Extender;
use crate::node_info::NodeInfo;
use crate::nodes::Nodes;

pub use self::address::{AddressError, check_address};
pub use self::answer::Filtered;
pub use self::error::{ExtenderError, Transport, TransportError};
pub use self::panel::Extenders;
pub(crate) use self::panel::{EXTENDER, ExtenderListener};
pub use self::said::{Answer, Said, Verb};

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

    pub fn is_filter(&self) -> bool {
        !self.config.filter_verb.is_empty()
    }

    pub fn is_prioritizer(&self) -> bool {
        !self.config.prioritize_verb.is_empty()
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
        transport: &dyn Transport,
    ) -> Result<Filtered, ExtenderError> {
        if !self.is_filter() {
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
        transport: &dyn Transport,
    ) -> Result<Vec<(Name, i64)>, ExtenderError> {
        if !self.is_prioritizer() {
            return Ok(Vec::new());
        }
        let candidates = self.candidates(pod, nodes);
        let (url, answer) = self.send(&self.config.prioritize_verb, &candidates, transport)?;
        let priorities = answer::read_priorities(&answer);
        let priorities = priorities.map_err(|problem| ExtenderError::Answer { url, problem })?;
        Ok(priorities.into_iter().map(|(node, priority)| (node, self.score(priority))).collect())
    }

    /// Which of the nodes, and which victims on them, it leaves for preemption.
    ///
    /// # Errors
    ///
    /// If it takes no part in preemption, cannot be asked, or names a node or pod that is not there.
    pub fn preempt(
        &self,
        pod: &Pod,
        victims: &BTreeMap<Name, Victims>,
        nodes: &Nodes,
        transport: &dyn Transport,
    ) -> Result<BTreeMap<Name, Victims>, ExtenderError> {
        if !self.supports_preemption() {
            return Err(ExtenderError::NoPreemptVerb { url: self.name().clone() });
        }
        let body = request::preemption(pod, victims, self.config.node_cache_capable);
        let (url, answer) = self.send(&self.config.preempt_verb, &body, transport)?;
        let chosen = answer::read_victims(&answer);
        let chosen = chosen.map_err(|problem| ExtenderError::Answer { url, problem })?;
        let find = |(name, chosen): (Name, answer::MetaVictims)| {
            let node = nodes.find(&name).ok_or_else(|| ExtenderError::NoNodeInfo { node: name.clone() })?;
            Ok((name, self.find_victims(node, &chosen)?))
        };
        chosen.into_iter().map(find).collect()
    }

    /// Has the pod bound.
    ///
    /// # Errors
    ///
    /// If it does not bind, cannot be asked, or says that it failed.
    pub fn bind(&self, binding: &Binding, transport: &dyn Transport) -> Result<(), ExtenderError> {
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

    fn find_victims(&self, node: &NodeInfo, chosen: &answer::MetaVictims) -> Result<Victims, ExtenderError> {
        let find = |uid: &String| {
            let found = node.pods().iter().find(|it| it.uid().to_string() == *uid);
            let (url, node) = (self.name().clone(), node.name().clone());
            let found = found.map(|it| it.pod.clone());
            found.ok_or_else(|| ExtenderError::UnknownVictim { url, node, uid: uid.clone() })
        };
        let pods = chosen.uids.iter().map(find).collect::<Result<_, _>>()?;
        Ok(Victims { pods, pdb_violations: chosen.pdb_violations })
    }

    /// Its address for `verb`, and what it answers there. Whatever follows the first value is not looked at.
    fn send(
        &self,
        verb: &Name,
        body: &Value,
        transport: &dyn Transport,
    ) -> Result<(String, Value), ExtenderError> {
        let url = format!("{}/{verb}", self.config.url_prefix.trim_end_matches('/'));
        let answer = match transport.call(&url, &body.to_string(), self.timeout()) {
            Ok(answer) => answer,
            Err(source) => return Err(ExtenderError::of_call(verb, url, source)),
        };
        let problem = match serde_json::Deserializer::from_str(&answer).into_iter().next() {
            Some(Ok(answer)) => return Ok((url, answer)),
            Some(Err(error)) => format!("not JSON: {error}"),
            None => "it is empty".to_owned(),
        };
        Err(ExtenderError::Answer { url, problem })
    }
}
