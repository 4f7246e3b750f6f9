//! Attempts told in full, of the pods that someone asks about.

use std::collections::BTreeSet;

use api::Key;
use base::Time;

use crate::cycle::Placement;
use crate::diagnosis::Diagnosis;
use crate::extender::Said;
use crate::trace::Trace;

/// One attempt to schedule a pod.
#[derive(Clone, Debug)]
pub struct TracedAttempt {
    pub at: Time,
    pub pod: Key,
    /// How often the pod has been tried, this time included.
    pub attempt: u32,
    pub trace: Trace,
    pub outcome: Result<Placement, Box<Diagnosis>>,
}

/// Empty unless someone asks: it is of no use to the scheduler itself.
#[derive(Clone, Debug, Default)]
pub(crate) struct Traced {
    pods: BTreeSet<Key>,
    attempts: Vec<TracedAttempt>,
}

impl Traced {
    pub(crate) fn ask(&mut self, pod: Key) {
        self.pods.insert(pod);
    }

    /// Room for the account of an attempt, if someone asks about the pod.
    pub(crate) fn begin(&self, pod: impl FnOnce() -> Key) -> Option<Trace> {
        (!self.pods.is_empty() && self.pods.contains(&pod())).then(Trace::default)
    }

    pub(crate) fn keep(&mut self, attempt: TracedAttempt) {
        self.attempts.push(attempt);
    }

    /// What extenders have said of the pod after its last attempt was over.
    pub(crate) fn add(&mut self, pod: impl FnOnce() -> Key, said: Vec<Said>) {
        if self.attempts.is_empty() {
            return;
        }
        let pod = pod();
        if let Some(attempt) = self.attempts.iter_mut().rfind(|it| it.pod == pod) {
            attempt.trace.extenders.extend(said);
        }
    }

    /// In the order of time.
    pub(crate) fn attempts(&self) -> &[TracedAttempt] {
        &self.attempts
    }
}
