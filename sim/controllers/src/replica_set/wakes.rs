//! Which replica sets a change concerns.
//!
//! Upstream: the event handlers of `pkg/controller/replicaset/replica_set.go`.

use api::{ConditionStatus, Pod, ReplicaSet, Resource, Timestamp, condition};
use client::{Change, View, Wakes};

use crate::ownership::{controller_key, resolve};

pub(super) fn wakes(change: &Change, view: &View, wakes: &mut Wakes) {
    if let Some(set) = change.get::<ReplicaSet>() {
        return wakes.now(set.key());
    }
    match (change.old::<Pod>(), change.new::<Pod>()) {
        (None, Some(pod)) => add_pod(pod, view, wakes),
        (Some(old), Some(new)) => update_pod(old, new, view, wakes),
        (Some(pod), None) => delete_pod(pod, view, wakes),
        (None, None) => (), // Another kind.
    }
}

fn add_pod(pod: &Pod, view: &View, wakes: &mut Wakes) {
    if pod.is_deleting() || pod.meta.controller().is_some() {
        return delete_pod(pod, view, wakes);
    }
    wake_adopters(pod, view, wakes);
}

/// Wakes the set that had the pod, and the one that has it, or those that might adopt it.
///
/// Upstream syncs at any change of a pod; here, only at one that a sync would notice: the counts of a set do not change
/// when a pod is bound or given an address. This saves most of the work at scale, and changes no plan but this: a set
/// that waits for its next try after a failure is not woken early by such a change.
fn update_pod(old: &Pod, new: &Pod, view: &View, wakes: &mut Wakes) {
    let labels_changed = old.meta.labels != new.meta.labels;
    let controller_changed = old.meta.controller() != new.meta.controller();
    if !labels_changed && !controller_changed && role(old) == role(new) {
        return;
    }
    if new.is_deleting() {
        delete_pod(new, view, wakes);
        if labels_changed {
            delete_pod(old, view, wakes);
        }
        return;
    }
    if controller_changed {
        delete_pod(old, view, wakes);
    }
    match new.meta.controller() {
        Some(reference) => {
            if let Some(set) = resolve::<ReplicaSet>(view, &new.meta.namespace, reference) {
                wake_owner(set, old, new, wakes);
            }
        }
        None if labels_changed || controller_changed => wake_adopters(new, view, wakes),
        None => (), // Nobody wanted it before, and nothing about it has changed.
    }
}

/// A pod that has become ready is looked at again when it may count as available.
fn wake_owner(set: &ReplicaSet, old: &Pod, new: &Pod, wakes: &mut Wakes) {
    wakes.now(set.key());
    if !old.is_ready() && new.is_ready() && 0 < set.spec.min_ready_seconds {
        wakes.after(set.key(), set.min_ready());
    }
}

/// An orphan that goes concerns nobody.
fn delete_pod(pod: &Pod, view: &View, wakes: &mut Wakes) {
    if let Some(key) = controller_key::<ReplicaSet>(view, &pod.meta) {
        wakes.now(key);
    }
}

/// Upstream: `getPodReplicaSets`. A selector that is empty means no pod here.
fn wake_adopters(pod: &Pod, view: &View, wakes: &mut Wakes) {
    if pod.meta.labels.is_empty() {
        return;
    }
    for set in view.list_in::<ReplicaSet>(&pod.meta.namespace) {
        let Ok(selector) = set.spec.selector.compile() else { continue };
        if !selector.is_everything() && selector.matches(&pod.meta.labels) {
            wakes.now(set.key());
        }
    }
}

/// As what a pod counts.
#[derive(PartialEq)]
enum Role<'a> {
    Inactive,
    Active,
    /// It states whether it is ready, and since when.
    Known(&'a ConditionStatus, Option<Timestamp>),
}

fn role(pod: &Pod) -> Role<'_> {
    match pod.status.condition(&condition::READY) {
        _ if !pod.is_active() => Role::Inactive,
        None => Role::Active,
        Some(ready) => Role::Known(&ready.status, ready.last_transition_time),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use api::{
        Condition, Key, Kind, LabelSelector, Labels, List, Meta, Object, OwnerReference, PodPhase,
        ReplicaSetSpec, Uid,
    };
    use base::Span;

    use super::*;

    fn view() -> View {
        let mut view = View::default();
        for (name, uid, app, min_ready_seconds) in
            [("web", 1, "web", 30), ("web-too", 2, "web", 0), ("db", 3, "db", 0)]
        {
            let meta = Meta { name: name.into(), uid: Uid(uid), ..Meta::default() };
            let match_labels = Labels::from([("app", app)]);
            let selector = LabelSelector { match_labels, ..LabelSelector::default() };
            let spec = ReplicaSetSpec { selector, min_ready_seconds, ..ReplicaSetSpec::default() };
            view.set(Object::new(ReplicaSet { meta, spec, ..ReplicaSet::default() }));
        }
        view
    }

    /// A pod of the set with that uid; 0 for none.
    fn pod(owner: u128, app: &str) -> Pod {
        let name = ["", "web", "web-too", "db", "gone"][usize::try_from(owner).unwrap()];
        let reference = OwnerReference::controller(&Kind::ReplicaSet, &name.into(), Uid(owner));
        let owner_references = if owner == 0 { List::EMPTY } else { [reference].into() };
        let labels = Labels::from([("app", app)]);
        Pod { meta: Meta { owner_references, labels, ..Meta::default() }, ..Pod::default() }
    }

    fn ready(mut pod: Pod) -> Pod {
        let kind = condition::READY;
        pod.status.conditions =
            vec![Condition { kind, status: ConditionStatus::True, ..Condition::default() }];
        pod
    }

    fn deleting(mut pod: Pod) -> Pod {
        pod.meta.deletion_timestamp = Some(Timestamp::from_secs(1));
        pod
    }

    fn woken(old: Option<Pod>, new: Option<Pod>) -> Vec<(String, Span)> {
        let change = match (old, new) {
            (old, Some(new)) => Change::Set { old: old.map(Object::new), new: Object::new(new) },
            (Some(old), None) => Change::Gone(Object::new(old)),
            (None, None) => unreachable!("nothing changes"),
        };
        let mut out = Wakes::default();
        wakes(&change, &view(), &mut out);
        out.0.into_iter().map(|(Key { name, .. }, span)| (name.to_string(), span)).collect()
    }

    /// Facts of `TestAddPod`, `TestUpdatePods`, `TestDeletePod` and of the handlers.
    #[test]
    fn a_change_of_a_pod_wakes_whom_it_concerns() {
        let running = |mut pod: Pod| {
            pod.status.phase = PodPhase::Running;
            pod.node = "node".into();
            pod
        };
        let finished = |mut pod: Pod| {
            pod.status.phase = PodPhase::Failed;
            pod
        };
        type Row<'a> = (&'a str, Option<Pod>, Option<Pod>, &'a [&'a str]);
        let table: Vec<Row<'_>> = vec![
            ("created by a set", None, Some(pod(1, "web")), &["web"]),
            ("an orphan comes", None, Some(pod(0, "web")), &["web", "web-too"]),
            ("an orphan that nobody wants", None, Some(pod(0, "x")), &[]),
            ("owned by one that is gone", None, Some(pod(4, "web")), &[]),
            ("first seen while it goes", None, Some(deleting(pod(1, "web"))), &["web"]),
            ("bound and running", Some(pod(1, "web")), Some(running(pod(1, "web"))), &[]),
            ("failed", Some(pod(1, "web")), Some(finished(pod(1, "web"))), &["web"]),
            ("changes hands", Some(pod(1, "web")), Some(pod(2, "web")), &["web", "web-too"]),
            ("released", Some(pod(3, "web")), Some(pod(0, "web")), &["db", "web", "web-too"]),
            ("relabelled", Some(pod(1, "web")), Some(pod(1, "db")), &["web"]),
            ("an orphan relabelled", Some(pod(0, "web")), Some(pod(0, "db")), &["db"]),
            ("an orphan as before", Some(pod(0, "web")), Some(ready(pod(0, "web"))), &[]),
            ("on its way out", Some(pod(1, "web")), Some(deleting(pod(1, "web"))), &["web"]),
            ("an orphan on its way out", Some(pod(0, "web")), Some(deleting(pod(0, "web"))), &[]),
            ("gone", Some(pod(2, "web")), None, &["web-too"]),
            ("an orphan gone", Some(pod(0, "web")), None, &[]),
        ];
        for (what, old, new, expected) in table {
            let names: Vec<String> = woken(old, new).into_iter().map(|it| it.0).collect();
            assert_eq!(names, expected, "{what}");
        }
    }

    #[test]
    fn a_pod_that_gets_ready_is_looked_at_again_when_it_may_be_available() {
        let now = |name: &str| (name.to_owned(), Span::ZERO);
        let later = ("web".to_owned(), Span::secs(30));
        assert_eq!(woken(Some(pod(1, "web")), Some(ready(pod(1, "web")))), [now("web"), later]);
        assert_eq!(woken(Some(pod(2, "web")), Some(ready(pod(2, "web")))), [now("web-too")]);
        assert_eq!(woken(Some(ready(pod(1, "web"))), Some(pod(1, "web"))), [now("web")]);
    }

    #[test]
    fn any_change_of_a_set_wakes_it() {
        let set = view().list::<ReplicaSet>().next().cloned().unwrap();
        let mut out = Wakes::default();
        wakes(&Change::Gone(Object::ReplicaSet(Arc::clone(&set))), &view(), &mut out);
        assert_eq!(out.0, [(set.key(), Span::ZERO)]);
    }
}
