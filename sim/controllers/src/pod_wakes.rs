//! Which owners a change of a pod concerns.
//!
//! Upstream: the event handlers for pods of `pkg/controller/statefulset/stateful_set.go` and
//! `pkg/controller/daemon/daemon_controller.go`.

use api::{
    ConditionStatus, DaemonSet, LabelSelector, Pod, PodPhase, Resource, StatefulSet, Timestamp, condition,
};
use base::Span;
use client::{Change, View, Wakes};

use crate::ownership::{controller_key, resolve};

/// A kind that owns pods and adopts those that its selector matches.
pub(crate) trait PodOwner: Resource {
    fn selector(&self) -> &LabelSelector;

    /// How long after it got ready a pod is looked at again; zero for not at all.
    fn next_look(&self) -> Span;
}

impl PodOwner for StatefulSet {
    fn selector(&self) -> &LabelSelector {
        &self.spec.selector
    }

    fn next_look(&self) -> Span {
        self.min_ready()
    }
}

impl PodOwner for DaemonSet {
    fn selector(&self) -> &LabelSelector {
        &self.spec.selector
    }

    fn next_look(&self) -> Span {
        if self.min_ready() == Span::ZERO { Span::ZERO } else { self.min_ready() + Span::secs(1) }
    }
}

/// Wakes the owners of kind `T` that a change of a pod concerns, if it is one.
pub(crate) fn pod_wakes<T: PodOwner>(change: &Change, view: &View, wakes: &mut Wakes) {
    match (change.old::<Pod>(), change.new::<Pod>()) {
        (None, Some(pod)) if !pod.is_deleting() && pod.meta.controller().is_none() => {
            wake_adopters::<T>(pod, view, wakes);
        }
        (None, Some(pod)) | (Some(pod), None) => wake_owner::<T>(pod, view, wakes),
        (Some(old), Some(new)) => update_pod::<T>(old, new, view, wakes),
        (None, None) => (), // Another kind.
    }
}

/// Upstream syncs at any change of a pod; here, only at one that a sync would notice.
fn update_pod<T: PodOwner>(old: &Pod, new: &Pod, view: &View, wakes: &mut Wakes) {
    if [old, new].iter().all(|it| is_of_another::<T>(it)) {
        return;
    }
    let labels_changed = old.meta.labels != new.meta.labels;
    let controller_changed = old.meta.controller() != new.meta.controller();
    if !labels_changed && !controller_changed && role(old) == role(new) {
        return;
    }
    if controller_changed {
        wake_owner::<T>(old, view, wakes);
    }
    match new.meta.controller() {
        Some(reference) => {
            let Some(owner) = resolve::<T>(view, &new.meta.namespace, reference) else { return };
            wakes.now(owner.key());
            if !old.is_ready() && new.is_ready() && owner.next_look() != Span::ZERO {
                wakes.after(owner.key(), owner.next_look());
            }
        }
        None if new.is_deleting() => (),
        None => wake_adopters::<T>(new, view, wakes),
    }
}

/// Whether one of another kind controls it.
fn is_of_another<T: PodOwner>(pod: &Pod) -> bool {
    pod.meta.controller().is_some_and(|it| it.kind != T::KIND.name())
}

fn wake_owner<T: PodOwner>(pod: &Pod, view: &View, wakes: &mut Wakes) {
    if let Some(key) = controller_key::<T>(view, &pod.meta) {
        wakes.now(key);
    }
}

/// A selector that is empty means no pod here. Upstream: `getStatefulSetsForPod`, `getDaemonSetsForPod`.
fn wake_adopters<T: PodOwner>(pod: &Pod, view: &View, wakes: &mut Wakes) {
    if pod.meta.labels.is_empty() {
        return;
    }
    for owner in view.list_in::<T>(&pod.meta.namespace) {
        let Ok(selector) = owner.selector().compile() else { continue };
        if !selector.is_everything() && selector.matches(&pod.meta.labels) {
            wakes.now(owner.key());
        }
    }
}

/// All of a pod that a sync looks at and that can change, but for its labels and owners.
type Role<'a> = (bool, &'a PodPhase, Option<(&'a ConditionStatus, Option<Timestamp>)>);

fn role(pod: &Pod) -> Role<'_> {
    let ready = pod.status.condition(&condition::READY).map(|it| (&it.status, it.last_transition_time));
    (pod.is_deleting(), &pod.status.phase, ready)
}

#[cfg(test)]
mod tests {
    use api::{Condition, Labels, List, Meta, Object, OwnerReference, Uid};

    use super::*;

    fn view() -> View {
        let mut view = View::default();
        for (name, uid, min_ready_seconds) in [("web", 1, 30), ("db", 2, 0)] {
            let mut set = StatefulSet {
                meta: Meta { name: name.into(), uid: Uid(uid), ..Meta::default() },
                ..StatefulSet::default()
            };
            set.spec.selector.match_labels = Labels::from([("app", name)]);
            set.spec.min_ready_seconds = min_ready_seconds;
            view.set(Object::new(set));
        }
        view
    }

    fn pod(owner: u128, app: &str) -> Pod {
        let name = ["", "web", "db"][usize::try_from(owner).expect("small")];
        let reference = OwnerReference::controller(&StatefulSet::KIND, &name.into(), Uid(owner));
        let owner_references = if owner == 0 { List::EMPTY } else { [reference].into() };
        let labels = Labels::from([("app", app)]);
        Pod { meta: Meta { owner_references, labels, ..Meta::default() }, ..Pod::default() }
    }

    fn with(mut pod: Pod, change: impl FnOnce(&mut Pod)) -> Pod {
        change(&mut pod);
        pod
    }

    fn make_ready(pod: &mut Pod) {
        let kind = condition::READY;
        pod.status.conditions =
            vec![Condition { kind, status: ConditionStatus::True, ..Condition::default() }];
    }

    fn woken(old: Option<Pod>, new: Option<Pod>) -> Vec<String> {
        let change = match (old, new) {
            (old, Some(new)) => Change::Set { old: old.map(Object::new), new: Object::new(new) },
            (Some(old), None) => Change::Gone(Object::new(old)),
            (None, None) => unreachable!("nothing changes"),
        };
        let mut out = Wakes::default();
        pod_wakes::<StatefulSet>(&change, &view(), &mut out);
        out.0.into_iter().map(|(key, span)| format!("{} {}s", key.name, span.as_secs())).collect()
    }

    #[test]
    fn a_change_of_a_pod_wakes_whom_it_concerns() {
        let bound = with(pod(1, "web"), |it| it.node = "node".into());
        let failed = with(pod(1, "web"), |it| it.status.phase = PodPhase::Failed);
        let going = with(pod(1, "web"), |it| it.meta.deletion_timestamp = Some(Timestamp::from_secs(1)));
        let ready = with(pod(1, "web"), make_ready);
        let ready_db = with(pod(2, "db"), make_ready);
        type Row<'a> = (&'a str, Option<Pod>, Option<Pod>, &'a [&'a str]);
        let table: Vec<Row<'_>> = vec![
            ("created", None, Some(pod(1, "web")), &["web 0s"]),
            ("an orphan comes", None, Some(pod(0, "web")), &["web 0s"]),
            ("an orphan that nobody wants", None, Some(pod(0, "x")), &[]),
            ("bound", Some(pod(1, "web")), Some(bound), &[]),
            ("failed", Some(pod(1, "web")), Some(failed), &["web 0s"]),
            ("on its way out", Some(pod(1, "web")), Some(going), &["web 0s"]),
            ("ready", Some(pod(1, "web")), Some(ready), &["web 0s", "web 30s"]),
            ("ready, and that counts at once", Some(pod(2, "db")), Some(ready_db), &["db 0s"]),
            ("changes hands", Some(pod(1, "web")), Some(pod(2, "web")), &["web 0s", "db 0s"]),
            ("relabelled", Some(pod(0, "x")), Some(pod(0, "db")), &["db 0s"]),
            ("gone", Some(pod(2, "db")), None, &["db 0s"]),
            ("an orphan gone", Some(pod(0, "db")), None, &[]),
        ];
        for (what, old, new, expected) in table {
            assert_eq!(woken(old, new), expected, "{what}");
        }
    }
}
