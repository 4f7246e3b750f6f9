//! Sandboxes that have no network.
//!
//! Upstream: `pkg/kubelet/kuberuntime/kuberuntime_manager.go`, `SyncPod`; the words are those of containerd, of the plugin
//! `flannel`, which like ours gives each node a range of its own, and of `host-local`.

use base::{Digest, Name};

use super::{Busy, Worker};
use crate::core::Turn;
use crate::recorder::Saying;
use crate::runtime::NoNetwork;
use crate::text::hex64;

impl Worker {
    /// Nothing more is done for the pod in this sync. The next one tries again with another sandbox.
    pub(super) fn fail_sandbox(&mut self, why: NoNetwork, busy: &mut Busy, turn: &mut Turn<'_>) {
        busy.has_failed = true;
        busy.jobs.clear();
        let why = match why {
            NoNetwork::NoAddress => {
                "failed to delegate add: failed to allocate for range 0: no IP addresses available in range set"
            }
            NoNetwork::PluginFails => {
                "loadFlannelSubnetEnv failed: open /run/flannel/subnet.env: no such file or directory"
            }
        };
        let text = Name::from(format_args!(
            "Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup network for sandbox \
             \"{}\": plugin type=\"flannel\" failed (add): {why}",
            self.id_of_sandbox()
        ));
        self.say(turn, None, Saying::warning("FailedCreatePodSandBox", text));
    }

    /// Each sync that makes one makes another.
    fn id_of_sandbox(&self) -> String {
        let mut digest = Digest::of_text("sandbox");
        digest.bytes(&self.pod.meta.uid.0.to_le_bytes());
        digest.word(u64::from(self.syncs));
        String::from(&*hex64(digest.value()))
    }
}
