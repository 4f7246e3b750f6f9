//! What a controller does not watch wakes nobody.

use std::sync::Arc;

use api::{
    ClaimVolume, Condition, ConditionStatus, Kind, LabelSelector, Labels, List, Meta, Node, Object,
    OwnerReference, PersistentVolumeClaim, Pod, PodDisruptionBudget, PodPhase, PodSpec, ReplicaSet, Service,
    StatefulSet, Timestamp, Uid, Volume, condition,
};
use base::{Name, Time};
use client::{Aspects, Controller, Reconciler, View, Wakes};
use controllers::{
    AttachDetachController, ClaimProtection, DaemonSetController, DeploymentController, DisruptionController,
    EndpointSliceController, PodGc, ReplicaSetController, StatefulSetController, TaintEviction,
};
use proptest::prelude::*;

const NOW: Time = Time::from_secs(1_000_000);

/// A pod in small numbers, so that two often agree in much.
#[derive(Clone, Copy, Debug)]
struct Draft {
    label: u8,
    owner: u8,
    node: u8,
    phase: u8,
    ready: u8,
    ready_since: u8,
    address: u8,
    is_target: bool,
    is_deleting: bool,
    message: u8,
}

prop_compose! {
    fn draft()(
        label in 0_u8..2, owner in 0_u8..3, node in 0_u8..3, phase in 0_u8..3, ready in 0_u8..3,
        ready_since in 0_u8..2, address in 0_u8..2, is_target in prop::bool::weighted(0.2),
        is_deleting in prop::bool::weighted(0.2), message in 0_u8..2,
    ) -> Draft {
        Draft { label, owner, node, phase, ready, ready_since, address, is_target, is_deleting, message }
    }
}

impl Draft {
    /// The same but for what `mask` chooses from `other`.
    fn with(self, other: Self, mask: u16) -> Self {
        let take = |bit: u8, own: u8, other: u8| if mask & (1 << bit) == 0 { own } else { other };
        Self {
            label: take(0, self.label, other.label),
            owner: take(1, self.owner, other.owner),
            node: take(2, self.node, other.node),
            phase: take(3, self.phase, other.phase),
            ready: take(4, self.ready, other.ready),
            ready_since: take(5, self.ready_since, other.ready_since),
            address: take(6, self.address, other.address),
            is_target: take(7, self.is_target.into(), other.is_target.into()) != 0,
            is_deleting: take(8, self.is_deleting.into(), other.is_deleting.into()) != 0,
            message: take(9, self.message, other.message),
        }
    }

    fn pod(self, shared: &Shared) -> Arc<Pod> {
        let mut pod = Pod { meta: self.meta(shared), spec: Arc::clone(&shared.spec), ..Pod::default() };
        pod.node = numbered("node", self.node);
        pod.status.phase = PHASES[usize::from(self.phase)].clone();
        pod.status.pod_ip = numbered("10.0.0", self.address);
        pod.status.message = numbered("message", self.message);
        if 0 < self.ready {
            let since = Timestamp::from_secs(self.ready_since.into());
            pod.status.conditions.push(stated(condition::READY, self.ready == 2, since));
        }
        if self.is_target {
            pod.status.conditions.push(stated(condition::DISRUPTION_TARGET, true, Timestamp::from_secs(1)));
        }
        Arc::new(pod)
    }

    fn meta(self, shared: &Shared) -> Meta {
        let kind = if self.owner == 2 { Kind::StatefulSet } else { Kind::ReplicaSet };
        let owner = OwnerReference::controller(&kind, &"web".into(), Uid(self.owner.into()));
        Meta {
            name: "pod".into(),
            namespace: "shop".into(),
            uid: Uid(100),
            labels: shared.labels[usize::from(self.label)].clone(),
            owner_references: if self.owner == 0 { List::EMPTY } else { [owner].into() },
            deletion_timestamp: self.is_deleting.then_some(Timestamp::from_secs(1)),
            ..Meta::default()
        }
    }
}

const PHASES: [PodPhase; 3] = [PodPhase::Pending, PodPhase::Running, PodPhase::Failed];

/// What pods that were written one after the other have in common.
struct Shared {
    labels: [Labels; 2],
    spec: Arc<PodSpec>,
}

impl Shared {
    fn new() -> Self {
        let claim = ClaimVolume { claim_name: "data".into(), ..ClaimVolume::default() };
        let volume = Volume { persistent_volume_claim: Some(claim), ..Volume::default() };
        let labels = [0, 1].map(|n| Labels::from([("app", numbered("app", n))]));
        Self { labels, spec: Arc::new(PodSpec { volumes: vec![volume], ..PodSpec::default() }) }
    }
}

fn stated(kind: Name, is_true: bool, since: Timestamp) -> Condition {
    let status = if is_true { ConditionStatus::True } else { ConditionStatus::False };
    Condition { kind, status, last_transition_time: Some(since), ..Condition::default() }
}

/// Empty for zero.
fn numbered(word: &str, n: u8) -> Name {
    if n == 0 { Name::EMPTY } else { Name::from(format_args!("{word}-{n}")) }
}

/// One of all that a pod may concern; of two nodes, one is missing.
fn view() -> View {
    let meta = |name: &str, uid| Meta {
        name: name.into(),
        namespace: "shop".into(),
        uid: Uid(uid),
        ..Meta::default()
    };
    let labels = Labels::from([("app", numbered("app", 1))]);
    let selector = LabelSelector { match_labels: labels.clone(), ..LabelSelector::default() };
    let mut set = ReplicaSet { meta: meta("web", 1), ..ReplicaSet::default() };
    set.spec.selector = selector.clone();
    set.spec.min_ready_seconds = 30;
    let mut stateful = StatefulSet { meta: meta("web", 2), ..StatefulSet::default() };
    stateful.spec.selector = selector.clone();
    let mut budget = PodDisruptionBudget { meta: meta("web", 3), ..PodDisruptionBudget::default() };
    budget.spec.selector = Some(selector);
    let mut service = Service { meta: meta("web", 4), ..Service::default() };
    service.spec.selector = labels;
    let mut claim = PersistentVolumeClaim { meta: meta("data", 5), ..PersistentVolumeClaim::default() };
    claim.spec.volume_name = "disk".into();
    claim.meta.annotations.insert("pv.kubernetes.io/bind-completed", "yes");
    let node = Node { meta: Meta { name: numbered("node", 1), ..Meta::default() }, ..Node::default() };
    let mut view = View::default();
    view.set(Object::new(set));
    view.set(Object::new(stateful));
    view.set(Object::new(budget));
    view.set(Object::new(service));
    view.set(Object::new(claim));
    view.set(Object::new(node));
    view
}

fn stateless(controller: impl Controller + 'static) -> Box<dyn Reconciler> {
    let controller: Arc<dyn Controller> = Arc::new(controller);
    Box::new(controller)
}

/// All that watch pods.
fn controllers() -> [Box<dyn Reconciler>; 10] {
    [
        stateless(DeploymentController::default()),
        stateless(ReplicaSetController::default()),
        stateless(DisruptionController),
        stateless(StatefulSetController::default()),
        stateless(ClaimProtection),
        Box::new(DaemonSetController::default()),
        Box::new(TaintEviction::default()),
        Box::new(EndpointSliceController::new()),
        Box::new(AttachDetachController::new(NOW)),
        Box::new(PodGc::new(NOW)),
    ]
}

proptest! {
    /// A change that is about nothing that a controller watches wakes none of its keys.
    #[test]
    fn what_is_not_watched_wakes_nobody(one in draft(), other in draft(), mask: u16) {
        let shared = Shared::new();
        let (old, new) = (one.pod(&shared), one.with(other, mask).pod(&shared));
        let mut view = view();
        view.set(Object::Pod(old.clone()));
        let change = view.set(Object::Pod(new));
        let aspects = Aspects::of(&change);
        for mut controller in controllers() {
            let watched = controller.watches().iter().find(|it| it.0 == Kind::Pod);
            let mut wakes = Wakes::default();
            controller.wakes(NOW, &change, &view, &mut wakes);
            let is_heard = watched.is_some_and(|it| it.1.meet(aspects));
            prop_assert!(is_heard || wakes.0.is_empty(), "{} {wakes:?}", controller.name());
        }
    }
}
