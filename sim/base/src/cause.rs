//! Why something happens: the number of the record that led to it.

/// Names the record that caused something; `Cause::NONE` for what has no cause inside the run.
///
/// It travels with every request, message and queue entry, so that `explain` can walk back from any effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cause(pub u32);

impl Cause {
    pub const NONE: Self = Self(u32::MAX);

    pub const fn is_none(self) -> bool {
        self.0 == Self::NONE.0
    }
}

impl Default for Cause {
    fn default() -> Self {
        Self::NONE
    }
}
