//! The edge: Kubernetes YAML and JSON come in strictly checked and defaulted, and go out again as `kubectl` shows them.

pub mod decode;
mod diagnostic;
mod json;
mod limits;
mod path;
/// Texts, places in them, and what is wrong there.
pub mod source;
pub mod yaml;

pub use crate::diagnostic::{Diagnostic, Diagnostics};
pub use crate::limits::Limits;
pub use crate::path::{Path, Segment};
