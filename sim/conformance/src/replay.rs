//! Goes through a case in the order of events that recordings follow.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use api::Pod;
use base::Name;

use crate::attempt::{attempt, gate};
use crate::case::{Case, Eviction, Order};
use crate::compare::{Difference, differences};
use crate::record::Record;
use crate::stage::{Stage, full_name};

/// With immediate eviction, a pod is tried at most so often in a row.
const IN_A_ROW_MAX: u32 = 3;

/// What came of a case.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// Of ours that are the same as upstream's. Does not count pods that were kept out of the queue.
    pub(crate) agreed: usize,
    /// Attempts of upstream's.
    pub(crate) attempts: usize,
    pub(crate) disagreed: Vec<Disagreed>,
}

/// An attempt that differs, or a pod that was kept out of the queue and should not have been, or the other way around.
#[derive(Debug)]
pub(crate) struct Disagreed {
    pub(crate) pod: Name,
    /// 0 for what is no attempt.
    pub(crate) attempt: u32,
    pub(crate) phase: Option<u32>,
    pub(crate) differences: Vec<Difference>,
}

/// The order of attempts is another one than upstream's: there is no sense in going on.
struct OutOfStep;

pub(crate) fn replay(case: &Case) -> Outcome {
    let mut replay = Replay {
        stage: Stage::new(case),
        expected: case.expect.iter(),
        attempts: BTreeMap::new(),
        outcome: Outcome::default(),
    };
    replay.outcome.attempts = case.expect.iter().filter(|it| it.attempt > 0).count();
    replay.compare_weights(case);
    if replay.run(case).is_err() || replay.expected.len() > 0 {
        replay.give_up();
    }
    replay.outcome
}

struct Replay<'a> {
    stage: Stage,
    expected: std::slice::Iter<'a, Record>,
    /// By pod.
    attempts: BTreeMap<Name, u32>,
    outcome: Outcome,
}

impl<'a> Replay<'a> {
    fn run(&mut self, case: &Case) -> Result<(), OutOfStep> {
        let mut pods = case.pods.clone();
        if case.options.order == Order::Queue {
            pods.sort_by_key(|it| Reverse(it.priority()));
        }
        let ready = self.pass_gates(&pods)?;
        match case.options.eviction {
            Eviction::Immediate => ready.iter().try_for_each(|pod| self.try_in_a_row(pod)),
            Eviction::Graceful => self.try_in_phases(&ready),
        }
    }

    /// The pods that may enter the queue.
    fn pass_gates(&mut self, pods: &[Arc<Pod>]) -> Result<Vec<Name>, OutOfStep> {
        let mut ready = Vec::new();
        for pod in pods {
            match gate(&self.stage, pod) {
                None => ready.push(full_name(pod)),
                Some(got) => {
                    let expected = self.next(&got.pod, |it| it.gated.is_some())?;
                    self.judge(expected, &got);
                }
            }
        }
        Ok(ready)
    }

    fn try_in_a_row(&mut self, pod: &Name) -> Result<(), OutOfStep> {
        for _ in 0..IN_A_ROW_MAX {
            let expected = self.try_once(pod, None)?;
            expected.victims.iter().for_each(|it| self.stage.delete(it));
            if expected.nominated.is_none() {
                break;
            }
        }
        Ok(())
    }

    fn try_in_phases(&mut self, pods: &[Name]) -> Result<(), OutOfStep> {
        for pod in pods {
            let expected = self.try_once(pod, Some(1))?;
            expected.victims.iter().for_each(|it| self.stage.terminate(it));
        }
        for pod in pods {
            if self.is_promised_room(pod) {
                let expected = self.try_once(pod, Some(2))?;
                expected.victims.iter().for_each(|it| self.stage.terminate(it));
            }
        }
        self.stage.delete_terminating();
        for pod in pods {
            if self.is_waiting(pod) {
                let expected = self.try_once(pod, Some(3))?;
                expected.victims.iter().for_each(|it| self.stage.delete(it));
            }
        }
        Ok(())
    }

    fn is_waiting(&self, pod: &Name) -> bool {
        self.stage.pod(pod).is_some_and(|it| !it.is_bound())
    }

    fn is_promised_room(&self, pod: &Name) -> bool {
        let pod = self.stage.pod(pod);
        pod.is_some_and(|it| !it.is_bound() && !it.status.nominated_node_name.is_empty())
    }

    /// Returns upstream's account, from which the case goes on.
    fn try_once(&mut self, name: &Name, phase: Option<u32>) -> Result<&'a Record, OutOfStep> {
        let expected = self.next(name, |it| it.gated.is_none())?;
        let pod = self.stage.pod(name).cloned().ok_or(OutOfStep)?;
        let count = self.attempts.entry(name.clone()).or_default();
        *count += 1;
        let (mut got, ours) = attempt(&mut self.stage, &pod, *count);
        got.phase = phase;
        self.judge(expected, &got);
        self.stage.apply(expected, ours);
        Ok(expected)
    }

    /// The next record, if it is about this pod, and of the kind that is asked for.
    fn next(&mut self, pod: &Name, fits: impl Fn(&Record) -> bool) -> Result<&'a Record, OutOfStep> {
        let next = self.expected.clone().next().filter(|it| it.pod == *pod && fits(it)).ok_or(OutOfStep)?;
        self.expected.next();
        Ok(next)
    }

    fn judge(&mut self, expected: &Record, got: &Record) {
        let differences = differences(expected, got);
        if differences.is_empty() {
            self.outcome.agreed += usize::from(expected.attempt > 0);
        } else {
            self.disagree(expected, differences);
        }
    }

    fn disagree(&mut self, expected: &Record, differences: Vec<Difference>) {
        let Record { pod, attempt, phase, .. } = expected;
        let disagreed = Disagreed { pod: pod.clone(), attempt: *attempt, phase: *phase, differences };
        self.outcome.disagreed.push(disagreed);
    }

    /// Whatever comes next was not expected, or is missing: all that is left disagrees.
    fn give_up(&mut self) {
        let out_of_step = || {
            let expected = "to be next".into();
            vec![Difference { field: "order".into(), expected, got: serde_json::Value::Null }]
        };
        for expected in self.expected.clone() {
            self.disagree(expected, out_of_step());
        }
        if self.expected.len() == 0 {
            self.disagree(&Record::default(), out_of_step());
        }
    }

    fn compare_weights(&mut self, case: &Case) {
        let ours: BTreeMap<Name, i64> =
            case.profile.weights().map(|(plugin, weight)| (Name::from_static(plugin), weight)).collect();
        if ours != case.weights {
            let value = |it: &BTreeMap<Name, i64>| serde_json::to_value(it).unwrap_or_default();
            let field = "weights".into();
            let difference = Difference { field, expected: value(&case.weights), got: value(&ours) };
            self.disagree(&Record::default(), vec![difference]);
        }
    }
}
