//! What a process says when it ends: its termination message, and the end of its output.

use base::Name;

/// What one run leaves behind. Either may be empty.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Words {
    /// Written to the container's `terminationMessagePath`.
    pub message: Name,
    /// The end of its output, as it was written.
    pub log: Name,
}

/// What a container leaves behind, by the way in which it ends. One that is killed says nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LastWords {
    /// When it ends by itself.
    pub exit: Words,
    /// When it ends on SIGTERM.
    pub stop: Words,
}

impl LastWords {
    pub fn is_empty(&self) -> bool {
        [&self.exit, &self.stop].into_iter().all(|it| it.message.is_empty() && it.log.is_empty())
    }
}
