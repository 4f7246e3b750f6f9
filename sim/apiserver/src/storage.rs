//! Objects in etcd: under upstream's keys, in upstream's order.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher as _};
use std::ops::Deref;
use std::sync::Arc;

use api::{Key, Kind, Object, Resource, Revision, Status};
use base::{Hasher, Name, Span, Time};
use etcd::{Expect, KeyRange, LeaseManager, Outcome, Store};

use crate::refusal;

/// How long a Kubernetes event is kept: `--event-ttl`.
const EVENT_TTL: Span = Span::hours(1);

/// An object's key in etcd. Ordered as upstream's paths are: `a-b/x` comes before `a/x`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StoreKey {
    /// Of the key: a request looks for its object several times.
    hash: u64,
    key: Key,
}

/// All objects, and the leases that events go with.
#[derive(Clone, Debug, Default)]
pub(crate) struct Storage {
    pub(crate) etcd: Store<StoreKey, Object>,
    leases: LeaseManager,
}

impl Storage {
    pub(crate) fn get(&self, key: &StoreKey) -> Option<&Object> {
        self.etcd.get(key).map(|it| it.value)
    }

    pub(crate) fn contains(&self, key: &StoreKey) -> bool {
        self.etcd.get(key).is_some()
    }

    pub(crate) fn find<T: Resource>(&self, namespace: &Name, name: &Name) -> Option<&Arc<T>> {
        T::of(self.get(&Key { kind: T::KIND, namespace: namespace.clone(), name: name.clone() }.into())?)
    }

    /// The objects of a kind in etcd's order, of one namespace or of all.
    pub(crate) fn scan(
        &self,
        kind: &Kind,
        namespace: Option<&Name>,
    ) -> impl Iterator<Item = &Object> + use<'_> {
        self.etcd.scan(&range_of(kind, namespace)).map(|it| it.value)
    }

    pub(crate) fn list<T: Resource>(
        &self,
        namespace: Option<&Name>,
    ) -> impl Iterator<Item = &Arc<T>> + use<'_, T> {
        self.scan(&T::KIND, namespace).filter_map(T::of)
    }

    pub(crate) fn revision(&self) -> Revision {
        Revision(self.etcd.revision().0)
    }

    /// Writes an object at the next revision, and returns it with that revision in its metadata.
    pub(crate) fn put(&mut self, now: Time, key: StoreKey, mut object: Object) -> Result<Object, Status> {
        let lease = if matches!(object, Object::Event(_)) {
            Some(self.leases.lease(now, EVENT_TTL, &mut self.etcd).map_err(refusal::etcd)?)
        } else {
            None
        };
        object.meta_mut().resource_version = Revision(self.etcd.revision().next().0);
        self.etcd.put(key, object.clone(), lease, Expect::Anything).map_err(refusal::etcd)?;
        Ok(object)
    }

    /// Deletes an object that is there; returns the revision at which it went.
    pub(crate) fn delete(&mut self, key: &StoreKey) -> Revision {
        match self.etcd.delete(key, Expect::Anything) {
            Outcome::Committed(revision) => Revision(revision.0),
            Outcome::Conflict(_) => {
                unreachable!("a deletion that expects anything has nothing to conflict with")
            }
        }
    }
}

impl StoreKey {
    pub(crate) fn key(&self) -> &Key {
        &self.key
    }

    pub(crate) fn into_key(self) -> Key {
        self.key
    }
}

impl From<Key> for StoreKey {
    fn from(key: Key) -> Self {
        let mut hasher = Hasher::default();
        key.hash(&mut hasher);
        Self { hash: hasher.finish(), key }
    }
}

impl Deref for StoreKey {
    type Target = Key;

    fn deref(&self) -> &Key {
        &self.key
    }
}

impl Hash for StoreKey {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

impl Ord for StoreKey {
    fn cmp(&self, other: &Self) -> Ordering {
        let (left, right) = (&self.key, &other.key);
        let by_kind = left.kind.cmp(&right.kind);
        let by_place = by_kind.then_with(|| by_path(&left.namespace, &right.namespace));
        by_place.then_with(|| left.name.cmp(&right.name))
    }
}

impl etcd::Key for StoreKey {
    type Shelf = Place;

    fn shelf(&self) -> Place {
        Place { kind: self.key.kind.clone(), namespace: self.key.namespace.clone() }
    }
}

/// What objects are listed by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    kind: Kind,
    namespace: Name,
}

impl Ord for Place {
    fn cmp(&self, other: &Self) -> Ordering {
        self.kind.cmp(&other.kind).then_with(|| by_path(&self.namespace, &other.namespace))
    }
}

impl PartialOrd for Place {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialOrd for StoreKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The order of two parts of a path, each followed by a slash.
fn by_path(left: &str, right: &str) -> Ordering {
    let (left, right) = (left.as_bytes(), right.as_bytes());
    let shared = left.len().min(right.len());
    let next = |text: &[u8]| text.get(shared).copied().unwrap_or(b'/');
    left[..shared]
        .cmp(&right[..shared])
        .then_with(|| next(left).cmp(&next(right)).then(left.len().cmp(&right.len())))
}

/// Behind every name: no name has such a letter.
const LAST: Name = Name::from_static("\u{10ffff}");

fn range_of(kind: &Kind, namespace: Option<&Name>) -> KeyRange<StoreKey> {
    let key = |namespace: &Name, name: Name| {
        StoreKey::from(Key { kind: kind.clone(), namespace: namespace.clone(), name })
    };
    match namespace {
        Some(namespace) => KeyRange::between(key(namespace, Name::EMPTY), key(namespace, LAST)),
        None if kind.is_namespaced() => {
            KeyRange::between(key(&Name::EMPTY, Name::EMPTY), key(&LAST, Name::EMPTY))
        }
        None => KeyRange::between(key(&Name::EMPTY, Name::EMPTY), key(&Name::EMPTY, LAST)),
    }
}

/// Where upstream keeps an object in etcd, as some messages show it.
///
/// Upstream: `pkg/registry/*/*/storage`, `pkg/kubeapiserver/default_storage_factory_builder.go`.
pub(crate) fn path(key: &Key) -> String {
    let plural = key.kind.plural();
    let resource = match (plural.as_str(), key.kind.group().as_str()) {
        ("nodes", "") => "minions".to_owned(),
        ("services", "") => "services/specs".to_owned(),
        ("endpoints", "") => "services/endpoints".to_owned(),
        ("replicationcontrollers", "") => "controllers".to_owned(),
        ("ingresses", "networking.k8s.io") => "ingress".to_owned(),
        (_, group @ ("apiextensions.k8s.io" | "apiregistration.k8s.io")) => format!("{group}/{plural}"),
        (_, group) if matches!(key.kind, Kind::Custom(_)) => format!("{group}/{plural}"),
        (plural, _) => plural.to_owned(),
    };
    if key.namespace.is_empty() {
        format!("/registry/{resource}/{}", key.name)
    } else {
        format!("/registry/{resource}/{}/{}", key.namespace, key.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(namespace: &'static str, name: &'static str) -> StoreKey {
        StoreKey::from(Key::new(Kind::Pod, namespace, name))
    }

    #[test]
    fn keys_are_ordered_as_their_paths_are() {
        let mut keys = [
            key("a", "x"),
            key("a-b", "x"),
            key("ab", "x"),
            key("a", "x-1"),
            key("b", "a"),
            key("a", "w"),
            key("", "x"),
        ];
        keys.sort();
        let mut paths: Vec<String> = keys.iter().map(|it| format!("{}/{}", it.namespace, it.name)).collect();
        let sorted = paths.clone();
        paths.sort();
        assert_eq!(sorted, paths);
    }

    #[test]
    fn ranges_hold_their_namespace_and_no_other() {
        let all = [key("a", "x"), key("a-b", "x"), key("ab", "y"), key("b", "z")];
        let within = |namespace: Option<&'static str>| {
            let range = range_of(&Kind::Pod, namespace.map(Name::from_static).as_ref());
            all.iter().filter(|it| range.contains(it)).count()
        };
        assert_eq!(within(Some("a")), 1);
        assert_eq!(within(Some("a-b")), 1);
        assert_eq!(within(None), 4);
        let node = StoreKey::from(Key::cluster(Kind::Node, "n-0"));
        assert!(range_of(&Kind::Node, None).contains(&node));
        assert!(!range_of(&Kind::Pod, None).contains(&node));
    }

    #[test]
    fn paths_are_upstreams() {
        assert_eq!(path(&Key::cluster(Kind::Node, "n")), "/registry/minions/n");
        assert_eq!(path(&Key::new(Kind::Service, "d", "s")), "/registry/services/specs/d/s");
        assert_eq!(path(&Key::new(Kind::Deployment, "d", "w")), "/registry/deployments/d/w");
    }
}
