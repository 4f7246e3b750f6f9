//! What the plugins of a profile have worked out for a template: kept from one pod of it to the next.
//!
//! Three things are kept, each as long as it holds: what was prepared (upstream works that out for each pod);
//! the verdict on each node, and its scores, as far as they depend on the node alone, until that node's pods
//! change; and the refusals, each of them once.

use std::collections::BTreeSet;

use base::Name;

use crate::diagnosis::Refusal;
use crate::framework::{Code, Cycle, Filter, PreFilter, Rejection, Scope, Score};
use crate::hypothesis::Hypothesis;
use crate::node_info::NodeIdx;
use crate::profile::{PluginIdx, Profile};
use crate::refusals::{RefusalId, Refusals};
use crate::rows::Rows;

pub(crate) struct Memo {
    /// What it holds for: see [`Memo::catch_up`].
    nodes_version: u64,
    objects_version: u64,
    log_end: u64,
    /// In the order of PreFilter.
    filters: Vec<FilterSlot>,
    /// How many of them have been asked about the pod at hand; a refusal ends that early.
    asked: usize,
    /// Positions in `filters`, in the order of Filter.
    order: Vec<usize>,
    /// How many of `order` depend on the node alone, before the first that does not.
    local: usize,
    /// Those of `order` that have something to say at present, and how many of them are local.
    active: Vec<usize>,
    active_local: usize,
    scores: Option<Vec<ScoreSlot>>,
    rows: Option<Rows>,
    refusals: Refusals,
    uses: u64,
}

struct FilterSlot {
    plugin: PluginIdx,
    outcome: Outcome,
}

enum Outcome {
    Unasked,
    Skip,
    Filter {
        filter: Box<dyn Filter>,
        only: Option<Vec<Name>>,
        scope: Scope,
        /// Those that the filter names beforehand.
        refusals: Vec<RefusalId>,
    },
}

/// A score plugin that has something to say about the template.
pub(crate) struct ScoreSlot {
    pub(crate) plugin: PluginIdx,
    pub(crate) weight: i64,
    pub(crate) score: Box<dyn Score>,
    pub(crate) scope: Scope,
}

/// The only nodes that are looked at, and the plugins that say so.
pub(crate) struct Narrowing {
    pub(crate) nodes: BTreeSet<Name>,
    pub(crate) plugins: BTreeSet<&'static str>,
}

/// A refusal in PreFilter, and how many plugins had been asked before.
pub(crate) struct PreFilterRefusal {
    pub(crate) refusal: Refusal,
    pub(crate) plugins: BTreeSet<&'static str>,
}

/// Verdicts that were kept, and hold.
pub(crate) struct AtHand<'a> {
    verdicts: &'a [RefusalId],
    /// Of each filter that does not depend on the node alone: see [`Filter::standing`].
    others: Vec<(&'a [u8], &'a [RefusalId])>,
}

impl Memo {
    /// More refusals than this are given up rather than kept.
    const REFUSALS_MAX: usize = 4096;

    pub(crate) fn new(profile: &Profile, cycle: &Cycle<'_>) -> Self {
        let points = &profile.points;
        let mut plugins = points.pre_filter.clone();
        plugins.extend(points.filter.iter().filter(|it| !points.pre_filter.contains(it)));
        let position = |plugin: &PluginIdx| plugins.iter().position(|it| it == plugin);
        let order = points.filter.iter().filter_map(position).collect();
        let slot = |&plugin: &PluginIdx| FilterSlot { plugin, outcome: Outcome::Unasked };
        Self {
            nodes_version: cycle.cluster.nodes.version(),
            objects_version: cycle.cluster.objects.version(),
            log_end: cycle.cluster.log().end(),
            filters: plugins.iter().map(slot).collect(),
            asked: 0,
            order,
            local: 0,
            active: Vec::new(),
            active_local: 0,
            scores: None,
            rows: None,
            refusals: Refusals::default(),
            uses: 0,
        }
    }

    /// Brings what was prepared up to date. Returns whether that was possible.
    pub(crate) fn catch_up(&mut self, cycle: &Cycle<'_>) -> bool {
        let cluster = cycle.cluster;
        let holds = self.nodes_version == cluster.nodes.version()
            && self.objects_version == cluster.objects.version()
            && self.refusals.len() < Self::REFUSALS_MAX;
        let Some(steps) = cluster.log().since(self.log_end).filter(|_| holds) else { return false };
        for slot in &mut self.filters {
            if let Outcome::Filter { scope: Scope::World, .. } = slot.outcome {
                slot.outcome = Outcome::Unasked;
            }
        }
        let mut filters: Vec<&mut Box<dyn Filter>> =
            self.filters.iter_mut().filter_map(FilterSlot::over_pods).collect();
        let slots = self.scores.iter_mut().flatten();
        let mut scores: Vec<&mut ScoreSlot> = slots.filter(|it| it.scope == Scope::Pods).collect();
        if self.rows.is_some() || !filters.is_empty() || !scores.is_empty() {
            for (step, pod, idx) in steps {
                let node = &cluster.nodes[*idx];
                self.rows.iter_mut().for_each(|it| it.forget(*idx));
                filters.iter_mut().for_each(|it| it.advance(cycle, *step, pod, node));
                scores.iter_mut().for_each(|it| it.score.advance(cycle, *step, pod, node));
            }
        }
        self.log_end = cluster.log().end();
        true
    }

    /// Asks the plugins that have to be asked. Upstream: `RunPreFilterPlugins`.
    pub(crate) fn prepare(
        &mut self,
        profile: &Profile,
        cycle: &Cycle<'_>,
    ) -> Result<Option<Narrowing>, PreFilterRefusal> {
        self.uses += 1;
        self.asked = 0;
        let mut narrowing: Option<Narrowing> = None;
        for slot in &mut self.filters {
            self.asked += 1;
            let plugin = profile.plugin(slot.plugin);
            if let Outcome::Unasked = slot.outcome {
                slot.outcome = match plugin.pre_filter(cycle) {
                    PreFilter::Skip => Outcome::Skip,
                    PreFilter::Filter(filter) => Outcome::of(&mut self.refusals, plugin.name(), filter, None),
                    PreFilter::Only(names, filter) => {
                        Outcome::of(&mut self.refusals, plugin.name(), filter, Some(names))
                    }
                    PreFilter::Rejected(rejection) => {
                        let refusal = Refusal { plugin: plugin.name(), rejection };
                        return Err(PreFilterRefusal { refusal, plugins: BTreeSet::new() });
                    }
                };
            }
            if let Outcome::Filter { only: Some(names), .. } = &slot.outcome {
                Narrowing::merge(&mut narrowing, plugin.name(), names);
                narrowing.as_ref().map_or(Ok(()), Narrowing::check)?;
            }
        }
        self.activate();
        Ok(narrowing)
    }

    /// Whether the plugin's PreFilter has been run for the pod at hand.
    pub(crate) fn has_asked(&self, plugin: PluginIdx) -> bool {
        self.filters[..self.asked].iter().any(|it| it.plugin == plugin)
    }

    fn activate(&mut self) {
        let is_local = |&&slot: &&usize| match &self.filters[slot].outcome {
            Outcome::Unasked => false,
            Outcome::Skip => true,
            Outcome::Filter { scope, .. } => *scope == Scope::Node,
        };
        let local = self.order.iter().take_while(is_local).count();
        if local != self.local {
            self.rows = None; // They tell what these very filters said.
        }
        self.local = local;
        let is_active = |slot: &usize| match &self.filters[*slot].outcome {
            Outcome::Filter { filter, .. } => !filter.is_idle(),
            Outcome::Skip | Outcome::Unasked => false,
        };
        self.active.clear();
        self.active.extend(self.order[..self.local].iter().copied().filter(is_active));
        self.active_local = self.active.len();
        self.active.extend(self.order[self.local..].iter().copied().filter(is_active));
    }

    /// From the second pod of a template on, it is worth keeping what was found on each node.
    pub(crate) fn keep_rows(&mut self, profile: &Profile, cycle: &Cycle<'_>) {
        if self.uses < 2 || self.rows.is_some() {
            return;
        }
        let width = self.scores(profile, cycle).0.iter().filter(|it| it.scope == Scope::Node).count();
        self.rows = Some(Rows::new(cycle.cluster.nodes.len(), width));
    }

    /// Whether the node would do; else the refusal of the first filter that refuses. Upstream: `RunFilterPlugins`.
    #[inline]
    pub(crate) fn verdict(&mut self, profile: &Profile, cycle: &Cycle<'_>, idx: NodeIdx) -> RefusalId {
        let kept = self.rows.as_ref().map(|it| it.verdicts()[idx.position()]);
        let local = match kept {
            Some(verdict) if verdict != RefusalId::UNKNOWN => verdict,
            Some(_) | None => self.renew_row(profile, cycle, idx),
        };
        if local == RefusalId::PASS && self.active_local < self.active.len() {
            return self.run(profile, cycle, idx, self.active_local..self.active.len());
        }
        local
    }

    /// As much as can be told of nodes without asking anyone; `None` if nothing can.
    pub(crate) fn at_hand(&self) -> Option<AtHand<'_>> {
        let rows = self.rows.as_ref()?;
        let standing = |&slot: &usize| match &self.filters[slot].outcome {
            Outcome::Filter { filter, refusals, .. } if !refusals.is_empty() => {
                Some((filter.standing(), refusals.as_slice()))
            }
            Outcome::Filter { .. } | Outcome::Skip | Outcome::Unasked => None,
        };
        let others = self.active[self.active_local..].iter().map(standing).collect::<Option<_>>()?;
        Some(AtHand { verdicts: rows.verdicts(), others })
    }

    fn renew_row(&mut self, profile: &Profile, cycle: &Cycle<'_>, idx: NodeIdx) -> RefusalId {
        let verdict = self.run(profile, cycle, idx, 0..self.active_local);
        let Some(rows) = &mut self.rows else { return verdict };
        rows.set_verdict(idx, verdict);
        if verdict == RefusalId::PASS {
            let node = &cycle.cluster.nodes[idx];
            let slots: Vec<&ScoreSlot> =
                self.scores.iter().flatten().filter(|it| it.scope == Scope::Node).collect();
            let scores: Vec<i64> = slots.iter().map(|it| it.score.score(cycle, node)).collect();
            let fixed = slots.iter().zip(&scores).filter(|(it, _)| !it.score.normalizes());
            let sum = fixed.map(|(it, score)| it.weight * score).sum();
            rows.set_scores(idx, sum, scores.into_iter());
        }
        verdict
    }

    fn run(
        &mut self,
        profile: &Profile,
        cycle: &Cycle<'_>,
        idx: NodeIdx,
        active: std::ops::Range<usize>,
    ) -> RefusalId {
        let node = &cycle.cluster.nodes[idx];
        for &slot in &self.active[active] {
            let slot = &self.filters[slot];
            let Outcome::Filter { filter, refusals, .. } = &slot.outcome else { continue };
            if let Some(&verdict) = filter.standing().get(idx.position()) {
                match usize::from(verdict).checked_sub(1) {
                    None => continue,
                    Some(nth) => return refusals[nth],
                }
            }
            if let Err(rejection) = filter.filter(cycle, node) {
                let plugin = profile.plugin(slot.plugin).name();
                return self.refusals.id(Refusal { plugin, rejection });
            }
        }
        RefusalId::PASS
    }

    /// The score plugins that have something to say, and what is kept of those that depend on the node alone.
    /// Upstream: the part of `RunPreScorePlugins` that needs no nodes.
    pub(crate) fn scores(
        &mut self,
        profile: &Profile,
        cycle: &Cycle<'_>,
    ) -> (&mut Vec<ScoreSlot>, Option<&Rows>) {
        let slots = self.scores.get_or_insert_with(|| {
            let ask = |&(plugin, weight): &(PluginIdx, i64)| ScoreSlot::ask(profile, cycle, plugin, weight);
            profile.points.score.iter().filter_map(ask).collect()
        });
        (slots, self.rows.as_ref())
    }

    /// Prepares anew what cannot be kept.
    pub(crate) fn renew_scores(&mut self, profile: &Profile, cycle: &Cycle<'_>) {
        let Some(slots) = &mut self.scores else { return };
        if slots.iter().any(|it| it.scope == Scope::World) {
            slots.retain_mut(|slot| {
                if slot.scope != Scope::World {
                    return true;
                }
                let score = profile.plugin(slot.plugin).pre_score(cycle);
                score.map(|score| slot.score = score).is_some()
            });
        }
    }

    pub(crate) fn refusal(&self, id: RefusalId) -> Option<&Refusal> {
        self.refusals.get(id)
    }

    /// Whether a filter has ever failed instead of answering.
    pub(crate) fn has_errors(&self) -> bool {
        self.refusals.has_errors()
    }

    /// All filters, to be asked what would be if other pods were on a node.
    pub(crate) fn hypothesis(&self, profile: &Profile) -> Hypothesis {
        let filters = self.active.iter().filter_map(|&slot| {
            let slot = &self.filters[slot];
            let Outcome::Filter { filter, .. } = &slot.outcome else { return None };
            Some((profile.plugin(slot.plugin).name(), filter.clone()))
        });
        Hypothesis::new(filters.collect())
    }

    /// The identity of a refusal that did not come from [`Memo::verdict`].
    pub(crate) fn note(&mut self, refusal: Refusal) -> RefusalId {
        self.refusals.id(refusal)
    }
}

impl AtHand<'_> {
    /// As [`Memo::verdict`]; [`RefusalId::UNKNOWN`] where the pods on the node have changed.
    #[inline]
    pub(crate) fn verdict(&self, idx: NodeIdx) -> RefusalId {
        let position = idx.position();
        let local = self.verdicts[position];
        if local != RefusalId::PASS || self.others.is_empty() {
            return local;
        }
        let refused = self.others.iter().find_map(|(standing, refusals)| {
            usize::from(standing[position]).checked_sub(1).map(|nth| refusals[nth])
        });
        refused.unwrap_or(RefusalId::PASS)
    }
}

impl FilterSlot {
    fn over_pods(&mut self) -> Option<&mut Box<dyn Filter>> {
        match &mut self.outcome {
            Outcome::Filter { filter, scope: Scope::Pods, .. } => Some(filter),
            Outcome::Filter { .. } | Outcome::Skip | Outcome::Unasked => None,
        }
    }
}

impl Outcome {
    fn of(
        noted: &mut Refusals,
        plugin: &'static str,
        filter: Box<dyn Filter>,
        only: Option<Vec<Name>>,
    ) -> Self {
        let note = |it: &Rejection| noted.id(Refusal { plugin, rejection: it.clone() });
        let (scope, refusals) = (filter.scope(), filter.refusals().iter().map(note).collect());
        Self::Filter { filter, only, scope, refusals }
    }
}

impl ScoreSlot {
    fn ask(profile: &Profile, cycle: &Cycle<'_>, plugin: PluginIdx, weight: i64) -> Option<Self> {
        let score = profile.plugin(plugin).pre_score(cycle)?;
        let scope = score.scope();
        Some(Self { plugin, weight, score, scope })
    }
}

impl Narrowing {
    fn merge(narrowing: &mut Option<Self>, plugin: &'static str, names: &[Name]) {
        let names: BTreeSet<Name> = names.iter().cloned().collect();
        match narrowing {
            Some(it) => {
                it.nodes.retain(|name| names.contains(name));
                it.plugins.insert(plugin);
            }
            None => *narrowing = Some(Self { nodes: names, plugins: [plugin].into() }),
        }
    }

    fn check(&self) -> Result<(), PreFilterRefusal> {
        if !self.nodes.is_empty() {
            return Ok(());
        }
        let names: Vec<&str> = self.plugins.iter().copied().collect();
        let reason: Name = match names[..] {
            [name] => Name::from(format_args!("node(s) didn't satisfy plugin {name}")),
            _ => Name::from(format_args!(
                "node(s) didn't satisfy plugin(s) [{}] simultaneously",
                names.join(" ")
            )),
        };
        let refusal =
            Refusal { plugin: "", rejection: Rejection::new(Code::UnschedulableAndUnresolvable, reason) };
        Err(PreFilterRefusal { refusal, plugins: self.plugins.clone() })
    }

    /// What is said of all other nodes.
    pub(crate) fn rejection(&self) -> Rejection {
        let names: Vec<&str> = self.plugins.iter().copied().collect();
        let list = names.join(" ");
        Rejection::unresolvable(Name::from(format_args!("node(s) didn't satisfy plugin(s) [{list}]")))
    }
}
