//! Taking pods in: those that may run begin, others are rejected, and for critical ones others make room.
//!
//! Upstream: `pkg/kubelet/kubelet.go`, `HandlePodAdditions`; `pkg/kubelet/preemption/preemption.go`. Upstream's kubelet
//! does nothing else while it waits for those that make room; ours goes on with its other pods.

use std::collections::VecDeque;

use api::Node;
use base::{Handle, Name, Slab};

use crate::admission::{Candidate, Rejection, Verdict, judge, victims};
use crate::core::Turn;
use crate::eviction::refusal;
use crate::pod::Worker;
use crate::recorder::Saying;
use crate::status::{Ending, is_terminal};

const PREEMPTED: &str = "Preempted in order to admit critical pod";

/// A critical pod, and those that still have to go before it begins, one after the other.
#[derive(Clone, Debug)]
pub(crate) struct Preemption {
    pod: Handle<Worker>,
    /// The first is being stopped.
    victims: VecDeque<Handle<Worker>>,
}

/// A pod that is new to this kubelet. Returns who makes room for it, if anybody has to.
pub(crate) fn admit(
    handle: Handle<Worker>,
    pods: &mut Slab<Worker>,
    node: &Node,
    turn: &mut Turn<'_>,
) -> Option<Preemption> {
    let worker = pods.get_mut(handle)?;
    let is_finished = is_terminal(&worker.pod.status.phase);
    if is_finished && !worker.pod.is_deleting() && turn.runtime.pod(worker.pod.meta.uid).is_none() {
        worker.report.is_final = true;
        worker.be_done(turn); // It was over before this kubelet came.
        return None;
    }
    if is_finished || worker.pod.is_deleting() {
        worker.begin(turn);
        return None;
    }
    if let Some(rejection) = refusal(turn.core.pressures, &worker.pod) {
        worker.reject(rejection, turn);
        return None;
    }
    match judge(&worker.pod, node, &turn.core.room) {
        Verdict::Admitted | Verdict::Needs(_) if turn.core.is_shutting_down => {
            worker.reject(Rejection::shutdown(), turn);
            None
        }
        Verdict::Admitted => {
            worker.be_admitted(turn);
            worker.begin(turn);
            None
        }
        Verdict::Rejected(rejection) => {
            worker.reject(rejection, turn);
            None
        }
        Verdict::Needs(shortages) => {
            let pod = worker.pod.clone();
            let others: Vec<_> = pods.iter().filter(|(_, it)| it.flags.is_admitted).map(candidate).collect();
            let chosen = victims(&pod, &others, &shortages);
            make_room(handle, chosen, pods, turn)
        }
    }
}

fn candidate<'a>((key, worker): (Handle<Worker>, &'a Worker)) -> Candidate<'a, Handle<Worker>> {
    Candidate { pod: &worker.pod, key }
}

fn make_room(
    handle: Handle<Worker>,
    chosen: Result<Vec<Handle<Worker>>, String>,
    pods: &mut Slab<Worker>,
    turn: &mut Turn<'_>,
) -> Option<Preemption> {
    let worker = pods.get_mut(handle)?;
    let victims = match chosen {
        Ok(victims) => VecDeque::from(victims),
        Err(why) => {
            worker.reject(unexpected(&why), turn);
            return None;
        }
    };
    worker.be_admitted(turn);
    let preemption = Preemption { pod: handle, victims };
    preemption.preempt_next(pods, turn);
    Some(preemption)
}

fn unexpected(why: &str) -> Rejection {
    Rejection {
        reason: Name::from_static("UnexpectedAdmissionError"),
        message: Name::from(format_args!(
            "Unexpected error while attempting to recover from admission failure: \
             preemption: error finding a set of pods to preempt: {why}"
        )),
    }
}

impl Preemption {
    /// Goes on when the one that is being stopped has stopped. Whether the critical pod has begun, or is gone.
    pub(crate) fn go_on(&mut self, pods: &mut Slab<Worker>, turn: &mut Turn<'_>) -> bool {
        while let Some(victim) = self.victims.front() {
            if pods.get(*victim).is_some_and(Worker::may_be_running) {
                return false;
            }
            self.victims.pop_front();
            self.preempt_next(pods, turn);
        }
        if let Some(worker) = pods.get_mut(self.pod) {
            worker.begin(turn);
        }
        true
    }

    fn preempt_next(&self, pods: &mut Slab<Worker>, turn: &mut Turn<'_>) {
        let Some(victim) = self.victims.front().and_then(|it| pods.get_mut(*it)) else { return };
        victim.say(turn, None, Saying::warning("Preempting", Name::from_static(PREEMPTED)));
        let ending = Ending {
            reason: Name::from_static("Preempting"),
            message: Name::from_static(PREEMPTED),
            disruption: Some(Name::from_static(
                "Pod was preempted by Kubelet to accommodate a critical pod.",
            )),
        };
        victim.end(ending, None, turn);
    }
}
