//! What cannot be made on a node whose disk is full.
//!
//! Upstream: `pkg/kubelet/kuberuntime/{kuberuntime_manager,kuberuntime_container}.go`; the words of the error are those
//! of containerd's overlay snapshotter.

use base::Name;

use super::{Busy, Worker};
use crate::core::Turn;
use crate::recorder::Saying;

const SANDBOX: &str = "Failed to create pod sandbox: rpc error: code = Unknown desc = failed to create containerd \
                       container: failed to create prepare snapshot dir: failed to create temp dir: no space left \
                       on device";
const CONTAINER: &str = "failed to create containerd container: failed to create prepare snapshot dir: failed to \
                         create temp dir: no space left on device";

impl Worker {
    /// Whether the sandbox cannot be made, which is told, and tried again later.
    pub(super) fn lacks_disk_for_sandbox(&mut self, busy: &mut Busy, turn: &mut Turn<'_>) -> bool {
        let is_full = turn.runtime.disk().is_full;
        if is_full {
            busy.has_failed = true;
            busy.jobs.clear();
            self.say(turn, None, Saying::warning("FailedCreatePodSandBox", Name::from_static(SANDBOX)));
        }
        is_full
    }

    /// The same of a container.
    pub(super) fn lacks_disk_for_container(
        &mut self,
        idx: usize,
        busy: &mut Busy,
        turn: &mut Turn<'_>,
    ) -> bool {
        let is_full = turn.runtime.disk().is_full;
        if is_full {
            self.fail(idx, "CreateContainerError", Name::from_static(CONTAINER), busy, turn);
        }
        is_full
    }
}
