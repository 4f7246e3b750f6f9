//! Claims of devices: what is asked for, and what was allocated.
//!
//! Upstream: `staging/src/k8s.io/api/resource/v1/types.go`.

use std::collections::BTreeMap;

use base::Name;

use crate::affinity::NodeSelector;
use crate::device_class::{DeviceSelector, OpaqueDeviceConfiguration};
use crate::meta::{Meta, Uid};
use crate::pod::Condition;
use crate::quantity::Quantity;
use crate::taint::Toleration;
use crate::time::Timestamp;
use crate::wire::{wire, words};

wire! {
    pub struct ResourceClaim {
        #[serde(rename = "metadata")]
        pub meta: Meta,
        pub spec: ResourceClaimSpec,
        pub status: ResourceClaimStatus,
    }
}

wire! {
    /// What a claim is made from, for each pod that asks for it.
    pub struct ResourceClaimTemplate {
        #[serde(rename = "metadata")]
        pub meta: Meta,
        pub spec: ResourceClaimTemplateSpec,
    }
}

wire! {
    pub struct ResourceClaimTemplateSpec {
        #[serde(rename = "metadata")]
        pub meta: Meta,
        pub spec: ResourceClaimSpec,
    }
}

wire! {
    pub struct ResourceClaimSpec {
        pub devices: DeviceClaim,
    }
}

wire! {
    pub struct DeviceClaim {
        /// All must be met.
        pub requests: Vec<DeviceRequest>,
        pub constraints: Vec<DeviceConstraint>,
        pub config: Vec<DeviceClaimConfiguration>,
    }
}

wire! {
    /// Exactly one of `exactly` and `first_available` is set.
    pub struct DeviceRequest {
        pub name: Name,
        pub exactly: Option<ExactDeviceRequest>,
        /// The first of these that can be met is.
        pub first_available: Vec<DeviceSubRequest>,
    }
}

wire! {
    pub struct ExactDeviceRequest {
        pub device_class_name: Name,
        /// All must select a device, besides those of its class.
        pub selectors: Vec<DeviceSelector>,
        pub allocation_mode: DeviceAllocationMode,
        /// Devices that are wanted, with `ExactCount`; 0 means unset until defaulted.
        pub count: i64,
        /// Whether devices that others have may be looked at, too.
        pub admin_access: Option<bool>,
        pub tolerations: Vec<Toleration>,
        pub capacity: Option<CapacityRequirements>,
    }
}

wire! {
    pub struct DeviceSubRequest {
        pub name: Name,
        pub device_class_name: Name,
        pub selectors: Vec<DeviceSelector>,
        pub allocation_mode: DeviceAllocationMode,
        /// As in [`ExactDeviceRequest`].
        pub count: i64,
        pub tolerations: Vec<Toleration>,
        pub capacity: Option<CapacityRequirements>,
    }
}

words! {
    pub enum DeviceAllocationMode { ExactCount = "ExactCount", All = "All" }
}

wire! {
    /// How much is wanted of devices that several claims can share, by name of the capacity.
    pub struct CapacityRequirements {
        pub requests: BTreeMap<Name, Quantity>,
    }
}

wire! {
    /// What the devices of several requests must have in common, or not.
    pub struct DeviceConstraint {
        /// Empty means all requests of the claim.
        pub requests: Vec<Name>,
        /// An attribute that all devices have the same value of.
        pub match_attribute: Option<Name>,
        /// An attribute that no two devices have the same value of.
        pub distinct_attribute: Option<Name>,
    }
}

wire! {
    pub struct DeviceClaimConfiguration {
        /// Empty means all requests of the claim.
        pub requests: Vec<Name>,
        pub opaque: Option<OpaqueDeviceConfiguration>,
    }
}

wire! {
    pub struct ResourceClaimStatus {
        /// Set once devices were found.
        pub allocation: Option<Box<AllocationResult>>,
        /// Who may use it: at most 256.
        pub reserved_for: Vec<ResourceClaimConsumerReference>,
        pub devices: Vec<AllocatedDeviceStatus>,
    }
}

wire! {
    pub struct AllocationResult {
        pub devices: DeviceAllocationResult,
        /// The nodes from which the devices can be reached; unset means all.
        pub node_selector: Option<NodeSelector>,
        pub allocation_timestamp: Option<Timestamp>,
    }
}

wire! {
    pub struct DeviceAllocationResult {
        pub results: Vec<DeviceRequestAllocationResult>,
        pub config: Vec<DeviceAllocationConfiguration>,
    }
}

wire! {
    /// One device.
    pub struct DeviceRequestAllocationResult {
        /// Of the request, or `<request>/<subrequest>`.
        pub request: Name,
        pub driver: Name,
        pub pool: Name,
        pub device: Name,
        pub admin_access: Option<bool>,
        pub tolerations: Vec<Toleration>,
        /// Conditions of the device that must be true before the pod is bound.
        pub binding_conditions: Vec<Name>,
        /// Conditions of the device any of which ends the wait for the others.
        pub binding_failure_conditions: Vec<Name>,
        #[serde(rename = "shareID")]
        pub share_id: Option<Name>,
        pub consumed_capacity: BTreeMap<Name, Quantity>,
    }
}

wire! {
    pub struct DeviceAllocationConfiguration {
        /// `FromClass` or `FromClaim`.
        pub source: Name,
        pub requests: Vec<Name>,
        pub opaque: Option<OpaqueDeviceConfiguration>,
    }
}

wire! {
    pub struct ResourceClaimConsumerReference {
        pub api_group: Name,
        /// In the plural: `pods`.
        pub resource: Name,
        pub name: Name,
        pub uid: Uid,
    }
}

wire! {
    /// What a driver says of a device that was allocated.
    pub struct AllocatedDeviceStatus {
        pub driver: Name,
        pub pool: Name,
        pub device: Name,
        #[serde(rename = "shareID")]
        pub share_id: Option<Name>,
        pub conditions: Vec<Condition>,
    }
}

impl ResourceClaim {
    /// Whether the object with this `uid`, which is a pod, may use it.
    pub fn is_reserved_for(&self, uid: Uid) -> bool {
        self.status.reserved_for.iter().any(|it| it.uid == uid)
    }
}
