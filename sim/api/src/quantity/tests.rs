//! Facts from upstream's own tables (`pkg/api/resource/quantity_test.go`), and laws against models.

use Format::{BinarySi as Bin, DecimalExponent as Exp, DecimalSi as Dec};
use proptest::prelude::*;

use super::*;

fn quantity(text: &str) -> Quantity {
    text.parse().unwrap_or_else(|error| panic!("`{text}`: {error}"))
}

/// Text, then the number as upstream's tests state it: digits, power of ten, notation.
#[rustfmt::skip]
const PARSED: &[(&str, i64, i16, Format)] = &[
    ("0", 0, 0, Dec), ("0n", 0, 0, Dec), ("0u", 0, 0, Dec), ("0m", 0, 0, Dec), ("0Ki", 0, 0, Bin), ("0k", 0, 0, Dec),
    ("0Mi", 0, 0, Bin), ("0M", 0, 0, Dec), ("0Gi", 0, 0, Bin), ("0G", 0, 0, Dec), ("0Ti", 0, 0, Bin), ("0T", 0, 0, Dec),
    ("1", 1, 0, Dec),
    ("1Ki", 1 << 10, 0, Bin), ("8Ki", 8 << 10, 0, Bin), ("7Mi", 7 << 20, 0, Bin), ("6Gi", 6 << 30, 0, Bin),
    ("5Ti", 5 << 40, 0, Bin), ("4Pi", 4 << 50, 0, Bin), ("3Ei", 3 << 60, 0, Bin), ("10Ti", 10 << 40, 0, Bin),
    ("100Ti", 100 << 40, 0, Bin),
    ("5n", 5, -9, Dec), ("4u", 4, -6, Dec), ("3m", 3, -3, Dec), ("9", 9, 0, Dec), ("8k", 8, 3, Dec), ("50k", 5, 4, Dec),
    ("7M", 7, 6, Dec), ("6G", 6, 9, Dec), ("5T", 5, 12, Dec), ("40T", 4, 13, Dec), ("300T", 3, 14, Dec),
    ("2P", 2, 15, Dec), ("1E", 1, 18, Dec),
    ("1E-3", 1, -3, Exp), ("1e3", 1, 3, Exp), ("1E6", 1, 6, Exp), ("1e9", 1, 9, Exp), ("1E12", 1, 12, Exp),
    ("1e15", 1, 15, Exp), ("1E18", 1, 18, Exp), ("1e14", 1, 14, Exp), ("1e13", 1, 13, Exp),
    ("100.035k", 100_035, 0, Dec),
    ("0.001", 1, -3, Dec), ("0.0005k", 5, -1, Dec), ("0.005", 5, -3, Dec), ("0.05", 5, -2, Dec), ("0.5", 5, -1, Dec),
    ("0.00050k", 5, -1, Dec), ("0.00500", 5, -3, Dec), ("0.05000", 5, -2, Dec), ("0.50000", 5, -1, Dec),
    ("0.5e0", 5, -1, Exp), ("0.5e-1", 5, -2, Exp), ("0.5e-2", 5, -3, Exp), ("10.035M", 10_035, 3, Dec),
    ("1.2e3", 12, 2, Exp), ("1.3E+6", 13, 5, Exp), ("1.40e9", 14, 8, Exp), ("1.53E12", 153, 10, Exp),
    ("1.6e15", 16, 14, Exp), ("1.7E18", 17, 17, Exp),
    ("9.01", 901, -2, Dec), ("8.1k", 81, 2, Dec), ("7.123456M", 7_123_456, 0, Dec),
    ("6.987654321G", 6_987_654_321, 0, Dec), ("5.444T", 5_444, 9, Dec), ("40.1T", 401, 11, Dec),
    ("300.2T", 3_002, 11, Dec), ("2.5P", 25, 14, Dec), ("1.01E", 101, 16, Dec),
    // What is finer than nano is rounded up, what is binary is capped.
    ("3.001n", 4, -9, Dec), ("1.1E-9", 2, -9, Exp), ("0.0000000001", 1, -9, Dec), ("0.0000000005", 1, -9, Dec),
    ("0.00000000050", 1, -9, Dec), ("0.5e-9", 1, -9, Exp), ("0.9n", 1, -9, Dec), ("0.00000012345", 124, -9, Dec),
    ("0.00000012354", 124, -9, Dec), ("9Ei", i64::MAX, 0, Bin), ("9223372036854775807Ki", i64::MAX, 0, Bin),
    ("12E", 12, 18, Dec),
    ("100.035Ki", 10_243_584, -2, Bin), ("0.5Mi", 1 << 19, 0, Bin), ("0.05Gi", 536_870_912, -1, Bin),
    ("0.025Ti", 274_877_906_944, -1, Bin),
    ("0.000000000001Ki", 2, -9, Dec), (".001", 1, -3, Dec), (".0001k", 100, -3, Dec), ("1.", 1, 0, Dec),
    ("1.G", 1, 9, Dec),
    // From here on worked out from upstream's rules.
    (".", 0, 0, Dec), ("k", 0, 0, Dec), ("Ki", 0, 0, Bin), ("00", 0, 0, Dec), ("1e4294967299", 1, 3, Exp),
    ("99999999999999999999Gi", i64::MAX, 0, Bin), ("1.0Pi", 1 << 50, 0, Bin), ("7.9999999999999999999Ei", i64::MAX, 0, Bin),
];

#[test]
fn texts_are_read_as_upstream_reads_them() {
    for &(text, digits, scale, format) in PARSED {
        for sign in ["", "+", "-"] {
            let parsed = quantity(&format!("{sign}{text}"));
            let expected = Quantity::scaled(if sign == "-" { -digits } else { digits }, scale);
            assert_eq!((parsed, parsed.format()), (expected, format), "{sign}{text}");
        }
    }
}

#[test]
fn wrong_texts_are_refused_in_upstreams_words() {
    use QuantityError::{FormatWrong, Numeric, Suffix};
    let table = [
        ("", FormatWrong),
        ("1.1.M", FormatWrong),
        ("1+1.0M", FormatWrong),
        ("0.1mi", Suffix),
        ("0.1am", FormatWrong),
        ("aoeu", FormatWrong),
        (".5i", Suffix),
        ("1i", Suffix),
        ("-3.01i", Suffix),
        ("-3.01e-", Suffix),
        (" 1", FormatWrong),
        ("1 ", FormatWrong),
        ("1kk", Suffix),
        ("1Ki5", Suffix),
        ("1e", Suffix),
        ("1e5.5", FormatWrong),
        ("1e99999999999999999999", Suffix),
        ("Pi", Numeric),
        (".Ei", Numeric),
        ("1GB", FormatWrong),
        ("1é", FormatWrong),
        ("--1", Suffix),
        ("1_000", FormatWrong),
        ("Non-Numeric", FormatWrong),
        ("0x10", FormatWrong),
    ];
    for (text, error) in table {
        assert_eq!(text.parse::<Quantity>(), Err(error), "{text}");
    }
    assert_eq!(
        "x".parse::<Quantity>().unwrap_err().to_string(),
        "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
    );
}

/// Numbers, their canonical text, and another text for the same number.
#[rustfmt::skip]
const WRITTEN: &[(i64, i16, Format, &str, &str)] = &[
    (1 << 30, 0, Bin, "1Gi", "1024Mi"), (300 << 20, 0, Bin, "300Mi", "307200Ki"), (6 << 10, 0, Bin, "6Ki", ""),
    (1001 << 30, 0, Bin, "1001Gi", "1025024Mi"), (1 << 40, 0, Bin, "1Ti", "1024Gi"), (5, 0, Bin, "5", "5000m"),
    (500, -3, Bin, "500m", "0.5"), (1, 9, Dec, "1G", "1000M"), (1000, 6, Dec, "1G", "0.001T"),
    (1_000_000, 3, Dec, "1G", ""), (1_000_000_000, 0, Dec, "1G", ""), (1, -3, Dec, "1m", "1000u"),
    (80, -3, Dec, "80m", ""), (1080, -3, Dec, "1080m", "1.08"), (108, -2, Dec, "1080m", "1080000000n"),
    (10_800, -4, Dec, "1080m", ""), (300, 6, Dec, "300M", ""), (1, 12, Dec, "1T", ""),
    (1_234_567, 6, Dec, "1234567M", ""), (1_234_567, -3, Bin, "1234567m", ""), (3, 3, Dec, "3k", ""),
    (1025, 0, Bin, "1025", ""), (0, 0, Dec, "0", ""), (0, 0, Bin, "0", ""), (1, 9, Exp, "1e9", ".001e12"),
    (1, -3, Exp, "1e-3", "0.001e0"), (1, -9, Exp, "1e-9", "1000e-12"), (80, -3, Exp, "80e-3", ""),
    (300, 6, Exp, "300e6", ""), (1, 12, Exp, "1e12", ""), (1, 3, Exp, "1e3", ""), (3, 3, Exp, "3e3", ""),
    (0, 0, Exp, "0", "00"), (1, -9, Dec, "1n", ""), (80, -9, Dec, "80n", ""), (1080, -9, Dec, "1080n", ""),
    (108, -8, Dec, "1080n", ""), (10_800, -10, Dec, "1080n", ""), (1, -6, Dec, "1u", ""), (80, -6, Dec, "80u", ""),
    (1080, -6, Dec, "1080u", ""),
    (1000, 0, Dec, "1k", ""), (1_234_000, 0, Dec, "1234k", ""), (1024, 0, Bin, "1Ki", ""), (1 << 20, 0, Bin, "1Mi", ""),
    (1024, -3, Bin, "1024m", ""), (1 << 20, -3, Bin, "1048576m", ""), (901, -2, Dec, "9010m", ""),
    (1_000_000, 0, Exp, "1e6", ""), (1000, -9, Dec, "1u", ""), (1000, -3, Dec, "1", ""),
];

#[test]
fn numbers_are_written_in_canonical_form() {
    for &(digits, scale, format, text, alternate) in WRITTEN {
        let amount = Amount::int(digits, scale);
        for amount in [amount, Amount::dec(amount.mantissa(), scale)] {
            assert_eq!(Quantity { amount, format, spelling: None }.to_string(), text);
            let negative = Quantity { amount: amount.negated(), format, spelling: None }.to_string();
            assert_eq!(negative, if digits == 0 { text.into() } else { format!("-{text}") });
        }
        assert_eq!(quantity(text).to_string(), text);
        if !alternate.is_empty() {
            assert_eq!(quantity(alternate).to_string(), text, "{alternate}");
        }
    }
}

#[test]
fn texts_come_back_as_upstream_gives_them_back() {
    let table = [
        ("1Ki", "1Ki"),
        ("1Mi", "1Mi"),
        ("1Gi", "1Gi"),
        ("1024Mi", "1Gi"),
        ("1000M", "1G"),
        (".001Ki", "1024m"),
        (".000001Ki", "1024u"),
        (".000000001Ki", "1024n"),
        (".000000000001Ki", "2n"),
        ("1.5Gi", "1536Mi"),
        ("0.5", "500m"),
        ("1.5", "1500m"),
        ("1500m", "1500m"),
        ("2000m", "2"),
        ("1.25Gi", "1280Mi"),
        ("0.1", "100m"),
        ("1024Ki", "1Mi"),
        ("1048576Ki", "1Gi"),
        ("128974848", "128974848"),
        ("129e6", "129e6"),
        ("123Mi", "123Mi"),
        ("0.1Gi", "107374182400m"),
        ("100000000000000000000", "100E"),
        ("9Ei", "9223372036854775807"),
        // Upstream has no suffix beyond E, and writes none.
        ("1000E", "1"),
        ("12e20", "1200e18"),
        ("1e500", "100e498"),
        // These are repeated word for word, although they are not canonical.
        ("1.500", "1.500"),
        ("1.001", "1.001"),
        ("2.123456", "2.123456"),
        ("+1", "+1"),
        ("01", "01"),
        ("1.", "1."),
        ("1E3", "1E3"),
        ("1e+3", "1e+3"),
        ("1e0", "1e0"),
        ("+05Ki", "+05Ki"),
        ("-0012.250k", "-0012.250k"),
        ("1.250e-3", "1.250e-3"),
        ("5.Mi", "5.Mi"),
        // And these are not.
        ("1.50", "1500m"),
        ("0.500", "500m"),
        ("1.000", "1"),
        ("+1.5", "1500m"),
        ("08Ki", "8Ki"),
        ("1E2", "100"),
    ];
    for (text, expected) in table {
        assert_eq!(quantity(text).to_string(), expected, "{text}");
    }
    assert_eq!((quantity("1.500") + Quantity::ZERO).to_string(), "1500m");
    assert_eq!(format!("{:>6}|{:<6}|", quantity("1Gi"), quantity("5")), "   1Gi|5     |");
}

#[test]
fn values_round_away_from_zero() {
    let table = [
        ("1500m", 2, 1500),
        ("1m", 1, 1),
        ("-1500m", -2, -1500),
        ("1u", 1, 1),
        ("2", 2, 2000),
        ("0", 0, 0),
        ("100.035Ki", 102_436, 102_435_840),
        ("1.5Gi", 1_610_612_736, 1_610_612_736_000),
        ("4Pi", 1 << 52, 4_503_599_627_370_496_000),
        // Overflow, as upstream has it.
        ("12E", 0, 0),
        ("9223372036854775807", i64::MAX, -1000),
        ("9P", 9_000_000_000_000_000, 9_000_000_000_000_000_000),
        ("10P", 10_000_000_000_000_000, 0),
        // A big decimal below zero rounds up by one too many.
        ("-0.5Gi", -536_870_912, -536_870_912_000),
        ("-100.035Ki", -102_434, -102_435_840),
    ];
    for (text, value, milli) in table {
        assert_eq!((quantity(text).value(), quantity(text).milli_value()), (value, milli), "{text}");
    }
}

#[test]
fn scaled_values_follow_upstreams_table() {
    let table = [
        (-9, -9, 1),
        (-9, -6, 1),
        (-9, -3, 1),
        (-9, 0, 1),
        (-6, -9, 1000),
        (-6, -6, 1),
        (-6, -3, 1),
        (-6, 0, 1),
        (-3, -9, 1_000_000),
        (-3, -6, 1000),
        (-3, -3, 1),
        (-3, 0, 1),
        (0, -9, 1_000_000_000),
        (0, -6, 1_000_000),
        (0, -3, 1000),
        (0, 0, 1),
        (2, -2, 10_000),
    ];
    for (from, to, expected) in table {
        assert_eq!(Quantity::scaled(1, from).scaled_value(to), expected, "{from} to {to}");
    }
}

#[test]
fn rounding_follows_upstreams_table() {
    let table = [
        (-3, 901, -2, true),
        (-2, 901, -2, true),
        (-1, 91, -1, false),
        (0, 10, 0, false),
        (1, 10, 0, false),
        (2, 100, 0, false),
    ];
    for (scale, digits, digits_scale, is_exact) in table {
        for sign in [1, -1] {
            let mut rounded = quantity(if sign == 1 { "9.01" } else { "-9.01" });
            assert_eq!(rounded.round_up(scale), is_exact);
            assert_eq!(rounded, Quantity::scaled(sign * digits, digits_scale));
        }
    }
}

#[test]
#[rustfmt::skip]
fn comparing_follows_upstreams_table() {
    use Ordering::{Equal, Greater, Less};
    let million3 = 1_000_000_000_000_000_000;
    let table = [
        ((901, -2), (901, -2), Equal), ((90, -1), (901, -2), Less), ((901, -2), (900, -2), Greater), ((0, 0), (0, 0), Equal),
        ((0, 1), (0, -1), Equal), ((0, -1), (0, 1), Equal), ((800, -3), (1, 0), Less), ((800, -3), (79, -2), Greater),
        ((i64::MAX, 0), (1, -1), Greater), ((i64::MAX, 1), (1, 0), Greater), ((i64::MAX, 1), (1, 1), Greater),
        ((i64::MAX, 1), (0, 1), Greater), ((i64::MAX, -16), (1, 3), Less), ((i64::MIN, 0), (0, 0), Less),
        ((i64::MIN, -18), (-1, 0), Less), ((i64::MIN, -19), (-1, 0), Greater), ((million3, -17), (1, 1), Equal),
        ((million3, -17), (-10, 0), Greater), ((-million3, -17), (-10, 0), Equal), ((million3, -17), (1, 0), Greater),
        ((million3 + 1, -17), (1, 1), Greater), ((million3 - 1, -17), (1, 1), Less), ((1, 500), (i64::MAX, 400), Greater),
        ((-1, 500), (1, -9), Less), ((0, 500), (1, -9), Less),
    ];
    for (a, b, expected) in table {
        let (a, b) = (Quantity::scaled(a.0, a.1), Quantity::scaled(b.0, b.1));
        assert_eq!((a.cmp(&b), b.cmp(&a)), (expected, expected.reverse()), "{a} {b}");
    }
    assert!(quantity("10000T") > quantity("100Gi"));
    assert_eq!(quantity("1Ki"), quantity("1024"));
}

#[test]
fn multiplying_follows_upstreams_table() {
    let max = i64::MAX;
    let table = [
        (10, 10, Some(100)),
        (10, 1, Some(10)),
        (0, 50, Some(0)),
        (50, 0, Some(0)),
        (10, -10, Some(-100)),
        (-50, -50, Some(2500)),
        (max, 0, Some(0)),
        (max, 1, Some(max)),
        (max, -1, Some(-max)),
        (max / 2, 2, Some(max - 1)),
        (max, 2, None),
        (max, 10, None),
        (i64::MIN, 1, Some(i64::MIN)),
        (i64::MIN, -1, None),
        (i64::MIN / 2, 2, Some(i64::MIN)),
        (i64::MIN, 10, None),
    ];
    for (a, factor, expected) in table {
        let mut product = Quantity::new(a, Dec);
        assert_eq!(product.multiply(factor), expected.is_some(), "{a} * {factor}");
        let exact = i128::from(a) * i128::from(factor);
        assert_eq!(product, Quantity { amount: Amount::dec(exact, 0), format: Dec, spelling: None });
    }
}

#[test]
fn a_zero_takes_the_notation_of_the_other_operand() {
    for text in ["100m", "1Gi"] {
        assert_eq!((quantity(text) + Quantity::ZERO).to_string(), text);
        assert_eq!((Quantity::ZERO + quantity(text)).to_string(), text);
        assert_eq!((quantity(text) - Quantity::ZERO).to_string(), text);
        assert_eq!((Quantity::ZERO - quantity(text)).to_string(), format!("-{text}"));
    }
    assert_eq!((quantity("1Gi") + quantity("1000")).format(), Bin);
    assert_eq!((quantity("1000") + quantity("1Gi")).format(), Dec);
}

#[test]
fn json_takes_texts_numbers_and_null() {
    let table = [
        (r#"" 1""#, "\"1\""),
        (r#""1 ""#, "\"1\""),
        ("1", "\"1\""),
        ("-1", "\"-1\""),
        ("0.5", "\"500m\""),
        ("1.5e3", "\"1500\""),
        ("1e21", "\"1e+21\""),
        ("1e-7", "\"100e-9\""),
        ("null", "\"0\""),
        (r#""1.5Gi""#, "\"1536Mi\""),
        ("18446744073709551615", "\"18446744073709551615\""),
    ];
    for (json, expected) in table {
        let parsed: Quantity = serde_json::from_str(json).unwrap();
        assert_eq!(serde_json::to_string(&parsed).unwrap(), expected, "{json}");
    }
    let error = serde_json::from_str::<Quantity>("\"1 GB\"").unwrap_err().to_string();
    assert!(error.starts_with("quantities must match the regular expression"), "{error}");
    assert!(serde_json::from_str::<Quantity>("true").is_err());
}

#[test]
fn floats_are_near() {
    let table = [
        ("0", 0.0),
        ("2Ki", 2048.0),
        ("1.1Ki", 1126.4),
        ("2Gi", 2_147_483_648.0),
        ("12E", 1.2e19),
        ("1500m", 1.5),
    ];
    for (text, expected) in table {
        let difference: f64 = quantity(text).approximate_f64() - expected;
        assert!(difference.abs() <= expected * 1e-15, "{text}");
    }
    assert!(Quantity::scaled(12, 500).approximate_f64().is_infinite());
}

#[test]
fn a_quantity_is_small() {
    assert_eq!(size_of::<Quantity>(), 24);
}

/// The model: a decimal number as its digits, most significant first.
#[derive(Clone, Debug)]
struct Digits(Vec<u8>);

impl Digits {
    fn double(&mut self) {
        let mut carry = 0;
        for digit in self.0.iter_mut().rev() {
            let doubled = *digit * 2 + carry;
            (*digit, carry) = (doubled % 10, doubled / 10);
        }
        if carry > 0 {
            self.0.insert(0, carry);
        }
    }

    /// The number without its last digits, rounded up.
    fn cut(&self, digits: usize) -> u128 {
        let padded = [vec![0; digits], self.0.clone()].concat();
        let (kept, lost) = padded.split_at(padded.len() - digits);
        let kept = kept.iter().fold(0, |sum, digit| sum * 10 + u128::from(*digit));
        kept + u128::from(lost.iter().any(|digit| *digit != 0))
    }
}

fn nanos(quantity: Quantity) -> i128 {
    let (rounded, is_exact) = Amount::dec(quantity.amount.mantissa(), quantity.amount.scale()).rounded_up(-9);
    assert!(is_exact);
    rounded.mantissa()
}

proptest! {
    /// Parsing multiplies digits by a power of two or ten, and rounds up to nano.
    #[test]
    fn parsing_agrees_with_school_arithmetic(whole in "[0-9]{1,6}", fraction in "[0-9]{0,14}", idx in 0_usize..17) {
        let suffix = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "e2", "E-4"][idx];
        let (tens, twos) = [
            (-9, 0), (-6, 0), (-3, 0), (0, 0), (3, 0), (6, 0), (9, 0), (12, 0), (15, 0), (18, 0),
            (0, 10), (0, 20), (0, 30), (0, 40), (0, 50), (2, 0), (-4, 0),
        ][idx];
        let mut model = Digits(format!("{whole}{fraction}{:0<27}", "").bytes().map(|it| it - b'0').collect());
        (0..twos).for_each(|_| model.double());
        let cut = i64::try_from(fraction.len()).unwrap() + 27 - tens - 9;
        let expected = i128::try_from(model.cut(usize::try_from(cut).unwrap())).unwrap();
        let is_capped = twos > 0 && expected > i128::from(i64::MAX) * 1_000_000_000;
        let parsed = quantity(&format!("{whole}.{fraction}{suffix}"));
        prop_assert_eq!(nanos(parsed), if is_capped { i128::from(i64::MAX) * 1_000_000_000 } else { expected });
    }

    /// What was written is read back as the same number, and, unless a binary one had no suffix, in the same notation.
    #[test]
    fn text_round_trips(digits in any::<i64>(), scale in -9_i16..=0, format in prop::sample::select(vec![Bin, Dec, Exp])) {
        let written = Quantity { amount: Amount::int(digits, scale), format, spelling: None };
        let read = quantity(&written.to_string());
        prop_assert_eq!(read, written);
        prop_assert!(format == Bin || read.to_string() == written.to_string());
    }

    /// Sums, differences, products and order are those of whole numbers of nano units.
    #[test]
    fn arithmetic_agrees_with_whole_nanos(
        a in -1_000_000_000_000_i64..1_000_000_000_000, a_scale in -9_i16..=9,
        b in -1_000_000_000_000_i64..1_000_000_000_000, b_scale in -9_i16..=9, factor in -1000_i64..1000,
    ) {
        let (x, y) = (Quantity::scaled(a, a_scale), Quantity::scaled(b, b_scale));
        let (m, n) = (nanos(x), nanos(y));
        prop_assert_eq!(nanos(x + y), m + n);
        prop_assert_eq!(nanos(x - y), m - n);
        prop_assert_eq!(nanos(-x), -m);
        prop_assert_eq!(x.cmp(&y), m.cmp(&n));
        prop_assert_eq!(i128::from(x.sign()), m.signum());
        let mut product = x;
        product.multiply(factor);
        prop_assert_eq!(nanos(product), m * i128::from(factor));
    }

    /// `value` is the nearest whole number away from zero.
    #[test]
    fn value_is_the_ceiling_away_from_zero(digits in any::<i64>(), scale in -12_i16..=0) {
        let unit = 10_i128.pow(u32::from(scale.unsigned_abs()));
        let (digits_wide, value) = (i128::from(digits), i128::from(Quantity::scaled(digits, scale).value()));
        prop_assert!(value.abs() * unit >= digits_wide.abs() && (value.abs() - 1) * unit < digits_wide.abs());
        prop_assert!(value.signum() == digits_wide.signum());
    }

    /// Nothing that a user can write makes the reader panic, nor arithmetic on what it gave.
    #[test]
    fn no_text_panics(a in "[+-]?[0-9.]{0,50}[eEinumkKMGTP]{0,2}[+-]?[0-9]{0,12}", b in "[0-9]{0,40}[eE][+-]?[0-9]{1,6}") {
        if let (Ok(x), Ok(y)) = (a.parse::<Quantity>(), b.parse::<Quantity>()) {
            let mut sum = x + y - x;
            sum.multiply(i64::MAX);
            sum.round_up(0);
            let _ = (sum.value(), sum.scaled_value(-9), sum.to_string(), x.cmp(&y), -sum, sum.approximate_f64());
        }
    }
}
