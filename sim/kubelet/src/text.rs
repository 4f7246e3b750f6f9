//! Texts that are made for every pod, without the machinery of formatting.

use base::{Draw as _, Luck, Name, Span};

/// All of `parts`, one after the other.
pub(crate) fn join<const N: usize>(parts: [&str; N]) -> Name {
    let mut text = String::with_capacity(parts.iter().map(|it| it.len()).sum());
    parts.iter().for_each(|it| text.push_str(it));
    Name::from(text)
}

/// In lower case, without leading zeros.
pub(crate) fn hex(number: u64) -> String {
    let digits = (u64::BITS - number.leading_zeros()).div_ceil(4).max(1);
    (0..digits).rev().map(|n| digit(number >> (4 * n))).collect()
}

/// 64 hexadecimal digits that stand for what `seed` is of, as a hash would.
pub(crate) fn hex64(seed: u64) -> String {
    let mut draws = Luck::new(0, "hex").draws(seed, 0);
    let mut hex = String::with_capacity(64);
    for bits in (0..4).map(|_| draws.bits()) {
        hex.extend((0..16).map(|n| digit(bits >> (4 * n))));
    }
    hex
}

/// To the millisecond, as the kubelet says how long something took.
pub(crate) fn truncated(span: Span) -> Span {
    Span::millis(span.as_millis())
}

/// The last digit of a number, in hexadecimal.
pub(crate) fn digit(number: u64) -> char {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    char::from(DIGITS[usize::from(number.to_le_bytes()[0] & 0xf)])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn parts_are_joined() {
        assert_eq!(join(["Started container ", "web"]), "Started container web");
    }

    proptest! {
        #[test]
        fn hexadecimal_is_as_formatted(number: u64, shift in 0_u32..64) {
            let number = number >> shift;
            prop_assert_eq!(hex(number), format!("{number:x}"));
        }
    }
}
