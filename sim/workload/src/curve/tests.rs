#![expect(clippy::float_cmp, reason = "whole numbers, and quarters of them, are exact")]

use expect_test::expect;
use proptest::prelude::*;
use serde_json::json;

use super::*;

const MI: f64 = 1_048_576.0;

fn read(form: serde_json::Value) -> Curve {
    serde_json::from_value(form).unwrap()
}

#[test]
fn every_form_is_read() {
    let forms = [
        json!("100Mi"),
        json!(104_857_600),
        json!({"constant": "100Mi"}),
        json!({"ramp": {"from": "0", "to": "200Mi", "after": "30s", "over": "60s"}}),
        json!({"periodic": {"low": "50Mi", "high": "150Mi", "period": "60s"}}),
        json!({"steps": ["0s,1Mi", "60s,100Mi"]}),
        json!({"leak": {"from": "40Mi", "perMinute": "60Mi"}}),
        json!({"trace": {"points": "0s, 0\n120s, 200Mi\n"}}),
        json!({"trace": {"points": ["0s,100Mi", "10s,300Mi", "20s,100Mi"], "repeat": "30s"}}),
        json!({"sum": ["40Mi", {"leak": {"perMinute": "60Mi"}}]}),
    ];
    let after_a_minute = forms.map(|form| read(form).at(Span::secs(60)) / MI);
    assert_eq!(after_a_minute, [100.0; 10]);
}

#[test]
fn errors_say_what_would_be_right() {
    let wrong = [
        json!(-1),
        json!(true),
        json!({"ramp": {"to": 5}}),
        json!({"periodic": {"low": 3, "high": 1, "period": "1s"}}),
        json!({"periodic": {"high": 1, "period": "0s"}}),
        json!({"steps": []}),
        json!({"steps": ["60s,1", "0s,2"]}),
        json!({"steps": ["60s"]}),
        json!({"trace": {"points": ["0s,1", "60s,1"], "repeat": "30s"}}),
        json!({"sine": {}}),
    ];
    let errors = wrong.map(|form| serde_json::from_value::<Curve>(form).unwrap_err().to_string());
    expect![[r#"
        `-1` is negative; it must be 0 or more
        invalid type: boolean `true`, expected a quantity such as `200Mi`, or a curve such as `{ramp: {from: 50Mi, to: 200Mi, over: 1m}}`
        missing field `over`
        `low` must not be above `high`, but 3 is above 1
        a period must be above 0s
        there must be at least one point, such as `0s,100Mi`
        `0s,2` is before the point above it
        `60s` is no point; write a time and a quantity, such as `90s,150Mi`
        `repeat` is 30s, before the last point at 1m0s
        unknown variant `sine`, expected one of `constant`, `ramp`, `periodic`, `steps`, `leak`, `trace`, `sum`
    "#]].assert_eq(&(errors.join("\n") + "\n"));
}

#[test]
fn a_period_is_drawn_through_the_sine() {
    let curve = Curve::periodic(0.0, 2.0, Span::secs(16));
    let around = [0, 2, 4, 6, 8, 12, 16, 20].map(|at| curve.at(Span::secs(at)));
    let root = std::f64::consts::FRAC_1_SQRT_2;
    let expected = [1.0, 1.0 + root, 2.0, 1.0 + root, 1.0, 0.0, 1.0, 2.0];
    assert!(around.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-9), "{around:?}");
}

#[test]
fn levels_are_reached_and_left() {
    let leak = Curve::leak(10.0, 2.0);
    assert_eq!(leak.next_reach(Span::ZERO, 30.0), Some(Span::secs(10)));
    assert_eq!(leak.next_reach(Span::secs(20), 30.0), Some(Span::secs(20)));
    assert_eq!(leak.next_fall(Span::ZERO, 30.0), Some(Span::ZERO));
    assert_eq!(leak.next_fall(Span::ZERO, 10.0), None);
    let steps = Curve::steps(&[(Span::ZERO, 1.0), (Span::secs(5), 9.0), (Span::secs(8), 2.0)]);
    assert_eq!(steps.next_reach(Span::ZERO, 4.0), Some(Span::secs(5)));
    assert_eq!(steps.next_reach(Span::secs(8), 4.0), None);
    assert_eq!(steps.next_fall(Span::secs(5), 4.0), Some(Span::secs(8)));
    assert_eq!(Curve::constant(3.0).next_reach(Span::ZERO, 4.0), None);
    assert_eq!(Curve::ZERO.next_reach(Span::secs(1), 0.0), Some(Span::secs(1)));
}

#[test]
fn a_total_counts_each_from_its_own_start_to_its_end() {
    let (leak, flat) = (Curve::leak(0.0, 1.0), Curve::constant(5.0));
    let secs = base::Time::from_secs;
    let mut total = Total::new(1.0);
    total.add(secs(100), base::Time::MAX, &leak);
    total.add(secs(110), secs(120), &flat);
    assert_eq!([99, 105, 110, 120].map(|at| total.at(secs(at))), [1.0, 6.0, 16.0, 21.0]);
    assert_eq!(total.next_reach(secs(0), 14.0), Some(secs(110)));
    assert_eq!(total.next_reach(secs(0), 24.0), Some(secs(118)));
    assert_eq!(total.next_fall(secs(119), 22.0), Some(secs(120)));
    assert_eq!(total.next_change(secs(0)), Some(secs(100)));
}

/// Whole seconds and whole values: what a reader could add up.
fn points() -> impl Strategy<Value = Vec<(Span, f64)>> {
    prop::collection::vec((0_u64..30, 0_u32..20), 1..6).prop_map(|steps| {
        let mut at = 0;
        steps
            .into_iter()
            .map(|(gap, value)| {
                at += gap;
                (Span::secs(at), f64::from(value))
            })
            .collect()
    })
}

fn curve() -> impl Strategy<Value = Curve> {
    prop_oneof![
        (0_u32..20).prop_map(|it| Curve::constant(f64::from(it))),
        points().prop_map(|it| Curve::through(&it)),
        points().prop_map(|it| Curve::steps(&it)),
        (points(), 1_u64..40).prop_map(|(it, more)| {
            let last = it.last().unwrap().0;
            Curve::repeated(&it, last + Span::secs(more))
        }),
        (0_u32..5, 1_u32..4).prop_map(|(from, per)| Curve::leak(f64::from(from), f64::from(per) / 8.0)),
        (0_u32..5, 5_u32..9, 16_u64..60).prop_map(|(low, high, period)| Curve::periodic(
            low.into(),
            high.into(),
            Span::secs(period)
        )),
    ]
}

fn any_curve() -> impl Strategy<Value = Curve> {
    prop::collection::vec(curve(), 1..4).prop_map(|it| Curve::sum(&it))
}

/// Every tenth of a second, for five minutes.
fn samples(from: Span) -> impl Iterator<Item = Span> {
    (0..3_000).map(move |n| from + Span::millis(100 * n))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Nothing reaches a level before the moment that the curve names, and there it has.
    #[test]
    fn reaching_is_what_looking_often_finds(curve in any_curve(), from in 0_u64..60, level in 0_u32..40) {
        let (from, level) = (Span::secs(from), f64::from(level) + 0.3);
        let seen = samples(from).find(|at| level <= curve.at(*at));
        let named = curve.next_reach(from, level);
        if let Some(named) = named {
            prop_assert!(from <= named && level <= curve.at(named));
        }
        prop_assert!(seen.is_none_or(|seen| named.is_some_and(|it| it <= seen)), "{seen:?} {named:?}");
        if let Some(before) = named.and_then(|it| samples(from).take_while(|at| *at < it).last()) {
            prop_assert!(curve.at(before) < level);
        }
    }

    /// The same for falling below a level.
    #[test]
    fn falling_is_what_looking_often_finds(curve in any_curve(), from in 0_u64..60, level in 0_u32..40) {
        let (from, level) = (Span::secs(from), f64::from(level) + 0.3);
        let seen = samples(from).find(|at| curve.at(*at) < level);
        let named = curve.next_fall(from, level);
        if let Some(named) = named {
            prop_assert!(from <= named && curve.at(named) < level);
        }
        prop_assert!(seen.is_none_or(|seen| named.is_some_and(|it| it <= seen)), "{seen:?} {named:?}");
        if let Some(before) = named.and_then(|it| samples(from).take_while(|at| *at < it).last()) {
            prop_assert!(level <= curve.at(before));
        }
    }

    /// Between two changes a curve is straight.
    #[test]
    fn it_is_straight_between_changes(curve in any_curve(), from in 0_u64..200) {
        let from = Span::secs(from);
        let end = curve.next_change(from).unwrap_or(from + Span::secs(100));
        prop_assert!(from < end);
        let width = end.saturating_sub(from).as_secs_f64();
        for part in [0.25, 0.5, 0.75] {
            let straight = curve.at(from) + curve.slope(from) * width * part;
            let at = curve.at(from + Span::from_secs_f64(width * part));
            prop_assert!((at - straight).abs() < 1e-5, "{at} {straight}");
        }
    }

    /// A sum is at every moment what its parts come to.
    #[test]
    fn a_sum_is_what_its_parts_come_to(parts in prop::collection::vec(curve(), 0..4), at in 0_u64..400) {
        let at = Span::secs(at);
        let sum: f64 = parts.iter().map(|it| it.at(at)).sum();
        prop_assert!((Curve::sum(&parts).at(at) - sum).abs() < 1e-6);
    }
}
