//! How far a rollout has come, as `kubectl rollout status` tells it.
//!
//! Upstream: `staging/src/k8s.io/kubectl/pkg/polymorphichelpers/rollout_status.go`.

use api::{DaemonSet, Deployment, Key, Kind, StatefulSet};

use crate::expect::functions::{absent, read_name};
use crate::expect::tables::Tables;

/// Kinds that roll out.
pub(crate) const KINDS: [Kind; 3] = [Kind::Deployment, Kind::StatefulSet, Kind::DaemonSet];

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    Done,
    /// What is being waited for.
    Waiting(String),
}

impl Progress {
    pub(crate) fn is_done(&self) -> bool {
        *self == Self::Done
    }
}

/// What is meant by `web`, `shop/web`, `daemonset/agent` or `daemonset/shop/agent`: a deployment if no kind is named.
pub(crate) fn read_target(text: &str) -> Result<Key, String> {
    if let Some((word, name)) = text.split_once('/')
        && let Some(kind) = Kind::from_word(word).filter(|it| KINDS.contains(it))
    {
        return read_name(&kind, name);
    }
    read_name(&Kind::Deployment, text)
}

/// How far the rollout of what `text` names has come.
pub(crate) fn progress(text: &str, tables: &Tables) -> Result<Progress, String> {
    let key = read_target(text)?;
    let found = tables.find(&key.kind, &key.namespace, &key.name).ok_or_else(|| absent(&key))?;
    let object = found.object();
    let progress = (object.get::<Deployment>().map(|it| of_deployment(it)))
        .or_else(|| object.get::<StatefulSet>().map(|it| of_stateful_set(it)))
        .or_else(|| object.get::<DaemonSet>().map(|it| of_daemon_set(it)));
    progress.ok_or_else(|| format!("a {} does not roll out", key.kind.singular()))?
}

fn waiting(text: impl Into<String>) -> Result<Progress, String> {
    Ok(Progress::Waiting(text.into()))
}

const UNOBSERVED: &str = "its latest change has not been observed yet";

fn of_deployment(it: &Deployment) -> Result<Progress, String> {
    let status = &it.status;
    if status.observed_generation < it.meta.generation {
        return waiting(UNOBSERVED);
    }
    if it.condition("Progressing").is_some_and(|it| it.reason == "ProgressDeadlineExceeded") {
        return Err(format!("deployment {} exceeded its progress deadline", it.meta.name));
    }
    let (updated, wanted) = (status.updated_replicas, it.replicas());
    if updated < wanted {
        return waiting(format!("{updated} of {wanted} new replicas have been updated"));
    }
    if updated < status.replicas {
        return waiting(format!("{} old replicas are still there", status.replicas - updated));
    }
    let available = status.available_replicas;
    if available < updated {
        return waiting(format!("{available} of {updated} updated replicas are available"));
    }
    Ok(Progress::Done)
}

fn of_stateful_set(it: &StatefulSet) -> Result<Progress, String> {
    let strategy = it.spec.update_strategy.kind.as_str();
    if strategy == "OnDelete" {
        return Err("rollout status is only available for RollingUpdate".into());
    }
    let status = &it.status;
    if status.observed_generation == 0 || status.observed_generation < it.meta.generation {
        return waiting(UNOBSERVED);
    }
    let wanted = it.spec.replicas.unwrap_or(1);
    if status.ready_replicas < wanted {
        return waiting(format!("{} of {wanted} pods are ready", status.ready_replicas));
    }
    let rolling = it.spec.update_strategy.rolling_update.as_ref();
    if let Some(partition) = rolling.and_then(|it| it.partition) {
        let new = wanted - partition;
        if status.updated_replicas < new {
            return waiting(format!("{} of {new} new pods have been updated", status.updated_replicas));
        }
        return Ok(Progress::Done);
    }
    if status.update_revision != status.current_revision {
        return waiting(format!("{} pods are at the new revision", status.updated_replicas));
    }
    Ok(Progress::Done)
}

fn of_daemon_set(it: &DaemonSet) -> Result<Progress, String> {
    if it.spec.update_strategy.kind.as_str() == "OnDelete" {
        return Err("rollout status is only available for RollingUpdate".into());
    }
    let status = &it.status;
    if status.observed_generation < it.meta.generation {
        return waiting(UNOBSERVED);
    }
    let wanted = status.desired_number_scheduled;
    if status.updated_number_scheduled < wanted {
        return waiting(format!(
            "{} of {wanted} new pods have been updated",
            status.updated_number_scheduled
        ));
    }
    if status.number_available < wanted {
        return waiting(format!("{} of {wanted} updated pods are available", status.number_available));
    }
    Ok(Progress::Done)
}
