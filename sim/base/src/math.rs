//! Floating-point functions with the same result, to the bit, on every platform.

/// The natural logarithm.
pub fn ln(x: f64) -> f64 {
    libm::log(x)
}

/// e to the power of `x`.
pub fn exp(x: f64) -> f64 {
    libm::exp(x)
}

/// `x` to the power of `y`.
pub fn pow(x: f64, y: f64) -> f64 {
    libm::pow(x, y)
}

/// The value below which a standard normal variable lies with probability `p`, to about 1 in 10¹⁵.
///
/// Minus infinity at 0, infinity at 1, NaN outside. By rational approximation: M. J. Wichura, "Algorithm AS 241:
/// The Percentage Points of the Normal Distribution", Applied Statistics 37 (1988).
pub fn normal_quantile(p: f64) -> f64 {
    let offset = p - 0.5;
    if offset.abs() <= 0.425 {
        return offset * ratio(&CENTRE, 0.180_625 - offset * offset);
    }
    let tail = if offset < 0.0 { p } else { 1.0 - p };
    if tail <= 0.0 {
        return if tail < 0.0 { f64::NAN } else { offset.signum() * f64::INFINITY };
    }
    let distance = (-ln(tail)).sqrt();
    let size = if distance <= 5.0 { ratio(&TAIL, distance - 1.6) } else { ratio(&FAR_TAIL, distance - 5.0) };
    size * offset.signum()
}

/// Coefficients of numerator and denominator, that of the highest power first.
type Ratio = [[f64; 8]; 2];

const CENTRE: Ratio = [
    [
        2.509_080_928_730_122_7e3,
        3.343_057_558_358_813e4,
        6.726_577_092_700_87e4,
        4.592_195_393_154_987e4,
        1.373_169_376_550_946e4,
        1.971_590_950_306_551_3e3,
        1.331_416_678_917_843_8e2,
        3.387_132_872_796_366_5,
    ],
    [
        5.226_495_278_852_854e3,
        2.872_908_573_572_194_3e4,
        3.930_789_580_009_271e4,
        2.121_379_430_158_659_7e4,
        5.394_196_021_424_751e3,
        6.871_870_074_920_579e2,
        4.231_333_070_160_091e1,
        1.0,
    ],
];

const TAIL: Ratio = [
    [
        7.745_450_142_783_414e-4,
        2.272_384_498_926_918_4e-2,
        2.417_807_251_774_506e-1,
        1.270_458_252_452_368_4,
        3.647_848_324_763_204_5,
        5.769_497_221_460_691,
        4.630_337_846_156_546,
        1.423_437_110_749_683_5,
    ],
    [
        1.050_750_071_644_416_9e-9,
        5.475_938_084_995_345e-4,
        1.519_866_656_361_645_7e-2,
        1.481_039_764_274_800_8e-1,
        6.897_673_349_851e-1,
        1.676_384_830_183_803_8,
        2.053_191_626_637_759,
        1.0,
    ],
];

const FAR_TAIL: Ratio = [
    [
        2.010_334_399_292_288_1e-7,
        2.711_555_568_743_487_6e-5,
        1.242_660_947_388_078_4e-3,
        2.653_218_952_657_612_4e-2,
        2.965_605_718_285_048_7e-1,
        1.784_826_539_917_291_3,
        5.463_784_911_164_114,
        6.657_904_643_501_103,
    ],
    [
        2.044_263_103_389_939_7e-15,
        1.421_511_758_316_446e-7,
        1.846_318_317_510_054_8e-5,
        7.868_691_311_456_133e-4,
        1.487_536_129_085_061_5e-2,
        1.369_298_809_227_358e-1,
        5.998_322_065_558_88e-1,
        1.0,
    ],
];

fn ratio(coefficients: &Ratio, x: f64) -> f64 {
    let [numerator, denominator] = coefficients.map(|row| row.iter().fold(0.0, |sum, term| sum * x + term));
    numerator / denominator
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normal_quantiles_agree_with_the_tables() {
        let table = [
            (0.5, 0.0),
            (0.75, 0.674_489_750_196_081_7),
            (0.9, 1.281_551_565_544_600_4),
            (0.99, 2.326_347_874_040_841),
            (0.001, -3.090_232_306_167_813_5),
            (1e-10, -6.361_340_902_404_056),
            (1e-300, -37.047_096_299_361_2),
        ];
        for (p, expected) in table {
            let difference = (normal_quantile(p) - expected).abs();
            assert!(difference < 1e-12, "at {p}: {}", normal_quantile(p));
        }
    }

    #[test]
    fn normal_quantiles_end_in_infinity() {
        assert_eq!(
            [0.0, 1.0].map(|p| normal_quantile(p).to_bits()),
            [-f64::INFINITY, f64::INFINITY].map(f64::to_bits)
        );
        assert!([-0.1, 1.1, f64::NAN].into_iter().all(|p| normal_quantile(p).is_nan()));
    }
}
