//! Mounting the volumes of a pod: tried again with growing pauses while something they need is missing.
//!
//! Volumes that need nothing are mounted by the second look at them; those of claims may have to be attached first.
//!
//! Upstream: `pkg/kubelet/volumemanager/volume_manager.go` (`WaitForAttachAndMount`),
//! `pkg/util/goroutinemap/exponentialbackoff`.

use base::{Name, Span, Time};

use super::claims::{Resolved, Resolving};
use super::objects::{Lookups, Need, Purpose, mounts_objects, needs_of_volume};
use super::{Busy, Step, Worker};
use crate::constants::{MOUNT_RETRY_FIRST, MOUNT_RETRY_MAX, MOUNT_TIMEOUT, RETRY, RETRY_JITTER, VOLUME_POLL};
use crate::core::Turn;
use crate::recorder::Saying;

/// How far the mounting of a pod's volumes has come. It goes on whether or not a sync waits for it; the one that does
/// began at `since`.
#[derive(Clone, Debug)]
pub(super) struct Mounting {
    pub(super) since: Time,
    /// After the last failure; zero before the first.
    pub(super) pause: Span,
    pub(super) stage: Stage,
}

#[derive(Clone, Debug)]
pub(super) enum Stage {
    /// What is behind its claims is looked up.
    Resolving(Resolving),
    /// Until the pause is over.
    Pausing,
    /// For what its other volumes are made of.
    Asking(Lookups),
    /// Until the node's status tells that its volumes are in use.
    Unreported,
    /// Until it is looked again whether they are attached.
    Unattached,
    /// Until their drivers have mounted them.
    Devices,
    /// Until the kubelet looks again.
    Mounted,
}

impl Mounting {
    pub(super) fn lookups(&mut self) -> Option<&mut Lookups> {
        match &mut self.stage {
            Stage::Resolving(resolving) => Some(resolving.lookups()),
            Stage::Asking(lookups) => Some(lookups),
            Stage::Pausing | Stage::Unreported | Stage::Unattached | Stage::Devices | Stage::Mounted => None,
        }
    }
}

impl Worker {
    /// Whether its volumes may have to wait for something.
    pub(super) fn must_mount(&self) -> bool {
        !self.flags.is_mounted && (mounts_objects(&self.pod.spec.volumes) || self.has_claims())
    }

    pub(super) fn begin_mount(&mut self, busy: &mut Busy, turn: &mut Turn<'_>) {
        if !self.has_claims() || self.volumes.is_some() {
            return self.try_mount(turn.now, Span::ZERO, busy, turn);
        }
        let stage = Stage::Resolving(self.begin_resolving(turn));
        let step = Step::Mount(Mounting { since: turn.now, pause: Span::ZERO, stage });
        self.take_until(Time::MAX, step, busy, turn);
    }

    pub(super) fn go_on_mounting(&mut self, mounting: Mounting, busy: &mut Busy, turn: &mut Turn<'_>) {
        let Mounting { since, pause, stage } = mounting;
        match stage {
            Stage::Resolving(resolving) => self.go_on_resolving(since, resolving, busy, turn),
            Stage::Pausing => self.try_mount(since, pause, busy, turn),
            Stage::Asking(lookups) => self.end_mount(since, pause, &lookups, busy, turn),
            Stage::Unreported => self.wait_for_report(since, busy, turn),
            Stage::Unattached => self.check_attached(since, pause, busy, turn),
            Stage::Devices => self.be_mounted(since, busy, turn),
            Stage::Mounted => {
                self.flags.is_mounted = true;
                self.set_up_probes(turn, false);
            }
        }
    }

    fn go_on_resolving(&mut self, since: Time, resolving: Resolving, busy: &mut Busy, turn: &mut Turn<'_>) {
        match self.resolve(resolving, turn) {
            Resolved::Next(next) => {
                let stage = Stage::Resolving(next);
                let step = Step::Mount(Mounting { since, pause: Span::ZERO, stage });
                self.take_until(Time::MAX, step, busy, turn);
            }
            Resolved::Failed(volume, why) => self.fail_claims(&volume, &why, busy, turn),
            Resolved::Done(volumes) => {
                self.use_volumes(volumes, turn);
                if turn.runtime.pod(self.pod.meta.uid).is_some_and(|it| it.is_up(turn.now)) {
                    self.flags.is_mounted = true; // By an earlier kubelet.
                } else {
                    self.try_mount(since, Span::ZERO, busy, turn);
                }
            }
        }
    }

    fn try_mount(&mut self, since: Time, pause: Span, busy: &mut Busy, turn: &mut Turn<'_>) {
        let needs: Vec<Need> = self.pod.spec.volumes.iter().flat_map(needs_of_volume).collect();
        if needs.is_empty() {
            return self.begin_attach(since, busy, turn);
        }
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
            return self.begin_attach(since, busy, turn);
        }
        for problem in problems {
            self.say(turn, None, Saying::warning("FailedMount", problem));
        }
        let pause = next_pause(pause);
        let step = Step::Mount(Mounting { since, pause, stage: Stage::Pausing });
        self.take_until(turn.now + pause, step, busy, turn);
    }

    /// All volumes are mounted; the sync that waits for that goes on when it looks next.
    pub(super) fn be_mounted(&mut self, since: Time, busy: &mut Busy, turn: &mut Turn<'_>) {
        let step = Step::Mount(Mounting { since, pause: Span::ZERO, stage: Stage::Mounted });
        let at = self.next_look(since, turn);
        self.take_until(at, step, busy, turn);
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

/// The pause after one more failure.
pub(super) fn next_pause(pause: Span) -> Span {
    (pause + pause).clamp(MOUNT_RETRY_FIRST, MOUNT_RETRY_MAX)
}
