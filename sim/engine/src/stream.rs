//! Randomness: one independent, named stream per purpose.

use base::{Digest, Draw, Luck};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// The seed of a run. The only way to obtain a [`Stream`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seed(pub u64);

/// A random stream. An extra draw here never shifts the numbers drawn from another stream,
/// so two experiments that differ in one component share the luck of all the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stream(ChaCha8Rng);

impl Seed {
    /// The stream for `purpose` of component number `index`: `seed.stream("scheduler.ties", 0)`.
    ///
    /// Opening one costs as much as 40 draws: keep it. For the luck of single entities, see [`Seed::luck`].
    pub fn stream(self, purpose: &str, index: u64) -> Stream {
        let words = [self.0, Digest::of_text(purpose).value(), index, 0].map(u64::to_le_bytes);
        let mut key = [0; 32];
        key.as_chunks_mut().0.copy_from_slice(&words);
        Stream(ChaCha8Rng::from_seed(key))
    }

    /// Luck for `purpose` that is looked up by entity instead of drawn in turn.
    pub fn luck(self, purpose: &str) -> Luck {
        Luck::new(self.0, purpose)
    }
}

impl Draw for Stream {
    fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }
}

#[cfg(test)]
mod tests {
    use base::{Distribution, DistributionError};
    use expect_test::expect;

    use super::*;

    fn first_three(mut stream: Stream) -> String {
        let draws = [stream.bits(), stream.bits(), stream.bits()];
        draws.map(|draw| format!("{draw:016x} ")).concat() + "\n"
    }

    #[test]
    fn the_first_draws_never_change() {
        let streams = [
            Seed(0).stream("", 0),
            Seed(42).stream("scheduler.ties", 0),
            Seed(42).stream("scheduler.ties", 1),
            Seed(42).stream("kubelet.jitter", 0),
            Seed(43).stream("kubelet.jitter", 0),
        ];
        expect![[r#"
            27c2d482579006fc 3a2701bf7b253521 61f15b959ca0e362 
            8a3b240115027976 a10a3387b1e5cc8e 0ef8976b9f9300a5 
            2911e3a073aa9f84 61eb22b4919c96b0 69d12503f7c1a8a1 
            4cfc846236ed5dc4 a3ecbbfa1032d0b5 cd3a3bf8a746ef9c 
            a6eabafe7a0207a6 2617555eff9d62b9 675f2f716c83e211 
        "#]]
        .assert_eq(&streams.map(first_three).concat());
    }

    #[test]
    fn the_first_samples_never_change() -> Result<(), DistributionError> {
        let distributions = [
            Distribution::constant(2.5)?,
            Distribution::uniform(1.0, 3.0)?,
            Distribution::exponential(2.0)?,
            Distribution::normal(10.0, 2.0)?,
            Distribution::lognormal(2.0, 8.0)?,
            Distribution::pareto(1.0, 3.0)?,
            Distribution::empirical(&[(0.0, 1.0), (0.5, 2.0), (0.9, 4.0), (1.0, 10.0)])?,
        ];
        let mut stream = Seed(42).stream("test.samples", 0);
        let samples =
            distributions.map(|it| format!("{} {}\n", it.sample(&mut stream), it.sample_span(&mut stream)));
        expect![[r#"
            2.5 2.500s
            1.164650913337154 1.842s
            2.239307632680738 4.328s
            9.96904634187353 9.922s
            2.1633244253916386 2.081s
            1.1411029733546245 1.285s
            1.879913996549918 1.863s
        "#]]
        .assert_eq(&samples.concat());
        Ok(())
    }

    #[test]
    fn a_draw_more_in_one_stream_leaves_the_others_alone() {
        let (mut left, right) = (Seed(1).stream("left", 0), Seed(1).stream("right", 0));
        left.bits();
        assert_eq!(first_three(right), first_three(Seed(1).stream("right", 0)));
    }

    #[test]
    fn bounded_draws_are_even() {
        let mut stream = Seed(3).stream("test.below", 0);
        let mut counts = [0; 10];
        for _ in 0..100_000 {
            counts[usize::try_from(stream.below(10)).expect("it is below 10")] += 1;
        }
        assert!(counts.iter().all(|count| (9_700..10_300).contains(count)), "{counts:?}");
    }

    #[test]
    fn every_order_of_a_shuffle_is_as_likely() {
        let mut stream = Seed(3).stream("test.shuffle", 0);
        let mut counts = std::collections::BTreeMap::new();
        for _ in 0..24_000 {
            let mut items = [0, 1, 2, 3];
            stream.shuffle(&mut items);
            *counts.entry(items).or_insert(0) += 1;
        }
        assert!(counts.len() == 24 && counts.values().all(|count| (880..1120).contains(count)), "{counts:?}");
    }
}
