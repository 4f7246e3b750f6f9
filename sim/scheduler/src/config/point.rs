//! The extension points of the scheduling framework, and which plugin extends which.
//!
//! Upstream: `pkg/scheduler/framework/interface.go`, `pkg/scheduler/framework/plugins/registry.go`.

use std::collections::BTreeMap;

use base::Name;

/// Where a plugin can take part. Ordered as upstream's framework looks through them, and so its errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Point {
    PreFilter,
    Filter,
    PostFilter,
    Reserve,
    PreScore,
    Score,
    PreBind,
    Bind,
    PostBind,
    Permit,
    PreEnqueue,
    QueueSort,
}

impl Point {
    pub const ALL: [Self; 12] = [
        Self::PreFilter,
        Self::Filter,
        Self::PostFilter,
        Self::Reserve,
        Self::PreScore,
        Self::Score,
        Self::PreBind,
        Self::Bind,
        Self::PostBind,
        Self::Permit,
        Self::PreEnqueue,
        Self::QueueSort,
    ];

    /// Its name in `plugins` of a profile.
    pub const fn field(self) -> &'static str {
        match self {
            Self::PreFilter => "preFilter",
            Self::Filter => "filter",
            Self::PostFilter => "postFilter",
            Self::Reserve => "reserve",
            Self::PreScore => "preScore",
            Self::Score => "score",
            Self::PreBind => "preBind",
            Self::Bind => "bind",
            Self::PostBind => "postBind",
            Self::Permit => "permit",
            Self::PreEnqueue => "preEnqueue",
            Self::QueueSort => "queueSort",
        }
    }

    /// The Go interface of its plugins, as messages name it.
    pub const fn interface(self) -> &'static str {
        match self {
            Self::PreFilter => "PreFilterPlugin",
            Self::Filter => "FilterPlugin",
            Self::PostFilter => "PostFilterPlugin",
            Self::Reserve => "ReservePlugin",
            Self::PreScore => "PreScorePlugin",
            Self::Score => "ScorePlugin",
            Self::PreBind => "PreBindPlugin",
            Self::Bind => "BindPlugin",
            Self::PostBind => "PostBindPlugin",
            Self::Permit => "PermitPlugin",
            Self::PreEnqueue => "PreEnqueuePlugin",
            Self::QueueSort => "QueueSortPlugin",
        }
    }

    /// Its place in an array with one entry per point.
    pub(super) const fn idx(self) -> usize {
        self as usize
    }
}

/// The in-tree plugins of v1.34, by name, and the points whose interface each implements.
const IN_TREE: &[(&str, &[Point])] = {
    use Point::*;
    &[
        ("DefaultBinder", &[Bind]),
        ("DefaultPreemption", &[PostFilter, PreEnqueue]),
        ("DynamicResources", &[PreFilter, Filter, PostFilter, Reserve, PreBind, PreEnqueue]),
        ("ImageLocality", &[Score]),
        ("InterPodAffinity", &[PreFilter, Filter, PreScore, Score]),
        ("NodeAffinity", &[PreFilter, Filter, PreScore, Score]),
        ("NodeName", &[Filter]),
        ("NodePorts", &[PreFilter, Filter]),
        ("NodeResourcesBalancedAllocation", &[PreScore, Score]),
        ("NodeResourcesFit", &[PreFilter, Filter, PreScore, Score]),
        ("NodeUnschedulable", &[Filter]),
        ("NodeVolumeLimits", &[PreFilter, Filter]),
        ("PodTopologySpread", &[PreFilter, Filter, PreScore, Score]),
        ("PrioritySort", &[QueueSort]),
        ("SchedulingGates", &[PreEnqueue]),
        ("TaintToleration", &[Filter, PreScore, Score]),
        ("VolumeBinding", &[PreFilter, Filter, Reserve, PreScore, Score, PreBind]),
        ("VolumeRestrictions", &[PreFilter, Filter]),
        ("VolumeZone", &[PreFilter, Filter]),
    ]
};

/// The plugins that there are: upstream's, and those of whoever asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registry(BTreeMap<Name, Vec<Point>>);

impl Registry {
    /// Upstream: `NewInTreeRegistry`.
    pub fn in_tree() -> Self {
        Self(IN_TREE.iter().map(|(name, points)| (Name::from_static(name), points.to_vec())).collect())
    }

    /// Adds a plugin, or changes what `name` extends.
    #[must_use]
    pub fn with(mut self, name: impl Into<Name>, points: &[Point]) -> Self {
        self.0.insert(name.into(), points.to_vec());
        self
    }

    /// The points that this plugin extends; `None` if there is no such plugin.
    pub fn points_of(&self, plugin: &str) -> Option<&[Point]> {
        self.0.get(plugin).map(Vec::as_slice)
    }

    /// In the order of the alphabet.
    pub fn names(&self) -> impl Iterator<Item = &Name> {
        self.0.keys()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_of_a_point_is_its_place_in_the_list() {
        for (idx, point) in Point::ALL.into_iter().enumerate() {
            assert_eq!(point.idx(), idx);
        }
    }
}
