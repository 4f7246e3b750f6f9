//! What the samplers draw, to the bit, and that it has the shape it should have.

use expect_test::expect;
use proptest::prelude::*;

use super::*;
use crate::luck::Luck;

fn all() -> [(&'static str, Distribution); 8] {
    let valid = |made: Result<Distribution, DistributionError>| made.expect("the parameters are valid");
    [
        ("constant 2.5", valid(Distribution::constant(2.5))),
        ("uniform 1 to 3", valid(Distribution::uniform(1.0, 3.0))),
        ("exponential 2", valid(Distribution::exponential(2.0))),
        ("normal 10 ± 2", valid(Distribution::normal(10.0, 2.0))),
        ("lognormal 2, 8", valid(Distribution::lognormal(2.0, 8.0))),
        ("pareto 1, 3", valid(Distribution::pareto(1.0, 3.0))),
        ("empirical", valid(Distribution::empirical(&[(0.0, 1.0), (0.5, 2.0), (0.9, 4.0), (1.0, 10.0)]))),
        ("samples", valid(Distribution::from_samples(&[5.0, 1.0, 3.0, 2.0, 4.0]))),
    ]
}

#[test]
fn the_first_draws_never_change() {
    let mut told = String::new();
    for (name, distribution) in all() {
        let mut draws = Luck::new(42, "test.dist").draws(0, 0);
        let samples: Vec<f64> = (0..4).map(|_| distribution.sample(&mut draws)).collect();
        told += &format!("{name}: {samples:?}\n");
    }
    expect![[r#"
        constant 2.5: [2.5, 2.5, 2.5, 2.5]
        uniform 1 to 3: [1.4141980044512643, 2.4816944695543004, 1.7298145974609198, 1.3455529295906572]
        exponential 2: [0.46411382063687767, 2.7006751280939865, 0.9079686089863139, 0.3793606479659301]
        normal 10 ± 2: [8.36694326028051, 11.291919166655552, 9.309255662335273, 8.113499552387156]
        lognormal 2, 8: [1.2294533251088589, 2.939034325820932, 1.6279741549570224, 1.1400302278451622]
        pareto 1, 3: [1.0804226459649444, 1.5684886640215447, 1.1633783016326658, 1.0652683877192186]
        empirical: [1.4141980044512643, 3.2042361738857514, 1.7298145974609198, 1.3455529295906572]
        samples: [1.8283960089025286, 3.9633889391086012, 2.4596291949218396, 1.6911058591813144]
    "#]]
    .assert_eq(&told);
}

/// The mean of 200,000 samples, and the part of them below the known quantiles.
#[test]
fn means_and_quantiles_are_what_the_formulas_say() {
    // By the textbook; the mean of a lognormal is median · exp(σ² / 2), with σ = ln 4 / 2.3263.
    let means = [2.5, 2.0, 2.0, 10.0, 2.388_6, 1.5, 2.65, 3.0];
    for ((name, distribution), mean) in all().into_iter().zip(means) {
        let mut draws = Luck::new(7, "test.dist").draws(1, 0);
        let samples: Vec<f64> = (0..200_000).map(|_| distribution.sample(&mut draws)).collect();
        let found = samples.iter().sum::<f64>() / 200_000.0;
        assert!((found - mean).abs() < mean * 0.01, "{name} has a mean of {found}, not {mean}");
        for p in [0.01, 0.25, 0.5, 0.9, 0.99] {
            let limit = distribution.quantile(p);
            let part = samples.iter().filter(|&&sample| sample < limit).count() as f64 / 200_000.0;
            assert!(
                name.starts_with("constant") || (part - p).abs() < 0.004,
                "{name}: {part} below quantile {p}"
            );
        }
    }
}

#[test]
fn known_quantiles() {
    let [_, uniform, exponential, normal, lognormal, pareto, empirical, samples] = all().map(|(_, it)| it);
    let table = [
        (&uniform, 0.25, 1.5),
        (&exponential, 0.5, 2.0 * std::f64::consts::LN_2),
        (&normal, 0.5, 10.0),
        (&normal, 0.975, 13.919_927_969_080_108),
        (&lognormal, 0.5, 2.0),
        (&lognormal, 0.99, 8.0),
        (&pareto, 0.875, 2.0),
        (&empirical, 0.0, 1.0),
        (&empirical, 0.7, 3.0),
        (&empirical, 1.0, 10.0),
        (&samples, 0.125, 1.5),
    ];
    for (distribution, p, expected) in table {
        let found = distribution.quantile(p);
        assert!((found - expected).abs() < 1e-12, "{distribution:?} at {p} is {found}, not {expected}");
    }
}

#[test]
fn beyond_the_known_quantiles_the_ends_go_on() {
    let table = Distribution::empirical(&[(0.5, 1.0), (0.9, 2.0)]).expect("the parameters are valid");
    assert_eq!([0.0, 0.3, 0.95, 1.0].map(|p| table.quantile_span(p).as_secs()), [1, 1, 2, 2]);
}

#[test]
fn spans_are_to_the_nearest_nanosecond_and_never_negative() {
    let mut draws = Luck::new(1, "test.dist").draws(0, 0);
    for millis in [1, 3, 100, 1_100, 86_400_000] {
        let distribution = Distribution::constant_span(Span::millis(millis));
        assert_eq!(distribution.sample_span(&mut draws), Span::millis(millis));
    }
    let below_zero = Distribution::constant(-1.0).expect("the parameter is valid");
    assert_eq!(below_zero.sample_span(&mut draws), Span::ZERO);
    let unbounded = Distribution::exponential(1.0).expect("the parameter is valid");
    assert_eq!(unbounded.quantile_span(1.0), Span::MAX);
}

#[test]
fn wrong_parameters_are_told_apart() {
    let wrong = [
        Distribution::constant(f64::NAN),
        Distribution::uniform(3.0, 1.0),
        Distribution::exponential(0.0),
        Distribution::normal(0.0, -1.0),
        Distribution::lognormal(-2.0, 8.0),
        Distribution::lognormal(8.0, 2.0),
        Distribution::pareto(1.0, f64::INFINITY),
        Distribution::empirical(&[]),
        Distribution::empirical(&[(50.0, 1.0)]),
        Distribution::empirical(&[(0.9, 1.0), (0.5, 2.0)]),
        Distribution::empirical(&[(0.5, 2.0), (0.9, 1.0)]),
        Distribution::from_samples(&[]),
    ];
    let told = wrong.map(|it| it.expect_err("the parameters are wrong").to_string() + "\n");
    expect![[r#"
        `value` must be a finite number, not `NaN`
        `low` must not be above `high`, but `3` is above `1`
        `mean` must be above 0, not `0`
        `deviation` must be 0 or above, not `-1`
        `median` must be above 0, not `-2`
        `median` must not be above `p99`, but `8` is above `2`
        `exponent` must be a finite number, not `inf`
        an empirical distribution needs at least one quantile or sample
        a quantile's probability must be from 0 to 1, not `50`
        quantiles must be given by rising probability, but `0.5` follows `0.9`
        values must not fall as probability rises, but at `0.9` the value `1` follows `2`
        an empirical distribution needs at least one quantile or sample
    "#]]
    .assert_eq(&told.concat());
}

proptest! {
    #[test]
    fn quantiles_never_fall(left in 0.0..=1.0, right in 0.0..=1.0) {
        let (low, high) = if left <= right { (left, right) } else { (right, left) };
        for (name, distribution) in all() {
            // The rational approximation of the normal quantile joins its pieces to about 1 in 10¹⁵.
            let fall = distribution.quantile(low) - distribution.quantile(high);
            prop_assert!(fall.is_nan() || fall <= 1e-12, "{name} falls by {fall} from {low} to {high}");
        }
    }
}
