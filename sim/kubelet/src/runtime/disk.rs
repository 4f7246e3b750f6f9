//! The disk of a node, as faults change it.

use base::Span;

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Disk {
    /// Nothing more can be written.
    pub is_full: bool,
    /// How many times as long everything takes that waits for it. At least 1.
    pub slowness: f64,
}

impl Default for Disk {
    fn default() -> Self {
        Self { is_full: false, slowness: 1.0 }
    }
}

impl Disk {
    /// How long something takes that takes `span` when the disk is well.
    pub(crate) fn slow(self, span: Span) -> Span {
        // Scaling rounds, so that what is well is left alone.
        if self.slowness > 1.0 { span.scale(self.slowness) } else { span }
    }
}
