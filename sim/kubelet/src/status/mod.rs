//! The status of a pod, as a kubelet works it out from what the runtime shows.
//!
//! Upstream: `pkg/kubelet/kubelet_pods.go`, `generateAPIPodStatus`; `pkg/kubelet/status`.

mod conditions;
mod containers;
mod equal;
mod phase;

use api::{Pod, PodPhase, PodStatus, condition};
use base::{Name, Time};

pub(crate) use self::conditions::{ready_condition, refresh_readiness, set_terminal, stamp};
pub(crate) use self::containers::{Facts, is_restartable, may_restart, vanished};
pub(crate) use self::equal::is_same_to_kubelet;
pub(crate) use self::phase::is_terminal;
use crate::pod::Resize;
use crate::runtime::Sandbox;

/// What a status is made from.
pub(crate) struct Scene<'a> {
    pub(crate) now: Time,
    pub(crate) pod: &'a Pod,
    /// The status that was reported before.
    pub(crate) old: &'a PodStatus,
    pub(crate) sandbox: Option<&'a Sandbox>,
    /// When the runtime was listed: what has happened since is not known yet.
    pub(crate) at: Time,
    /// By position among all containers, init containers first.
    pub(crate) facts: &'a dyn Fn(usize) -> Facts<'a>,
    pub(crate) host_ip: &'a Name,
    /// Its containers have been stopped for good.
    pub(crate) is_over: bool,
    /// Phase, reason and message are decided, and the conditions follow from that: the pod has run for too long.
    pub(crate) verdict: Option<&'a Ending>,
    /// What is to be said of its being resized.
    pub(crate) resize: Option<&'a Resize>,
    /// The kubelet begins to end the pod: said on top of what its containers show.
    pub(crate) ending: Option<&'a Ending>,
}

/// Why the kubelet itself ends a pod, which has failed then. Upstream: `PodStatusFunc`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ending {
    pub(crate) reason: Name,
    pub(crate) message: Name,
    /// What the condition `DisruptionTarget` says, if the pod is to have it.
    pub(crate) disruption: Option<Name>,
}

impl Scene<'_> {
    /// The status now. Conditions that the kubelet does not own are left out; the API server keeps them.
    pub(crate) fn status(&self) -> PodStatus {
        let (pod, old) = (self.pod, self.old);
        let init = containers::statuses(self, true);
        let main = containers::statuses(self, false);
        let mut status = PodStatus {
            observed_generation: pod.meta.generation,
            phase: phase::phase(&pod.spec, &init, &main, self.is_over),
            host_ip: self.host_ip.clone(),
            pod_ip: self.pod_ip(),
            start_time: old.start_time.or(Some(self.now.into())),
            init_container_statuses: init,
            container_statuses: main,
            qos_class: pod.status.qos_class.clone(),
            ..PodStatus::default()
        };
        self.decide(&mut status);
        status.conditions = conditions::all(self, &status);
        self.end(&mut status);
        stamp(&mut status, old, self.now);
        status
    }

    /// A pod that was over once stays over, for the reason that was given then.
    fn decide(&self, status: &mut PodStatus) {
        let known = [self.old, &self.pod.status];
        if !is_terminal(&status.phase)
            && let Some(before) = known.iter().find(|it| is_terminal(&it.phase))
        {
            status.phase = before.phase.clone();
        }
        if is_terminal(&status.phase) {
            let reason = known.iter().find(|it| it.phase == status.phase && !it.reason.is_empty());
            if let Some(before) = reason {
                (status.reason, status.message) = (before.reason.clone(), before.message.clone());
            }
        }
        if let Some(verdict) = self.verdict {
            fail(status, verdict);
        }
        if is_terminal(&self.pod.status.phase) {
            status.phase = self.pod.status.phase.clone();
        }
    }

    /// Until its containers have stopped, the API server is told nothing of this. Upstream: `PodStatusFunc`.
    fn end(&self, status: &mut PodStatus) {
        let Some(ending) = self.ending else { return };
        fail(status, ending);
        if let Some(message) = &ending.disruption {
            conditions::set_disruption(self.pod, status, message);
        }
    }

    /// What it had when it is over, since the sandbox has gone then.
    fn pod_ip(&self) -> Name {
        if self.pod.spec.host_network {
            return self.host_ip.clone();
        }
        match self.sandbox {
            Some(sandbox) if sandbox.is_up(self.at) => sandbox.ip.clone(),
            Some(_) | None if self.is_over => self.old.pod_ip.clone(),
            Some(_) | None => Name::EMPTY,
        }
    }
}

fn fail(status: &mut PodStatus, why: &Ending) {
    status.phase = PodPhase::Failed;
    (status.reason, status.message) = (why.reason.clone(), why.message.clone());
}

/// Whether the kubelet sets a condition, alone or beside others. Upstream: `pkg/kubelet/types/pod_status.go`.
pub(crate) fn is_own_condition(kind: &str) -> bool {
    matches!(kind, "PodScheduled" | "PodReadyToStartContainers" | "Initialized" | "ContainersReady" | "Ready")
        || condition::DISRUPTION_TARGET == kind
        || is_of_resize(kind)
}

/// Whether a condition tells how far a resize has come: it goes when that is over.
pub(crate) fn is_of_resize(kind: &str) -> bool {
    matches!(kind, "PodResizePending" | "PodResizeInProgress")
}
