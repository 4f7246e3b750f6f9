//! Services and the endpoints behind them.

use std::sync::Arc;

use base::Name;

use crate::int_or_string::IntOrString;
use crate::labels::Labels;
use crate::meta::{Meta, ObjectReference};
use crate::wire::wire;

wire! {
    pub struct Service {
        #[serde(rename = "metadata")]
        pub meta: Meta,
        pub spec: ServiceSpec,
    }
}

wire! {
    pub struct ServiceSpec {
        /// `ClusterIP`, `NodePort`, `LoadBalancer` or `ExternalName`.
        #[serde(rename = "type")]
        pub kind: Name,
        /// `None` for a headless service.
        #[serde(rename = "clusterIP")]
        pub cluster_ip: Name,
        #[serde(rename = "clusterIPs")]
        pub cluster_ips: Vec<Name>,
        pub ports: Vec<ServicePort>,
        pub selector: Labels,
        pub session_affinity: Name,
        pub external_name: Name,
        pub external_traffic_policy: Name,
        pub internal_traffic_policy: Option<Name>,
        pub traffic_distribution: Option<Name>,
        pub publish_not_ready_addresses: bool,
        pub ip_families: Vec<Name>,
        pub ip_family_policy: Option<Name>,
    }
}

wire! {
    pub struct ServicePort {
        pub name: Name,
        /// TCP, UDP or SCTP.
        pub protocol: Name,
        pub app_protocol: Option<Name>,
        pub port: i32,
        pub target_port: Option<IntOrString>,
        pub node_port: i32,
    }
}

wire! {
    /// Up to 100 endpoints of a service that share their ports.
    pub struct EndpointSlice {
        #[serde(rename = "metadata")]
        pub meta: Meta,
        /// `IPv4`, `IPv6` or `FQDN`.
        pub address_type: Name,
        /// Shared, since one version of a slice mostly differs from the last in one of them.
        pub endpoints: Vec<Arc<Endpoint>>,
        pub ports: Vec<EndpointPort>,
    }
}

wire! {
    pub struct Endpoint {
        pub addresses: Vec<Name>,
        pub conditions: EndpointConditions,
        pub hostname: Option<Name>,
        pub target_ref: Option<ObjectReference>,
        pub node_name: Option<Name>,
        pub zone: Option<Name>,
    }
}

wire! {
    pub struct EndpointConditions {
        pub ready: Option<bool>,
        pub serving: Option<bool>,
        pub terminating: Option<bool>,
    }
}

wire! {
    pub struct EndpointPort {
        pub name: Option<Name>,
        pub protocol: Option<Name>,
        pub port: Option<i32>,
        pub app_protocol: Option<Name>,
    }
}

impl Service {
    pub fn is_headless(&self) -> bool {
        self.spec.cluster_ip == "None"
    }
}
