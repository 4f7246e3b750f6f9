//! Waiting until the volumes of a pod are attached to its node, which is the controllers' work.
//!
//! The node's status first tells that they are in use, for then nobody detaches them; that is written every 10 s. After
//! that, the kubelet looks whether they are attached, with growing pauses.
//!
//! Upstream: `pkg/kubelet/volumemanager/reconciler`, `pkg/volume/util/operationexecutor/operation_generator.go`
//! (`GenerateVerifyControllerAttachedVolumeFunc`).

use base::{Span, Time};

use super::mount::{Mounting, Stage, next_pause};
use super::{Busy, Step, Worker};
use crate::beat::Beat;
use crate::constants::{DEVICE_MOUNT, VOLUME_LOOP};
use crate::core::Turn;

impl Worker {
    pub(super) fn begin_attach(&mut self, since: Time, busy: &mut Busy, turn: &mut Turn<'_>) {
        if self.volumes().is_empty() {
            return self.be_mounted(since, busy, turn);
        }
        self.wait_for_report(since, busy, turn);
    }

    pub(super) fn wait_for_report(&mut self, since: Time, busy: &mut Busy, turn: &mut Turn<'_>) {
        let is_reported = self.volumes().iter().all(|it| turn.core.volumes.is_reported(it));
        if is_reported {
            let looks = Beat { first: turn.core.started, period: VOLUME_LOOP };
            let step = Mounting { since, pause: Span::ZERO, stage: Stage::Unattached };
            return self.take_until(looks.after(turn.now), Step::Mount(step), busy, turn);
        }
        turn.core.volumes.wait(self.handle());
        let step = Mounting { since, pause: Span::ZERO, stage: Stage::Unreported };
        self.take_until(Time::MAX, Step::Mount(step), busy, turn);
    }

    /// The node's status tells something new of its volumes.
    pub(crate) fn volumes_told(&mut self, turn: &mut Turn<'_>) {
        let step = self.busy.as_ref().and_then(|it| it.step.as_ref());
        if matches!(step, Some(Step::Mount(Mounting { stage: Stage::Unreported, .. }))) {
            self.advance(turn);
        }
    }

    pub(super) fn check_attached(&mut self, since: Time, pause: Span, busy: &mut Busy, turn: &mut Turn<'_>) {
        let is_attached = self.volumes().iter().all(|it| turn.core.volumes.is_attached(it));
        if is_attached {
            let step = Mounting { since, pause: Span::ZERO, stage: Stage::Devices };
            let took = turn.runtime.disk().slow(DEVICE_MOUNT);
            return self.take_until(turn.now + took, Step::Mount(step), busy, turn);
        }
        let pause = next_pause(pause);
        let step = Mounting { since, pause, stage: Stage::Unattached };
        self.take_until(turn.now + pause, Step::Mount(step), busy, turn);
    }
}
