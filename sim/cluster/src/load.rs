//! Who shares a load: the ready pods of one owner. Until there is traffic this stands in for it, so that a pod that
//! is lost leaves its part to the others.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::{Object, Pod, Uid};
use base::{Digest, Name};
use engine::Queue;
use workload::{Behaviours, Subject, top_owner};

use crate::cluster::Cluster;
use crate::event::{Event, NodeIdx};

/// The ready pods to which requests come, by namespace and owner. Nothing is kept where no rule has a load.
#[derive(Clone, Debug, Default)]
pub(crate) struct Loads {
    behaviours: Option<Arc<Behaviours>>,
    groups: BTreeMap<(Name, Name), BTreeMap<Uid, NodeIdx>>,
}

/// A pod that shares its load with more or fewer others than before, itself among them; 0 means that none comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Share {
    node: NodeIdx,
    pod: Uid,
    sharing: u32,
}

impl Loads {
    pub(crate) fn new(behaviours: &Arc<Behaviours>) -> Self {
        let behaviours = behaviours.has_load().then(|| Arc::clone(behaviours));
        Self { behaviours, groups: BTreeMap::new() }
    }

    /// Takes in one commit. Returns whose share has changed.
    pub(crate) fn observe(
        &mut self,
        new: Option<&Object>,
        old: Option<&Object>,
        node_of: impl Fn(&Name) -> Option<NodeIdx>,
    ) -> Vec<Share> {
        let Some(behaviours) = &self.behaviours else { return Vec::new() };
        let (new, old) = (new.and_then(Object::get::<Pod>), old.and_then(Object::get::<Pod>));
        let is_in = |pod: Option<&Arc<Pod>>| pod.is_some_and(|it| serves(it));
        if is_in(new) == is_in(old) {
            return Vec::new();
        }
        let Some(pod) = new.or(old) else { return Vec::new() };
        let Some(node) = node_of(&pod.node).filter(|_| has_load(behaviours, pod)) else { return Vec::new() };
        let group = self.groups.entry((pod.meta.namespace.clone(), top_owner(pod))).or_default();
        let gone = if is_in(new) {
            group.insert(pod.meta.uid, node);
            None
        } else {
            group.remove(&pod.meta.uid);
            Some(Share { node, pod: pod.meta.uid, sharing: 0 })
        };
        let sharing = u32::try_from(group.len()).expect("four thousand million pods do not fit in memory");
        let stay = group.iter().map(|(&pod, &node)| Share { node, pod, sharing });
        stay.chain(gone).collect()
    }
}

/// Whether requests are sent to a pod: as its endpoint would be serving and not terminating.
fn serves(pod: &Pod) -> bool {
    pod.is_ready() && !pod.is_deleting()
}

fn has_load(behaviours: &Behaviours, pod: &Pod) -> bool {
    pod.spec.containers.iter().any(|container| {
        let subject = Subject { pod, container, is_init: false };
        behaviours.may_have_load(&subject)
    })
}

impl Cluster {
    pub(crate) fn share_loads(&mut self, shares: Vec<Share>, digest: &mut Digest, queue: &mut Queue<Event>) {
        for Share { node, pod, sharing } in shares {
            let mut effects = Vec::new();
            self.machines[node.0 as usize].share_load(queue.now(), pod, sharing, &mut effects);
            self.carry_out_all(node, &mut effects, digest, queue);
        }
    }
}
