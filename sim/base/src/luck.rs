//! Luck that is looked up, not drawn in turn: a function of who asks, for what, and how often.

use crate::digest::Digest;
use crate::draw::{Draw, below_of, unit_of};

/// The luck of one purpose in one run.
///
/// A draw depends on the seed, the purpose, the entity and its number `n`, and on nothing else: not on
/// what others drew, nor when. So what is never looked at need not be drawn, and an unrelated
/// entity changes nobody's luck.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Luck {
    key: u64,
}

impl Luck {
    /// The luck of `purpose`, such as `"kubelet.start"`, in the run of `seed`.
    pub fn new(seed: u64, purpose: &str) -> Self {
        Self { key: seed }.narrow(purpose)
    }

    /// Luck for one purpose among those that share `self`, independent of that of all the others.
    pub fn narrow(self, purpose: &str) -> Self {
        let mut key = Digest::default();
        key.word(self.key);
        key.text(purpose);
        Self { key: key.value() }
    }

    /// The number of an entity that is known by a name, such as `namespace/name`. Work it out once and keep it.
    pub fn of_text(name: &str) -> u64 {
        Digest::of_text(name).value()
    }

    /// The `n`th 64 bits of `entity`.
    pub const fn draw(self, entity: u64, n: u64) -> u64 {
        luck(self.key, entity, n)
    }

    /// The `n`th number of `entity` in `(0, 1)`; see [`Draw::unit`].
    pub fn unit(self, entity: u64, n: u64) -> f64 {
        unit_of(self.draw(entity, n))
    }

    /// The `n`th number of `entity` in `0..bound`; see [`Draw::below`].
    pub fn below(self, entity: u64, n: u64, bound: u64) -> u64 {
        below_of(self.draw(entity, n), bound)
    }

    /// The draws of `entity` from the `n`th on, one after the other.
    pub const fn draws(self, entity: u64, n: u64) -> Draws {
        Draws { luck: self, entity, n }
    }
}

/// The draws of one entity in turn: what samplers take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Draws {
    luck: Luck,
    entity: u64,
    /// Of the next draw.
    n: u64,
}

impl Draw for Draws {
    fn bits(&mut self) -> u64 {
        let bits = self.luck.draw(self.entity, self.n);
        self.n = self.n.wrapping_add(1);
        bits
    }
}

/// A counter in three parts, scrambled: the finalizer of SplitMix64 (variant 13 of D. Stafford's), which turns
/// counters into noise. Different parts under one key never meet while they are small.
const fn luck(key: u64, entity: u64, n: u64) -> u64 {
    let counter = key.wrapping_add(entity).wrapping_add(n.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let mixed = (counter ^ (counter >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use expect_test::expect;

    use super::*;

    #[test]
    fn the_first_draws_never_change() {
        let luck = Luck::new(42, "kubelet.start");
        let web = Luck::of_text("default/web-0");
        let draws = [luck.draw(0, 0), luck.draw(0, 1), luck.draw(1, 0), luck.draw(web, 0)];
        expect![[r#"
            5e84586f5a4e10eb
            0778a1ae46b9df2e
            3db36789884ba0ba
            c478a3831722f0a1
        "#]]
        .assert_eq(&draws.map(|draw| format!("{draw:016x}\n")).concat());
        expect!["0.10236229652472228 102"].assert_eq(&format!(
            "{} {}",
            luck.unit(web, 7),
            luck.below(web, 7, 1000)
        ));
    }

    #[test]
    fn a_series_is_the_single_draws_in_turn() {
        let luck = Luck::new(1, "test");
        let mut draws = luck.draws(9, 3);
        assert_eq!([draws.bits(), draws.bits()], [luck.draw(9, 3), luck.draw(9, 4)]);
    }

    #[test]
    fn seeds_purposes_entities_and_numbers_all_matter() {
        let draws = (0..20).flat_map(|seed| {
            let lucks = ["a", "b", "ab"].map(|purpose| Luck::new(seed, purpose));
            let lucks = lucks.into_iter().flat_map(|luck| [luck, luck.narrow("a")]);
            lucks.flat_map(|luck| (0..40).flat_map(move |entity| (0..40).map(move |n| luck.draw(entity, n))))
        });
        assert_eq!(draws.collect::<BTreeSet<u64>>().len(), 20 * 6 * 40 * 40);
    }

    /// Chi-squared over 256 cells of (draw, neighbour): 255 expected, spread 23.
    fn surprise_of_pairs(pairs: impl Iterator<Item = (u64, u64)>) -> f64 {
        let (mut cells, mut count) = ([0_u32; 256], 0.0);
        for (left, right) in pairs {
            cells[usize::try_from(left >> 60 << 4 | right >> 60).expect("eight bits")] += 1;
            count += 1.0;
        }
        cells
            .iter()
            .map(|&cell| (f64::from(cell) - count / 256.0) * (f64::from(cell) - count / 256.0))
            .sum::<f64>()
            / (count / 256.0)
    }

    #[test]
    fn neighbours_in_any_direction_are_independent() {
        let luck = Luck::new(7, "test");
        let grid = || (0..1000).flat_map(|entity| (0..100).map(move |n| (entity, n)));
        let surprises = [
            surprise_of_pairs(grid().map(|(entity, n)| (luck.draw(entity, n), luck.draw(entity, n + 1)))),
            surprise_of_pairs(grid().map(|(entity, n)| (luck.draw(entity, n), luck.draw(entity + 1, n)))),
            surprise_of_pairs(
                grid().map(|(entity, n)| (luck.draw(entity, n), luck.narrow("b").draw(entity, n))),
            ),
        ];
        assert!(surprises.iter().all(|&it| (170.0..340.0).contains(&it)), "{surprises:?}");
    }
}
