//! What runs pods from a template.
//!
//! Upstream: `pkg/apis/apps/v1/defaults.go`, `pkg/apis/core/v1/defaults.go`.

use std::sync::Arc;

use base::Name;

use super::storage::apply_to_claim;
use super::{fill_name, template_spec};
use crate::apps::{Deployment, DeploymentStrategyType, ReplicaSet};
use crate::int_or_string::IntOrString;
use crate::pod::PodTemplate;
use crate::replication_controller::ReplicationController;
use crate::sets::{DaemonSet, StatefulSet};

const HISTORY_LIMIT: i32 = 10;
/// In seconds.
const PROGRESS_DEADLINE: i32 = 600;

pub(super) fn apply_to_deployment(deployment: &mut Deployment) {
    let spec = &mut deployment.spec;
    fill_template(&mut spec.template);
    spec.replicas.get_or_insert(1);
    if spec.strategy.kind.is_unset() {
        spec.strategy.kind = DeploymentStrategyType::RollingUpdate;
    }
    if spec.strategy.kind == DeploymentStrategyType::RollingUpdate {
        let rolling = spec.strategy.rolling_update.get_or_insert_default();
        rolling.max_unavailable.get_or_insert("25%".into());
        rolling.max_surge.get_or_insert("25%".into());
    }
    spec.revision_history_limit.get_or_insert(HISTORY_LIMIT);
    spec.progress_deadline_seconds.get_or_insert(PROGRESS_DEADLINE);
}

pub(super) fn apply_to_replica_set(set: &mut ReplicaSet) {
    fill_template(&mut set.spec.template);
    set.spec.replicas.get_or_insert(1);
}

/// Its selector and labels follow from those of its template. Upstream: `SetDefaults_ReplicationController`.
pub(super) fn apply_to_replication_controller(controller: &mut ReplicationController) {
    controller.spec.replicas.get_or_insert(1);
    let Some(template) = &mut controller.spec.template else { return };
    fill_template(template);
    for labels in [&mut controller.spec.selector, &mut controller.meta.labels] {
        if labels.is_empty() {
            *labels = template.meta.labels.clone();
        }
    }
}

pub(super) fn apply_to_daemon_set(set: &mut DaemonSet) {
    let spec = &mut set.spec;
    fill_template(&mut spec.template);
    fill_name(&mut spec.update_strategy.kind, "RollingUpdate");
    if spec.update_strategy.kind == "RollingUpdate" {
        let rolling = spec.update_strategy.rolling_update.get_or_insert_default();
        rolling.max_unavailable.get_or_insert(IntOrString::Int(1));
        rolling.max_surge.get_or_insert(IntOrString::Int(0));
    }
    spec.revision_history_limit.get_or_insert(HISTORY_LIMIT);
}

pub(super) fn apply_to_stateful_set(set: &mut StatefulSet) {
    let spec = &mut set.spec;
    fill_template(&mut spec.template);
    spec.volume_claim_templates.iter_mut().for_each(apply_to_claim);
    fill_name(&mut spec.pod_management_policy, "OrderedReady");
    if spec.update_strategy.kind.is_empty() {
        spec.update_strategy.kind = Name::from_static("RollingUpdate");
        spec.update_strategy.rolling_update.get_or_insert_default();
    }
    if spec.update_strategy.kind == "RollingUpdate"
        && let Some(rolling) = &mut spec.update_strategy.rolling_update
    {
        rolling.partition.get_or_insert(0);
    }
    let retention = spec.persistent_volume_claim_retention_policy.get_or_insert_default();
    fill_name(&mut retention.when_deleted, "Retain");
    fill_name(&mut retention.when_scaled, "Retain");
    spec.replicas.get_or_insert(1);
    spec.revision_history_limit.get_or_insert(HISTORY_LIMIT);
}

pub(super) fn fill_template(template: &mut Arc<PodTemplate>) {
    if let Some(spec) = template_spec(&template.spec) {
        Arc::make_mut(template).spec = spec;
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_replication_controller_takes_its_selector_and_labels_from_its_template() {
        let template = json!({"metadata": {"labels": {"app": "web"}}});
        let mut controller: ReplicationController =
            serde_json::from_value(json!({"spec": {"template": template}})).expect("the right types");
        apply_to_replication_controller(&mut controller);
        assert_eq!(controller.replicas(), 1);
        assert_eq!(controller.spec.selector.get("app"), Some(&"web".into()));
        assert_eq!(controller.meta.labels, controller.spec.selector);
        assert_eq!(controller.spec.template.expect("a template").spec.scheduler_name, "default-scheduler");

        let mut stated: ReplicationController =
            serde_json::from_value(json!({"spec": {"selector": {"a": "b"}, "template": template}}))
                .expect("the right types");
        apply_to_replication_controller(&mut stated);
        assert_eq!(stated.spec.selector.get("app"), None);
    }
}
