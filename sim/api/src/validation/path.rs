//! Where in an object a field stands: `spec.containers[0].ports[1].containerPort`.
//!
//! Upstream: `staging/src/k8s.io/apimachinery/pkg/util/validation/field/path.go`.

use std::fmt;

/// A chain of steps that lives on the stack of the checks; it becomes text only where something is wrong.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Path<'a> {
    Root(&'a str),
    Child(&'a Self, &'a str),
    Index(&'a Self, usize),
    /// An item of a list in this field.
    Item(&'a Self, &'a str, usize),
    Key(&'a Self, &'a str),
    /// An entry of a map in this field.
    Entry(&'a Self, &'a str, &'a str),
}

impl<'a> Path<'a> {
    /// The field `name`, or one further down: `metadata.labels`.
    pub(crate) const fn child(&'a self, name: &'a str) -> Self {
        Self::Child(self, name)
    }

    pub(crate) const fn index(&'a self, idx: usize) -> Self {
        Self::Index(self, idx)
    }

    pub(crate) const fn item(&'a self, list: &'a str, idx: usize) -> Self {
        Self::Item(self, list, idx)
    }

    pub(crate) const fn entry(&'a self, map: &'a str, key: &'a str) -> Self {
        Self::Entry(self, map, key)
    }

    pub(crate) const fn key(&'a self, key: &'a str) -> Self {
        Self::Key(self, key)
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root(name) => f.write_str(name),
            Self::Child(Self::Root(""), name) => f.write_str(name), // The object itself has no name.
            Self::Child(parent, name) => write!(f, "{parent}.{name}"),
            Self::Item(parent, list, idx) => write!(f, "{}[{idx}]", parent.child(list)),
            Self::Entry(parent, map, key) => write!(f, "{}[{key}]", parent.child(map)),
            Self::Index(parent, idx) => write!(f, "{parent}[{idx}]"),
            Self::Key(parent, key) => write!(f, "{parent}[{key}]"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Path;

    #[test]
    fn paths_read_as_upstream_writes_them() {
        let (object, spec) = (Path::Root(""), Path::Root("spec"));
        assert_eq!(object.child("value").to_string(), "value");
        assert_eq!(spec.item("ports", 1).child("port").to_string(), "spec.ports[1].port");
        assert_eq!(spec.entry("limits", "cpu").to_string(), "spec.limits[cpu]");
    }
}
