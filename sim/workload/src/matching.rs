//! Which containers a rule is about.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use api::{Container, GoDuration, Labels, OwnerReference, Pod, RestartPolicy};
use base::{Name, Span};
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, de};

use crate::glob::{Glob, GlobError};

/// All that is given must match; nothing given matches everything.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Match {
    /// The image as the container names it; one without a tag also matches as `…:latest`.
    pub image: Option<Glob>,
    pub namespace: Option<Glob>,
    /// Of the pod.
    pub labels: BTreeMap<Name, Glob>,
    pub container: Option<Glob>,
    pub owner: Option<OwnerGlob>,
    /// The node that it runs on.
    pub node: Option<NodeMatch>,
    /// Of the run: containers that start from here on …
    #[serde(deserialize_with = "moment")]
    pub from: Option<Span>,
    /// … and before this.
    #[serde(deserialize_with = "moment")]
    pub until: Option<Span>,
}

/// `general-*`, or all that is given of `{name: general-*, pool: general, labels: {disk: ssd}}`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NodeMatch {
    pub name: Option<Glob>,
    pub pool: Option<Glob>,
    pub labels: BTreeMap<Name, Glob>,
}

/// Where and when a container starts. What is not known does not match where a rule asks for it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Place<'a> {
    /// The node's name and labels.
    pub node: Option<(&'a str, &'a Labels)>,
    /// Since the start of the run.
    pub at: Option<Span>,
}

/// `web` or `Deployment/web`: the pod's controlling owner, or that owner's Deployment or CronJob.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnerGlob {
    /// In any case; `None` means of any kind.
    pub kind: Option<Name>,
    pub name: Glob,
}

/// A container of a pod, to be asked about.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    pub pod: &'a Pod,
    pub container: &'a Container,
    /// One of `spec.initContainers`, sidecars included.
    pub is_init: bool,
}

/// What a container is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Serves until it is stopped.
    Service,
    /// Prepares the pod and exits.
    Init,
    /// Does the work of a Job and exits.
    Batch,
}

impl Subject<'_> {
    pub fn role(&self) -> Role {
        if self.is_init {
            return if self.container.is_sidecar() { Role::Service } else { Role::Init };
        }
        let is_finite =
            matches!(self.pod.spec.restart_policy, RestartPolicy::OnFailure | RestartPolicy::Never);
        let of_job = self.pod.meta.controller().is_some_and(|it| it.kind == "Job");
        if is_finite && of_job { Role::Batch } else { Role::Service }
    }
}

impl Match {
    pub fn matches(&self, subject: &Subject<'_>, place: &Place<'_>) -> bool {
        self.matches_subject(subject) && self.matches_place(place)
    }

    /// Whether it also asks where or when a container starts.
    pub fn has_place(&self) -> bool {
        self.node.is_some() || self.from.is_some() || self.until.is_some()
    }

    fn matches_place(&self, place: &Place<'_>) -> bool {
        let is_on = |it: &NodeMatch| place.node.is_some_and(|(name, labels)| it.matches(name, labels));
        self.node.as_ref().is_none_or(is_on)
            && self.from.is_none_or(|from| place.at.is_some_and(|at| from <= at))
            && self.until.is_none_or(|until| place.at.is_some_and(|at| at < until))
    }

    /// Whether it matches, wherever and whenever the container starts.
    pub fn matches_subject(&self, subject: &Subject<'_>) -> bool {
        let Subject { pod, container, .. } = subject;
        let allows = |glob: &Option<Glob>, text: &str| glob.as_ref().is_none_or(|it| it.matches(text));
        allows(&self.container, &container.name)
            && allows(&self.namespace, &pod.meta.namespace)
            && self.image.as_ref().is_none_or(|it| matches_image(it, &container.image))
            && self.labels.iter().all(|(key, glob)| pod.meta.label(key).is_some_and(|it| glob.matches(it)))
            && self.owner.as_ref().is_none_or(|it| it.matches(pod))
    }
}

impl NodeMatch {
    pub fn matches(&self, name: &str, labels: &Labels) -> bool {
        let has = |key: &str, glob: &Glob| labels.get(key).is_some_and(|it| glob.matches(it));
        self.name.as_ref().is_none_or(|it| it.matches(name))
            && self.pool.as_ref().is_none_or(|it| has(POOL_LABEL, it))
            && self.labels.iter().all(|(key, glob)| has(key, glob))
    }
}

/// Nodes of a scenario's pool carry it.
pub(crate) const POOL_LABEL: &str = "wavetank.dev/pool";

pub(crate) fn matches_image(glob: &Glob, image: &str) -> bool {
    glob.matches(image) || (!has_tag(image) && glob.matches(&format!("{image}:latest")))
}

/// Whether an image name ends in a tag or digest: `registry:5000/web` has neither.
pub(crate) fn has_tag(image: &str) -> bool {
    let last = image.rsplit('/').next().unwrap_or(image);
    last.contains([':', '@'])
}

impl OwnerGlob {
    pub(crate) fn matches(&self, pod: &Pod) -> bool {
        let Some(owner) = pod.meta.controller() else { return false };
        let is_kind = |kind: &str| self.kind.as_ref().is_none_or(|it| it.eq_ignore_ascii_case(kind));
        if is_kind(&owner.kind) && self.name.matches(&owner.name) {
            return true;
        }
        owner_of(owner, pod).is_some_and(|(kind, name)| is_kind(kind) && self.name.matches(name))
    }
}

/// `Deployment/web`: what stands behind a pod, as far as its names tell; the pod itself where nothing does.
pub fn top_owner(pod: &Pod) -> Name {
    let Some(owner) = pod.meta.controller() else { return Name::from(format_args!("Pod/{}", pod.meta.name)) };
    match owner_of(owner, pod) {
        Some((kind, name)) => Name::from(format_args!("{kind}/{name}")),
        None => Name::from(format_args!("{}/{}", owner.kind, owner.name)),
    }
}

/// The owner's owner, as far as its name tells: a Deployment puts the template's hash behind its own name, a
/// CronJob a number.
fn owner_of<'a>(owner: &'a OwnerReference, pod: &Pod) -> Option<(&'static str, &'a str)> {
    let (name, suffix) = owner.name.as_str().rsplit_once('-')?;
    match owner.kind.as_str() {
        "ReplicaSet" if pod.meta.label("pod-template-hash").is_some_and(|it| it == suffix) => {
            Some(("Deployment", name))
        }
        "Job" if !suffix.is_empty() && suffix.bytes().all(|it| it.is_ascii_digit()) => {
            Some(("CronJob", name))
        }
        _ => None,
    }
}

impl<'de> Deserialize<'de> for NodeMatch {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = NodeMatch;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a node such as `general-*`, or `{pool: general}`")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<NodeMatch, E> {
        Ok(NodeMatch { name: Some(text.parse().map_err(E::custom)?), ..NodeMatch::default() })
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<NodeMatch, A::Error> {
        #[derive(Default, Deserialize)]
        #[serde(rename_all = "camelCase", deny_unknown_fields, default)]
        struct Fields {
            name: Option<Glob>,
            pool: Option<Glob>,
            labels: BTreeMap<Name, Glob>,
        }
        let Fields { name, pool, labels } = Fields::deserialize(MapAccessDeserializer::new(map))?;
        Ok(NodeMatch { name, pool, labels })
    }
}

fn moment<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Span>, D::Error> {
    GoDuration::deserialize(deserializer)?.try_into().map(Some).map_err(de::Error::custom)
}

impl FromStr for OwnerGlob {
    type Err = GlobError;

    fn from_str(text: &str) -> Result<Self, GlobError> {
        let (kind, name) = text.split_once('/').map_or((None, text), |(kind, name)| (Some(kind), name));
        Ok(Self { kind: kind.map(Name::new), name: name.parse()? })
    }
}

impl fmt::Display for OwnerGlob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Some(kind) => write!(f, "{kind}/{}", self.name),
            None => write!(f, "{}", self.name),
        }
    }
}

impl<'de> Deserialize<'de> for OwnerGlob {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Name::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use api::{Kind, Meta, Uid};
    use serde_json::json;

    use super::*;

    fn pod(owner: &Kind, name: &str, hash: &str) -> Pod {
        let meta = Meta {
            namespace: Name::new("shop"),
            labels: [("app", "web"), ("pod-template-hash", hash)].into(),
            owner_references: [OwnerReference::controller(owner, &Name::new(name), Uid(1))].into(),
            ..Meta::default()
        };
        Pod { meta, ..Pod::default() }
    }

    #[test]
    fn all_that_is_given_must_match() {
        let pod = pod(&Kind::ReplicaSet, "web-7d9f", "7d9f");
        let container =
            Container { name: Name::new("main"), image: Name::new("shop/web"), ..Container::default() };
        let subject = Subject { pod: &pod, container: &container, is_init: false };
        for (rule, is_match) in [
            (json!({}), true),
            (json!({"image": "shop/web:*"}), true),
            (json!({"image": "shop/web:v1"}), false),
            (json!({"namespace": "shop", "labels": {"app": "w*"}, "container": "main"}), true),
            (json!({"namespace": "shop", "labels": {"tier": "*"}}), false),
            (json!({"owner": "web"}), true),
            (json!({"owner": "deployment/web"}), true),
            (json!({"owner": "ReplicaSet/web-*"}), true),
            (json!({"owner": "StatefulSet/web"}), false),
        ] {
            let matching: Match = serde_json::from_value(rule.clone()).unwrap();
            assert_eq!(matching.matches(&subject, &Place::default()), is_match, "{rule}");
        }
    }

    #[test]
    fn a_rule_can_be_about_a_node_or_a_time() {
        let (pod, container) = (Pod::default(), Container::default());
        let subject = Subject { pod: &pod, container: &container, is_init: false };
        let labels: Labels = [(POOL_LABEL, "general"), ("disk", "ssd")].into();
        let place = Place { node: Some(("general-3", &labels)), at: Some(Span::secs(60)) };
        for (rule, is_match) in [
            (json!({"node": "general-*"}), true),
            (json!({"node": "other-*"}), false),
            (json!({"node": {"pool": "general", "labels": {"disk": "s*"}}}), true),
            (json!({"node": {"labels": {"gpu": "*"}}}), false),
            (json!({"from": "60s", "until": "61s"}), true),
            (json!({"from": "61s"}), false),
            (json!({"until": "60s"}), false),
        ] {
            let matching: Match = serde_json::from_value(rule.clone()).unwrap();
            assert_eq!(matching.matches(&subject, &place), is_match, "{rule}");
            assert!(!matching.matches(&subject, &Place::default()), "nothing is known of {rule}");
        }
    }

    #[test]
    fn a_cron_job_is_known_by_the_number_of_its_job() {
        let pod = pod(&Kind::Job, "backup-29000000", "");
        assert!("CronJob/backup".parse::<OwnerGlob>().unwrap().matches(&pod));
        assert!(!"Deployment/backup".parse::<OwnerGlob>().unwrap().matches(&pod));
    }

    #[test]
    fn a_port_is_not_a_tag() {
        assert!(!has_tag("registry:5000/web"));
        assert!(has_tag("registry:5000/web:v1") && has_tag("web@sha256:00"));
    }
}
