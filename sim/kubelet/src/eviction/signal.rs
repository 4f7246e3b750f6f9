//! What the kubelet watches, the resource behind each signal, and the node condition that it raises.
//!
//! Upstream: `pkg/kubelet/eviction/api/types.go`, `pkg/kubelet/eviction/helpers.go`.

/// In the order in which starved resources are reclaimed: memory first, then as listed. Upstream leaves the order of
/// all but memory to a map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Signal {
    MemoryAvailable,
    /// Of what is left to pods.
    AllocatableMemoryAvailable,
    NodefsAvailable,
    NodefsInodesFree,
    ImagefsAvailable,
    ImagefsInodesFree,
    ContainerfsAvailable,
    ContainerfsInodesFree,
    PidAvailable,
}

/// What runs short, by the name that messages have for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Starved {
    Memory,
    Storage,
    Inodes,
    Pids,
}

/// A node condition that says so. In the order in which the kubelet reports them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Pressure {
    Memory,
    Disk,
    Pid,
}

impl Signal {
    pub(crate) const ALL: [Self; 9] = [
        Self::MemoryAvailable,
        Self::AllocatableMemoryAvailable,
        Self::NodefsAvailable,
        Self::NodefsInodesFree,
        Self::ImagefsAvailable,
        Self::ImagefsInodesFree,
        Self::ContainerfsAvailable,
        Self::ContainerfsInodesFree,
        Self::PidAvailable,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::MemoryAvailable => "memory.available",
            Self::AllocatableMemoryAvailable => "allocatableMemory.available",
            Self::NodefsAvailable => "nodefs.available",
            Self::NodefsInodesFree => "nodefs.inodesFree",
            Self::ImagefsAvailable => "imagefs.available",
            Self::ImagefsInodesFree => "imagefs.inodesFree",
            Self::ContainerfsAvailable => "containerfs.available",
            Self::ContainerfsInodesFree => "containerfs.inodesFree",
            Self::PidAvailable => "pid.available",
        }
    }

    pub(crate) const fn starved(self) -> Starved {
        match self {
            Self::MemoryAvailable | Self::AllocatableMemoryAvailable => Starved::Memory,
            Self::NodefsAvailable | Self::ImagefsAvailable | Self::ContainerfsAvailable => Starved::Storage,
            Self::NodefsInodesFree | Self::ImagefsInodesFree | Self::ContainerfsInodesFree => Starved::Inodes,
            Self::PidAvailable => Starved::Pids,
        }
    }

    pub(crate) const fn pressure(self) -> Pressure {
        match self.starved() {
            Starved::Memory => Pressure::Memory,
            Starved::Storage | Starved::Inodes => Pressure::Disk,
            Starved::Pids => Pressure::Pid,
        }
    }
}

impl Starved {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Storage => "ephemeral-storage",
            Self::Inodes => "inodes",
            Self::Pids => "pids",
        }
    }
}

impl Pressure {
    pub(crate) const ALL: [Self; 3] = [Self::Memory, Self::Disk, Self::Pid];

    /// Of the node.
    pub(crate) const fn condition(self) -> &'static str {
        match self {
            Self::Memory => "MemoryPressure",
            Self::Disk => "DiskPressure",
            Self::Pid => "PIDPressure",
        }
    }

    /// What the kubelet says when the condition begins to hold, or ends. Upstream: `pkg/kubelet/nodestatus/setters.go`.
    pub(crate) const fn event(self, holds: bool) -> &'static str {
        match (self, holds) {
            (Self::Memory, true) => "NodeHasInsufficientMemory",
            (Self::Memory, false) => "NodeHasSufficientMemory",
            (Self::Disk, true) => "NodeHasDiskPressure",
            (Self::Disk, false) => "NodeHasNoDiskPressure",
            (Self::Pid, true) => "NodeHasInsufficientPID",
            (Self::Pid, false) => "NodeHasSufficientPID",
        }
    }
}

/// The conditions that hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Pressures([bool; 3]);

impl Pressures {
    pub(crate) fn holds(self, pressure: Pressure) -> bool {
        self.0[pressure as usize]
    }

    pub(crate) fn is_any(self) -> bool {
        self.0.contains(&true)
    }

    pub(crate) fn list(self) -> impl Iterator<Item = Pressure> {
        Pressure::ALL.into_iter().filter(move |it| self.holds(*it))
    }
}

impl FromIterator<Pressure> for Pressures {
    fn from_iter<I: IntoIterator<Item = Pressure>>(items: I) -> Self {
        let mut all = Self::default();
        items.into_iter().for_each(|it| all.0[it as usize] = true);
        all
    }
}
