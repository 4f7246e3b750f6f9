//! Replaces the pods of an old template: some at a time deleted first, or some at a time created beside the old ones.
//!
//! Upstream: `rollingUpdate` in `pkg/controller/daemon/update.go`.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::{Node, Pod};
use base::Name;

use super::manage::Work;
use super::sync::Sync;

/// The pods of a node by age of their template, those that go left out.
#[derive(Clone, Copy, Debug)]
struct Pair<'a> {
    new: Option<&'a Arc<Pod>>,
    old: Option<&'a Arc<Pod>>,
}

impl Sync<'_> {
    pub(super) fn rolling_update(&self) -> Work {
        let by_node = self.pods_by_node();
        let desired = self.view.list::<Node>().filter(|node| self.suits.judge(node).should_run).count();
        let (surge, unavailable) = (self.surge_count(desired), self.unavailable_count(desired));
        if surge == 0 {
            // Zeros for both pass no validation; upstream moves on all the same.
            let unavailable = if unavailable == 0 && 0 < desired { 1 } else { unavailable };
            self.replace(&by_node, unavailable)
        } else {
            self.surge(&by_node, surge, desired)
        }
    }

    /// Every node that has pods or should have one.
    fn pods_by_node(&self) -> BTreeMap<&Name, &[Arc<Pod>]> {
        let mut by_node: BTreeMap<&Name, &[Arc<Pod>]> = self.pods.iter().collect();
        for node in self.view.list::<Node>().filter(|node| self.suits.judge(node).should_run) {
            by_node.entry(&node.meta.name).or_default();
        }
        by_node
    }

    /// Deletes old pods, those that are not available in any case, as long as no more than `max_unavailable` nodes go
    /// without; the next sync creates the new ones.
    fn replace(&self, by_node: &BTreeMap<&Name, &[Arc<Pod>]>, max_unavailable: usize) -> Work {
        let mut unavailable = 0;
        let (mut replaceable, mut candidates) = (Vec::new(), Vec::new());
        for pods in by_node.values() {
            match self.pair(pods) {
                Some(Pair { new: Some(new), old: None }) => {
                    unavailable += usize::from(!self.is_available(new));
                }
                Some(Pair { new: None, old: Some(old) }) if !self.is_available(old) => {
                    replaceable.push(old.clone());
                    unavailable += 1;
                }
                Some(Pair { new: None, old: Some(old) }) => {
                    if unavailable < max_unavailable {
                        candidates.push(old.clone());
                    }
                }
                // Somebody is to come or to go here: that is seen to elsewhere.
                None | Some(Pair { new: None, old: None } | Pair { new: Some(_), old: Some(_) }) => {
                    unavailable += 1;
                }
            }
        }
        candidates.truncate(max_unavailable.saturating_sub(unavailable));
        replaceable.extend(candidates);
        Work { deletions: replaceable, ..Work::default() }
    }

    /// Creates new pods beside old ones, where those are not available in any case, as long as no more than `max_surge`
    /// nodes have two; an old one goes when the new one is available.
    fn surge(&self, by_node: &BTreeMap<&Name, &[Arc<Pod>]>, max_surge: usize, desired: usize) -> Work {
        let (mut surging, mut available) = (0, 0);
        let (mut work, mut candidates, mut misplaced) = (Work::default(), Vec::new(), Vec::new());
        for (node, pods) in by_node {
            let Some(pair) = self.pair(pods) else {
                surging += 1; // Somebody is to go here: that is seen to elsewhere.
                continue;
            };
            available += usize::from(pair.old.or(pair.new).is_some_and(|pod| self.is_available(pod)));
            match pair {
                Pair { old: None, .. } => (), // Likewise.
                Pair { new: None, old: Some(old) } => match (self.is_available(old), self.should_run(node)) {
                    (false, false) => work.deletions.push(old.clone()),
                    (false, true) => work.nodes.push((*node).clone()),
                    (true, false) => misplaced.push(old.clone()),
                    (true, true) if surging < max_surge => candidates.push((*node).clone()),
                    (true, true) => (),
                },
                Pair { new: Some(new), old: Some(old) } => {
                    if self.is_available(old) && !self.is_available(new) {
                        surging += 1;
                    } else {
                        work.deletions.push(old.clone());
                    }
                }
            }
        }
        misplaced.truncate(available.saturating_sub(desired));
        work.deletions.extend(misplaced);
        candidates.truncate(max_surge.saturating_sub(surging));
        work.nodes.extend(candidates);
        work
    }

    fn should_run(&self, node: &Name) -> bool {
        self.view.find::<Node>(&Name::EMPTY, node).is_some_and(|node| self.suits.judge(node).should_run)
    }

    /// `None` if there are several of a kind. Upstream: `findUpdatedPodsOnNode`.
    fn pair<'a>(&self, pods: &'a [Arc<Pod>]) -> Option<Pair<'a>> {
        let mut pair = Pair { new: None, old: None };
        for pod in pods.iter().filter(|pod| !pod.is_deleting()) {
            let place = if self.is_updated(pod) { &mut pair.new } else { &mut pair.old };
            if place.replace(pod).is_some() {
                return None;
            }
        }
        Some(pair)
    }
}
