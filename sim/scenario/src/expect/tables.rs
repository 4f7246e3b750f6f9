//! The objects that conditions can ask for, as they are now.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use api::{Key, Kind, Object, Selector};
use apiserver::ApiServer;
use base::Name;

use crate::expect::value::ObjectVal;

/// Objects by kind, in the order in which the API server lists them; kept from one look to the next, so that what has
/// been read of an object is read once per version of it.
#[derive(Debug, Default)]
pub(crate) struct Tables {
    by_kind: BTreeMap<Kind, Vec<ObjectVal>>,
    /// Of the kinds in `by_kind`, the objects that have been written since these were last looked at.
    stale: BTreeMap<Kind, BTreeSet<Key>>,
}

impl Tables {
    pub(crate) fn note_write(&mut self, key: Key) {
        if self.by_kind.contains_key(&key.kind) {
            self.stale.entry(key.kind.clone()).or_default().insert(key);
        }
    }

    /// Brings a kind up to date.
    pub(crate) fn look(&mut self, kind: &Kind, server: &ApiServer) {
        let Some(table) = self.by_kind.get_mut(kind) else {
            let all = server.scan(kind, None).map(|it| ObjectVal::new(it.clone()));
            self.by_kind.insert(kind.clone(), all.collect());
            return;
        };
        for key in self.stale.remove(kind).into_iter().flatten() {
            let place =
                table.binary_search_by(|it| in_lists(address(it.object()), (&key.namespace, &key.name)));
            match (place, server.read(&key)) {
                (Ok(idx), Some(object)) => table[idx] = ObjectVal::new(object.clone()),
                (Ok(idx), None) => drop(table.remove(idx)),
                (Err(idx), Some(object)) => table.insert(idx, ObjectVal::new(object.clone())),
                (Err(_), None) => (),
            }
        }
    }

    pub(crate) fn find(&self, kind: &Kind, namespace: &Name, name: &Name) -> Option<&ObjectVal> {
        let table = self.table(kind);
        let place = table.binary_search_by(|it| in_lists(address(it.object()), (namespace, name)));
        place.ok().map(|idx| &table[idx])
    }

    /// The objects of a kind that the selector matches, of one namespace or of all.
    pub(crate) fn select<'a>(
        &'a self,
        kind: &Kind,
        namespace: Option<&'a Name>,
        selector: &'a Selector,
    ) -> impl Iterator<Item = &'a ObjectVal> + use<'a> {
        let in_namespace = move |it: &Object| namespace.is_none_or(|name| it.meta().namespace == *name);
        let found = self.table(kind).iter();
        found.filter(move |it| in_namespace(it.object()) && selector.matches(&it.object().meta().labels))
    }

    pub(crate) fn table(&self, kind: &Kind) -> &[ObjectVal] {
        self.by_kind.get(kind).map_or(&[], Vec::as_slice)
    }
}

fn address(object: &Object) -> (&Name, &Name) {
    let meta = object.meta();
    (&meta.namespace, &meta.name)
}

/// The order of the store's keys, in which a slash stands between namespace and name.
fn in_lists(one: (&Name, &Name), other: (&Name, &Name)) -> Ordering {
    if one.0 == other.0 { one.1.cmp(other.1) } else { path(one).cmp(path(other)) }
}

fn path<'a>((namespace, name): (&'a Name, &'a Name)) -> impl Iterator<Item = u8> + use<'a> {
    namespace.bytes().chain([b'/']).chain(name.bytes())
}
