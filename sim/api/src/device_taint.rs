//! Taints that somebody other than the driver puts on devices.
//!
//! Upstream: `staging/src/k8s.io/api/resource/v1alpha3/types.go`.

use base::Name;

use crate::device_class::DeviceSelector;
use crate::meta::Meta;
use crate::taint::Taint;
use crate::wire::wire;

wire! {
    pub struct DeviceTaintRule {
        #[serde(rename = "metadata")]
        pub meta: Meta,
        pub spec: DeviceTaintRuleSpec,
    }
}

wire! {
    pub struct DeviceTaintRuleSpec {
        /// Unset selects no device, empty selects all.
        pub device_selector: Option<DeviceTaintSelector>,
        pub taint: Taint,
    }
}

wire! {
    /// All that is set must be met.
    pub struct DeviceTaintSelector {
        pub device_class_name: Option<Name>,
        pub driver: Option<Name>,
        pub pool: Option<Name>,
        pub device: Option<Name>,
        pub selectors: Vec<DeviceSelector>,
    }
}
