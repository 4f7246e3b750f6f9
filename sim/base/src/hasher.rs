//! The hash function of [`Lookup`](crate::Lookup).

/// Fast for whole numbers and short texts, and the same on every machine.
///
/// Each step multiplies two words to 128 bits and folds the halves together, so that high and low bits are both
/// good. It is not proof against keys chosen to collide: such keys cost time, never a different result.
#[derive(Clone, Copy, Debug, Default)]
pub struct Hasher(u64);

/// The fractions of π and, where the multiplier must not be near any simple fraction, of the golden ratio.
const LEFT: u64 = 0x243f_6a88_85a3_08d3;
const RIGHT: u64 = 0x9e37_79b9_7f4a_7c15;

impl Hasher {
    #[inline]
    fn fold(&mut self, left: u64, right: u64) {
        let (low, high) = (self.0 ^ LEFT ^ left).carrying_mul(RIGHT ^ right, 0);
        self.0 = low ^ high;
    }
}

impl std::hash::Hasher for Hasher {
    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        self.0 ^= bytes.len() as u64;
        let (pairs, rest) = bytes.as_chunks::<16>();
        for pair in pairs {
            let (left, right) = ends(pair);
            self.fold(left, right);
        }
        let (left, right) = ends(rest);
        self.fold(left, right);
    }

    #[inline]
    fn write_u8(&mut self, number: u8) {
        self.fold(u64::from(number), 0);
    }

    #[inline]
    fn write_u16(&mut self, number: u16) {
        self.fold(u64::from(number), 0);
    }

    #[inline]
    fn write_u32(&mut self, number: u32) {
        self.fold(u64::from(number), 0);
    }

    #[inline]
    fn write_u64(&mut self, number: u64) {
        self.fold(number, 0);
    }

    #[inline]
    fn write_usize(&mut self, number: usize) {
        self.fold(number as u64, 0);
    }

    #[inline]
    fn finish(&self) -> u64 {
        self.0
    }
}

/// Two words that hold all of at most 16 bytes between them; where there are fewer, they overlap.
#[inline]
fn ends(bytes: &[u8]) -> (u64, u64) {
    if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
        return (u64::from_le_bytes(*first), u64::from_le_bytes(*last));
    }
    if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
        return (u32::from_le_bytes(*first).into(), u32::from_le_bytes(*last).into());
    }
    match *bytes {
        [first, middle, last] => (u64::from(first) << 8 | u64::from(middle), last.into()),
        [first, last] => (first.into(), last.into()),
        [only] => (only.into(), 0),
        _ => (0, 0),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::hash::{Hash, Hasher as _};

    use expect_test::expect;

    use super::Hasher;

    fn hash(key: impl Hash) -> u64 {
        let mut hasher = Hasher::default();
        key.hash(&mut hasher);
        hasher.finish()
    }

    /// How many of 4096 buckets the keys fall into, by the low bits and by the high bits of the hash.
    fn buckets_used(hashes: &[u64]) -> (usize, usize) {
        let count = |bucket: fn(&u64) -> u64| hashes.iter().map(bucket).collect::<BTreeSet<u64>>().len();
        (count(|hash| hash % 4096), count(|hash| hash >> 52))
    }

    #[test]
    fn hashes_never_change() {
        let hashes = [hash(7_u64), hash("a"), hash("web-7d4b9c6f5-x2x8q"), hash((1_u32, 2_u32))];
        expect![[r#"
            807f0b3fc4edb268
            be9daccca9806316
            c514fef2f002ec66
            8ff96c9123057040
        "#]]
        .assert_eq(&hashes.map(|hash| format!("{hash:016x}\n")).concat());
    }

    #[test]
    fn likely_keys_spread_over_buckets() {
        let sets: [Vec<u64>; 5] = [
            (0..4096_u64).map(hash).collect(),
            (0..4096_u64).map(|n| hash(n * 1_000_000_000)).collect(),
            (0..4096_u32).map(|n| hash((n / 64, n % 64))).collect(),
            (0..4096).map(|n| hash(format!("node-{n}"))).collect(),
            (0..4096).map(|n| hash(format!("default/web-7d4b9c6f5-{n:05}"))).collect(),
        ];
        for (set, hashes) in sets.iter().enumerate() {
            // A random function would use 4096 · (1 − 1/e) = 2589 of them.
            let (low, high) = buckets_used(hashes);
            assert!(2_450 < low && 2_450 < high, "set {set} uses {low} low and {high} high buckets");
        }
    }

    #[test]
    fn every_byte_of_a_text_counts() {
        for length in 0..70 {
            let text = vec![b'a'; length];
            let mut hashes = BTreeSet::from([hash(&text[..])]);
            for position in 0..length {
                let mut changed = text.clone();
                changed[position] = b'b';
                hashes.insert(hash(&changed[..]));
            }
            assert_eq!(hashes.len(), length + 1, "length {length}");
        }
    }
}
