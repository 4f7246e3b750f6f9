//! Why a pod goes nowhere.
//!
//! Upstream: `pkg/scheduler/framework/types.go`, `Diagnosis` and `FitError`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use base::Name;

use crate::framework::{Code, PostFilter, Rejection};

/// One plugin's refusal.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Refusal {
    /// Empty where several plugins together are to blame.
    pub plugin: &'static str,
    pub rejection: Rejection,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diagnosis {
    /// How many nodes there are.
    pub nodes: usize,
    /// Each reason, with the number of nodes that it rules out.
    pub reasons: BTreeMap<Name, usize>,
    /// What a plugin said before looking at nodes.
    pub pre_filter: Option<Refusal>,
    /// The plugins that refused; an event that one of them registered for may help.
    pub plugins: BTreeSet<&'static str>,
    /// Of those, the ones that wait for something to come about.
    pub pending_plugins: BTreeSet<&'static str>,
    pub post_filter: Option<PostFilter>,
    /// What went wrong, if that is why: then there is no telling whether the pod fits.
    pub error: Option<Name>,
}

impl Refusal {
    /// Whether both are the same words at the same place, which is told without reading them.
    pub(crate) fn is_surely(&self, other: &Self) -> bool {
        self.plugin.as_ptr() == other.plugin.as_ptr() && self.rejection.is_surely(&other.rejection)
    }
}

impl Diagnosis {
    /// A plugin failed instead of answering. Upstream: `RunPreFilterPlugins`, `RunFilterPlugins`.
    pub(crate) fn failed(nodes: usize, running: fmt::Arguments<'_>, rejection: &Rejection) -> Box<Self> {
        let error = Name::from(format_args!("running {running}: {}", rejection.message()));
        Box::new(Self { nodes, error: Some(error), ..Self::default() })
    }

    pub(crate) fn blame(&mut self, refusal: &Refusal) {
        if refusal.plugin.is_empty() {
            return;
        }
        let set = match refusal.rejection.code {
            Code::Pending => &mut self.pending_plugins,
            Code::Success | Code::Error | Code::Unschedulable | Code::UnschedulableAndUnresolvable => {
                &mut self.plugins
            }
        };
        set.insert(refusal.plugin);
    }

    /// `count` nodes were refused so.
    pub(crate) fn count(&mut self, rejection: &Rejection, count: usize) {
        for reason in rejection.reasons() {
            *self.reasons.entry(reason.clone()).or_default() += count;
        }
    }

    /// Upstream: `FitError.Error`.
    pub fn message(&self) -> Name {
        if let Some(error) = &self.error {
            return error.clone();
        }
        if self.nodes == 0 {
            return Name::from_static("no nodes available to schedule pods");
        }
        let mut message = format!("0/{} nodes are available:", self.nodes);
        let listed = match &self.pre_filter {
            Some(refusal) => refusal.rejection.message(),
            None => histogram(&self.reasons),
        };
        if !listed.is_empty() {
            message.push_str(&format!(" {listed}."));
        }
        let more = self.post_filter.as_ref().map(|it| join(&it.reasons)).unwrap_or_default();
        if !more.is_empty() {
            message.push_str(&format!(" {more}"));
        }
        message.into()
    }
}

/// Each reason with its count, sorted as text: `10 x` comes before `2 y`.
pub(crate) fn histogram(reasons: &BTreeMap<Name, usize>) -> Name {
    let mut lines: Vec<String> = reasons.iter().map(|(reason, count)| format!("{count} {reason}")).collect();
    lines.sort();
    lines.join(", ").into()
}

fn join(reasons: &[Name]) -> String {
    let reasons: Vec<&str> = reasons.iter().map(Name::as_str).collect();
    reasons.join(", ")
}
