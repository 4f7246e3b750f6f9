//! When the controller finds that a driver has attached or detached a volume: it looks again and again, ever more seldom.
//!
//! Upstream: `pkg/volume/csi/csi_attacher.go`, `waitForVolumeAttachDetachStatusWithLister`; its pauses are up to a tenth
//! longer by luck.

use base::{Span, Time};

const FIRST: Span = Span::millis(500);
const FACTOR: f64 = 1.05;
const MAX: Span = Span::secs(7);

/// The first look at or after `at`, of those that begin after `since`.
pub(super) fn look(since: Time, at: Time) -> Time {
    let (mut look, mut pause) = (since + FIRST, FIRST);
    while look < at {
        pause = pause.scale(FACTOR).min(MAX);
        look += pause;
    }
    look
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_grow_apart() {
        let since = Time::from_secs(100);
        let after = |millis| look(since, since + Span::millis(millis)).since(since).as_millis();
        assert_eq!([0, 500, 501, 2_000, 2_200].map(after), [500, 500, 1_025, 2_155, 2_762]);
        let late = Time::from_secs(10_000);
        assert!(look(since, late).since(late) < MAX);
    }
}
