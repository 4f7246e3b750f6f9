//! What changed in the objects that make pods, or hold them together.

use std::sync::Arc;

use api::{Container, Deployment, EndpointSlice, Job, Object, PodTemplate, ReplicaSet, StatefulSet};

use super::Line;

pub(super) fn creation(line: &mut Line, new: &Object) {
    let replicas = new
        .get::<Deployment>()
        .map(|it| it.replicas())
        .or_else(|| new.get::<ReplicaSet>().map(|it| it.replicas()))
        .or_else(|| new.get::<StatefulSet>().map(|it| it.spec.replicas.unwrap_or(1)));
    if let Some(replicas) = replicas {
        line.item("replicas ");
        line.append(replicas);
    }
}

pub(super) fn changes(line: &mut Line, old: &Object, new: &Object) {
    match (old, new) {
        (Object::Deployment(old), Object::Deployment(new)) => deployment(line, old, new),
        (Object::ReplicaSet(old), Object::ReplicaSet(new)) => replica_set(line, old, new),
        (Object::StatefulSet(old), Object::StatefulSet(new)) => stateful_set(line, old, new),
        (Object::Job(old), Object::Job(new)) => job(line, old, new),
        (Object::EndpointSlice(old), Object::EndpointSlice(new)) => endpoint_slice(line, old, new),
        (Object::Namespace(old), Object::Namespace(new)) => {
            line.word("phase", &old.status.phase, &new.status.phase);
        }
        (Object::PodDisruptionBudget(old), Object::PodDisruptionBudget(new)) => {
            line.other("spec", &old.spec, &new.spec);
            let (old, new) = (&old.status, &new.status);
            line.value("currentHealthy", &old.current_healthy, &new.current_healthy);
            line.value("disruptionsAllowed", &old.disruptions_allowed, &new.disruptions_allowed);
        }
        (Object::HorizontalPodAutoscaler(old), Object::HorizontalPodAutoscaler(new)) => {
            line.other("spec", &old.spec, &new.spec);
            line.value("desiredReplicas", &old.status.desired_replicas, &new.status.desired_replicas);
        }
        (Object::DaemonSet(old), Object::DaemonSet(new)) => {
            template(line, &old.spec.template, &new.spec.template);
            let (old, new) = (&old.status, &new.status);
            line.value("desired", &old.desired_number_scheduled, &new.desired_number_scheduled);
            line.value("updated", &old.updated_number_scheduled, &new.updated_number_scheduled);
            line.value("ready", &old.number_ready, &new.number_ready);
        }
        (Object::ReplicationController(old), Object::ReplicationController(new)) => {
            line.value("replicas", &old.replicas(), &new.replicas());
            line.other("template", &old.spec.template, &new.spec.template);
            line.other("status", &old.status, &new.status);
        }
        _ => (),
    }
}

fn deployment(line: &mut Line, old: &Deployment, new: &Deployment) {
    line.value("replicas", &old.replicas(), &new.replicas());
    line.value("paused", &old.spec.paused, &new.spec.paused);
    line.other("strategy", &old.spec.strategy, &new.spec.strategy);
    template(line, &old.spec.template, &new.spec.template);
    let (old, new) = (&old.status, &new.status);
    line.value("status.replicas", &old.replicas, &new.replicas);
    line.value("updated", &old.updated_replicas, &new.updated_replicas);
    line.value("ready", &old.ready_replicas, &new.ready_replicas);
    line.value("available", &old.available_replicas, &new.available_replicas);
    line.conditions(&old.conditions, &new.conditions);
}

fn replica_set(line: &mut Line, old: &ReplicaSet, new: &ReplicaSet) {
    line.value("replicas", &old.replicas(), &new.replicas());
    template(line, &old.spec.template, &new.spec.template);
    let (old, new) = (&old.status, &new.status);
    line.value("status.replicas", &old.replicas, &new.replicas);
    line.value("ready", &old.ready_replicas, &new.ready_replicas);
    line.value("available", &old.available_replicas, &new.available_replicas);
    line.conditions(&old.conditions, &new.conditions);
}

fn stateful_set(line: &mut Line, old: &StatefulSet, new: &StatefulSet) {
    line.value("replicas", &old.spec.replicas.unwrap_or(1), &new.spec.replicas.unwrap_or(1));
    template(line, &old.spec.template, &new.spec.template);
    let (old, new) = (&old.status, &new.status);
    line.value("status.replicas", &old.replicas, &new.replicas);
    line.value("updated", &old.updated_replicas, &new.updated_replicas);
    line.value("ready", &old.ready_replicas, &new.ready_replicas);
    line.word("updateRevision", &old.update_revision, &new.update_revision);
}

fn job(line: &mut Line, old: &Job, new: &Job) {
    line.value("suspend", &old.spec.suspend.unwrap_or(false), &new.spec.suspend.unwrap_or(false));
    let (old, new) = (&old.status, &new.status);
    line.value("active", &old.active, &new.active);
    line.value("succeeded", &old.succeeded, &new.succeeded);
    line.value("failed", &old.failed, &new.failed);
    line.conditions(&old.conditions, &new.conditions);
}

fn endpoint_slice(line: &mut Line, old: &EndpointSlice, new: &EndpointSlice) {
    let ready = |slice: &EndpointSlice| {
        slice.endpoints.iter().filter(|it| it.conditions.ready.unwrap_or(true)).count() // Unset means ready.
    };
    line.value("endpoints", &old.endpoints.len(), &new.endpoints.len());
    line.value("ready", &ready(old), &ready(new));
}

/// The images that changed, or else that something did.
fn template(line: &mut Line, old: &Arc<PodTemplate>, new: &Arc<PodTemplate>) {
    if Arc::ptr_eq(old, new) || old == new {
        return;
    }
    let find =
        |name: &str| -> Option<&Container> { old.spec.all_containers().find(|it| it.name.as_str() == name) };
    let changed = |new: &&Container| find(&new.name).is_some_and(|old| old.image != new.image);
    let mut any = false;
    for container in new.spec.all_containers().filter(changed) {
        any = true;
        let before = find(&container.name).map_or("", |it| it.image.as_str());
        line.item("image of ");
        line.append(format_args!("{} {before}→{}", container.name, container.image));
    }
    if !any {
        line.item("template changed");
    }
}
