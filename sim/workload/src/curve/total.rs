//! What many curves come to that began at different moments, such as all containers of a node.

use base::{Span, Time};

use super::Curve;
use super::line::{Line, next_fall, next_reach};

/// Curves that count from moments of their own, added up. Cheap to make: it borrows them.
#[derive(Clone, Debug, Default)]
pub struct Total<'a> {
    constant: f64,
    terms: Vec<Term<'a>>,
}

#[derive(Clone, Copy, Debug)]
struct Term<'a> {
    /// Where the curve begins.
    begin: Time,
    /// It is nothing before this …
    from: Time,
    /// … and from here on; [`Time::MAX`] for never.
    until: Time,
    /// How much of it counts; not negative.
    factor: f64,
    curve: &'a Curve,
}

impl<'a> Total<'a> {
    /// `constant` is there at all times, and is not negative.
    pub fn new(constant: f64) -> Self {
        Self { constant, terms: Vec::new() }
    }

    /// Adds `curve`, which is nothing before `from`, where it begins, and from `until` on.
    pub fn add(&mut self, from: Time, until: Time, curve: &'a Curve) {
        self.add_window(from, (from, until), 1.0, curve);
    }

    /// Adds `factor` (not negative) times `curve`, which begins at `begin`, but counts only from the first of the
    /// two moments to the second.
    pub fn add_window(&mut self, begin: Time, (from, until): (Time, Time), factor: f64, curve: &'a Curve) {
        if !curve.is_zero() && 0.0 < factor && from < until {
            self.terms.push(Term { begin, from, until, factor, curve });
        }
    }

    pub fn at(&self, at: Time) -> f64 {
        Line::at(self, since_zero(at))
    }

    /// By how much it grows in a second, at `at` and just after.
    pub fn slope(&self, at: Time) -> f64 {
        Line::slope(self, since_zero(at))
    }

    /// The first moment from `from` on at which it is at `level` or above. It looks a hundred thousand pieces ahead.
    pub fn next_reach(&self, from: Time, level: f64) -> Option<Time> {
        next_reach(self, since_zero(from), level).map(|it| Time::ZERO + it)
    }

    /// The first moment from `from` on at which it is below `level`. It looks a hundred thousand pieces ahead.
    pub fn next_fall(&self, from: Time, level: f64) -> Option<Time> {
        next_fall(self, since_zero(from), level).map(|it| Time::ZERO + it)
    }

    /// The first moment after `at` at which it takes another direction, or jumps.
    pub fn next_change(&self, at: Time) -> Option<Time> {
        Line::next_change(self, since_zero(at)).map(|it| Time::ZERO + it)
    }
}

fn since_zero(at: Time) -> Span {
    at.since(Time::ZERO)
}

impl Term<'_> {
    /// How far into the curve `at` is, while it counts.
    fn offset(&self, at: Time) -> Option<Span> {
        (self.from <= at && at < self.until).then(|| at.since(self.begin))
    }

    fn next_change(&self, at: Time) -> Option<Time> {
        if at < self.from {
            return Some(self.from);
        }
        let into = self.offset(at)?;
        let own = self.curve.next_change(into).map(|it| self.begin + it);
        let end = (self.until != Time::MAX).then_some(self.until);
        own.into_iter().chain(end).min()
    }
}

impl Line for Total<'_> {
    fn at(&self, at: Span) -> f64 {
        let at = Time::ZERO + at;
        let values = self.terms.iter().filter_map(|it| Some(it.factor * it.curve.at(it.offset(at)?)));
        values.fold(self.constant, |sum, it| sum + it)
    }

    fn slope(&self, at: Span) -> f64 {
        let at = Time::ZERO + at;
        self.terms.iter().filter_map(|it| Some(it.factor * it.curve.slope(it.offset(at)?))).sum()
    }

    fn next_change(&self, at: Span) -> Option<Span> {
        let at = Time::ZERO + at;
        self.terms.iter().filter_map(|it| it.next_change(at)).min().map(since_zero)
    }

    fn max(&self) -> f64 {
        self.terms.iter().fold(self.constant, |sum, it| sum + it.factor * it.curve.max())
    }

    fn min(&self) -> f64 {
        self.constant
    }
}
