//! Deployments, replica sets and controllers, stateful sets, daemon sets.

use std::sync::Arc;

use api::{DaemonSet, Deployment, Meta, PodTemplate, ReplicaSet, ReplicationController, StatefulSet};
use base::Name;

use super::Strategy;

/// Where a daemon set counts the changes of its template: no field of `apps/v1` holds that any more.
const TEMPLATE_GENERATION: &str = "deprecated.daemonset.template.generation";

impl Strategy for Deployment {
    fn prepare_create(&mut self) {
        self.status = Default::default();
        self.meta.generation = 1;
    }

    fn prepare_update(&mut self, old: &Self) {
        self.status = old.status.clone();
        let changed = self.spec != old.spec || self.meta.annotations != old.meta.annotations;
        self.meta.generation = old.meta.generation + i64::from(changed);
    }

    fn prepare_status(&mut self, old: &Self) {
        self.spec = old.spec.clone();
        self.meta.labels = old.meta.labels.clone();
    }

    fn share(&mut self, old: &Self) {
        share_template(&mut self.spec.template, &old.spec.template);
    }

    fn is_same(&self, other: &Self) -> bool {
        self.status == other.status
            && self.meta == other.meta
            && self.rest == other.rest
            && self.spec == other.spec
    }
}

impl Strategy for ReplicaSet {
    fn prepare_create(&mut self) {
        self.status = Default::default();
        self.meta.generation = 1;
    }

    fn prepare_update(&mut self, old: &Self) {
        self.status = old.status.clone();
        self.meta.generation = old.meta.generation + i64::from(self.spec != old.spec);
    }

    fn prepare_status(&mut self, old: &Self) {
        self.spec = old.spec.clone();
    }

    fn share(&mut self, old: &Self) {
        share_template(&mut self.spec.template, &old.spec.template);
    }

    fn is_same(&self, other: &Self) -> bool {
        self.status == other.status
            && self.meta == other.meta
            && self.rest == other.rest
            && self.spec == other.spec
    }
}

impl Strategy for ReplicationController {
    fn prepare_create(&mut self) {
        self.status = Default::default();
        self.status.replicas = Some(0);
        self.meta.generation = 1;
    }

    fn prepare_update(&mut self, old: &Self) {
        self.status = old.status.clone();
        self.meta.generation = old.meta.generation + i64::from(self.spec != old.spec);
    }

    fn prepare_status(&mut self, old: &Self) {
        self.spec = old.spec.clone();
    }

    fn share(&mut self, old: &Self) {
        if let (Some(new), Some(old)) = (&mut self.spec.template, &old.spec.template) {
            share_template(new, old);
        }
    }
}

impl Strategy for StatefulSet {
    fn prepare_create(&mut self) {
        self.status = Default::default();
        self.meta.generation = 1;
    }

    fn prepare_update(&mut self, old: &Self) {
        self.status = old.status.clone();
        self.meta.generation = old.meta.generation + i64::from(self.spec != old.spec);
    }

    fn prepare_status(&mut self, old: &Self) {
        self.spec = old.spec.clone();
    }

    fn share(&mut self, old: &Self) {
        share_template(&mut self.spec.template, &old.spec.template);
    }
}

impl Strategy for DaemonSet {
    fn prepare_create(&mut self) {
        self.status = Default::default();
        self.meta.generation = 1;
        let template = template_generation(&self.meta).max(1);
        set_template_generation(&mut self.meta, template);
    }

    fn prepare_update(&mut self, old: &Self) {
        self.status = old.status.clone();
        let changed = self.spec.template != old.spec.template;
        let template = template_generation(&old.meta) + i64::from(changed);
        set_template_generation(&mut self.meta, template);
        self.meta.generation = old.meta.generation + i64::from(self.spec != old.spec);
    }

    fn prepare_status(&mut self, old: &Self) {
        self.spec = old.spec.clone();
        set_template_generation(&mut self.meta, template_generation(&old.meta));
    }

    fn share(&mut self, old: &Self) {
        share_template(&mut self.spec.template, &old.spec.template);
    }
}

/// Upstream: `Convert_v1_DaemonSet_To_apps_DaemonSet` in `pkg/apis/apps/v1/conversion.go`.
fn template_generation(meta: &Meta) -> i64 {
    meta.annotation(TEMPLATE_GENERATION).and_then(|it| it.parse().ok()).unwrap_or(0)
}

fn set_template_generation(meta: &mut Meta, generation: i64) {
    let generation = Name::from(format_args!("{generation}"));
    if meta.annotation(TEMPLATE_GENERATION) != Some(&generation) {
        meta.annotations.insert(TEMPLATE_GENERATION, generation);
    }
}

fn share_template(new: &mut Arc<PodTemplate>, old: &Arc<PodTemplate>) {
    if new == old {
        *new = old.clone();
    } else if new.spec == old.spec {
        Arc::make_mut(new).spec = old.spec.clone();
    }
}
