//! A source of luck, wherever it comes from.

/// Hands out random numbers, one after the other: a stream of the engine, or the keyed [`Luck`](crate::Luck) of
/// one entity.
///
/// Each of the provided methods takes exactly one number (but [`Draw::shuffle`]), so that a changed bound or
/// distribution shifts nothing that is drawn later.
pub trait Draw {
    /// 64 random bits.
    fn bits(&mut self) -> u64;

    /// A number in `(0, 1)`: 2⁵² evenly spaced ones, symmetric around one half, and neither end.
    fn unit(&mut self) -> f64 {
        unit_of(self.bits())
    }

    /// A whole number in `0..bound`; `bound` is at least 1.
    ///
    /// No result is more likely than another by more than `bound` in 2⁶⁴, which no experiment can show.
    fn below(&mut self, bound: u64) -> u64 {
        below_of(self.bits(), bound)
    }

    /// True with `probability`: never at 0, always at 1.
    fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// One of `options`; `None` where there are none, and then nothing is drawn.
    fn pick<'a, T>(&mut self, options: &'a [T]) -> Option<&'a T> {
        if options.is_empty() {
            return None;
        }
        options.get(position(self.below(options.len() as u64)))
    }

    /// Puts `items` in a random order, each equally likely. Takes one number less than there are items.
    fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, position(self.below(last as u64 + 1)));
        }
    }
}

pub(crate) fn unit_of(bits: u64) -> f64 {
    ((bits >> 12) as f64 + 0.5) / (1_u64 << 52) as f64
}

pub(crate) fn below_of(bits: u64, bound: u64) -> u64 {
    assert!(0 < bound, "an empty range has no member");
    bits.carrying_mul(bound, 0).1
}

fn position(below_len: u64) -> usize {
    usize::try_from(below_len).expect("it is below the length of a slice")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    struct Always(u64);

    impl Draw for Always {
        fn bits(&mut self) -> u64 {
            self.0
        }
    }

    #[test]
    fn the_unit_interval_has_neither_end() {
        assert!(0.0 < Always(0).unit());
        assert!(Always(u64::MAX).unit() < 1.0);
        assert_eq!((Always(0).unit() + Always(u64::MAX).unit()).to_bits(), 1.0_f64.to_bits());
    }

    #[test]
    fn certainty_is_certain() {
        for bits in [0, u64::MAX] {
            assert!(Always(bits).chance(1.0));
            assert!(!Always(bits).chance(0.0));
        }
    }

    #[test]
    fn nothing_is_picked_from_nothing() {
        assert_eq!(Always(0).pick::<u8>(&[]), None);
        assert_eq!(Always(u64::MAX).pick(&[1, 2, 3]), Some(&3));
    }

    proptest! {
        #[test]
        fn a_bounded_draw_stays_below_its_bound(bits: u64, bound in 1_u64..) {
            prop_assert!(Always(bits).below(bound) < bound);
        }

        #[test]
        fn a_shuffle_loses_nothing(bits: u64, length in 0_usize..50) {
            let mut items: Vec<usize> = (0..length).collect();
            Always(bits).shuffle(&mut items);
            items.sort();
            prop_assert_eq!(items, (0..length).collect::<Vec<_>>());
        }
    }
}
