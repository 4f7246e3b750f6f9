//! What a change is about, so that nobody need be told of what cannot concern them.

use std::ops::BitOr;
use std::sync::Arc;

use api::{ConditionStatus, Object, Pod, Timestamp, condition};
use base::Name;

use crate::change::Change;

/// Some of what can change about an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Aspects(u16);

impl Aspects {
    /// It is seen for the first time.
    pub const COMING: Self = Self(1);
    pub const GOING: Self = Self(1 << 1);
    pub const LABELS: Self = Self(1 << 2);
    pub const OWNERS: Self = Self(1 << 3);
    /// Anything about what is on its way out.
    pub const DELETION: Self = Self(1 << 4);
    pub const SPEC: Self = Self(1 << 5);
    /// The node that a pod is bound to.
    pub const NODE: Self = Self(1 << 6);
    pub const PHASE: Self = Self(1 << 7);
    /// Whether a pod is ready, and since when.
    pub const READINESS: Self = Self(1 << 8);
    /// Whether a pod is said to be the target of a disruption.
    pub const DISRUPTION: Self = Self(1 << 9);
    pub const ADDRESS: Self = Self(1 << 10);
    /// That it is there.
    pub const EXISTENCE: Self = Self::COMING.and(Self::GOING);
    /// What a controller that counts pods looks at.
    pub const MEMBERSHIP: Self = Self::EXISTENCE
        .and(Self::LABELS)
        .and(Self::OWNERS)
        .and(Self::DELETION)
        .and(Self::PHASE)
        .and(Self::READINESS);
    /// All of it, also what has no name here.
    pub const ANY: Self = Self(u16::MAX);

    const NONE: Self = Self(0);

    /// What a change is about; of updates, only those of pods are looked into. Says rather too much than too little.
    pub fn of(change: &Change) -> Self {
        match change {
            Change::Gone(_) => Self::GOING,
            Change::Set { old: None, .. } => Self::COMING,
            Change::Set { old: Some(Object::Pod(old)), new: Object::Pod(new) } => Self::between(old, new),
            Change::Set { old: Some(_), .. } => Self::ANY,
        }
    }

    /// Both together.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether they have anything in common.
    pub const fn meet(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    fn between(old: &Pod, new: &Pod) -> Self {
        let if_ = |holds: bool, aspect: Self| if holds { aspect } else { Self::NONE };
        if_(!old.meta.labels.is_same(&new.meta.labels), Self::LABELS)
            | if_(old.meta.owner_references != new.meta.owner_references, Self::OWNERS)
            | if_(old.is_deleting() || new.is_deleting(), Self::DELETION)
            | if_(!Arc::ptr_eq(&old.spec, &new.spec), Self::SPEC)
            | if_(old.node != new.node, Self::NODE)
            | if_(old.status.phase != new.status.phase, Self::PHASE)
            | if_(old.status.pod_ip != new.status.pod_ip, Self::ADDRESS)
            | if_(differs(old, new, &condition::READY), Self::READINESS)
            | if_(differs(old, new, &condition::DISRUPTION_TARGET), Self::DISRUPTION)
    }
}

impl BitOr for Aspects {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        self.and(other)
    }
}

/// Whether both state a condition differently.
fn differs(old: &Pod, new: &Pod, condition: &str) -> bool {
    fn stated<'a>(
        pod: &'a Pod,
        condition: &str,
    ) -> Option<(&'a ConditionStatus, &'a Name, Option<Timestamp>)> {
        let stated = pod.status.condition(condition)?;
        Some((&stated.status, &stated.reason, stated.last_transition_time))
    }
    stated(old, condition) != stated(new, condition)
}

#[cfg(test)]
mod tests {
    use api::{Condition, Labels, Node, PodPhase};

    use super::*;

    #[test]
    fn what_stays_is_not_among_what_a_change_of_a_pod_is_about() {
        let ready = |pod: &mut Pod| {
            let condition = Condition { kind: condition::READY, ..Condition::default() };
            pod.status.conditions.push(condition);
        };
        type Row = (fn(&mut Pod), Aspects);
        let table: [Row; 5] = [
            (|pod| pod.node = "node".into(), Aspects::NODE),
            (|pod| pod.status.phase = PodPhase::Running, Aspects::PHASE),
            (|pod| pod.status.pod_ip = "10.0.0.1".into(), Aspects::ADDRESS),
            (|pod| pod.meta.labels = Labels::from([("app", "web")]), Aspects::LABELS),
            (|pod| pod.meta.deletion_timestamp = Some(Timestamp::from_secs(1)), Aspects::DELETION),
        ];
        for (edit, expected) in table {
            assert_eq!(about(edit), expected);
        }
        assert_eq!(about(ready), Aspects::READINESS);
        assert_eq!(about(|pod| pod.status.host_ip = "10.0.0.1".into()), Aspects::NONE);
    }

    fn about(edit: impl FnOnce(&mut Pod)) -> Aspects {
        let old = Pod::default();
        let mut new = old.clone();
        edit(&mut new);
        Aspects::of(&Change::Set { old: Some(Object::new(old)), new: Object::new(new) })
    }

    #[test]
    fn an_update_of_anything_else_may_be_about_anything() {
        let node = Object::new(Node::default());
        let of = |old: Option<&Object>| Aspects::of(&Change::Set { old: old.cloned(), new: node.clone() });
        assert_eq!((of(None), of(Some(&node))), (Aspects::COMING, Aspects::ANY));
        assert_eq!(Aspects::of(&Change::Gone(node.clone())), Aspects::GOING);
    }
}
