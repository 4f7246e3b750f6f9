//! The curves that there are.

use base::Span;

use super::Curve;
use super::line::Polyline;

/// The sine of n sixteenths of a turn, for n from 0 to 4.
const SINES: [f64; 5] =
    [0.0, 0.382_683_432_365_089_8, std::f64::consts::FRAC_1_SQRT_2, 0.923_879_532_511_286_7, 1.0];

impl Curve {
    /// `from` until `after`, then evenly to `to` within `over`, and `to` from then on.
    pub fn ramp(from: f64, to: f64, after: Span, over: Span) -> Self {
        Self::through(&[(Span::ZERO, from), (after, from), (after + over, to)])
    }

    /// A sine between `low` and `high`: halfway between them and rising at the start, and every `period` (above
    /// zero). It is drawn with sixteen straight pieces through the sine's own values, so that it is never more than
    /// 2 % of its amplitude below the arc.
    pub fn periodic(low: f64, high: f64, period: Span) -> Self {
        let (middle, amplitude) = (low + (high - low) / 2.0, (high - low) / 2.0);
        let point = |n: u64| {
            let at = Span::from_nanos(period.nanos() / 16 * n + period.nanos() % 16 * n / 16);
            (at, (middle + amplitude * sine(n)).max(0.0))
        };
        let points: Vec<_> = (0..16).map(point).chain([(period, middle)]).collect();
        Self::line(Polyline::through(&points, 0.0, Some(period)))
    }

    /// Each value from its moment on; before the first, the first. In the order of the moments.
    pub fn steps(steps: &[(Span, f64)]) -> Self {
        let mut points: Vec<(Span, f64)> = Vec::with_capacity(2 * steps.len());
        for &(at, value) in steps {
            points.extend(points.last().map(|before| (at, before.1)));
            points.push((at, value));
        }
        Self::through(&points)
    }

    /// `from`, and `per_second` more each second, without end.
    pub fn leak(from: f64, per_second: f64) -> Self {
        Self::line(Polyline::through(&[(Span::ZERO, from)], per_second, None))
    }

    /// Straight from point to point, in the order of their moments; two at one moment are a jump. As the first one
    /// before it, and as the last one after it.
    pub fn through(points: &[(Span, f64)]) -> Self {
        Self::line(Polyline::through(points, 0.0, None))
    }

    /// As [`Curve::through`], and again from the start every `period`, which is above zero.
    pub fn repeated(points: &[(Span, f64)], period: Span) -> Self {
        Self::line(Polyline::through(points, 0.0, Some(period)))
    }

    /// All of them at once.
    pub fn sum<'a>(curves: impl IntoIterator<Item = &'a Self>) -> Self {
        let (mut constant, mut lines) = (0.0, Vec::new());
        for curve in curves {
            constant += curve.constant;
            lines.extend_from_slice(curve.lines());
        }
        Self { constant, lines: (!lines.is_empty()).then(|| lines.into()) }
    }

    fn line(line: Polyline) -> Self {
        Self { constant: 0.0, lines: Some([line].into()) }
    }
}

/// Of `n` sixteenths of a turn.
fn sine(n: u64) -> f64 {
    let n = n % 16;
    let sign = if n < 8 { 1.0 } else { -1.0 };
    let n = usize::try_from(n % 8).expect("below eight");
    sign * SINES[n.min(8 - n)]
}
