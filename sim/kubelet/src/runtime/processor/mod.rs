//! Processor time, where containers want more than their node has: who gets how much, and when that will change.
//!
//! While there is enough for all, each may use what its limit lets it have, and nothing is computed but when that will
//! end; nothing at all where the most that everyone can want fits.

mod claim;
mod contest;
mod course;
mod divide;
mod weight;

use api::Uid;
use base::{Span, Time};
use workload::Resource;

pub(super) use self::claim::{Claim, PodClaim};
use self::contest::Contest;
pub(super) use self::weight::quota;
use super::Runtime;

/// Cores that are too few to count: sums of floats may be so much off.
const TOLERANCE: f64 = 1e-9;
/// So many changes ahead is searched for a shortage; then it is searched again.
const PIECES_MAX: usize = 256;
/// From one division to the next it takes at least so long, unless something happens: what is rounded is never looked
/// for again and again.
const SOONEST: Span = Span::millis(1);

/// What a division came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Division {
    /// The pods in which a container may use more or less than before.
    pub(crate) felt: Vec<Uid>,
    /// When it is to be made again, if nothing happens before.
    pub(crate) next: Option<Time>,
}

impl Runtime {
    /// Counts what may change who uses how much of anything.
    pub fn usage_version(&self) -> u32 {
        self.usage_version
    }

    /// Something has changed what containers do, and with that who uses how much, if anybody here is said to use anything.
    pub(super) fn touch(&mut self) {
        self.changes = self.changes.wrapping_add(1);
        if self.usage_version != 0 {
            self.usage_version = self.usage_version.wrapping_add(1).max(1);
        }
    }

    /// Something that is said to use something is here from now on.
    pub(super) fn begin_usage(&mut self) {
        self.changes = self.changes.wrapping_add(1);
        self.usage_version = self.usage_version.wrapping_add(1).max(1);
    }

    /// Divides the node's processor time among those that want it now.
    pub(crate) fn divide_processor(&mut self, now: Time) -> Division {
        let contest = Contest::at(now, self.site.cores_of_node(), self);
        if !contest.may_fall_short() {
            return Division { felt: self.grant(now, &contest, None), next: None };
        }
        if contest.is_short() {
            let felt = self.grant(now, &contest, Some(&contest.offers()));
            let next = Some(contest.next_step(now)).filter(|it| *it != Time::MAX);
            return Division { felt, next: next.map(|it| it.max(now + SOONEST)) };
        }
        let felt = self.grant(now, &contest, None);
        let next = self.next_shortage(now, contest);
        Division { felt, next: next.map(|it| it.max(now + SOONEST)) }
    }

    /// Lets each use so many cores, or all that it may where nothing is short. Returns who feels it.
    fn grant(&mut self, now: Time, contest: &Contest, offers: Option<&[f64]>) -> Vec<Uid> {
        let mut felt = Vec::new();
        for (n, it) in contest.contenders.iter().enumerate() {
            let cores = offers.map_or(it.most, |all| all[n]);
            let sandbox = self.pods.get_mut(&it.uid).expect("it was just there");
            let instance = sandbox.instance_mut(it.container).expect("it was just there");
            if instance.grant(now, cores) && felt.last() != Some(&it.uid) {
                felt.push(it.uid);
            }
        }
        if !felt.is_empty() {
            self.changes = self.changes.wrapping_add(1);
        }
        felt
    }

    /// The first moment after `now` at which somebody gets less than it wants; or one at which to look again.
    fn next_shortage(&self, now: Time, mut contest: Contest) -> Option<Time> {
        let mut at = now;
        for _ in 0..PIECES_MAX {
            if let Some(shortage) = contest.next_shortage(at) {
                return Some(shortage);
            }
            at = Some(contest.until()).filter(|it| *it != Time::MAX)?;
            contest = Contest::at(at, self.site.cores_of_node(), self);
            if contest.is_short() {
                return Some(at);
            }
        }
        Some(at)
    }

    /// The cores that the containers of the node use at `at`, container by container.
    pub(super) fn processor_usage(&self, at: Time) -> Vec<(Uid, f64)> {
        let contest = Contest::at(at, self.site.cores_of_node(), self);
        contest.contenders.iter().map(|it| it.uid).zip(contest.parts()).collect()
    }

    /// Until when the node's containers use as much processor time and memory as at `at`: `at` itself while that
    /// changes all the time, and [`Time::MAX`] if they will for good.
    pub fn usage_steady_until(&self, at: Time) -> Time {
        let contest = Contest::at(at, self.site.cores_of_node(), self);
        let memory = self.total_usage(Resource::Memory, 0.0);
        if contest.is_moving() || memory.slope(at) != 0.0 {
            return at;
        }
        contest.until().min(memory.next_change(at).unwrap_or(Time::MAX))
    }
}
