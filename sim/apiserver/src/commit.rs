//! What a request changed.

use api::{Key, Object, Revision};
use base::{Name, Time};

/// One write to the store: what watchers hear of and the audit log keeps.
#[derive(Clone, Debug, PartialEq)]
pub struct Commit {
    pub revision: Revision,
    pub key: Key,
    /// What was there before; `None` for an object that came into being.
    pub old: Option<Object>,
    /// What is there now; `None` for an object that is gone.
    pub new: Option<Object>,
    /// Who asked for it; `etcd` where a lease ran out.
    pub actor: Name,
    /// Of the request that led to it, as in audit logs; `expire` where a lease ran out.
    pub verb: &'static str,
}

/// One request that is being answered.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    pub(crate) now: Time,
    pub(crate) actor: &'a Name,
    pub(crate) verb: &'static str,
    pub(crate) commits: &'a mut Vec<Commit>,
}
