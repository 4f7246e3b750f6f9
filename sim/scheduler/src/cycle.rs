//! One scheduling cycle: from a pod to a node, or to the reasons why there is none.
//!
//! Upstream: `pkg/scheduler/schedule_one.go`.

use std::collections::{BTreeMap, BTreeSet};

use api::Pod;
use base::{Luck, Name};

use crate::cache::Cache;
use crate::framework::{Filter, Plugin, PreFilter, Rejection, Verdict};
use crate::node_info::NodeInfo;

/// Fewer nodes than this are always all looked at. Upstream: `minFeasibleNodesToFind`.
const MIN_FEASIBLE_NODES_TO_FIND: usize = 100;
/// At least this many hundredths of all nodes. Upstream: `minFeasibleNodesPercentageToFind`.
const MIN_FEASIBLE_NODES_PERCENTAGE: usize = 5;

/// Where a pod goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placement {
    pub node: Name,
    /// How many nodes were looked at, and how many would have done.
    pub evaluated: usize,
    pub feasible: usize,
}

/// Why a pod goes nowhere.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diagnosis {
    pub nodes: usize,
    /// Each reason, with the number of nodes that it rules out.
    pub reasons: BTreeMap<Name, usize>,
    /// What a plugin said before looking at nodes.
    pub pre_filter: Option<Rejection>,
    pub plugins: BTreeSet<&'static str>,
}

/// The plugins of a profile, each with the weight of its score, in the order in which they are asked.
pub(crate) type Plugins = [(Box<dyn Plugin>, i64)];

/// What a pod's plugins have prepared.
struct Prepared<'a> {
    filters: Vec<Box<dyn Filter + 'a>>,
    /// The only nodes to look at, and the plugins that say so.
    only: Option<(BTreeSet<Name>, BTreeSet<&'static str>)>,
}

/// Finds the best node for `pod`. `start` is where the last cycle stopped looking, and is moved on.
pub(crate) fn schedule(
    plugins: &Plugins,
    cache: &mut Cache,
    pod: &Pod,
    attempt: u32,
    start: &mut usize,
    luck: Luck,
) -> Result<Placement, Diagnosis> {
    let order = cache.order().to_vec();
    let mut diagnosis = Diagnosis { nodes: order.len(), ..Diagnosis::default() };
    if order.is_empty() {
        return Err(diagnosis);
    }
    let prepared = match prepare(plugins, pod) {
        Ok(prepared) => prepared,
        Err(rejection) => {
            diagnosis.plugins.insert(rejection.plugin);
            diagnosis.pre_filter = Some(rejection);
            return Err(diagnosis);
        }
    };
    let (feasible, evaluated) = feasible_nodes(&prepared, cache, &order, start, &mut diagnosis);
    let node = match feasible[..] {
        [] => return Err(diagnosis),
        [only] => only.name().clone(),
        _ => best_node(plugins, pod, &feasible, attempt, luck),
    };
    Ok(Placement { node, evaluated, feasible: feasible.len() })
}

/// Upstream: `RunPreFilterPlugins`.
fn prepare<'a>(plugins: &'a Plugins, pod: &'a Pod) -> Result<Prepared<'a>, Rejection> {
    let mut prepared = Prepared { filters: Vec::with_capacity(plugins.len()), only: None };
    for (plugin, _) in plugins {
        match plugin.pre_filter(pod) {
            PreFilter::Skip => (),
            PreFilter::Rejected(rejection) => return Err(rejection),
            PreFilter::Filter(filter) => prepared.filters.push(filter),
            PreFilter::Only(names) => prepared.narrow(plugin.name(), names),
        }
    }
    Ok(prepared)
}

impl Prepared<'_> {
    fn narrow(&mut self, plugin: &'static str, names: Vec<Name>) {
        let names: BTreeSet<Name> = names.into_iter().collect();
        let (only, plugins) = self.only.get_or_insert_with(|| (names.clone(), BTreeSet::new()));
        only.retain(|it| names.contains(it));
        plugins.insert(plugin);
    }

    fn verdict(&self, node: &NodeInfo) -> Verdict {
        for filter in &self.filters {
            let verdict = filter.filter(node);
            if !verdict.is_success() {
                return verdict;
            }
        }
        Verdict::Success
    }
}

/// Looks at nodes from `start` on, around the ring, until enough of them would do.
/// Upstream: `findNodesThatFitPod`, `findNodesThatPassFilters`.
fn feasible_nodes<'c>(
    prepared: &Prepared<'_>,
    cache: &'c Cache,
    order: &[usize],
    start: &mut usize,
    diagnosis: &mut Diagnosis,
) -> (Vec<&'c NodeInfo>, usize) {
    let all = order.len();
    let Some((only, plugins)) = &prepared.only else {
        let enough = nodes_to_find(all);
        let (mut feasible, mut evaluated) = (Vec::with_capacity(enough), 0);
        while evaluated < all && feasible.len() < enough {
            let node = &cache.nodes()[order[(*start + evaluated) % all]];
            evaluated += 1;
            diagnosis.judge(prepared.verdict(node), node, &mut feasible);
        }
        *start = (*start + evaluated) % all;
        return (feasible, evaluated);
    };
    let mut feasible = Vec::new();
    let named: Vec<&NodeInfo> = only.iter().filter_map(|name| cache.node(name)).collect();
    for node in &named {
        diagnosis.judge(prepared.verdict(node), node, &mut feasible);
    }
    let names: Vec<&str> = plugins.iter().copied().collect();
    let reason = Name::from(format_args!("node(s) didn't satisfy plugin(s) [{}]", names.join(" ")));
    if named.len() < all {
        diagnosis.reasons.insert(reason, all - named.len());
    }
    diagnosis.plugins.extend(plugins);
    // Upstream moves its start only by what it examined of the list, which here is nothing but the named ones.
    *start = (*start + named.len()) % all;
    (feasible, named.len())
}

impl std::fmt::Display for Placement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} of {} nodes would do", self.feasible, self.evaluated)
    }
}

impl Diagnosis {
    fn judge<'c>(&mut self, verdict: Verdict, node: &'c NodeInfo, feasible: &mut Vec<&'c NodeInfo>) {
        match verdict {
            Verdict::Success => feasible.push(node),
            Verdict::Rejected(rejection) => {
                self.plugins.insert(rejection.plugin);
                for reason in rejection.reasons {
                    *self.reasons.entry(reason).or_default() += 1;
                }
            }
        }
    }

    /// Upstream: `FitError.Error`.
    pub fn message(&self) -> Name {
        if self.nodes == 0 {
            return Name::from_static("no nodes available to schedule pods");
        }
        let mut message = format!("0/{} nodes are available:", self.nodes);
        if let Some(rejection) = &self.pre_filter {
            let reasons: Vec<&str> = rejection.reasons.iter().map(Name::as_str).collect();
            message.push_str(&format!(" {}.", reasons.join(", ")));
        } else {
            let mut reasons: Vec<String> =
                self.reasons.iter().map(|(reason, n)| format!("{n} {reason}")).collect();
            reasons.sort();
            message.push_str(&format!(" {}.", reasons.join(", ")));
        }
        message.into()
    }
}

/// How many nodes that would do are enough. Upstream: `numFeasibleNodesToFind` with the adaptive percentage.
fn nodes_to_find(all: usize) -> usize {
    if all < MIN_FEASIBLE_NODES_TO_FIND {
        return all;
    }
    let percentage = 50_usize.saturating_sub(all / 125).max(MIN_FEASIBLE_NODES_PERCENTAGE);
    (all * percentage / 100).max(MIN_FEASIBLE_NODES_TO_FIND)
}

/// The node with the greatest sum of weighted scores. Upstream: `prioritizeNodes`, `selectHost`.
///
/// Among equals, upstream draws one by reservoir sampling: each is equally likely. Here each node's lot is a function of
/// the pod, the attempt and the node, and the greatest lot wins: equally likely too, and no other node has a say.
fn best_node(plugins: &Plugins, pod: &Pod, feasible: &[&NodeInfo], attempt: u32, luck: Luck) -> Name {
    let mut totals = vec![0; feasible.len()];
    for (plugin, weight) in plugins {
        let Some(ranking) = plugin.pre_score(pod, feasible) else { continue };
        let mut scores: Vec<i64> = feasible.iter().map(|node| ranking.score(node)).collect();
        ranking.normalize(&mut scores);
        totals.iter_mut().zip(&scores).for_each(|(total, score)| *total += weight * score);
    }
    let best = totals.iter().copied().max().unwrap_or(0);
    let tied = feasible.iter().zip(&totals).filter(|(_, total)| **total == best).map(|(node, _)| node);
    let entity = Luck::of_text(&format!("{}/{}", pod.meta.namespace, pod.meta.name));
    let lot = |node: &Name| luck.draw(entity ^ Luck::of_text(node), attempt.into());
    let winner = tied.max_by(|a, b| (lot(a.name()), a.name()).cmp(&(lot(b.name()), b.name())));
    winner.map_or(Name::EMPTY, |it| it.name().clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_clusters_are_sampled_as_upstream_does() {
        let expected = [
            (50, 50),
            (99, 99),
            (100, 100),
            (200, 100),
            (1000, 420),
            (5000, 500),
            (6000, 300),
            (50_000, 2500),
        ];
        for (all, enough) in expected {
            assert_eq!(nodes_to_find(all), enough, "of {all}");
        }
    }
}
