//! The edge: Kubernetes YAML and JSON come in strictly checked and defaulted, and go out again as `kubectl` shows them.
//!
//! [`load`] reads files and folders of objects; [`decode::decode`] reads any other type from YAML in the same way.
//! Whatever is wrong is told with file, line and column, as [`Diagnostics`].

mod convert;
pub mod decode;
mod diagnostic;
mod document;
mod emit;
pub mod files;
mod identity;
pub mod json;
mod limits;
mod load;
mod object;
mod path;
mod pieces;
mod read;
mod schema;
mod scope;
pub mod source;
mod trail;
mod unmodelled;
mod versions;
pub mod yaml;

pub use crate::diagnostic::{Diagnostic, Diagnostics};
pub use crate::document::{Origin, Text};
pub use crate::emit::{to_json, to_yaml, value_to_yaml};
pub use crate::limits::Limits;
pub use crate::load::{Loaded, LoadedObject, Skipped, load, load_source};
pub use crate::path::{Path, Segment};
pub use crate::read::read;
pub use crate::unmodelled::unmodelled;
