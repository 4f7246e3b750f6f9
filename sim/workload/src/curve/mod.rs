//! A figure over time: what a container uses, or how many requests come, as a function that can be asked at any
//! moment and that says when it will reach a level. Nothing has to happen for it to go on.

mod build;
mod line;
mod read;
mod total;

use std::sync::Arc;

use base::Span;

use self::line::{Line, Polyline, next_fall, next_reach};
pub use self::total::Total;

/// Never negative, and linear from piece to piece; it may jump where a piece begins. Time counts from wherever its
/// owner counts it: from the start of a container, or of the run.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    /// What does not change.
    constant: f64,
    /// What is added to it; `None` for a constant, which costs no memory beyond this.
    lines: Option<Arc<[Polyline]>>,
}

impl Curve {
    pub const ZERO: Self = Self::constant(0.0);

    /// `value` is not negative.
    pub const fn constant(value: f64) -> Self {
        Self { constant: value, lines: None }
    }

    /// Its value where it does not depend on time.
    pub const fn as_constant(&self) -> Option<f64> {
        match self.lines {
            None => Some(self.constant),
            Some(_) => None,
        }
    }

    pub fn is_zero(&self) -> bool {
        self.as_constant() == Some(0.0)
    }

    pub fn at(&self, at: Span) -> f64 {
        Line::at(self, at)
    }

    /// The first moment from `from` on at which it is at `level` or above. It looks a hundred thousand pieces ahead.
    pub fn next_reach(&self, from: Span, level: f64) -> Option<Span> {
        next_reach(self, from, level)
    }

    /// The first moment from `from` on at which it is below `level`. It looks a hundred thousand pieces ahead.
    pub fn next_fall(&self, from: Span, level: f64) -> Option<Span> {
        next_fall(self, from, level)
    }

    /// The first moment after `at` at which it takes another direction, or jumps.
    pub fn next_change(&self, at: Span) -> Option<Span> {
        Line::next_change(self, at)
    }

    /// By how much it grows in a second, at `at` and just after.
    pub fn slope(&self, at: Span) -> f64 {
        Line::slope(self, at)
    }

    /// What it never exceeds; infinite where it grows for ever.
    pub fn max(&self) -> f64 {
        Line::max(self)
    }

    fn lines(&self) -> &[Polyline] {
        self.lines.as_deref().unwrap_or_default()
    }
}

impl Default for Curve {
    fn default() -> Self {
        Self::ZERO
    }
}

impl Line for Curve {
    fn at(&self, at: Span) -> f64 {
        self.lines().iter().fold(self.constant, |sum, it| sum + it.at(at))
    }

    fn slope(&self, at: Span) -> f64 {
        self.lines().iter().map(|it| it.slope(at)).sum()
    }

    fn next_change(&self, at: Span) -> Option<Span> {
        self.lines().iter().filter_map(|it| it.next_change(at)).min()
    }

    fn max(&self) -> f64 {
        self.lines().iter().fold(self.constant, |sum, it| sum + it.max())
    }

    fn min(&self) -> f64 {
        self.lines().iter().fold(self.constant, |sum, it| sum + it.min())
    }
}

#[cfg(test)]
mod tests;
