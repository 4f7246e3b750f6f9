//! Get and list.

use api::{Answer, Key, Kind, Object, Response, Selector, Status};
use base::Name;

use crate::server::ApiServer;
use crate::storage::StoreKey;

impl ApiServer {
    pub(crate) fn get(&self, key: Key) -> Response {
        let key = StoreKey::from(key);
        let object = self.storage.get(&key).ok_or_else(|| Status::not_found(&key))?;
        Ok(Answer::Object(object.clone()))
    }

    pub(crate) fn list(
        &self,
        kind: &Kind,
        namespace: Option<&Name>,
        selector: Option<&Selector>,
    ) -> Response {
        Ok(Answer::List(self.select(kind, namespace, selector), self.storage.revision()))
    }

    /// In the order of their keys in etcd: by namespace and name.
    pub(super) fn select(
        &self,
        kind: &Kind,
        namespace: Option<&Name>,
        selector: Option<&Selector>,
    ) -> Vec<Object> {
        let found = self.storage.scan(kind, namespace);
        found
            .filter(|it| selector.is_none_or(|selector| selector.matches(&it.meta().labels)))
            .cloned()
            .collect()
    }
}
