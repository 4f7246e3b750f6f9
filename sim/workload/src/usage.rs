//! What a running container uses, as a scenario writes it.

use std::sync::Arc;

use base::Span;
use serde::Deserialize;

use crate::curve::Curve;

/// Something that containers use up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Resource {
    /// In cores.
    Cpu,
    /// The working set, in bytes.
    Memory,
    /// What it has written to its own layer, its logs and its `emptyDir` volumes, in bytes.
    Disk,
    /// The files and folders that it has made there.
    Inodes,
    /// How many processes and threads it has.
    Pids,
}

/// Each counts from the start of the container; what is left out is nothing.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Usage {
    pub cpu: Option<Curve>,
    pub memory: Option<Curve>,
    pub disk: Option<Curve>,
    pub inodes: Option<Curve>,
    pub pids: Option<Curve>,
}

impl Usage {
    pub const NONE: Self = Self { cpu: None, memory: None, disk: None, inodes: None, pids: None };

    pub fn of(&self, resource: Resource) -> &Curve {
        const NONE: &Curve = &Curve::ZERO;
        let curve = match resource {
            Resource::Cpu => &self.cpu,
            Resource::Memory => &self.memory,
            Resource::Disk => &self.disk,
            Resource::Inodes => &self.inodes,
            Resource::Pids => &self.pids,
        };
        curve.as_ref().unwrap_or(NONE)
    }

    /// With what `other` says where it says nothing.
    pub(crate) fn over(self: &Arc<Self>, other: &Arc<Self>) -> Arc<Self> {
        if **self == Self::NONE {
            return Arc::clone(other);
        }
        if **other == Self::NONE {
            return Arc::clone(self);
        }
        let own = Self::clone(self);
        Arc::new(Self {
            cpu: own.cpu.or_else(|| other.cpu.clone()),
            memory: own.memory.or_else(|| other.memory.clone()),
            disk: own.disk.or_else(|| other.disk.clone()),
            inodes: own.inodes.or_else(|| other.inodes.clone()),
            pids: own.pids.or_else(|| other.pids.clone()),
        })
    }

    /// So long after the start of the container.
    pub fn at(&self, resource: Resource, at: Span) -> f64 {
        self.of(resource).at(at)
    }
}
