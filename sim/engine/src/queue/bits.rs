//! Which of a fixed number of buckets have something in them.

/// A set of small numbers that finds the next member fast.
#[derive(Clone)]
pub(super) struct Bits(Box<[u64]>);

impl Bits {
    /// An empty set of numbers below `len`, a multiple of 64.
    pub(super) fn new(len: usize) -> Self {
        Self(vec![0; len / 64].into_boxed_slice())
    }

    #[inline]
    pub(super) const fn insert(&mut self, number: usize) {
        self.0[number / 64] |= 1 << (number % 64);
    }

    #[inline]
    pub(super) const fn remove(&mut self, number: usize) {
        self.0[number / 64] &= !(1 << (number % 64));
    }

    /// The least member above `number`.
    #[inline]
    pub(super) fn next_above(&self, number: usize) -> Option<usize> {
        let first = number / 64;
        let rest = self.0[first] & (u64::MAX << (number % 64)) << 1;
        let (word, bits) = if rest != 0 {
            (first, rest)
        } else {
            let later = self.0.iter().enumerate().skip(first + 1);
            later.map(|(word, &bits)| (word, bits)).find(|&(_, bits)| bits != 0)?
        };
        Some(word * 64 + bits.trailing_zeros() as usize)
    }

    /// The members above `number`, rising.
    pub(super) fn iter_above(&self, number: usize) -> impl Iterator<Item = usize> {
        std::iter::successors(self.next_above(number), |&member| self.next_above(member))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_next_member_is_found(members in prop::collection::btree_set(0_usize..256, 0..20), from in 0_usize..256) {
            let mut bits = Bits::new(256);
            members.iter().for_each(|&member| bits.insert(member));
            prop_assert_eq!(bits.next_above(from), members.range(from + 1..).next().copied());
            let removed: BTreeSet<usize> = members.iter().step_by(2).copied().collect();
            removed.iter().for_each(|&member| bits.remove(member));
            let next = members.range(from + 1..).find(|member| !removed.contains(member));
            prop_assert_eq!(bits.next_above(from), next.copied());
        }
    }
}
