//! Snapshots of real clusters: what `kubectl get … -o yaml` printed, taken as it is.

use std::collections::BTreeSet;

use api::{Key, Kind, Meta, Namespace, Object};
use base::Name;

use crate::assumed;

/// Namespaces that every cluster has.
const BUILT_IN: [&str; 4] = ["default", "kube-node-lease", "kube-public", "kube-system"];

/// The objects of all snapshots, each once, the namespaces that they are in, and what else must have been there.
///
/// Dumps often leave namespaces out; without them, nothing could be created beside the objects of the dump.
pub(crate) fn complete(objects: Vec<Object>) -> Vec<Object> {
    let mut seen: BTreeSet<Key> = BTreeSet::new();
    let mut own: Vec<Object> = objects.into_iter().filter(|it| seen.insert(it.key())).collect();
    let used: BTreeSet<Name> = own.iter().map(|it| it.meta().namespace.clone()).collect();
    let is_missing = |name: &Name| {
        !name.is_empty()
            && !BUILT_IN.contains(&name.as_str())
            && !seen.contains(&Key::cluster(Kind::Namespace, name.clone()))
    };
    let mut all: Vec<Object> = used.into_iter().filter(is_missing).map(namespace).collect();
    own.extend(assumed::objects(&own));
    all.append(&mut own);
    all
}

fn namespace(name: Name) -> Object {
    let mut object =
        Object::new(Namespace { meta: Meta { name, ..Meta::default() }, ..Namespace::default() });
    api::defaults::apply(&mut object);
    object
}
