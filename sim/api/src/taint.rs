//! Taints of nodes, and the tolerations of pods.
//!
//! Upstream: `staging/src/k8s.io/api/core/v1/toleration.go`.

use base::Name;

use crate::time::Timestamp;
use crate::wire::{wire, words};

wire! {
    pub struct Taint {
        pub key: Name,
        pub value: Name,
        pub effect: TaintEffect,
        /// Set for NoExecute only.
        pub time_added: Option<Timestamp>,
    }
}

wire! {
    pub struct Toleration {
        /// Empty with `Exists`: any key.
        pub key: Name,
        /// Unset means `Equal`.
        pub operator: TolerationOperator,
        pub value: Name,
        /// Unset means any effect.
        pub effect: TaintEffect,
        /// How long a NoExecute taint is tolerated; `None` means for ever, zero and less not at all.
        pub toleration_seconds: Option<i64>,
    }
}

words! {
    pub enum TaintEffect {
        NoSchedule = "NoSchedule",
        PreferNoSchedule = "PreferNoSchedule",
        NoExecute = "NoExecute",
    }
}

words! {
    pub enum TolerationOperator { Exists = "Exists", Equal = "Equal" }
}

impl Taint {
    pub fn new(key: impl Into<Name>, value: impl Into<Name>, effect: TaintEffect) -> Self {
        Self { key: key.into(), value: value.into(), effect, ..Self::default() }
    }

    /// Same key and effect: one replaces the other. Upstream: `Taint.MatchTaint`.
    pub fn is_alike(&self, other: &Self) -> bool {
        self.key == other.key && self.effect == other.effect
    }
}

impl Toleration {
    /// Upstream: `Toleration.ToleratesTaint`.
    pub fn tolerates(&self, taint: &Taint) -> bool {
        if !self.effect.is_unset() && self.effect != taint.effect {
            return false;
        }
        if !self.key.is_empty() && self.key != taint.key {
            return false;
        }
        match &self.operator {
            TolerationOperator::Exists => true,
            TolerationOperator::Equal => self.value == taint.value,
            TolerationOperator::Other(word) => word.is_empty() && self.value == taint.value,
        }
    }
}

impl std::fmt::Display for Taint {
    /// `key=value:Effect`, as `kubectl taint` takes it. Upstream: `Taint.ToString`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.effect.is_unset(), self.value.is_empty()) {
            (true, true) => write!(f, "{}", self.key),
            (true, false) => write!(f, "{}={}:", self.key, self.value),
            (false, true) => write!(f, "{}:{}", self.key, self.effect),
            (false, false) => write!(f, "{}={}:{}", self.key, self.value, self.effect),
        }
    }
}
