//! A running fingerprint of everything that happened, stable across platforms and releases.

use std::fmt;

/// Folds values into 64 bits. Two runs are the same run exactly when their digests agree.
///
/// Every step is a bijection of the state for a given word, and of the word for a given state: nothing that
/// was folded in is ever lost, and runs that differ in one word cannot meet again while they agree in
/// the rest. Among a million different runs, two share a digest with a chance of about 3 in 10⁸.
/// It guards against accidents, not against forgery.
///
/// Goldens quote digests: a change of this algorithm changes them all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(u64);

impl Default for Digest {
    fn default() -> Self {
        Self(0x9e37_79b9_7f4a_7c15)
    }
}

impl Digest {
    /// The fingerprint of one text, for names of purposes and the like.
    pub fn of_text(text: &str) -> Self {
        let mut digest = Self::default();
        digest.text(text);
        digest
    }

    pub const fn word(&mut self, word: u64) {
        let mixed = (self.0 ^ word).wrapping_mul(0xff51_afd7_ed55_8ccd);
        self.0 = (mixed ^ (mixed >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53).rotate_left(27);
    }

    /// Folds the length first, so that `"ab", "c"` differs from `"a", "bc"`.
    #[inline] // Many texts are empty.
    pub fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    /// As [`Digest::text`]: the same bytes give the same digest.
    #[inline]
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.word(bytes.len() as u64);
        if !bytes.is_empty() {
            self.words(bytes);
        }
    }

    fn words(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.word(u64::from_le_bytes(*word));
        }
        if !rest.is_empty() {
            self.word(word_of(rest));
        }
    }

    pub const fn value(self) -> u64 {
        self.0
    }
}

/// Fewer than eight bytes as the number that they are in little-endian order. From reads that overlap, since most texts
/// end in such a rest, and to copy it would cost more than all the folding.
fn word_of(rest: &[u8]) -> u64 {
    let shift = |byte: usize| 8 * byte;
    if let (Some(first), Some(last)) = (rest.first_chunk(), rest.last_chunk()) {
        let (first, last) = (u32::from_le_bytes(*first), u32::from_le_bytes(*last));
        return u64::from(first) | u64::from(last) << shift(rest.len() - 4);
    }
    match *rest {
        [first, middle, last] => {
            u64::from(first) | u64::from(middle) << shift(1) | u64::from(last) << shift(2)
        }
        [first, last] => u64::from(first) | u64::from(last) << shift(1),
        [only] => only.into(),
        _ => 0,
    }
}

impl fmt::Display for Digest {
    /// Sixteen hexadecimal digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{:016x}", self.0))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use expect_test::expect;

    use super::*;

    fn of_words(words: &[u64]) -> Digest {
        let mut digest = Digest::default();
        words.iter().for_each(|&word| digest.word(word));
        digest
    }

    #[test]
    fn digests_never_change() {
        let digests = ["", "a", "kubelet", "kubelet.jitter", "a name that is longer than any word"]
            .map(Digest::of_text);
        expect![[r#"
            63b4159cc8e3bdf9
            609e595ce12af1d0
            46550b9f643e0dbc
            f3016f1c4de73fde
            1d83c80dec0a8216
        "#]]
        .assert_eq(&digests.map(|digest| format!("{digest}\n")).concat());
    }

    #[test]
    fn the_rest_of_a_text_is_padded_with_zeros() {
        let text = [0x81, 0x42, 0xc3, 0x24, 0xa5, 0x66, 0xe7];
        for length in 1..=text.len() {
            let mut padded = [0; 8];
            padded[..length].copy_from_slice(&text[..length]);
            assert_eq!(word_of(&text[..length]), u64::from_le_bytes(padded));
        }
    }

    #[test]
    fn order_and_boundaries_count() {
        assert_ne!(of_words(&[1, 2]), of_words(&[2, 1]));
        let (mut left, mut right) = (Digest::default(), Digest::default());
        ["ab", "c"].into_iter().for_each(|text| left.text(text));
        ["a", "bc"].into_iter().for_each(|text| right.text(text));
        assert_ne!(left, right);
    }

    #[test]
    fn small_differences_do_not_collide() {
        let pairs = (0..300).flat_map(|a| (0..300).map(move |b| of_words(&[a, b << 40])));
        assert_eq!(pairs.collect::<BTreeSet<Digest>>().len(), 300 * 300);
    }

    #[test]
    fn one_bit_changes_half_of_the_digest() {
        for bit in 0..64 {
            let changed: u32 = (0..100)
                .map(|n| of_words(&[n, 7]).value() ^ of_words(&[n ^ (1 << bit), 7]).value())
                .map(u64::count_ones)
                .sum();
            assert!((2_800..3_600).contains(&changed), "bit {bit} changed {changed} of 6400");
        }
    }
}
