//! A range of numbers that are handed out.
//!
//! Upstream: `pkg/registry/core/service/ipallocator/ipallocator.go`, `…/portallocator/allocator.go`

use std::collections::BTreeSet;

use base::Luck;

/// Numbers in two bands: those nobody asked for by name come from the upper one while it lasts, so that the lower
/// one stays free for those that somebody does.
#[derive(Clone, Debug)]
pub(super) struct Pool {
    first: u32,
    /// The first number of the upper band.
    upper: u32,
    last: u32,
    taken: BTreeSet<u32>,
    luck: Luck,
}

/// Why a number cannot be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unavailable {
    OutOfRange,
    Taken,
}

impl Pool {
    /// The numbers from `first` to `last`; the lower band has `lower` of them.
    pub(super) fn new(first: u32, last: u32, lower: u32, luck: Luck) -> Self {
        assert!(first + lower <= last, "the upper band has a number");
        Self { first, upper: first + lower, last, taken: BTreeSet::new(), luck }
    }

    pub(super) fn take(&mut self, number: u32) -> Result<(), Unavailable> {
        if number < self.first || self.last < number {
            return Err(Unavailable::OutOfRange);
        }
        if self.taken.insert(number) { Ok(()) } else { Err(Unavailable::Taken) }
    }

    /// Takes numbers, whoever has them; those out of range are not ours to give.
    pub(super) fn mark_taken(&mut self, numbers: impl IntoIterator<Item = u32>) {
        let range = self.first..=self.last;
        self.taken.extend(numbers.into_iter().filter(|it| range.contains(it)));
    }

    /// Takes the next free number from a random one on: the `n`th that `entity` asks for. `None` if all are taken.
    pub(super) fn take_any(&mut self, entity: u64, n: u64) -> Option<u32> {
        let bands = [(self.upper, self.last + 1), (self.first, self.upper)];
        let number = bands.into_iter().filter(|(start, end)| start < end).find_map(|(start, end)| {
            let offset = self.luck.below(entity, n, u64::from(end - start));
            let middle = start + u32::try_from(offset).expect("it lies within the band");
            (middle..end).chain(start..middle).find(|it| !self.taken.contains(it))
        })?;
        self.taken.insert(number);
        Some(number)
    }

    /// The first and the last number.
    pub(super) fn bounds(&self) -> (u32, u32) {
        (self.first, self.last)
    }

    /// Does nothing to a number that is free or out of range.
    pub(super) fn release(&mut self, number: u32) {
        self.taken.remove(&number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lower_band_is_used_last() {
        let mut pool = Pool::new(10, 19, 4, Luck::new(1, "test"));
        let taken: Vec<u32> = (0..10).map(|n| pool.take_any(n, 0).unwrap()).collect();
        assert!(taken[..6].iter().all(|it| (14..=19).contains(it)), "{taken:?}");
        assert!(taken[6..].iter().all(|it| (10..=13).contains(it)), "{taken:?}");
        assert_eq!(pool.take_any(99, 0), None);
        assert_eq!(pool.take(12), Err(Unavailable::Taken));
        assert_eq!(pool.take(20), Err(Unavailable::OutOfRange));
        pool.release(12);
        assert_eq!(pool.take_any(99, 0), Some(12));
    }
}
