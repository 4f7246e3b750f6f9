//! The commands of `kubectl` as a client of the API: words in, requests out, answers in, lines out.
//!
//! Knows nothing of the simulation. Files are read by whoever holds them: a command that names files is given
//! their objects.
//!
//! Upstream: `staging/src/k8s.io/kubectl`.

mod act;
mod command;
mod drain;
mod merge;
mod rollback;
mod session;
mod target;

pub use crate::command::{Command, ParseError, Words};
pub use crate::session::{Line, Session};
