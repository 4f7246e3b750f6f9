//! The devices that drivers offer, in pools that are told slice by slice.
//!
//! Upstream: `staging/src/k8s.io/api/resource/v1/types.go`.

use std::collections::BTreeMap;

use base::Name;

use crate::affinity::NodeSelector;
use crate::meta::Meta;
use crate::quantity::Quantity;
use crate::taint::Taint;
use crate::wire::wire;

wire! {
    pub struct ResourceSlice {
        #[serde(rename = "metadata")]
        pub meta: Meta,
        pub spec: ResourceSliceSpec,
    }
}

wire! {
    /// Of `node_name`, `node_selector`, `all_nodes` and `per_device_node_selection` one says who reaches the devices.
    pub struct ResourceSliceSpec {
        pub driver: Name,
        pub pool: ResourcePool,
        pub node_name: Option<Name>,
        pub node_selector: Option<NodeSelector>,
        pub all_nodes: Option<bool>,
        /// Each device says so itself.
        pub per_device_node_selection: Option<bool>,
        pub devices: Vec<Device>,
        pub shared_counters: Vec<CounterSet>,
    }
}

wire! {
    pub struct ResourcePool {
        pub name: Name,
        /// Slices with a lower one than others of the pool are out of date. 0 when unset.
        pub generation: Option<i64>,
        /// Slices that the pool has in this generation: with fewer it is not complete.
        pub resource_slice_count: i64,
    }
}

wire! {
    pub struct Device {
        pub name: Name,
        /// By name, with or without a domain.
        pub attributes: BTreeMap<Name, DeviceAttribute>,
        pub capacity: BTreeMap<Name, DeviceCapacity>,
        pub consumes_counters: Vec<DeviceCounterConsumption>,
        pub node_name: Option<Name>,
        pub node_selector: Option<NodeSelector>,
        pub all_nodes: Option<bool>,
        pub taints: Vec<Taint>,
        /// Whether the device, once allocated, stays with the node that was chosen for the pod.
        pub binds_to_node: Option<bool>,
        pub binding_conditions: Vec<Name>,
        pub binding_failure_conditions: Vec<Name>,
        pub allow_multiple_allocations: Option<bool>,
    }
}

wire! {
    /// One of the four is set.
    pub struct DeviceAttribute {
        pub int: Option<i64>,
        pub bool: Option<bool>,
        pub string: Option<Name>,
        /// A semantic version.
        pub version: Option<Name>,
    }
}

wire! {
    pub struct DeviceCapacity {
        /// 0 when unset.
        pub value: Option<Quantity>,
        /// How much of it a claim can get, where claims share the device.
        pub request_policy: Option<CapacityRequestPolicy>,
    }
}

wire! {
    pub struct CapacityRequestPolicy {
        /// What claims get that ask for nothing.
        pub default: Option<Quantity>,
        /// In ascending order. What is asked for is rounded up to one of these.
        pub valid_values: Vec<Quantity>,
        pub valid_range: Option<CapacityRequestPolicyRange>,
    }
}

wire! {
    pub struct CapacityRequestPolicyRange {
        pub min: Option<Quantity>,
        pub max: Option<Quantity>,
        /// From `min` on.
        pub step: Option<Quantity>,
    }
}

wire! {
    /// What devices of a slice have in common and use up.
    pub struct CounterSet {
        pub name: Name,
        pub counters: BTreeMap<Name, Counter>,
    }
}

wire! {
    pub struct DeviceCounterConsumption {
        pub counter_set: Name,
        pub counters: BTreeMap<Name, Counter>,
    }
}

wire! {
    pub struct Counter {
        /// 0 when unset.
        pub value: Option<Quantity>,
    }
}
