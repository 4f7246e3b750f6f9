//! The end that a node gives a pod for reasons of its own, and what the pod's status says of it.
//!
//! Upstream: `pkg/kubelet/pod_workers.go`, `UpdatePod`, `killPodNow`.

use api::{Condition, ConditionStatus, Pod, condition};
use base::{Name, Span, Time};

use super::{Mode, Worker};
use crate::core::Turn;

/// Why a pod was ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fate {
    /// `Terminated`.
    pub(crate) reason: Name,
    pub(crate) message: Name,
}

impl Worker {
    /// Ends the pod, and says why. What is ending already goes on, at most within a shorter time.
    pub(crate) fn end(&mut self, fate: Fate, grace: Span, turn: &mut Turn<'_>) {
        match self.mode {
            Mode::Sync => {
                self.fate = Some(Box::new(fate));
                self.terminate(turn, grace);
            }
            Mode::Terminating => {
                self.fate = Some(Box::new(fate));
                if grace < self.grace {
                    self.terminate(turn, grace);
                }
            }
            Mode::Terminated | Mode::Done => (),
        }
    }
}

impl Fate {
    /// What tells controllers that the pod did not fail by itself. It is told together with the end.
    ///
    /// Upstream: `pkg/kubelet/status/status_manager.go`, `mergePodStatus`.
    pub(crate) fn condition(&self, pod: &Pod, now: Time) -> Condition {
        let before = pod.status.condition(&condition::DISRUPTION_TARGET).filter(|it| it.is_true());
        Condition {
            kind: condition::DISRUPTION_TARGET,
            status: ConditionStatus::True,
            observed_generation: pod.meta.generation,
            reason: Name::from_static("TerminationByKubelet"),
            message: self.message.clone(),
            last_transition_time: before.map_or(Some(now.into()), |it| it.last_transition_time),
            ..Condition::default()
        }
    }
}
