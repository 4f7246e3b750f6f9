//! The keys of one shelf, sorted when somebody asks for a range of them, and not before.
//!
//! Most keys are written and read one by one, and their shelf is listed seldom or never: keeping all in order with each
//! new key would be a large part of what a write costs.

use std::sync::OnceLock;

use crate::index::SlotIdx;

#[derive(Clone, Debug, Default)]
pub(crate) struct Shelf {
    /// In the order of their keys, as somebody last read them.
    sorted: Vec<SlotIdx>,
    /// What has come since, in any order.
    fresh: Vec<SlotIdx>,
    /// Those of both that are gone again. Their slots are not reused as long as they are listed here.
    gone: Vec<SlotIdx>,
    /// All that are there, in order: for whoever asks again before the next change.
    in_order: OnceLock<Vec<SlotIdx>>,
}

impl Shelf {
    /// Fewer gone slots than this are not worth a look through the whole shelf.
    const SWEEP_MIN: usize = 64;

    pub(crate) fn insert(&mut self, slot: SlotIdx, freed: &mut Vec<SlotIdx>) {
        self.settle(freed);
        self.fresh.push(slot);
    }

    /// Slots that nothing refers to any more are added to `freed`, now or later.
    pub(crate) fn remove(&mut self, slot: SlotIdx, freed: &mut Vec<SlotIdx>) {
        self.settle(freed);
        self.gone.push(slot);
        if self.gone.len() >= Self::SWEEP_MIN.max((self.sorted.len() + self.fresh.len()) / 2) {
            self.sweep(freed);
        }
    }

    /// All slots in the order of what `key_of` says of them.
    pub(crate) fn in_order<'a, T: Ord + ?Sized + 'a>(
        &'a self,
        key_of: impl Fn(SlotIdx) -> Option<&'a T>,
    ) -> &'a [SlotIdx] {
        if self.fresh.is_empty() && self.gone.is_empty() {
            return &self.sorted;
        }
        self.in_order.get_or_init(|| {
            let all = self.sorted.iter().chain(&self.fresh);
            let mut all: Vec<SlotIdx> = all.copied().filter(|&it| key_of(it).is_some()).collect();
            all.sort_by(|&left, &right| key_of(left).cmp(&key_of(right))); // Fast where most are sorted already.
            all
        })
    }

    /// What was put in order stays so.
    fn settle(&mut self, freed: &mut Vec<SlotIdx>) {
        if let Some(in_order) = self.in_order.take() {
            self.sorted = in_order;
            self.fresh.clear();
            freed.append(&mut self.gone);
        }
    }

    fn sweep(&mut self, freed: &mut Vec<SlotIdx>) {
        self.gone.sort_unstable();
        let is_there = |it: &SlotIdx| self.gone.binary_search(it).is_err();
        self.sorted.retain(is_there);
        self.fresh.retain(is_there);
        freed.append(&mut self.gone);
    }
}
