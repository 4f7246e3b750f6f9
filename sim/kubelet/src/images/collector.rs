//! Image garbage collection: what is removed when the disk fills up, and what has not been used for too long.
//!
//! Every five minutes upstream looks at the disk; here only while it is too full, or while age alone is a reason.
//!
//! Upstream: `pkg/kubelet/images/image_gc_manager.go`; `pkg/kubelet/kubelet.go`, `StartGarbageCollection`.

use std::collections::BTreeSet;

use api::EPHEMERAL_STORAGE;
use base::{Luck, Name, Span, Time};
use workload::Resource;

use crate::beat::Beat;
use crate::configuration::Configuration;
use crate::constants::IMAGE_GC;
use crate::core::Turn;
use crate::input::{Start, Timer};
use crate::node::Registrar;
use crate::recorder::Saying;

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Collector {
    is_due: bool,
    has_failed: bool,
}

/// When images go.
#[derive(Clone, Copy, Debug)]
struct Policy {
    high_percent: i64,
    low_percent: i64,
    min_age: Span,
    /// Zero means that age alone is no reason.
    max_age: Span,
}

/// An image that nobody uses, and what is known of when somebody did.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Unused {
    /// The last look at which a container had it; zero for never.
    last_used: Time,
    /// The first look that found it.
    detected: Time,
    name: Name,
    bytes: i64,
}

impl Policy {
    fn of(configuration: &Configuration) -> Self {
        Self {
            high_percent: configuration.image_gc_high_threshold_percent.into(),
            low_percent: configuration.image_gc_low_threshold_percent.into(),
            min_age: configuration.image_minimum_gc_age.span_or_zero(),
            max_age: configuration.image_maximum_gc_age.span_or_zero(),
        }
    }

    /// Whether nothing is ever removed.
    fn is_off(&self) -> bool {
        self.high_percent == 100 && self.max_age == Span::ZERO
    }

    /// How many bytes must go, if the disk is too full.
    fn excess(&self, used: i64, capacity: i64) -> Option<i64> {
        let available = (capacity - used).clamp(0, capacity);
        let used_percent = 100 - percent(available, 100, capacity);
        (self.high_percent <= used_percent)
            .then(|| percent(capacity, 100 - self.low_percent, 100) - available)
    }
}

/// `amount * part / whole`, rounded down.
fn percent(amount: i64, part: i64, whole: i64) -> i64 {
    let exact = i128::from(amount) * i128::from(part) / i128::from(whole);
    i64::try_from(exact).unwrap_or(i64::MAX)
}

impl Turn<'_> {
    /// Has the collector look, if there is something for it to do.
    pub(crate) fn watch_disk(&mut self) {
        let policy = Policy::of(&self.core.setup.configuration);
        if self.core.collector.is_due || policy.is_off() {
            return;
        }
        if policy.max_age != Span::ZERO || self.excess(&policy).is_some() {
            self.core.collector.is_due = true;
            let at = self.collections().after(self.now);
            self.wake_at(at, Timer::ImageCollection, 0);
        }
    }

    /// A kubelet that has been running for long is somewhere between two looks.
    fn collections(&self) -> Beat {
        let core = &self.core;
        let offset = match core.start {
            Start::Settled => IMAGE_GC.scale(core.luck.unit(Luck::of_text(&core.setup.name), u64::MAX)),
            Start::Booted | Start::Restarted => Span::ZERO,
        };
        Beat { first: core.started.before(offset), period: IMAGE_GC }
    }

    fn excess(&self, policy: &Policy) -> Option<i64> {
        let capacity = self.image_capacity()?;
        let used = if self.runtime.disk().is_full { capacity } else { self.disk_used() };
        policy.excess(used, capacity)
    }

    /// What images and containers take up, in bytes.
    #[expect(clippy::cast_possible_truncation, reason = "`as` saturates, which is meant")]
    fn disk_used(&self) -> i64 {
        self.runtime.images_bytes(self.now) + self.runtime.usage(Resource::Disk, self.now) as i64
    }

    /// Of the file system that images are on, which is the node's only one; `None` where it is not known.
    fn image_capacity(&self) -> Option<i64> {
        let storage = self.core.setup.capacity.get(&EPHEMERAL_STORAGE)?;
        Some(storage.value()).filter(|it| 0 < *it)
    }

    /// Images that no container has, those unused longest first.
    fn unused_images(&self) -> Vec<Unused> {
        let used: BTreeSet<&Name> =
            self.runtime.pods().flat_map(|(_, pod)| pod.instances()).map(|it| &it.image_reference).collect();
        let looks = self.collections();
        let seen = |at: Option<Time>| at.and_then(|it| looks.last(it));
        let unused =
            self.runtime.images.iter().filter(|it| !used.contains(it.reference.full())).map(|it| Unused {
                last_used: seen(it.left).filter(|last| it.came <= *last).unwrap_or(Time::ZERO),
                detected: looks.from(it.came),
                name: it.reference.full().clone(),
                bytes: it.bytes,
            });
        let mut unused: Vec<Unused> = unused.collect();
        unused.sort();
        unused
    }

    /// Removes what is too old. Returns the rest.
    fn free_old(&mut self, unused: Vec<Unused>, max_age: Span) -> Vec<Unused> {
        let is_new = self.core.start != Start::Settled && self.now.since(self.core.started) <= max_age;
        if max_age == Span::ZERO || is_new {
            return unused; // Upstream waits until it has looked for that long.
        }
        let (old, rest): (Vec<_>, Vec<_>) =
            unused.into_iter().partition(|it| max_age < self.now.since(it.last_used));
        old.iter().for_each(|it| self.runtime.images.remove(&it.name));
        rest
    }

    /// Removes images until so many bytes are free. Returns how many there were to be had.
    fn free_space(&mut self, unused: &[Unused], bytes: i64, min_age: Span) -> i64 {
        let mut freed = 0;
        for it in unused.iter().filter(|it| min_age <= self.now.since(it.detected)) {
            if bytes <= freed {
                break;
            }
            self.runtime.images.remove(&it.name);
            freed += it.bytes;
        }
        freed
    }
}

/// One look of the collector.
pub(crate) fn collect(registrar: &mut Registrar, turn: &mut Turn<'_>) {
    turn.core.collector.is_due = false;
    let policy = Policy::of(&turn.core.setup.configuration);
    let unused = turn.unused_images();
    let unused = turn.free_old(unused, policy.max_age);
    let mut failure = None;
    if let Some(excess) = turn.excess(&policy) {
        let freed = turn.free_space(&unused, excess, policy.min_age);
        failure = (freed < excess).then(|| {
            Name::from(format_args!(
                "Failed to garbage collect required amount of images. Attempted to free {excess} bytes, but only \
                 found {freed} bytes eligible to free."
            ))
        });
    }
    let had_failed = std::mem::replace(&mut turn.core.collector.has_failed, failure.is_some());
    if let Some(why) = failure {
        registrar.utter(turn, Saying::warning("FreeDiskSpaceFailed", why.clone()));
        if had_failed {
            registrar.utter(turn, Saying::warning("ImageGCFailed", why));
        }
    }
    turn.watch_images();
    turn.watch_disk();
}

/// Removes all that no container has, but for what may just have come for one: the node needs the room now.
/// Upstream: `DeleteUnusedImages`.
pub(crate) fn delete_unused(turn: &mut Turn<'_>) {
    let policy = Policy::of(&turn.core.setup.configuration);
    let unused = turn.unused_images();
    turn.free_space(&unused, i64::MAX, policy.min_age);
    turn.watch_images();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_is_too_full_at_the_high_threshold_and_is_freed_down_to_the_low_one() {
        let policy = Policy::of(&Configuration::default());
        assert_eq!(policy.excess(849, 1_000), Some(49), "84.9 % used is 15 % available, rounded down");
        assert_eq!(policy.excess(840, 1_000), None);
        assert_eq!(policy.excess(900, 1_000), Some(100));
        assert_eq!(policy.excess(2_000, 1_000), Some(200));
        assert!(!policy.is_off());
    }
}
