//! One look at one budget.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use api::{LabelSelector, LabelSelectorRequirement, Pod, PodDisruptionBudget, Resource, Selector, Timestamp};
use base::{Name, Span, Time};
use client::{Context, Note, Plan, Requeue};

use super::expected::{Expected, expected_pod_count};
use super::status::{Counts, fail_safe, update_pdb_status};

/// An eviction that was granted and has not led to a deletion by then is taken for failed. Upstream: `DeletionTimeout`.
const DELETION_TIMEOUT: Span = Span::mins(2);

/// Counts, and if that cannot be done, allows nothing. Upstream: `sync`, `failSafe`.
pub(super) fn sync(context: &Context<'_>, budget: &Arc<PodDisruptionBudget>) -> Plan {
    try_sync(context, budget).unwrap_or_else(|Failure { reason, attempt, error }| {
        let message = Name::from(format_args!("Failed to {attempt}: {error}"));
        let note = Note::warning(&budget.clone().into_object(), reason, message);
        Plan { notes: vec![note], ..Plan::write(fail_safe(budget, error, context.now)) }
    })
}

/// What could not be done, and why.
struct Failure {
    reason: &'static str,
    attempt: &'static str,
    error: Name,
}

/// Upstream: `trySync`.
fn try_sync(context: &Context<'_>, budget: &Arc<PodDisruptionBudget>) -> Result<Plan, Failure> {
    let view = context.view;
    let about = budget.clone().into_object();
    let selector =
        selector(budget).map_err(|error| Failure { reason: "NoPods", attempt: "get pods", error })?;
    let pods = view.list_in::<Pod>(&budget.meta.namespace);
    let pods: Vec<_> = pods.filter(|pod| selector.matches(&pod.meta.labels)).collect();
    let expected = expected_pod_count(view, budget, &pods).map_err(|error| {
        let attempt = "calculate the number of expected pods";
        Failure { reason: "CalculateExpectedPodCountFailed", attempt, error }
    })?;
    let mut plan = count(context.now, budget, &pods, expected);
    if expected.has_unmanaged {
        plan.notes.insert(0, Note::warning(&about, "UnmanagedPods", unmanaged(budget)));
    }
    if pods.is_empty() {
        plan.notes.insert(0, Note::normal(&about, "NoPods", Name::from_static("No matching pods found")));
    }
    Ok(plan)
}

fn selector(budget: &PodDisruptionBudget) -> Result<Selector, Name> {
    let compile = |it: &LabelSelector| it.compile().map_err(|error| Name::from(format_args!("{error}")));
    budget.spec.selector.as_ref().map_or(Ok(Selector::Nothing), compile)
}

fn count(now: Time, budget: &PodDisruptionBudget, pods: &[&Arc<Pod>], expected: Expected) -> Plan {
    let announced = sort_disrupted_pods(now, budget, pods);
    let counts = Counts {
        healthy: count_healthy_pods(pods, &announced.pending),
        desired: expected.desired_healthy,
        expected: expected.pods,
    };
    let mut plan = Plan::write(update_pdb_status(budget, counts, announced.pending, now));
    plan.notes = announced.notes;
    plan.requeue = announced.recheck.map_or(Requeue::OnChange, Requeue::After);
    plan
}

/// Pods whose eviction was granted.
#[derive(Debug, Default)]
struct Announced {
    /// Those that may still be deleted in time, and since when.
    pending: BTreeMap<Name, Timestamp>,
    /// When the time of the first one of them runs out.
    recheck: Option<Span>,
    notes: Vec<Note>,
}

/// Upstream: `buildDisruptedPodMap`.
fn sort_disrupted_pods(now: Time, budget: &PodDisruptionBudget, pods: &[&Arc<Pod>]) -> Announced {
    let mut announced = Announced::default();
    for pod in pods.iter().filter(|pod| !pod.is_deleting()) {
        let Some(&since) = budget.status.disrupted_pods.get(&pod.meta.name) else { continue };
        let due = since.time() + DELETION_TIMEOUT;
        if due < now {
            announced.notes.push(not_deleted(budget, pod));
        } else {
            let left = due.since(now);
            announced.recheck = Some(announced.recheck.map_or(left, |it| it.min(left)));
            announced.pending.insert(pod.meta.name.clone(), since);
        }
    }
    announced
}

/// Names the namespace twice, as upstream does.
fn not_deleted(budget: &PodDisruptionBudget, pod: &Arc<Pod>) -> Note {
    let namespace = &budget.meta.namespace;
    let text = format_args!("Pod was expected by PDB {namespace}/{namespace} to be deleted but it wasn't");
    Note::warning(&pod.clone().into_object(), "NotDeleted", Name::from(text))
}

/// Ready pods that are not about to go.
fn count_healthy_pods(pods: &[&Arc<Pod>], pending: &BTreeMap<Name, Timestamp>) -> i32 {
    let is_healthy =
        |pod: &&&Arc<Pod>| !pod.is_deleting() && !pending.contains_key(&pod.meta.name) && pod.is_ready();
    i32::try_from(pods.iter().filter(is_healthy).count()).expect("fewer pods than fit in memory")
}

fn unmanaged(budget: &PodDisruptionBudget) -> Name {
    let selector = budget.spec.selector.as_ref().map_or_else(|| "nil".into(), go_text);
    Name::from(format_args!(
        "Pods selected by this PodDisruptionBudget (selector: {selector}) were found to be unmanaged. As a result, the \
         status of the PDB cannot be calculated correctly, which may result in undefined behavior. To account for these \
         pods please set \".spec.minAvailable\" field of the PDB to an integer value."
    ))
}

/// A selector as Go's generated code prints it.
fn go_text(selector: &LabelSelector) -> String {
    let mut text = "&LabelSelector{MatchLabels:map[string]string{".to_owned();
    for (key, value) in selector.match_labels.iter() {
        write!(text, "{key}: {value},").expect("writing to memory cannot fail");
    }
    text.push_str("},MatchExpressions:[]LabelSelectorRequirement{");
    for LabelSelectorRequirement { key, operator, values, .. } in &selector.match_expressions {
        let values = values.join(" ");
        write!(text, "LabelSelectorRequirement{{Key:{key},Operator:{operator},Values:[{values}],}},")
            .expect("writing to memory cannot fail");
    }
    text + "},}"
}
