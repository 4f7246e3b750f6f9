//! Lines of straight pieces, and the search for the moment at which one crosses a level.

use base::Span;

/// Something that is linear between its changes.
pub(super) trait Line {
    fn at(&self, at: Span) -> f64;
    /// Per second, from `at` to the next change.
    fn slope(&self, at: Span) -> f64;
    /// The first change after `at`.
    fn next_change(&self, at: Span) -> Option<Span>;
    /// Bounds of its values: they need not be reached.
    fn max(&self) -> f64;
    fn min(&self) -> f64;
}

/// After so many pieces without a crossing, there is none.
const PIECES_MAX: usize = 100_000;

/// The first moment from `from` on at which `line` is at `level` or above.
pub(super) fn next_reach(line: &impl Line, from: Span, level: f64) -> Option<Span> {
    if line.max() < level {
        return None;
    }
    search(line, from, |value, slope| {
        let seconds = if value < level { (level - value) / slope } else { 0.0 };
        (value >= level || 0.0 < slope).then_some(seconds)
    })
}

/// The first moment from `from` on at which `line` is below `level`.
pub(super) fn next_fall(line: &impl Line, from: Span, level: f64) -> Option<Span> {
    if level <= line.min() {
        return None;
    }
    search(line, from, |value, slope| {
        let seconds = if level <= value { (value - level) / -slope } else { 0.0 };
        (value < level || slope < 0.0).then_some(seconds)
    })
}

/// Goes from piece to piece. `crossing` says in how many seconds a piece with a value and slope gets there: at once
/// (0) or later; `None` means never.
fn search(line: &impl Line, from: Span, crossing: impl Fn(f64, f64) -> Option<f64>) -> Option<Span> {
    let mut at = from;
    for _ in 0..PIECES_MAX {
        let end = line.next_change(at);
        if let Some(seconds) = crossing(line.at(at), line.slope(at)) {
            let is_there = |it: Span| crossing(line.at(it), 0.0).is_some();
            if let Some(found) = first_from(at + Span::from_secs_f64(seconds), end, is_there) {
                return Some(found);
            }
        }
        at = end?;
    }
    None
}

/// The first moment around `guess` that is there: floating point may place it some nanoseconds early.
fn first_from(guess: Span, end: Option<Span>, is_there: impl Fn(Span) -> bool) -> Option<Span> {
    let end = end.unwrap_or(Span::MAX);
    let (mut at, mut step) = (guess, Span::from_nanos(1));
    while at < end {
        if is_there(at) {
            return Some(at);
        }
        (at, step) = (at + step, step + step);
    }
    None
}

/// Straight pieces, once or again and again.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Polyline {
    /// The first begins at 0; each goes on to the next.
    pieces: Vec<Piece>,
    /// After so long it begins again; above zero.
    period: Option<Span>,
    min: f64,
    max: f64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Piece {
    from: Span,
    value: f64,
    /// Per second.
    slope: f64,
}

impl Polyline {
    /// Through `points`, in the order of their times; two at one time are a jump. Before the first it is as there;
    /// after the last it grows by `slope` a second, or begins again after `period`.
    pub(super) fn through(points: &[(Span, f64)], slope: f64, period: Option<Span>) -> Self {
        let first = points.first().map_or(0.0, |it| it.1);
        let mut pieces = vec![Piece { from: Span::ZERO, value: first, slope: 0.0 }];
        for (n, &(from, value)) in points.iter().enumerate() {
            let slope = points.get(n + 1).map_or(slope, |next| slope_between((from, value), *next));
            if pieces.last().is_some_and(|it| it.from == from) {
                pieces.pop();
            }
            pieces.push(Piece { from, value, slope });
        }
        let values = || points.iter().map(|it| it.1);
        let max =
            if 0.0 < slope && period.is_none() { f64::INFINITY } else { values().fold(first, f64::max) };
        Self { pieces, period, min: values().fold(first, f64::min), max }
    }

    /// The piece at `at`, and how far into it that is.
    fn piece(&self, at: Span) -> (usize, Span) {
        let at = self.local(at);
        let idx = self.pieces.partition_point(|it| it.from <= at) - 1;
        (idx, at.saturating_sub(self.pieces[idx].from))
    }

    fn local(&self, at: Span) -> Span {
        self.period.map_or(at, |period| Span::from_nanos(at.nanos() % period.nanos()))
    }
}

fn slope_between(a: (Span, f64), b: (Span, f64)) -> f64 {
    let seconds = b.0.saturating_sub(a.0).as_secs_f64();
    if seconds == 0.0 { 0.0 } else { (b.1 - a.1) / seconds }
}

impl Line for Polyline {
    fn at(&self, at: Span) -> f64 {
        let (idx, into) = self.piece(at);
        let piece = &self.pieces[idx];
        (piece.value + piece.slope * into.as_secs_f64()).max(0.0)
    }

    fn slope(&self, at: Span) -> f64 {
        self.pieces[self.piece(at).0].slope
    }

    fn next_change(&self, at: Span) -> Option<Span> {
        let (idx, into) = self.piece(at);
        let next = self.pieces.get(idx + 1).map(|it| it.from).or(self.period)?;
        Some(at + next.saturating_sub(self.pieces[idx].from + into))
    }

    fn max(&self) -> f64 {
        self.max
    }

    fn min(&self) -> f64 {
        self.min
    }
}
