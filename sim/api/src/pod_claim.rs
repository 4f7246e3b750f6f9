//! The claims of devices that a pod and its containers name.
//!
//! Upstream: `staging/src/k8s.io/api/core/v1/types.go`.

use base::Name;

use crate::wire::wire;

wire! {
    /// A claim of a pod: one that exists, or one that is made for the pod from a template.
    pub struct PodResourceClaim {
        /// How containers name it.
        pub name: Name,
        pub resource_claim_name: Option<Name>,
        pub resource_claim_template_name: Option<Name>,
    }
}

wire! {
    /// `core/v1.ResourceClaim`: a claim of the pod that a container uses.
    pub struct ContainerResourceClaim {
        pub name: Name,
        /// Empty means all requests of the claim.
        pub request: Name,
    }
}

wire! {
    /// Which claim was made from a template.
    pub struct PodResourceClaimStatus {
        pub name: Name,
        /// Unset if none had to be made.
        pub resource_claim_name: Option<Name>,
    }
}

wire! {
    /// The claim that was made for the extended resources which containers ask for.
    pub struct PodExtendedResourceClaimStatus {
        pub request_mappings: Vec<ContainerExtendedResourceRequest>,
        pub resource_claim_name: Name,
    }
}

wire! {
    pub struct ContainerExtendedResourceRequest {
        pub container_name: Name,
        pub resource_name: Name,
        /// In the claim.
        pub request_name: Name,
    }
}
