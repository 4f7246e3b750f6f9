//! The pods that come of what a scenario's files hold, as far as that can be told without running it.

use std::sync::Arc;

use api::{
    CronJob, DaemonSet, Deployment, Job, Kind, Labels, Meta, Object, OwnerReference, Pod, PodTemplate,
    ReplicaSet, ReplicationController, StatefulSet, Uid,
};
use base::Name;
use cluster::Action;

use crate::scenario::Scenario;

/// In the place of what a ReplicaSet's pods have from the API server: it depends on the whole template.
const HASH: Name = Name::from_static("0");

/// One pod of each template, and the pods themselves. `None` where a command may remake them in ways that only a run
/// can tell.
pub(crate) fn pods(scenario: &Scenario) -> Option<Vec<Arc<Pod>>> {
    let commands: Vec<_> = (scenario.timeline.iter())
        .filter_map(|it| match &it.action {
            Action::Kubectl(command) => Some(command),
            Action::Fault(_) => None,
        })
        .collect();
    if commands.iter().any(|it| it.may_remake_pods()) {
        return None;
    }
    let applied = commands.iter().flat_map(|it| it.objects());
    let mut pods: Vec<Arc<Pod>> = scenario.snapshot.iter().chain(applied).filter_map(pod_of).collect();
    pods.extend(scenario.pools.iter().flat_map(|it| it.static_pods.iter().cloned()));
    let images: Vec<(String, String)> = commands.iter().flat_map(|it| it.new_images()).collect();
    let updated: Vec<Arc<Pod>> =
        pods.iter().flat_map(|pod| images.iter().filter_map(|it| with_image(pod, it))).collect();
    pods.extend(updated);
    Some(pods)
}

fn pod_of(object: &Object) -> Option<Arc<Pod>> {
    if let Some(pod) = object.get::<Pod>() {
        return Some(Arc::clone(pod));
    }
    if let Some(it) = object.get::<Deployment>() {
        let mut pod = of_template(&it.spec.template, &it.meta, &Kind::ReplicaSet, &suffixed(&it.meta, &HASH));
        pod.meta.labels.insert(api::annotation::POD_TEMPLATE_HASH, HASH);
        return Some(Arc::new(pod));
    }
    if let Some(it) = object.get::<CronJob>() {
        let template = &it.spec.job_template.spec.template;
        return Some(Arc::new(of_template(template, &it.meta, &Kind::Job, &suffixed(&it.meta, "0"))));
    }
    let template = (object.get::<ReplicaSet>().map(|it| &it.spec.template))
        .or_else(|| object.get::<StatefulSet>().map(|it| &it.spec.template))
        .or_else(|| object.get::<DaemonSet>().map(|it| &it.spec.template))
        .or_else(|| object.get::<Job>().map(|it| &it.spec.template))
        .or_else(|| object.get::<ReplicationController>().and_then(|it| it.spec.template.as_ref()))?;
    Some(Arc::new(of_template(template, object.meta(), &object.kind(), &object.meta().name)))
}

fn suffixed(meta: &Meta, suffix: &str) -> Name {
    Name::from(format_args!("{}-{suffix}", meta.name))
}

/// A pod as `owner` would create it for the object of `meta`.
fn of_template(template: &PodTemplate, meta: &Meta, kind: &Kind, owner: &Name) -> Pod {
    let labels: Labels = template.meta.labels.clone();
    let meta = Meta {
        name: meta.name.clone(),
        namespace: meta.namespace.clone(),
        labels,
        owner_references: [OwnerReference::controller(kind, owner, Uid(0))].into(),
        ..Meta::default()
    };
    Pod { meta, spec: template.spec.clone(), ..Pod::default() }
}

/// The pod after `kubectl set image`, if it has such a container.
fn with_image(pod: &Arc<Pod>, (container, image): &(String, String)) -> Option<Arc<Pod>> {
    let is_meant = |name: &Name| container == "*" || name == container.as_str();
    pod.spec.all_containers().find(|it| is_meant(&it.name))?;
    let mut pod = Pod::clone(pod);
    let spec = Arc::make_mut(&mut pod.spec);
    for it in spec.init_containers.iter_mut().chain(&mut spec.containers).filter(|it| is_meant(&it.name)) {
        it.image = Name::new(image);
    }
    Some(Arc::new(pod))
}
