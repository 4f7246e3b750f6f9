//! The objects that conditions can ask for, as they are now.

use std::collections::{BTreeMap, BTreeSet};

use api::{Kind, Object, Revision, Selector};
use apiserver::ApiServer;
use base::Name;

use crate::expect::value::ObjectVal;

/// Objects by kind, in the order of their namespaces and names; kept from one look to the next, so that what has
/// been read of an object is read once per version of it.
#[derive(Debug, Default)]
pub(crate) struct Tables {
    by_kind: BTreeMap<Kind, Vec<ObjectVal>>,
    /// Kinds that have been written since they were last looked at.
    stale: BTreeSet<Kind>,
}

impl Tables {
    pub(crate) fn note_write(&mut self, kind: &Kind) {
        if self.by_kind.contains_key(kind) {
            self.stale.insert(kind.clone());
        }
    }

    /// Brings a kind up to date.
    pub(crate) fn look(&mut self, kind: &Kind, server: &ApiServer) {
        let is_known = self.by_kind.contains_key(kind);
        if is_known && !self.stale.remove(kind) {
            return;
        }
        let table = self.by_kind.entry(kind.clone()).or_default();
        let mut before = std::mem::take(table).into_iter().peekable();
        for object in server.scan(kind, None) {
            while before.next_if(|it| is_before(it.object(), object)).is_some() {}
            let same = before.next_if(|it| version(it.object()) == version(object));
            table.push(same.unwrap_or_else(|| ObjectVal::new(object.clone())));
        }
    }

    pub(crate) fn find(&self, kind: &Kind, namespace: &Name, name: &Name) -> Option<&ObjectVal> {
        let table = self.table(kind);
        let wanted = (namespace, name);
        // Namespaces are in the order of their paths, which is that of their texts but for a few characters.
        let found = table.binary_search_by(|it| address(it.object()).cmp(&wanted)).ok();
        match found {
            Some(idx) => Some(&table[idx]),
            None => table.iter().find(|it| address(it.object()) == wanted),
        }
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

fn version(object: &Object) -> (&Name, &Name, Revision) {
    let (namespace, name) = address(object);
    (namespace, name, object.meta().resource_version)
}

/// Whether `old` has no successor in a list that goes on with `new`: what is out of order is read afresh.
fn is_before(old: &Object, new: &Object) -> bool {
    version(old) != version(new) && address(old) <= address(new)
}
