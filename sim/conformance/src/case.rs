//! One case of a recording, as a line of its file holds it.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::{Kind, Object, Pod};
use base::Name;
use scheduler::config::Configuration;
use scheduler::{NAME, Profile};
use serde::Deserialize;
use serde_json::Value;

use crate::record::Record;

/// A cluster, pods to schedule, and what upstream made of them.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) options: Options,
    pub(crate) profile: Profile,
    /// Nodes first, pods last; otherwise as in the file.
    pub(crate) objects: Vec<Object>,
    pub(crate) pods: Vec<Arc<Pod>>,
    /// By score plugin.
    pub(crate) weights: BTreeMap<Name, i64>,
    pub(crate) expect: Vec<Record>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Options {
    pub(crate) order: Order,
    pub(crate) eviction: Eviction,
}

/// In which order pods are tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Order {
    /// As they are listed.
    List,
    /// The greatest priority first, otherwise as they are listed.
    Queue,
}

/// What becomes of victims of preemption.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Eviction {
    /// They are gone at once, and the same pod is tried again.
    Immediate,
    /// They stay for a while.
    Graceful,
}

/// Why a line is no case.
#[derive(Debug, thiserror::Error)]
pub enum CaseError {
    #[error("not a case of a recording: {0}")]
    Format(String),
    #[error("recorded from Kubernetes `{0}`; only v1.34 can be compared with")]
    Version(String),
    #[error("`objects` has `{0}`, which is no kind of object")]
    UnknownKind(String),
    #[error("object {number} of `{list}`: {source}")]
    Object { list: String, number: usize, source: serde_json::Error },
    #[error("`config`: {0}")]
    Config(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    name: String,
    #[serde(rename = "family")]
    _family: String,
    kubernetes: String,
    config: Option<Value>,
    options: Options,
    objects: BTreeMap<String, Vec<Value>>,
    pods: Vec<Value>,
    weights: BTreeMap<Name, i64>,
    expect: Vec<Record>,
}

impl Case {
    pub(crate) fn parse(line: &str) -> Result<Self, CaseError> {
        let line: Line =
            serde_json::from_str(line).map_err(|error| CaseError::Format(in_one_line(&error)))?;
        if !line.kubernetes.starts_with("v1.34.") {
            return Err(CaseError::Version(line.kubernetes));
        }
        let pods = read_list("pods", &Kind::Pod, line.pods)?;
        let mut expect = line.expect;
        expect.iter_mut().for_each(Record::sort);
        Ok(Self {
            name: line.name,
            options: line.options,
            profile: read_profile(line.config.as_ref())?,
            objects: read_objects(line.objects)?,
            pods: pods.iter().filter_map(|it| it.get::<Pod>().cloned()).collect(),
            weights: line.weights,
            expect,
        })
    }
}

/// There is but one line, and its number in the file is told besides.
fn in_one_line(error: &serde_json::Error) -> String {
    error.to_string().replace(" at line 1 column ", " at column ")
}

fn read_profile(config: Option<&Value>) -> Result<Profile, CaseError> {
    let mut profile = match config {
        None => Profile::with_defaults(Name::from_static(NAME)),
        Some(config) => {
            let configuration = Configuration::from_value(config).map_err(|errors| {
                let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
                CaseError::Config(errors.join("; "))
            })?;
            let [profile] = configuration.profiles.as_slice() else {
                return Err(CaseError::Config("expected one profile".into()));
            };
            Profile::configured(profile)
        }
    };
    profile.percentage_of_nodes_to_score = 100;
    Ok(profile)
}

fn read_objects(lists: BTreeMap<String, Vec<Value>>) -> Result<Vec<Object>, CaseError> {
    let mut lists: Vec<(Kind, String, Vec<Value>)> = lists
        .into_iter()
        .map(|(list, values)| match Kind::from_word(&list) {
            Some(kind) => Ok((kind, list, values)),
            None => Err(CaseError::UnknownKind(list)),
        })
        .collect::<Result<_, _>>()?;
    lists.sort_by_key(|(kind, ..)| match kind {
        Kind::Node => 0,
        Kind::Pod => 2,
        _ => 1,
    });
    let mut objects = Vec::new();
    for (kind, list, values) in lists {
        objects.extend(read_list(&list, &kind, values)?);
    }
    Ok(objects)
}

fn read_list(list: &str, kind: &Kind, values: Vec<Value>) -> Result<Vec<Object>, CaseError> {
    let read = |(idx, value)| {
        Object::from_json(kind, value).map_err(|source| CaseError::Object {
            list: list.into(),
            number: idx + 1,
            source,
        })
    };
    values.into_iter().enumerate().map(read).collect()
}
