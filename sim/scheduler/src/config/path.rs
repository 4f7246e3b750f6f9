//! Where in the configuration a field stands: `profiles[0].pluginConfig[1].args`.

use std::fmt;

/// A chain of steps on the stack; it becomes text only where something is wrong.
#[derive(Clone, Copy, Debug)]
pub(super) enum Path<'a> {
    Root,
    Child(&'a Self, &'a str),
    Index(&'a Self, usize),
}

impl<'a> Path<'a> {
    pub(super) const fn child(&'a self, name: &'a str) -> Self {
        Self::Child(self, name)
    }

    pub(super) const fn index(&'a self, idx: usize) -> Self {
        Self::Index(self, idx)
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => Ok(()),
            Self::Child(Self::Root, name) => f.write_str(name),
            Self::Child(parent, name) => write!(f, "{parent}.{name}"),
            Self::Index(parent, idx) => write!(f, "{parent}[{idx}]"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Path;

    #[test]
    fn paths_read_as_upstream_writes_them() {
        let profiles = Path::Root.child("profiles");
        assert_eq!(profiles.index(1).child("schedulerName").to_string(), "profiles[1].schedulerName");
        assert_eq!(Path::Root.to_string(), "");
    }
}
