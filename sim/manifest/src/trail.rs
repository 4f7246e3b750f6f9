//! The way to a value from its document, kept on the stack: most ways are never told.

use crate::path::{Path, Segment};

#[derive(Clone, Copy)]
pub(crate) enum Trail<'t> {
    Root,
    Key(&'t Self, &'t str),
    Index(&'t Self, usize),
}

impl Trail<'_> {
    pub(crate) fn path(&self) -> Path {
        let mut segments = Vec::new();
        let mut at = self;
        loop {
            at = match at {
                Trail::Root => break,
                Trail::Key(before, key) => {
                    segments.push(Segment::Key((*key).into()));
                    before
                }
                Trail::Index(before, idx) => {
                    segments.push(Segment::Index(*idx));
                    before
                }
            };
        }
        segments.into_iter().rev().collect()
    }
}
