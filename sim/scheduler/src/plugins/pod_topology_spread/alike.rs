//! Nodes that spreading cannot tell apart: thousands of nodes have the same zone and as many pods, and score alike.

use std::collections::BTreeMap;

use crate::node_info::NodeIdx;

/// By constraint what a node's score depends on.
pub(super) type Traits = Vec<i64>;

/// The kinds of nodes, and what each scores.
#[derive(Debug, Default)]
pub(super) struct Alike {
    /// By position of the node: of which kind it is.
    kinds: Vec<u32>,
    /// By kind.
    traits: Vec<Traits>,
    ids: BTreeMap<Traits, u32>,
    /// By kind; empty while they are not kept.
    scores: Vec<i64>,
}

impl Alike {
    pub(super) fn of(nodes: impl Iterator<Item = Traits>) -> Self {
        let mut alike = Self::default();
        for traits in nodes {
            let kind = alike.kind(traits);
            alike.kinds.push(kind);
        }
        alike
    }

    pub(super) fn change(&mut self, node: NodeIdx, traits: Traits) {
        let kind = self.kind(traits);
        self.kinds[node.position()] = kind;
    }

    /// How many kinds were ever met.
    pub(super) fn len(&self) -> usize {
        self.traits.len()
    }

    /// Works out what each kind scores.
    pub(super) fn rate(&mut self, score: impl Fn(&[i64]) -> i64) {
        self.scores.clear();
        self.scores.extend(self.traits.iter().map(|it| score(it)));
    }

    pub(super) fn score_of(&self, node: NodeIdx) -> i64 {
        self.scores[self.kinds[node.position()] as usize]
    }

    fn kind(&mut self, traits: Traits) -> u32 {
        let next =
            u32::try_from(self.traits.len()).expect("there are fewer kinds of nodes than four billion");
        let kind = *self.ids.entry(traits.clone()).or_insert(next);
        if kind == next {
            self.traits.push(traits);
        }
        kind
    }
}
