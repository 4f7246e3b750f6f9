//! What the kinds have in common with each other, and what not.
//!
//! Upstream: the strategies in `pkg/registry/*/*/strategy.go`.

use api::Kind;

/// Updates without a `resourceVersion` overwrite whatever is there. Upstream: `AllowUnconditionalUpdate`.
pub(crate) fn allows_unconditional_update(kind: &Kind) -> bool {
    !matches!(
        kind,
        Kind::Lease
            | Kind::PodDisruptionBudget
            | Kind::APIService
            | Kind::CSIDriver
            | Kind::CSINode
            | Kind::ControllerRevision
            | Kind::CustomResourceDefinition
            | Kind::FlowSchema
            | Kind::MutatingWebhookConfiguration
            | Kind::PriorityLevelConfiguration
            | Kind::RuntimeClass
            | Kind::ServiceAccount
            | Kind::ValidatingWebhookConfiguration
            | Kind::VolumeAttachment
            | Kind::Custom(_)
    )
}

/// An update of what does not exist creates it. Upstream: `AllowCreateOnUpdate`.
pub(crate) fn allows_create_on_update(kind: &Kind) -> bool {
    matches!(
        kind,
        Kind::Event
            | Kind::Lease
            | Kind::LimitRange
            | Kind::Service
            | Kind::ClusterRole
            | Kind::ClusterRoleBinding
            | Kind::Endpoints
            | Kind::Role
            | Kind::RoleBinding
    )
}

/// Dependents stay unless the deletion says otherwise. Upstream: `DefaultGarbageCollectionPolicy`.
pub(crate) fn orphans_by_default(kind: &Kind) -> bool {
    matches!(kind, Kind::Job | Kind::ReplicationController)
}

/// Has no dependents, and gets no finalizers for them.
pub(crate) fn is_not_collected(kind: &Kind) -> bool {
    matches!(kind, Kind::Event)
}

/// Of the kinds that are stored only: has a status that its main resource does not write.
pub(crate) fn has_status(kind: &Kind) -> bool {
    matches!(
        kind,
        Kind::APIService
            | Kind::CertificateSigningRequest
            | Kind::CustomResourceDefinition
            | Kind::FlowSchema
            | Kind::Ingress
            | Kind::PriorityLevelConfiguration
            | Kind::ResourceQuota
            | Kind::ServiceCIDR
            | Kind::ValidatingAdmissionPolicy
    )
}

/// Of the kinds that are stored only: counts the changes of its spec.
pub(crate) fn has_generation(kind: &Kind) -> bool {
    matches!(
        kind,
        Kind::CustomResourceDefinition
            | Kind::FlowSchema
            | Kind::Ingress
            | Kind::IngressClass
            | Kind::MutatingWebhookConfiguration
            | Kind::NetworkPolicy
            | Kind::PodTemplate
            | Kind::PriorityLevelConfiguration
            | Kind::ValidatingAdmissionPolicy
            | Kind::ValidatingAdmissionPolicyBinding
            | Kind::ValidatingWebhookConfiguration
            | Kind::Custom(_)
    )
}
