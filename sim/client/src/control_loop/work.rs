//! A plan that is being carried out.

use std::collections::VecDeque;

use api::{Key, Kind, Object, Request};
use base::Cause;

use crate::plan::{OnFailure, Requeue, Step};
use crate::view::View;

/// The work on one key: what is left of its plan, and how it went so far.
#[derive(Clone, Debug)]
pub(super) struct Work {
    pub(super) steps: VecDeque<Step>,
    /// Answers that the current step waits for.
    pub(super) outstanding: usize,
    pub(super) requeue: Requeue,
    /// Whether the plan said what to expect.
    pub(super) expects: bool,
    pub(super) cause: Cause,
    state: State,
    /// What a failure of the current step means to the others.
    on_failure: OnFailure,
    /// The writes that were left out because of a failure.
    skipped: Vec<Request>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    GoesWell,
    /// The step that failed said that the rest is not carried out.
    Stopped,
    /// The step that failed said that nothing more is created.
    CreatesNothing,
}

impl Work {
    pub(super) fn new(steps: Vec<Step>, requeue: Requeue, expects: bool, cause: Cause) -> Self {
        Self {
            steps: steps.into(),
            outstanding: 0,
            requeue,
            expects,
            cause,
            state: State::GoesWell,
            on_failure: OnFailure::Stop,
            skipped: Vec::new(),
        }
    }

    /// The next step, without the writes that a failure rules out; never an empty one.
    pub(super) fn next_step(&mut self) -> Option<Step> {
        while let Some(mut step) = self.steps.pop_front() {
            if self.has_failed()
                && let Some(otherwise) = step.otherwise.take()
            {
                let skipped = std::mem::replace(&mut step.writes, otherwise);
                self.skipped.extend(skipped.into_iter().map(|write| write.request));
                if step.writes.is_empty() {
                    continue;
                }
                self.on_failure = step.on_failure;
                return Some(step);
            }
            let skipped = step.writes.extract_if(.., |write| match self.state {
                State::GoesWell => false,
                State::Stopped => true,
                State::CreatesNothing => matches!(write.request, Request::Create { .. }),
            });
            self.skipped.extend(skipped.map(|write| write.request));
            if !step.writes.is_empty() {
                self.on_failure = step.on_failure;
                return Some(step);
            }
        }
        None
    }

    /// A write of the current step has failed. Whether it is the first.
    pub(super) fn fail(&mut self) -> bool {
        let is_first = self.state == State::GoesWell;
        if self.state != State::Stopped {
            self.state = match self.on_failure {
                OnFailure::Stop => State::Stopped,
                OnFailure::SkipCreates => State::CreatesNothing,
            };
        }
        is_first
    }

    /// The rest of a plan that stops at failures has become pointless; that is no failure.
    pub(super) fn stop_quietly(&mut self) {
        if self.on_failure == OnFailure::Stop {
            self.skipped.extend(self.steps.drain(..).flat_map(|step| step.writes).map(|write| write.request));
        }
    }

    pub(super) fn has_failed(&self) -> bool {
        self.state != State::GoesWell
    }

    /// What was left out of the plan because of a failure.
    pub(super) fn skipped(&self) -> &[Request] {
        &self.skipped
    }
}

/// The object of `kind` that controls `child`, if it is there and not just one of the same name.
/// Upstream: `resolveControllerRef`.
pub(super) fn owner_of(child: &Object, kind: &Kind, view: &View) -> Option<Key> {
    let reference = child.meta().controller()?;
    let info = kind.info()?;
    if reference.kind != info.name {
        return None;
    }
    let namespace = &child.meta().namespace;
    let key = Key { kind: kind.clone(), namespace: namespace.clone(), name: reference.name.clone() };
    let owner = view.get(&key)?;
    (owner.meta().uid == reference.uid).then_some(key)
}

#[cfg(test)]
mod tests {
    use api::{Object, Pod};

    use super::*;
    use crate::plan::{Plan, Write};

    fn create() -> Write {
        Write::create(Object::new(Pod::default()))
    }

    fn report() -> Write {
        Write::update_status(Object::new(Pod::default()))
    }

    fn work(plan: Plan) -> Work {
        Work::new(plan.steps, plan.requeue, true, Cause::NONE)
    }

    #[test]
    fn what_is_done_otherwise_is_only_done_after_a_failure() {
        for on_failure in [OnFailure::Stop, OnFailure::SkipCreates] {
            let plan = Plan::done().step([create()], on_failure).either([create(), create()], [report()]);

            let mut goes_well = work(plan.clone());
            assert_eq!(goes_well.next_step().map(|step| step.writes.len()), Some(1));
            assert_eq!(goes_well.next_step().map(|step| step.writes.len()), Some(2));
            assert_eq!(goes_well.next_step(), None);

            let mut fails = work(plan);
            fails.next_step();
            assert!(fails.fail());
            assert_eq!(fails.next_step().map(|step| step.writes), Some(vec![report()]));
            assert_eq!(fails.skipped().len(), 2);
        }
    }

    #[test]
    fn nothing_to_do_either_way_is_no_step() {
        let plan = Plan::write([create()]).either([], []);
        let mut work = work(plan);
        work.next_step();
        work.fail();
        assert_eq!(work.next_step(), None);
    }
}
