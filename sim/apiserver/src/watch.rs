//! Watching from a revision.

use api::{Object, Reason, Revision, Status};
use base::Name;
use etcd::Change;

use crate::server::ApiServer;

/// What a watcher hears: an object was added (`old` is `None`), modified, or deleted (`new` is `None`).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Event<'a> {
    pub revision: Revision,
    pub old: Option<&'a Object>,
    pub new: Option<&'a Object>,
}

impl ApiServer {
    /// All that changed after `revision`, in order.
    ///
    /// Fails with [`Reason::Expired`] once that is compacted: whoever slept that long must list again.
    pub fn events_since(&self, revision: Revision) -> Result<impl Iterator<Item = Event<'_>>, Status> {
        let etcd = &self.storage.etcd;
        let events = etcd.events(etcd::Revision(revision.0).next(), etcd.revision()).map_err(|_| {
            let oldest = etcd.compacted().0;
            let message = format_args!("too old resource version: {} ({oldest})", revision.0);
            Status::new(Reason::Expired, Name::from(message))
        })?;
        Ok(events.map(|event| Event {
            revision: Revision(event.revision.0),
            old: event.previous.map(|it| it.value),
            new: match event.change {
                Change::Put(it) => Some(it.value),
                Change::Delete => None,
            },
        }))
    }
}
