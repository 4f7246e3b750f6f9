//! How long a pod waits before it pulls an image again.
//!
//! Upstream: `pkg/kubelet/images/image_manager.go`, `pullImage`;
//! `staging/src/k8s.io/client-go/util/flowcontrol/backoff.go`.

use std::collections::BTreeMap;

use base::{Name, Span, Time};

use crate::constants::{IMAGE_BACKOFF_FIRST, IMAGE_BACKOFF_MAX};

/// The back-offs of one pod, by image as its containers name it. A pull that succeeds resets none of them; they are
/// forgotten ten minutes after the last failure.
#[derive(Clone, Debug, Default)]
pub(crate) struct Backoffs(BTreeMap<Name, Entry>);

#[derive(Clone, Debug)]
struct Entry {
    delay: Span,
    /// When the last pull failed.
    since: Time,
    /// Why, as long as it has not been tried again.
    why: Option<Name>,
}

impl Backoffs {
    /// The delay that an image is in, if it is in one, and why.
    pub(crate) fn holds(&self, image: &str, now: Time) -> Option<(Span, Option<&Name>)> {
        let it = self.0.get(image).filter(|it| !it.is_over(now) && now.since(it.since) < it.delay)?;
        Some((it.delay, it.why.as_ref()))
    }

    /// It is pulled again: the last failure is no news any more.
    pub(crate) fn retry(&mut self, image: &str) {
        if let Some(it) = self.0.get_mut(image) {
            it.why = None;
        }
    }

    /// A pull failed, and the next must wait for twice as long as the last had to.
    pub(crate) fn fail(&mut self, image: &Name, now: Time, why: Name) {
        let delay = match self.0.get(image) {
            Some(it) if !it.is_over(now) => (it.delay + it.delay).min(IMAGE_BACKOFF_MAX),
            Some(_) | None => IMAGE_BACKOFF_FIRST,
        };
        self.0.insert(image.clone(), Entry { delay, since: now, why: Some(why) });
    }
}

impl Entry {
    fn is_over(&self, now: Time) -> bool {
        IMAGE_BACKOFF_MAX + IMAGE_BACKOFF_MAX < now.since(self.since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_up_to_five_minutes_and_are_forgotten_after_ten() {
        let (mut backoffs, mut now, web) = (Backoffs::default(), Time::from_secs(1_000), Name::new("web"));
        let mut delays = Vec::new();
        for _ in 0..7 {
            backoffs.fail(&web, now, Name::new("no"));
            let (delay, why) = backoffs.holds("web", now).unwrap();
            assert_eq!(why.unwrap(), "no");
            delays.push(delay.as_secs());
            now += delay;
            assert!(backoffs.holds("web", now).is_none());
        }
        assert_eq!(delays, [10, 20, 40, 80, 160, 300, 300]);
        backoffs.fail(&web, now + Span::secs(301), Name::new("no"));
        assert_eq!(backoffs.holds("web", now + Span::secs(301)).unwrap().0, Span::secs(10));
    }
}
