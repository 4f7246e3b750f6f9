//! What the eviction manager and the kernel need of a node's runtime.

use api::Uid;
use base::Time;
use workload::Usage;

use super::{End, Runtime};

impl Runtime {
    /// Whether anybody states what a container of the pod uses.
    pub(crate) fn states_usage(&self, uid: Uid) -> bool {
        self.pod(uid).is_some_and(|it| it.instances().any(|it| *it.usage != Usage::NONE))
    }

    /// The kernel kills a container because there is no memory left.
    pub(crate) fn kill_for_memory(&mut self, now: Time, uid: Uid, container: usize) {
        self.touch();
        let cell = self.pods.get_mut(&uid).and_then(|it| it.cells.get_mut(container));
        if let Some(instance) = cell.and_then(super::sandbox::Cell::current_mut) {
            instance.cut(End::out_of_memory(now));
        }
    }
}
