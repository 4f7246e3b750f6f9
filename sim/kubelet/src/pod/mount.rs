//! Mounting the volumes of a pod: tried again with growing pauses while something they need is missing.
//!
//! Volumes that need nothing are mounted by the second look at them.
//!
//! Upstream: `pkg/kubelet/volumemanager/volume_manager.go` (`WaitForAttachAndMount`),
//! `pkg/util/goroutinemap/exponentialbackoff`.

use base::{Name, Span, Time};

use super::objects::{Lookups, Need, Purpose, mounts_objects, needs_of_volume};
use super::{Busy, Step, Worker};
use crate::constants::{MOUNT_RETRY_FIRST, MOUNT_RETRY_MAX, MOUNT_TIMEOUT, RETRY, RETRY_JITTER, VOLUME_POLL};
use crate::core::Turn;
use crate::recorder::Saying;

/// How far the mounting of a pod's volumes has come. It goes on whether or not a sync waits for it; the one that does
/// began at `since`.
#[derive(Clone, Debug)]
pub(super) struct Mounting {
    since: Time,
    /// After the last failure; zero before the first.
    pause: Span,
    stage: Stage,
}

#[derive(Clone, Debug)]
enum Stage {
    /// Until the pause is over.
    Pausing,
    Asking(Lookups),
    /// Until the kubelet looks again.
    Mounted,
}

impl Mounting {
    pub(super) fn lookups(&mut self) -> Option<&mut Lookups> {
        if let Stage::Asking(lookups) = &mut self.stage { Some(lookups) } else { None }
    }
}

impl Worker {
    /// Whether its volumes may have to wait for something.
    pub(super) fn must_mount(&self) -> bool {
        !self.flags.is_mounted && mounts_objects(&self.pod.spec.volumes)
    }

    pub(super) fn begin_mount(&mut self, busy: &mut Busy, turn: &mut Turn<'_>) {
        self.try_mount(turn.now, Span::ZERO, busy, turn);
    }

    pub(super) fn go_on_mounting(&mut self, mounting: Mounting, busy: &mut Busy, turn: &mut Turn<'_>) {
        let Mounting { since, pause, stage } = mounting;
        match stage {
            Stage::Pausing => self.try_mount(since, pause, busy, turn),
            Stage::Asking(lookups) => self.end_mount(since, pause, &lookups, busy, turn),
            Stage::Mounted => {
                self.flags.is_mounted = true;
                self.set_up_probes(turn, false);
            }
        }
    }

    fn try_mount(&mut self, since: Time, pause: Span, busy: &mut Busy, turn: &mut Turn<'_>) {
        let needs: Vec<Need> = self.pod.spec.volumes.iter().flat_map(needs_of_volume).collect();
        let stage = Stage::Asking(self.ask_for(&needs, turn));
        self.take_until(Time::MAX, Step::Mount(Mounting { since, pause, stage }), busy, turn);
    }

    fn end_mount(
        &mut self,
        since: Time,
        pause: Span,
        lookups: &Lookups,
        busy: &mut Busy,
        turn: &mut Turn<'_>,
    ) {
        let problems = self.mount_problems(lookups);
        if problems.is_empty() {
            let step = Step::Mount(Mounting { since, pause, stage: Stage::Mounted });
            let at = self.next_look(since, turn);
            return self.take_until(at, step, busy, turn);
        }
        for problem in problems {
            self.say(turn, None, Saying::warning("FailedMount", problem));
        }
        let pause = (pause + pause).clamp(MOUNT_RETRY_FIRST, MOUNT_RETRY_MAX);
        let step = Step::Mount(Mounting { since, pause, stage: Stage::Pausing });
        self.take_until(turn.now + pause, step, busy, turn);
    }

    fn mount_problems(&self, lookups: &Lookups) -> Vec<Name> {
        let problem = |volume: &api::Volume| {
            let why = lookups.problem(&needs_of_volume(volume), &self.pod.meta.namespace, Purpose::Volume)?;
            let name = &volume.name;
            Some(Name::from(format_args!("MountVolume.SetUp failed for volume \"{name}\" : {why}")))
        };
        self.pod.spec.volumes.iter().filter_map(problem).collect()
    }

    /// When the kubelet finds that the volumes are mounted. It looks every 300 ms from `since` on, gives up after two
    /// minutes, and starts over like after any sync that failed; nothing else comes of that.
    fn next_look(&mut self, mut since: Time, turn: &Turn<'_>) -> Time {
        loop {
            let looks = turn.now.since(since).nanos().div_ceil(VOLUME_POLL.nanos()).max(1);
            let next = since + VOLUME_POLL * looks;
            if next < since + MOUNT_TIMEOUT {
                return next;
            }
            let pause = turn.jitter(RETRY, RETRY_JITTER, self.entity, u64::from(self.syncs));
            self.syncs = self.syncs.wrapping_add(1);
            since = turn.core.tick.from(since + MOUNT_TIMEOUT + pause);
            if turn.now <= since {
                return since;
            }
        }
    }
}
