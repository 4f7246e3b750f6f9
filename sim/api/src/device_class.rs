//! Kinds of devices, and how devices are selected and set up.
//!
//! Upstream: `staging/src/k8s.io/api/resource/v1/types.go`.

use base::Name;

use crate::meta::Meta;
use crate::wire::wire;

wire! {
    pub struct DeviceClass {
        #[serde(rename = "metadata")]
        pub meta: Meta,
        pub spec: DeviceClassSpec,
    }
}

wire! {
    pub struct DeviceClassSpec {
        /// All must select a device.
        pub selectors: Vec<DeviceSelector>,
        pub config: Vec<DeviceClassConfiguration>,
        /// The resource by which containers may ask for devices of this class without a claim.
        pub extended_resource_name: Option<Name>,
    }
}

wire! {
    pub struct DeviceSelector {
        pub cel: Option<CelDeviceSelector>,
    }
}

wire! {
    pub struct CelDeviceSelector {
        /// In the Common Expression Language, about `device`.
        pub expression: Name,
    }
}

wire! {
    pub struct DeviceClassConfiguration {
        pub opaque: Option<OpaqueDeviceConfiguration>,
    }
}

wire! {
    /// Parameters that only the driver understands; they are in `rest`.
    pub struct OpaqueDeviceConfiguration {
        pub driver: Name,
    }
}
