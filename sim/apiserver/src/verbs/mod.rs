//! What can be asked of the server, one verb a file.
//!
//! Upstream: `staging/src/k8s.io/apiserver/pkg/registry/generic/registry/store.go`, `…/pkg/registry/rest`.

mod bind;
mod create;
mod delete;
mod delete_collection;
mod edit;
mod evict;
mod namespace;
mod patch;
mod read;
mod scale;
mod update;
