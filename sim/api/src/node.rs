//! Nodes and their leases.

use base::{Name, Span, Time};
use serde::{Deserialize, Serialize};

use crate::meta::Meta;
use crate::pod::Condition;
use crate::resources::ResourceList;
use crate::taint::Taint;
use crate::time::MicroTime;
use crate::wire::wire;

wire! {
    pub struct Node {
        #[serde(rename = "metadata")]
        pub meta: Meta,
        pub spec: NodeSpec,
        pub status: NodeStatus,
    }
}

wire! {
    pub struct NodeSpec {
        #[serde(rename = "podCIDR")]
        pub pod_cidr: Name,
        #[serde(rename = "providerID")]
        pub provider_id: Name,
        /// Cordoned.
        pub unschedulable: bool,
        pub taints: Vec<Taint>,
    }
}

wire! {
    pub struct NodeStatus {
        pub capacity: ResourceList,
        pub allocatable: ResourceList,
        pub conditions: Vec<Condition>,
        pub addresses: Vec<NodeAddress>,
        pub images: Vec<ContainerImage>,
        /// As the attach/detach controller says, by [unique name](crate::CsiVolume::unique_name).
        pub volumes_attached: Vec<AttachedVolume>,
        /// As the kubelet says: mounted, or about to be. These are not safe to detach.
        pub volumes_in_use: Vec<Name>,
    }
}

wire! {
    pub struct AttachedVolume {
        pub name: Name,
        /// Empty for drivers of the container storage interface.
        pub device_path: Name,
    }
}

wire! {
    pub struct NodeAddress {
        /// `InternalIP`, `Hostname` …
        #[serde(rename = "type")]
        pub kind: Name,
        pub address: Name,
    }
}

wire! {
    pub struct ContainerImage {
        pub names: Vec<Name>,
        pub size_bytes: i64,
    }
}

wire! {
    /// A claim that must be renewed; of a kubelet on its node, or of a leader on its office.
    pub struct Lease {
        #[serde(rename = "metadata")]
        pub meta: Meta,
        pub spec: LeaseSpec,
        /// Not part of the API. The holder renews on time until it writes otherwise, so its renewals are computed
        /// when read instead of being written one by one; see docs/determinism.md.
        #[serde(skip)]
        pub heartbeat: Option<Heartbeat>,
        /// Not part of the API either. What the holder's clock shows minus what it should, in nanoseconds.
        #[serde(skip)]
        pub skew_nanos: i64,
    }
}

wire! {
    pub struct LeaseSpec {
        pub holder_identity: Option<Name>,
        pub lease_duration_seconds: Option<i32>,
        pub acquire_time: Option<MicroTime>,
        pub renew_time: Option<MicroTime>,
        pub lease_transitions: Option<i32>,
    }
}

/// Renewals at `first`, `first + period`, and so on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heartbeat {
    #[serde(skip)]
    pub first: Time,
    #[serde(skip)]
    pub period: Span,
}

impl Heartbeat {
    /// The last renewal at or before `now`; `None` before the first one.
    pub fn last(self, now: Time) -> Option<Time> {
        assert!(self.period != Span::ZERO, "a heartbeat has a period");
        let beats = now.nanos().checked_sub(self.first.nanos())? / self.period.nanos();
        Some(self.first + self.period * beats)
    }
}

impl Lease {
    /// When it was last renewed, as a reader at `now` finds it.
    pub fn renewed(&self, now: Time) -> Option<MicroTime> {
        let computed = self.heartbeat.and_then(|it| it.last(now));
        let shown = computed.map(|it| MicroTime::from(it.shifted(self.skew_nanos)));
        shown.max(self.spec.renew_time)
    }

    /// The same by a clock that is right.
    pub fn really_renewed(&self, now: Time) -> Option<Time> {
        self.renewed(now).map(|it| it.time().shifted(self.skew_nanos.saturating_neg()))
    }
}

impl Node {
    pub fn condition(&self, kind: &str) -> Option<&Condition> {
        self.status.conditions.iter().find(|it| it.kind.as_str() == kind)
    }

    pub fn is_ready(&self) -> bool {
        self.condition("Ready").is_some_and(Condition::is_true)
    }

    pub fn zone(&self) -> &str {
        self.meta.label("topology.kubernetes.io/zone").map_or("", Name::as_str)
    }
}
