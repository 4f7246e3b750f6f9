//! The ConfigMaps and Secrets that a pod refers to: what must be there before a volume can be mounted, or before a
//! container can be configured; and the secrets that images are pulled with.
//!
//! Upstream's kubelet watches each of these objects while a pod on the node refers to it. Ours asks for them when
//! they matter, which is when a volume is mounted and when a container is created; these requests pass by its limit.
//!
//! Upstream: `pkg/kubelet/kubelet_pods.go` (`makeEnvironmentVariables`),
//! `pkg/volume/{configmap,secret,projected}`, `pkg/kubelet/util/manager/watch_based_manager.go`.

use std::sync::Arc;

use api::{Answer, Container, Key, Kind, Object, PodSpec, Reason, Request, Resource, Response, Volume};
use base::Name;
use serde_json::Value;

use super::Worker;
use crate::core::Turn;
use crate::input::RequestId;

/// Every namespace has it: the controller that keeps it there is not modelled.
const ROOT_CA: &str = "kube-root-ca.crt";

/// Who asks for the objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    Env,
    Volume,
}

/// An object that is referred to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Need {
    kind: Kind,
    name: Name,
    /// What it must have.
    keys: Vec<Name>,
    is_optional: bool,
}

/// Objects that were asked for, and the answers so far, in the same order.
#[derive(Clone, Debug, Default)]
pub(super) struct Lookups(Vec<Lookup>);

#[derive(Clone, Debug)]
struct Lookup {
    id: RequestId,
    key: Key,
    /// `None` until it is answered; then the object, or why there is none.
    answer: Option<Result<Object, Name>>,
}

impl Need {
    fn of(kind: Kind, source: &Value, name: &str, keys: Vec<Name>) -> Option<Self> {
        let is_optional = source["optional"] == true;
        let name = source[name].as_str().filter(|it| *it != ROOT_CA)?;
        Some(Self { kind, name: Name::new(name), keys, is_optional })
    }

    /// The ConfigMap of a volume or of a part of a projected one.
    fn of_config_map(source: &Value) -> Option<Self> {
        Self::of(Kind::ConfigMap, source, "name", items(source))
    }

    /// The same of a Secret, which is named in another field in either.
    fn of_secret(source: &Value, name: &str) -> Option<Self> {
        Self::of(Kind::Secret, source, name, items(source))
    }

    /// What is wrong, if anything is. `found` is the object, or why there is none.
    fn problem(&self, namespace: &str, found: &Result<Object, Name>, purpose: Purpose) -> Option<Name> {
        let object = match found {
            Ok(object) => object,
            Err(_) if self.is_optional => return None,
            Err(why) => return Some(why.clone()),
        };
        let missing = self.keys.iter().find(|it| !has_key(object, it)).filter(|_| !self.is_optional)?;
        let (kind, name) = (self.kind.name(), &self.name);
        Some(match (purpose, &self.kind) {
            (Purpose::Env, _) => {
                Name::from(format_args!("couldn't find key {missing} in {kind} {namespace}/{name}"))
            }
            (Purpose::Volume, Kind::Secret) => {
                Name::from(format_args!("references non-existent secret key: {missing}"))
            }
            (Purpose::Volume, _) => {
                Name::from(format_args!("configmap references non-existent config key: {missing}"))
            }
        })
    }
}

/// What a container's environment is taken from, in the order in which upstream reads it.
pub(super) fn needs_of_container(container: &Container) -> Vec<Need> {
    let list = |field| container.rest.get(field).and_then(Value::as_array).into_iter().flatten();
    let whole = list("envFrom").flat_map(|it| {
        let map = Need::of(Kind::ConfigMap, &it["configMapRef"], "name", Vec::new());
        map.or_else(|| Need::of(Kind::Secret, &it["secretRef"], "name", Vec::new()))
    });
    let keys = list("env").flat_map(|it| {
        let from = &it["valueFrom"];
        let need = |kind, source: &Value| {
            let key = source["key"].as_str().map(Name::new);
            Need::of(kind, source, "name", key.into_iter().collect())
        };
        let map = need(Kind::ConfigMap, &from["configMapKeyRef"]);
        map.or_else(|| need(Kind::Secret, &from["secretKeyRef"]))
    });
    whole.chain(keys).collect()
}

/// What a volume is made of.
pub(super) fn needs_of_volume(volume: &Volume) -> Vec<Need> {
    let field = |name| volume.rest.get(name);
    let plain = [
        field("configMap").and_then(Need::of_config_map),
        field("secret").and_then(|it| Need::of_secret(it, "secretName")),
    ];
    let sources = field("projected").and_then(|it| it["sources"].as_array()).into_iter().flatten();
    let projected = sources
        .flat_map(|it| [Need::of_config_map(&it["configMap"]), Need::of_secret(&it["secret"], "name")]);
    plain.into_iter().chain(projected).flatten().collect()
}

/// The secrets that a pod's images are pulled with, if they are there. Upstream ignores those without a name.
pub(super) fn pull_secrets_of(spec: &PodSpec) -> Vec<Need> {
    let references = spec.rest.get("imagePullSecrets").and_then(Value::as_array).into_iter().flatten();
    let needs = references.filter_map(|it| Need::of(Kind::Secret, it, "name", Vec::new()));
    needs.filter(|it| !it.name.is_empty()).collect()
}

/// The ConfigMaps and Secrets that a pod cannot do without, each with the keys that it must have.
pub fn objects_needed(spec: &PodSpec) -> impl Iterator<Item = (Kind, Name, Vec<Name>)> {
    let volumes = spec.volumes.iter().flat_map(needs_of_volume);
    let environments = spec.all_containers().flat_map(needs_of_container);
    let needed = volumes.chain(environments).filter(|it| !it.is_optional);
    needed.map(|it| (it.kind, it.name, it.keys))
}

/// The keys that a volume shows, where it does not show all.
fn items(source: &Value) -> Vec<Name> {
    let items = source["items"].as_array().into_iter().flatten();
    items.filter_map(|it| it["key"].as_str()).map(Name::new).collect()
}

/// Whether anything about the pod's volumes depends on such objects.
pub(super) fn mounts_objects(volumes: &[Volume]) -> bool {
    volumes.iter().any(|it| !needs_of_volume(it).is_empty())
}

fn has_key(object: &Object, key: &str) -> bool {
    let Object::Raw(raw) = object else { return false };
    ["data", "binaryData", "stringData"]
        .into_iter()
        .any(|field| raw.body.get(field).is_some_and(|it| it.get(key).is_some()))
}

impl Lookups {
    pub(super) fn is_answered(&self) -> bool {
        self.0.iter().all(|it| it.answer.is_some())
    }

    /// The names of what is not there.
    pub(super) fn missing(&self) -> impl Iterator<Item = &Name> {
        self.0.iter().filter(|it| matches!(it.answer, Some(Err(_)))).map(|it| &it.key.name)
    }

    pub(super) fn has_any(&self) -> bool {
        self.0.iter().any(|it| matches!(it.answer, Some(Ok(_))))
    }

    /// Takes in an answer; whether it was to one of these.
    fn take_in(&mut self, id: RequestId, response: &Response) -> bool {
        let Some(lookup) = self.0.iter_mut().find(|it| it.id == id) else { return false };
        lookup.answer = Some(match response {
            Ok(Answer::Object(object)) => Ok(object.clone()),
            Ok(Answer::List(..) | Answer::Done) => Err(Name::EMPTY),
            // What upstream watches is missing from its cache; for anything else it asks the API server.
            Err(status)
                if status.reason == Reason::NotFound
                    && matches!(lookup.key.kind, Kind::ConfigMap | Kind::Secret) =>
            {
                let kind = lookup.key.kind.name().to_ascii_lowercase();
                Err(Name::from(format_args!("{kind} \"{}\" not found", lookup.key.name)))
            }
            Err(status) => Err(status.message.clone()),
        });
        true
    }

    /// What was found of a kind.
    pub(super) fn found<T: Resource>(&self) -> impl Iterator<Item = &Arc<T>> {
        self.0.iter().filter_map(|it| it.answer.as_ref()?.as_ref().ok()?.get::<T>())
    }

    /// The object of this name, or why there is none.
    pub(super) fn answer<T: Resource>(&self, name: &Name) -> Result<&Arc<T>, Name> {
        let lookup = self.0.iter().find(|it| it.key.kind == T::KIND && it.key.name == *name);
        match lookup.and_then(|it| it.answer.as_ref()) {
            Some(Ok(object)) => object.get::<T>().ok_or(Name::EMPTY),
            Some(Err(why)) => Err(why.clone()),
            None => Err(Name::EMPTY),
        }
    }

    /// The first problem with what was asked for. Upstream lists all problems of one projected volume; the first of
    /// several is enough to say what is missing.
    pub(super) fn problem(&self, needs: &[Need], namespace: &str, purpose: Purpose) -> Option<Name> {
        needs.iter().find_map(|need| {
            let is_of = |it: &&Lookup| it.key.kind == need.kind && it.key.name == need.name;
            need.problem(namespace, self.0.iter().find(is_of)?.answer.as_ref()?, purpose)
        })
    }
}

impl Worker {
    /// Asks for everything that is needed, each object once.
    pub(super) fn ask_for(&self, needs: &[Need], turn: &mut Turn<'_>) -> Lookups {
        let key = |it: &Need| Key::new(it.kind.clone(), self.pod.meta.namespace.clone(), it.name.clone());
        self.ask_for_keys(needs.iter().map(key).collect(), turn)
    }

    pub(super) fn ask_for_keys(&self, keys: Vec<Key>, turn: &mut Turn<'_>) -> Lookups {
        let mut lookups = Lookups::default();
        for key in keys {
            if !lookups.0.iter().any(|it| it.key == key) {
                let id = turn.ask(Request::Get { key: key.clone() }, self.handle(), self.cause);
                lookups.0.push(Lookup { id, key, answer: None });
            }
        }
        lookups
    }

    /// An object that was asked for, or word that there is none.
    pub(crate) fn hear(&mut self, id: RequestId, response: &Response, turn: &mut Turn<'_>) {
        let lookups = self.busy.as_mut().and_then(|it| it.step.as_mut()).and_then(super::Step::lookups);
        let Some(lookups) = lookups else { return };
        if lookups.take_in(id, response) && lookups.is_answered() {
            self.advance(turn);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn names(needs: &[Need]) -> Vec<String> {
        let show = |it: &Need| format!("{} {} {:?} {}", it.kind.name(), it.name, it.keys, it.is_optional);
        needs.iter().map(show).collect()
    }

    #[test]
    fn references_are_found_in_containers_and_volumes() {
        let container = json!({
            "name": "main",
            "envFrom": [{"secretRef": {"name": "all"}}, {"configMapRef": {"name": "maybe", "optional": true}}],
            "env": [
                {"name": "A", "value": "plain"},
                {"name": "B", "valueFrom": {"configMapKeyRef": {"name": "conf", "key": "b"}}},
                {"name": "C", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
            ],
        });
        let container: Container = serde_json::from_value(container).unwrap();
        assert_eq!(
            names(&needs_of_container(&container)),
            ["Secret all [] false", "ConfigMap maybe [] true", "ConfigMap conf [\"b\"] false"]
        );
        let volume = |value| serde_json::from_value::<Volume>(value).unwrap();
        let table = [
            (
                json!({"name": "v", "secret": {"secretName": "s", "items": [{"key": "k"}]}}),
                "Secret s [\"k\"] false",
            ),
            (json!({"name": "v", "configMap": {"name": "c"}}), "ConfigMap c [] false"),
            (
                json!({"name": "v", "projected": {"sources": [
                    {"configMap": {"name": "kube-root-ca.crt"}}, {"secret": {"name": "s"}}]}}),
                "Secret s [] false",
            ),
        ];
        for (value, expected) in table {
            assert_eq!(names(&needs_of_volume(&volume(value.clone()))), [expected], "{value}");
        }
        assert!(!mounts_objects(&[volume(json!({"name": "v", "emptyDir": {}}))]));
    }
}
