//! What a Deployment says of its progress, and when it is looked at again.

use api::{Condition, ConditionStatus, ConditionTimes, Deployment, Object, ReplicaSet};
use base::{Name, Span, Time};
use client::{Plan, Requeue};
use controllers::DeploymentController;

use crate::fixtures::{NOW, deployment, reconcile, reported, scaled_for, set, view};

/// A deployment that has reported what its sets say now: so nothing but time can change what it reports.
struct Case {
    deployment: Deployment,
    sets: Vec<ReplicaSet>,
}

impl Case {
    /// Four replicas with a surge of one, no unavailable; sizes and available pods of the old and the new set; and the
    /// reason that it reported last, so many seconds ago.
    fn new(old: (i32, i32), new: (i32, i32), reason: &str, secs_ago: u64) -> Self {
        let sets = [set(1, old.0, old.1), set(2, new.0, new.1)].map(|set| scaled_for(set, 4, 5));
        let mut case = Self { deployment: deployment(4, "1", "0"), sets: sets.into() };
        let is_late = reason == "ProgressDeadlineExceeded";
        let verdict = if is_late { ConditionStatus::False } else { ConditionStatus::True };
        let stated = progressing(verdict, reason, NOW.before(Span::secs(secs_ago)));
        case.deployment.status.conditions = vec![stated.clone()];
        if let Some(reported) = reported::<Deployment>(&case.plan()) {
            case.deployment.status = reported.status;
            let conditions = &mut case.deployment.status.conditions;
            conditions.retain(|it| it.kind != "Progressing");
            conditions.push(stated);
        }
        case
    }

    fn plan(&self) -> Plan {
        let objects =
            self.sets.iter().cloned().map(Object::new).chain([Object::new(self.deployment.clone())]);
        reconcile(&DeploymentController::default(), &view(objects), &self.deployment)
    }

    /// The condition that is reported next; `None` if nothing is.
    fn next(&self) -> Option<Condition> {
        reported::<Deployment>(&self.plan()).and_then(|it| it.condition("Progressing").cloned())
    }

    fn next_reason(&self) -> Option<String> {
        self.next().map(|it| it.reason.to_string())
    }
}

fn progressing(status: ConditionStatus, reason: &str, since: Time) -> Condition {
    Condition {
        kind: "Progressing".into(),
        status,
        reason: reason.into(),
        times: ConditionTimes::update(Some(since.into())),
        last_transition_time: Some(since.into()),
        ..Condition::default()
    }
}

#[test]
fn progress_renews_the_clock_and_nothing_else() {
    let mut case = Case::new((3, 3), (2, 1), "NewReplicaSetCreated", 100);
    assert_eq!(case.next(), None);
    case.sets[1].status.ready_replicas = 2;
    let condition = case.next().unwrap();
    assert_eq!((condition.reason.as_str(), condition.is_true()), ("ReplicaSetUpdated", true));
    assert_eq!(condition.message, "ReplicaSet \"web-2\" is progressing.");
    assert_eq!(condition.times.last_update_time, Some(NOW.into()));
    assert_eq!(condition.last_transition_time, Some(NOW.before(Span::secs(100)).into()));
}

/// Facts of `TestDeploymentProgressing`.
#[test]
fn more_new_fewer_old_or_more_ready_pods_are_progress() {
    type Change = fn(&mut [ReplicaSet]);
    let table: [(&str, Change, bool); 7] = [
        ("nothing", |_| (), false),
        ("a new pod", |sets| sets[1].status.replicas += 1, true),
        ("an old pod less", |sets| sets[0].status.replicas -= 1, true),
        ("an old pod more", |sets| sets[0].status.replicas += 1, false),
        ("an available pod", |sets| sets[1].status.available_replicas += 1, true),
        ("a ready pod", |sets| sets[0].status.ready_replicas += 1, true),
        ("a ready pod less", |sets| sets[0].status.ready_replicas -= 1, false),
    ];
    for (what, change, is_progress) in table {
        let mut case = Case::new((3, 3), (2, 0), "ReplicaSetUpdated", 100);
        change(&mut case.sets);
        let is_renewed = case.next().is_some_and(|it| it.times.last_update_time == Some(NOW.into()));
        assert_eq!(is_renewed, is_progress, "{what}");
    }
}

#[test]
fn a_complete_rollout_says_so_once() {
    let mut case = Case::new((1, 1), (4, 4), "ReplicaSetUpdated", 100);
    case.sets[0] = scaled_for(set(1, 0, 0), 4, 5);
    let condition = case.next().unwrap();
    assert_eq!(condition.reason, "NewReplicaSetAvailable");
    assert_eq!(condition.message, "ReplicaSet \"web-2\" has successfully progressed.");

    let mut case = Case::new((0, 0), (4, 4), "NewReplicaSetAvailable", 9000);
    assert_eq!(case.next(), None);
    case.sets[1].status.available_replicas = 2; // A pod that fails later is no matter of progress …
    assert_eq!(case.next_reason().as_deref(), Some("NewReplicaSetAvailable"));
    let available = reported::<Deployment>(&case.plan()).unwrap().condition("Available").cloned().unwrap();
    assert_eq!(available.reason, "MinimumReplicasUnavailable"); // … but of availability.
    assert_eq!(available.message, "Deployment does not have minimum availability.");
}

/// Facts of `TestDeploymentTimedOut`.
#[test]
fn a_rollout_without_progress_is_late_after_its_deadline() {
    let late = Some("ProgressDeadlineExceeded".to_owned());
    let table = [
        ("ReplicaSetUpdated", 600, None),
        ("ReplicaSetUpdated", 601, late.clone()),
        ("NewReplicaSetCreated", 700, late.clone()),
        ("DeploymentResumed", 700, late),
        // What was reported of the rollout before this one says nothing of this one.
        ("NewReplicaSetAvailable", 9000, None),
    ];
    for (reason, secs_ago, expected) in table {
        assert_eq!(
            Case::new((3, 3), (2, 1), reason, secs_ago).next_reason(),
            expected,
            "{reason} {secs_ago}"
        );
    }
    let condition = Case::new((3, 3), (2, 1), "ReplicaSetUpdated", 700).next().unwrap();
    assert_eq!(condition.message, "ReplicaSet \"web-2\" has timed out progressing.");
    assert_eq!(condition.status, ConditionStatus::False);
}

/// Facts of `TestRequeueStuckDeployment`.
#[test]
fn a_rollout_is_looked_at_again_a_second_after_its_deadline() {
    let after = |secs| Requeue::After(Span::secs(secs));
    let table = [
        ("ReplicaSetUpdated", 100, after(501)),
        ("ReplicaSetUpdated", 598, after(3)),
        ("ReplicaSetUpdated", 600, Requeue::BackOff),
        ("ProgressDeadlineExceeded", 700, Requeue::OnChange),
    ];
    for (reason, secs_ago, expected) in table {
        let plan = Case::new((3, 3), (2, 1), reason, secs_ago).plan();
        assert_eq!((plan.steps.len(), plan.requeue), (0, expected), "{reason} {secs_ago}");
    }
    let complete = Case::new((0, 0), (4, 4), "NewReplicaSetAvailable", 100);
    assert_eq!(complete.plan(), Plan::done());
    for deadline in [None, Some(i32::MAX)] {
        let mut endless = Case::new((3, 3), (2, 1), "ReplicaSetUpdated", 100);
        endless.deployment.spec.progress_deadline_seconds = deadline;
        endless.deployment.status.conditions.retain(|it| it.kind != "Progressing");
        assert_eq!(endless.plan(), Plan::done());
    }
}

#[test]
fn without_a_deadline_nothing_is_said_of_progress() {
    let mut case = Case::new((3, 3), (2, 1), "ReplicaSetUpdated", 100);
    case.deployment.spec.progress_deadline_seconds = Some(i32::MAX);
    let reported = reported::<Deployment>(&case.plan()).unwrap();
    assert!(reported.condition("Progressing").is_none() && reported.condition("Available").is_some());
}

#[test]
fn a_pause_stops_the_clock_but_hides_no_failure() {
    let paused = |reason, paused| {
        let mut case = Case::new((3, 3), (2, 1), reason, 700);
        case.deployment.spec.paused = paused;
        case.next_reason()
    };
    assert_eq!(paused("ReplicaSetUpdated", true).as_deref(), Some("DeploymentPaused"));
    assert_eq!(paused("DeploymentPaused", true), None);
    assert_eq!(paused("DeploymentPaused", false).as_deref(), Some("DeploymentResumed"));
    assert_eq!(paused("ProgressDeadlineExceeded", true), None);
}

#[test]
fn a_failure_of_the_new_set_is_told_before_those_of_old_ones() {
    let failure = |message: &str| Condition {
        kind: "ReplicaFailure".into(),
        status: ConditionStatus::True,
        reason: "FailedCreate".into(),
        message: message.into(),
        last_transition_time: Some(NOW.into()),
        ..Condition::default()
    };
    let mut case = Case::new((3, 3), (2, 1), "ReplicaSetUpdated", 10);
    case.sets[0].status.conditions = vec![failure("old")];
    let told = |case: &Case| -> Option<Name> {
        reported::<Deployment>(&case.plan())?.condition("ReplicaFailure").map(|it| it.message.clone())
    };
    assert_eq!(told(&case), Some("old".into()));
    case.sets[1].status.conditions = vec![failure("new")];
    assert_eq!(told(&case), Some("new".into()));
    case.deployment
        .status
        .conditions
        .push(Condition { times: ConditionTimes::update(Some(NOW.into())), ..failure("new") });
    assert_eq!(case.next(), None);
    case.sets.iter_mut().for_each(|set| set.status.conditions.clear());
    assert_eq!(told(&case), None);
    assert!(!case.plan().steps.is_empty());
}
