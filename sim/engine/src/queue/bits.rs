//! Which of a fixed number of buckets have something in them.

/// A set of numbers below 4096 that finds the next member in a few steps.
#[derive(Clone)]
pub(super) struct Bits {
    words: Box<[u64; 64]>,
    /// Which of the words are not zero.
    used: u64,
}

impl Bits {
    pub(super) const LEN: usize = 64 * 64;

    pub(super) fn new() -> Self {
        Self { words: Box::new([0; 64]), used: 0 }
    }

    pub(super) const fn insert(&mut self, number: usize) {
        self.words[number / 64] |= 1 << (number % 64);
        self.used |= 1 << (number / 64);
    }

    pub(super) const fn remove(&mut self, number: usize) {
        let word = &mut self.words[number / 64];
        *word &= !(1 << (number % 64));
        if *word == 0 {
            self.used &= !(1 << (number / 64));
        }
    }

    /// The least member above `number`.
    pub(super) fn next_above(&self, number: usize) -> Option<usize> {
        let word = number / 64;
        if let Some(bit) = first_above(self.words[word], number % 64) {
            return Some(word * 64 + bit);
        }
        let word = first_above(self.used, word)?;
        Some(word * 64 + self.words[word].trailing_zeros() as usize)
    }

    /// The members above `number`, rising.
    pub(super) fn iter_above(&self, number: usize) -> impl Iterator<Item = usize> {
        std::iter::successors(self.next_above(number), |&member| self.next_above(member))
    }
}

/// The lowest bit that is set above `bit`.
const fn first_above(word: u64, bit: usize) -> Option<usize> {
    let above = word & (u64::MAX << bit) << 1;
    if above == 0 { None } else { Some(above.trailing_zeros() as usize) }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_next_member_is_found(members in prop::collection::btree_set(0..Bits::LEN, 0..20), from in 0..Bits::LEN) {
            let mut bits = Bits::new();
            members.iter().for_each(|&member| bits.insert(member));
            prop_assert_eq!(bits.next_above(from), members.range(from + 1..).next().copied());
            let removed: BTreeSet<usize> = members.iter().step_by(2).copied().collect();
            removed.iter().for_each(|&member| bits.remove(member));
            let next = members.range(from + 1..).find(|member| !removed.contains(member));
            prop_assert_eq!(bits.next_above(from), next.copied());
        }
    }
}
