//! What extenders answer.
//!
//! As in Go, what is missing or null is empty, the names of fields may be in any case, and unknown fields are
//! passed over. Upstream: `staging/src/k8s.io/kube-scheduler/extender/v1/types.go`.

use std::collections::BTreeMap;

use base::Name;
use serde_json::Value;

use super::error::ExtenderError;

/// What an extender leaves of the nodes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filtered {
    pub nodes: Vec<Name>,
    /// Why the others are out; preemption may help these.
    pub failed: BTreeMap<Name, Name>,
    /// Why these are out, and would stay so; goes before `failed`.
    pub failed_and_unresolvable: BTreeMap<Name, Name>,
}

/// The pods that an extender would have go from a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct MetaVictims {
    pub(super) uids: Vec<String>,
    pub(super) pdb_violations: i64,
}

/// What is wrong with the form of an answer.
type Problem = String;

/// `ExtenderFilterResult`. Names count for who was sent names, and objects for everybody else.
pub(super) fn read_filtered(
    answer: &Value,
    by_name: bool,
) -> Result<Result<Filtered, ExtenderError>, Problem> {
    let failure = read_failure(answer)?;
    let names = field(answer, "NodeNames")?;
    let list = field(answer, "Nodes")?;
    let nodes = match (names, list) {
        (Some(names), _) if by_name => read_names(names)?,
        (_, Some(list)) => read_node_list(list)?,
        (_, None) => Vec::new(),
    };
    let failed = read_reasons(answer, "FailedNodes")?;
    let failed_and_unresolvable = read_reasons(answer, "FailedAndUnresolvableNodes")?;
    Ok(failure.map_or(Ok(Filtered { nodes, failed, failed_and_unresolvable }), Err))
}

/// `HostPriorityList`.
pub(super) fn read_priorities(answer: &Value) -> Result<Vec<(Name, i64)>, Problem> {
    let read = |it: &Value| {
        let host = field(it, "Host")?.map_or(Ok(""), |it| text(it, "Host"))?;
        let score = field(it, "Score")?.map_or(Ok(0), |it| number(it, "Score"))?;
        Ok((Name::new(host), score))
    };
    list(answer, "the list of priorities")?.iter().map(read).collect()
}

/// `ExtenderPreemptionResult`.
pub(super) fn read_victims(answer: &Value) -> Result<BTreeMap<Name, MetaVictims>, Problem> {
    const FIELD: &str = "NodeNameToMetaVictims";
    let Some(victims) = field(answer, FIELD)? else { return Ok(BTreeMap::new()) };
    let nodes = victims.as_object().ok_or_else(|| wrong(victims, FIELD, "an object"))?;
    nodes.iter().map(|(node, it)| Ok((Name::new(node), read_meta_victims(it)?))).collect()
}

/// `ExtenderBindingResult`.
pub(super) fn read_bound(answer: &Value) -> Result<Result<(), ExtenderError>, Problem> {
    Ok(read_failure(answer)?.map_or(Ok(()), Err))
}

/// An extender that failed says so in `Error`.
fn read_failure(answer: &Value) -> Result<Option<ExtenderError>, Problem> {
    let said = field(answer, "Error")?.map_or(Ok(""), |it| text(it, "Error"))?;
    Ok((!said.is_empty()).then(|| ExtenderError::Failed(said.into())))
}

fn read_names(names: &Value) -> Result<Vec<Name>, Problem> {
    list(names, "NodeNames")?.iter().map(|it| text(it, "NodeNames").map(Name::new)).collect()
}

fn read_node_list(nodes: &Value) -> Result<Vec<Name>, Problem> {
    let read = |it: &Value| {
        let meta = field(it, "metadata")?.unwrap_or(&Value::Null);
        let name = field(meta, "name")?.map_or(Ok(""), |it| text(it, "name"))?;
        Ok(Name::new(name))
    };
    let items = field(nodes, "items")?.unwrap_or(&Value::Null);
    list(items, "items")?.iter().map(read).collect()
}

fn read_reasons(answer: &Value, name: &str) -> Result<BTreeMap<Name, Name>, Problem> {
    let Some(reasons) = field(answer, name)? else { return Ok(BTreeMap::new()) };
    let nodes = reasons.as_object().ok_or_else(|| wrong(reasons, name, "an object"))?;
    nodes.iter().map(|(node, it)| Ok((Name::new(node), Name::new(text(it, name)?)))).collect()
}

fn read_meta_victims(victims: &Value) -> Result<MetaVictims, Problem> {
    let read = |it: &Value| Ok(field(it, "UID")?.map_or(Ok(""), |it| text(it, "UID"))?.to_owned());
    let pods = field(victims, "Pods")?.unwrap_or(&Value::Null);
    let uids = list(pods, "Pods")?.iter().map(read).collect::<Result<_, Problem>>()?;
    let count = field(victims, "NumPDBViolations")?;
    Ok(MetaVictims { uids, pdb_violations: count.map_or(Ok(0), |it| number(it, "NumPDBViolations"))? })
}

/// The field of this name, or else of this name in another case.
fn field<'a>(object: &'a Value, name: &str) -> Result<Option<&'a Value>, Problem> {
    if object.is_null() {
        return Ok(None);
    }
    let map =
        object.as_object().ok_or_else(|| format!("expected an object with `{name}`, found {object}"))?;
    let other_case = || map.iter().rfind(|(it, _)| it.eq_ignore_ascii_case(name)).map(|(_, it)| it);
    Ok(map.get(name).or_else(other_case).filter(|it| !it.is_null()))
}

fn list<'a>(value: &'a Value, name: &str) -> Result<&'a [Value], Problem> {
    let items = if value.is_null() { Some([].as_slice()) } else { value.as_array().map(Vec::as_slice) };
    items.ok_or_else(|| wrong(value, name, "a list"))
}

fn text<'a>(value: &'a Value, name: &str) -> Result<&'a str, Problem> {
    let text = if value.is_null() { Some("") } else { value.as_str() };
    text.ok_or_else(|| wrong(value, name, "a text"))
}

fn number(value: &Value, name: &str) -> Result<i64, Problem> {
    value.as_i64().ok_or_else(|| wrong(value, name, "a whole number"))
}

fn wrong(value: &Value, name: &str, expected: &str) -> Problem {
    format!("`{name}`: expected {expected}, found {value}")
}
