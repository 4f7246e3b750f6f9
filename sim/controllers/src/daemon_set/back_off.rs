//! How long a set waits before it deletes a failed pod again, by node.
//!
//! Upstream: `staging/src/k8s.io/client-go/util/flowcontrol/backoff.go`, set up in
//! `cmd/kube-controller-manager/app/apps.go`.

use std::collections::BTreeMap;

use api::Uid;
use base::{Name, Span, Time};

const BASE: Span = Span::secs(1);
const MAX: Span = Span::mins(15);

/// Of which set, at which generation of it, on which node.
pub(super) type Place = (Uid, i64, Name);

#[derive(Clone, Debug, Default)]
pub(super) struct FailedPods {
    entries: BTreeMap<Place, Entry>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    back_off: Span,
    last: Time,
}

impl FailedPods {
    /// Whether a failed pod can be deleted, which makes the next wait longer; or else how long to wait, which is the
    /// whole back-off again.
    pub(super) fn try_delete(&mut self, now: Time, place: Place) -> Result<(), Span> {
        self.entries.retain(|_, it| now.since(it.last) <= MAX * 2);
        let entry = self.entries.get(&place);
        if let Some(entry) = entry.filter(|it| now.since(it.last) < it.back_off) {
            return Err(entry.back_off);
        }
        let back_off = entry.map_or(BASE, |it| (it.back_off * 2).min(MAX));
        self.entries.insert(place, Entry { back_off, last: now });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_up_to_a_quarter_of_an_hour_and_is_forgotten_after_twice_that() {
        let mut pods = FailedPods::default();
        let place = (Uid(1), 1, Name::from_static("node"));
        let mut now = Time::from_secs(1_000_000);
        let mut waits = Vec::new();
        for _ in 0..12 {
            assert_eq!(pods.try_delete(now, place.clone()), Ok(()));
            let wait = pods.try_delete(now, place.clone()).expect_err("it was deleted just now");
            waits.push(wait.as_secs());
            now += wait;
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]);
        now += Span::mins(31);
        assert_eq!(pods.try_delete(now, place.clone()), Ok(()));
        assert_eq!(pods.try_delete(now, place), Err(Span::secs(1)));
    }
}
