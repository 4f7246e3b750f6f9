//! Objects to test on, and what plans say about them.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::annotation::{DESIRED_REPLICAS, MAX_REPLICAS, POD_TEMPLATE_HASH, REVISION};
use api::{
    Container, Deployment, DeploymentSpec, DeploymentStrategy, DeploymentStrategyType, IntOrString, Kind,
    LabelSelector, Labels, Meta, Object, OwnerReference, Pod, PodSpec, PodTemplate, ReplicaSet,
    ReplicaSetSpec, ReplicaSetStatus, Request, Resource, RollingUpdateDeployment, Subresource, Timestamp,
    Uid,
};
use base::{Name, Time};
use client::{Context, Controller, Plan, View, Write};

pub(crate) const NAMESPACE: Name = Name::from_static("shop");
/// Of the deployment.
pub(crate) const UID: Uid = Uid(1000);
pub(crate) const NOW: Time = Time::from_secs(1_000_000);

/// The deployment `web` of the image `web:2`, at revision 2; nothing is reported yet.
pub(crate) fn deployment(replicas: i32, surge: &str, unavailable: &str) -> Deployment {
    let update = RollingUpdateDeployment {
        max_surge: Some(IntOrString::parse(surge)),
        max_unavailable: Some(IntOrString::parse(unavailable)),
        ..RollingUpdateDeployment::default()
    };
    let strategy = DeploymentStrategy {
        kind: DeploymentStrategyType::RollingUpdate,
        rolling_update: Some(update),
        ..DeploymentStrategy::default()
    };
    let spec = DeploymentSpec {
        replicas: Some(replicas),
        selector: selector(),
        template: Arc::new(template("web:2")),
        strategy,
        revision_history_limit: Some(10),
        progress_deadline_seconds: Some(600),
        ..DeploymentSpec::default()
    };
    let meta = Meta {
        name: "web".into(),
        namespace: NAMESPACE,
        uid: UID,
        generation: 1,
        annotations: Labels::from([(REVISION, "2")]),
        ..Meta::default()
    };
    Deployment { meta, spec, ..Deployment::default() }
}

pub(crate) fn recreate(replicas: i32) -> Deployment {
    let mut deployment = deployment(replicas, "0", "0");
    deployment.spec.strategy =
        DeploymentStrategy { kind: DeploymentStrategyType::Recreate, ..DeploymentStrategy::default() };
    deployment
}

pub(crate) fn selector() -> LabelSelector {
    LabelSelector { match_labels: Labels::from([("app", "web")]), ..LabelSelector::default() }
}

pub(crate) fn template(image: &str) -> PodTemplate {
    let container = Container { name: "web".into(), image: image.into(), ..Container::default() };
    let spec = PodSpec { containers: vec![container], ..PodSpec::default() };
    let meta = Meta { labels: Labels::from([("app", "web")]), ..Meta::default() };
    PodTemplate { meta, spec: Arc::new(spec), ..PodTemplate::default() }
}

/// The set `web-<version>` of the image `web:<version>`, at that revision, made in that second: `size` pods, of which
/// `available` are.
pub(crate) fn set(version: u32, size: i32, available: i32) -> ReplicaSet {
    let hash = Name::from(format_args!("{version}"));
    let mut template = template(&format!("web:{version}"));
    template.meta.labels.insert(POD_TEMPLATE_HASH, hash.clone());
    let mut selector = selector();
    selector.match_labels.insert(POD_TEMPLATE_HASH, hash.clone());
    let meta = Meta {
        name: Name::from(format_args!("web-{version}")),
        namespace: NAMESPACE,
        uid: Uid(version.into()),
        generation: 1,
        creation_timestamp: Some(Timestamp::from_secs(version.into())),
        labels: template.meta.labels.clone(),
        annotations: Labels::from([(REVISION, hash)]),
        owner_references: [OwnerReference::controller(&Kind::Deployment, &"web".into(), UID)].into(),
        ..Meta::default()
    };
    let spec = ReplicaSetSpec {
        replicas: Some(size),
        selector,
        template: Arc::new(template),
        ..ReplicaSetSpec::default()
    };
    let status = ReplicaSetStatus {
        replicas: size,
        ready_replicas: available,
        available_replicas: available,
        observed_generation: 1,
        ..ReplicaSetStatus::default()
    };
    ReplicaSet { meta, spec, status, ..ReplicaSet::default() }
}

/// Notes on the set for what size of the deployment it was last scaled, and with how many in the surge at most.
pub(crate) fn scaled_for(mut set: ReplicaSet, desired: i32, max: i32) -> ReplicaSet {
    set.meta.annotations.insert(DESIRED_REPLICAS, desired.to_string());
    set.meta.annotations.insert(MAX_REPLICAS, max.to_string());
    set
}

pub(crate) fn pod(name: &str, owner: &ReplicaSet) -> Pod {
    let owner_reference = OwnerReference::controller(&Kind::ReplicaSet, &owner.meta.name, owner.meta.uid);
    let meta = Meta {
        name: name.into(),
        namespace: NAMESPACE,
        uid: Uid(name.bytes().fold(1 << 32, |uid, byte| uid * 256 + u128::from(byte))),
        labels: owner.spec.template.meta.labels.clone(),
        owner_references: [owner_reference].into(),
        ..Meta::default()
    };
    Pod { meta, spec: owner.spec.template.spec.clone(), ..Pod::default() }
}

pub(crate) fn view(objects: impl IntoIterator<Item = Object>) -> View {
    let mut view = View::default();
    objects.into_iter().for_each(|object| {
        view.set(object);
    });
    view
}

pub(crate) fn reconcile(controller: &dyn Controller, view: &View, object: &impl Resource) -> Plan {
    controller.reconcile(&Context { now: NOW, view, settled: true }, &object.key())
}

/// Every write of a plan that goes well, in order.
pub(crate) fn writes(plan: &Plan) -> Vec<&Write> {
    plan.steps.iter().flat_map(|step| &step.writes).collect()
}

/// The last status of a `T` in a plan that goes well.
pub(crate) fn reported<T: Resource + Clone>(plan: &Plan) -> Option<T> {
    let status = |write: &&Write| match &write.request {
        Request::Update { object, sub: Subresource::Status } => object.get::<T>().map(|it| T::clone(it)),
        _ => None,
    };
    writes(plan).iter().rev().find_map(status)
}

/// The sizes that a plan gives to replica sets, by name.
pub(crate) fn sizes(plan: &Plan) -> BTreeMap<Name, i32> {
    let size = |write: &&Write| match &write.request {
        Request::Create { object } | Request::Update { object, sub: Subresource::Main } => {
            object.get::<ReplicaSet>().map(|set| (set.meta.name.clone(), set.replicas()))
        }
        _ => None,
    };
    writes(plan).iter().filter_map(size).collect()
}

/// The messages of the events that come with a plan that goes well.
pub(crate) fn events(plan: &Plan) -> Vec<String> {
    let notes = plan.notes.iter().chain(writes(plan).into_iter().filter_map(|write| write.note.as_ref()));
    notes.map(|note| format!("{}: {}", note.reason, note.message)).collect()
}

/// What a plan asks for, as `verb kind/namespace/name` with the subresource.
pub(crate) fn requests(plan: &Plan) -> Vec<String> {
    let text = |write: &&Write| {
        let request = &write.request;
        format!("{} {} {}", request.verb(), request.key(), request.subresource()).trim().to_owned()
    };
    writes(plan).iter().map(text).collect()
}
