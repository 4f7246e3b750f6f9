//! Collections that are being read.

use crate::source::Mark;

use super::node::{Content, Entry, Node};

/// A list or mapping whose end has not come yet.
pub(super) struct Frame {
    pub(super) mark: Mark,
    /// By which aliases refer to it; 0 for none.
    pub(super) anchor: usize,
    pub(super) body: Body,
}

pub(super) enum Body {
    List(Vec<Node>),
    Map {
        entries: Vec<Entry>,
        key: Option<Key>,
        /// The mappings of `<<`, the most important first.
        merged: Vec<Node>,
    },
}

/// A key whose value has not come yet.
pub(super) struct Key {
    pub(super) text: String,
    pub(super) mark: Mark,
    pub(super) is_merge: bool,
}

impl Body {
    pub(super) const LIST: Self = Self::List(Vec::new());
    pub(super) const MAP: Self = Self::Map { entries: Vec::new(), key: None, merged: Vec::new() };
}

impl Frame {
    /// The finished collection, and the keys that stand in it twice: first the earlier place, then the later.
    pub(super) fn finish(self) -> (Node, Vec<(Mark, Entry)>) {
        match self.body {
            Body::List(items) => (Node::new(self.mark, Content::List(items)), Vec::new()),
            Body::Map { entries, merged, .. } => {
                let (mut entries, doubles) = split_doubles(entries);
                merged.into_iter().for_each(|it| merge(&mut entries, it));
                (Node::new(self.mark, Content::Map(entries)), doubles)
            }
        }
    }
}

/// Keeps the first entry of each key, in the order of the text.
fn split_doubles(entries: Vec<Entry>) -> (Vec<Entry>, Vec<(Mark, Entry)>) {
    let mut order: Vec<usize> = (0..entries.len()).collect();
    order.sort_by(|a, b| entries[*a].key.cmp(&entries[*b].key)); // Stable: the first of equals stays first.
    let mut first_of: Vec<Option<Mark>> = vec![None; entries.len()];
    for pair in order.windows(2) {
        let [one, other] = [pair[0], pair[1]];
        if entries[one].key == entries[other].key {
            first_of[other] = first_of[one].or(Some(entries[one].mark));
        }
    }
    if first_of.iter().all(Option::is_none) {
        return (entries, Vec::new());
    }
    let (mut kept, mut doubles) = (Vec::with_capacity(entries.len()), Vec::new());
    for (entry, first) in entries.into_iter().zip(first_of) {
        match first {
            None => kept.push(entry),
            Some(first) => doubles.push((first, entry)),
        }
    }
    (kept, doubles)
}

/// Adds what a merged mapping has and `entries` do not.
fn merge(entries: &mut Vec<Entry>, merged: Node) {
    let Content::Map(added) = merged.content else { return };
    let known: std::collections::BTreeSet<String> = entries.iter().map(|it| it.key.clone()).collect();
    entries.extend(added.into_iter().filter(|it| !known.contains(&it.key)));
}
