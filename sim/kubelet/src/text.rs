//! Texts that are made for every pod, without the machinery of formatting.

use std::ops::Deref;

use base::{Draw as _, Luck, Name, Span};

/// All of `parts`, one after the other.
pub(crate) fn join<const N: usize>(parts: [&str; N]) -> Name {
    let mut text = String::with_capacity(parts.iter().map(|it| it.len()).sum());
    parts.iter().for_each(|it| text.push_str(it));
    Name::from(text)
}

/// Up to `N` digits, the first of which is at `begin`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Digits<const N: usize> {
    digits: [u8; N],
    begin: usize,
}

impl<const N: usize> Deref for Digits<N> {
    type Target = str;

    fn deref(&self) -> &str {
        str::from_utf8(&self.digits[self.begin..]).expect("digits are ASCII")
    }
}

/// In lower case, without leading zeros.
pub(crate) fn hex(number: u64) -> Digits<16> {
    let len = (u64::BITS - number.leading_zeros()).div_ceil(4).max(1);
    let mut digits = [b'0'; 16];
    for (n, it) in (0..len).zip(digits.iter_mut().rev()) {
        *it = digit(number >> (4 * n));
    }
    Digits { digits, begin: 16 - len as usize }
}

/// 64 hexadecimal digits that stand for what `seed` is of, as a hash would.
pub(crate) fn hex64(seed: u64) -> Digits<64> {
    let mut draws = Luck::new(0, "hex").draws(seed, 0);
    let mut digits = [b'0'; 64];
    for sixteen in digits.chunks_exact_mut(16) {
        let bits = draws.bits();
        for (n, it) in (0..).zip(sixteen) {
            *it = digit(bits >> (4 * n));
        }
    }
    Digits { digits, begin: 0 }
}

/// `10.244.3.7`, where the bytes are `[10, 244, 3, 7]`.
pub(crate) fn dotted(bytes: [u8; 4]) -> Digits<15> {
    let mut digits = [b'.'; 15];
    let mut begin = digits.len();
    for (n, byte) in bytes.into_iter().enumerate().rev() {
        let mut rest = byte;
        loop {
            begin -= 1;
            digits[begin] = b'0' + rest % 10;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        begin -= usize::from(n != 0); // The dot before it.
    }
    Digits { digits, begin }
}

/// To the millisecond, as the kubelet says how long something took.
pub(crate) fn truncated(span: Span) -> Span {
    Span::millis(span.as_millis())
}

/// The last digit of a number, in hexadecimal.
fn digit(number: u64) -> u8 {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    DIGITS[usize::from(number.to_le_bytes()[0] & 0xf)]
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
            prop_assert_eq!(&*hex(number), format!("{number:x}"));
        }

        #[test]
        fn addresses_are_as_formatted(bytes: [u8; 4]) {
            prop_assert_eq!(&*dotted(bytes), std::net::Ipv4Addr::from(bytes).to_string());
        }
    }
}
