//! How the program ends, and how it speaks: results to standard output, everything else to standard error.

use std::io::Write as _;
use std::process::ExitCode;

/// Exit statuses that users and CI jobs build on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    Well,
    /// An expectation failed.
    Failed,
    /// The input is wrong; nothing was run, nothing written.
    WrongInput,
    /// An internal invariant broke: a bug of ours.
    Broken,
    /// Two runs that should be equal were not.
    Diverged,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Well => 0,
            Exit::Failed => 1,
            Exit::WrongInput => 2,
            Exit::Broken => 3,
            Exit::Diverged => 4,
        })
    }
}

/// A result. That nobody listens any more is no error.
pub(crate) fn say(text: &str) {
    let _ = writeln!(std::io::stdout(), "{}", text.trim_end());
}

/// Anything else.
pub(crate) fn tell(text: &str) {
    let _ = writeln!(std::io::stderr(), "{}", text.trim_end());
}
