//! Kubernetes' own types, as the authority on which fields exist and what they hold. The only file that names
//! them one by one: it is what takes long to build.

use k8s_openapi::Resource;
use k8s_openapi::api::{
    admissionregistration, apiserverinternal, apps, authentication, authorization, autoscaling, batch,
    certificates, coordination, core, discovery, events, flowcontrol, networking, node, policy, rbac,
    resource, scheduling, storage, storagemigration,
};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions;
use k8s_openapi::apimachinery::pkg::apis::meta;
use k8s_openapi::kube_aggregator::pkg::apis::apiregistration;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::decode::{self, Finding};

/// A kind in one version, as v1.34 serves it.
pub(crate) struct Row {
    /// `apps/v1`
    pub(crate) api_version: &'static str,
    pub(crate) kind: &'static str,
    /// Finds everything that is not as the type says.
    pub(crate) check: fn(&Value) -> Vec<Finding>,
    /// Whether it can be stored, as opposed to being a question to the API server.
    pub(crate) is_stored: bool,
}

/// The row of a kind.
pub(crate) fn row(api_version: &str, kind: &str) -> Option<&'static Row> {
    ROWS.iter().find(|it| it.api_version == api_version && it.kind == kind)
}

pub(crate) fn rows() -> impl Iterator<Item = &'static Row> {
    ROWS.iter()
}

/// Checks the metadata of an object whose kind we know nothing of.
pub(crate) fn check_metadata(metadata: &Value) -> Vec<Finding> {
    check::<meta::v1::ObjectMeta>(metadata)
}

fn check<T: DeserializeOwned>(value: &Value) -> Vec<Finding> {
    decode::from_kubernetes::<T>(value).err().unwrap_or_default()
}

const fn stored<T: Resource + DeserializeOwned>() -> Row {
    Row { api_version: T::API_VERSION, kind: T::KIND, check: check::<T>, is_stored: true }
}

const fn asked<T: Resource + DeserializeOwned>() -> Row {
    Row { api_version: T::API_VERSION, kind: T::KIND, check: check::<T>, is_stored: false }
}

static ROWS: &[Row] = &[
    stored::<admissionregistration::v1::MutatingWebhookConfiguration>(),
    stored::<admissionregistration::v1::ValidatingAdmissionPolicy>(),
    stored::<admissionregistration::v1::ValidatingAdmissionPolicyBinding>(),
    stored::<admissionregistration::v1::ValidatingWebhookConfiguration>(),
    stored::<admissionregistration::v1alpha1::MutatingAdmissionPolicy>(),
    stored::<admissionregistration::v1alpha1::MutatingAdmissionPolicyBinding>(),
    stored::<admissionregistration::v1beta1::MutatingAdmissionPolicy>(),
    stored::<admissionregistration::v1beta1::MutatingAdmissionPolicyBinding>(),
    stored::<apiextensions::v1::CustomResourceDefinition>(),
    stored::<apiregistration::v1::APIService>(),
    stored::<apiserverinternal::v1alpha1::StorageVersion>(),
    stored::<apps::v1::ControllerRevision>(),
    stored::<apps::v1::DaemonSet>(),
    stored::<apps::v1::Deployment>(),
    stored::<apps::v1::ReplicaSet>(),
    stored::<apps::v1::StatefulSet>(),
    asked::<authentication::v1::SelfSubjectReview>(),
    asked::<authentication::v1::TokenRequest>(),
    asked::<authentication::v1::TokenReview>(),
    asked::<authorization::v1::LocalSubjectAccessReview>(),
    asked::<authorization::v1::SelfSubjectAccessReview>(),
    asked::<authorization::v1::SelfSubjectRulesReview>(),
    asked::<authorization::v1::SubjectAccessReview>(),
    asked::<autoscaling::v1::Scale>(),
    stored::<autoscaling::v1::HorizontalPodAutoscaler>(),
    stored::<autoscaling::v2::HorizontalPodAutoscaler>(),
    stored::<batch::v1::CronJob>(),
    stored::<batch::v1::Job>(),
    stored::<certificates::v1::CertificateSigningRequest>(),
    stored::<certificates::v1alpha1::ClusterTrustBundle>(),
    stored::<certificates::v1alpha1::PodCertificateRequest>(),
    stored::<certificates::v1beta1::ClusterTrustBundle>(),
    stored::<coordination::v1::Lease>(),
    stored::<coordination::v1alpha2::LeaseCandidate>(),
    stored::<coordination::v1beta1::LeaseCandidate>(),
    asked::<core::v1::Binding>(),
    asked::<core::v1::ComponentStatus>(),
    stored::<core::v1::ConfigMap>(),
    stored::<core::v1::Endpoints>(),
    stored::<core::v1::Event>(),
    stored::<core::v1::LimitRange>(),
    stored::<core::v1::Namespace>(),
    stored::<core::v1::Node>(),
    stored::<core::v1::PersistentVolume>(),
    stored::<core::v1::PersistentVolumeClaim>(),
    stored::<core::v1::Pod>(),
    stored::<core::v1::PodTemplate>(),
    stored::<core::v1::ReplicationController>(),
    stored::<core::v1::ResourceQuota>(),
    stored::<core::v1::Secret>(),
    stored::<core::v1::Service>(),
    stored::<core::v1::ServiceAccount>(),
    stored::<discovery::v1::EndpointSlice>(),
    stored::<events::v1::Event>(),
    stored::<flowcontrol::v1::FlowSchema>(),
    stored::<flowcontrol::v1::PriorityLevelConfiguration>(),
    stored::<networking::v1::Ingress>(),
    stored::<networking::v1::IngressClass>(),
    stored::<networking::v1::IPAddress>(),
    stored::<networking::v1::NetworkPolicy>(),
    stored::<networking::v1::ServiceCIDR>(),
    stored::<networking::v1beta1::IPAddress>(),
    stored::<networking::v1beta1::ServiceCIDR>(),
    stored::<node::v1::RuntimeClass>(),
    asked::<policy::v1::Eviction>(),
    stored::<policy::v1::PodDisruptionBudget>(),
    stored::<rbac::v1::ClusterRole>(),
    stored::<rbac::v1::ClusterRoleBinding>(),
    stored::<rbac::v1::Role>(),
    stored::<rbac::v1::RoleBinding>(),
    stored::<resource::v1::DeviceClass>(),
    stored::<resource::v1::ResourceClaim>(),
    stored::<resource::v1::ResourceClaimTemplate>(),
    stored::<resource::v1::ResourceSlice>(),
    stored::<resource::v1alpha3::DeviceTaintRule>(),
    stored::<resource::v1beta1::DeviceClass>(),
    stored::<resource::v1beta1::ResourceClaim>(),
    stored::<resource::v1beta1::ResourceClaimTemplate>(),
    stored::<resource::v1beta1::ResourceSlice>(),
    stored::<resource::v1beta2::DeviceClass>(),
    stored::<resource::v1beta2::ResourceClaim>(),
    stored::<resource::v1beta2::ResourceClaimTemplate>(),
    stored::<resource::v1beta2::ResourceSlice>(),
    stored::<scheduling::v1::PriorityClass>(),
    stored::<storage::v1::CSIDriver>(),
    stored::<storage::v1::CSINode>(),
    stored::<storage::v1::CSIStorageCapacity>(),
    stored::<storage::v1::StorageClass>(),
    stored::<storage::v1::VolumeAttachment>(),
    stored::<storage::v1::VolumeAttributesClass>(),
    stored::<storage::v1alpha1::VolumeAttributesClass>(),
    stored::<storage::v1beta1::VolumeAttributesClass>(),
    stored::<storagemigration::v1alpha1::StorageVersionMigration>(),
];

#[cfg(test)]
mod tests {
    use api::Kind;

    use super::*;

    #[test]
    fn every_built_in_kind_has_a_schema_in_its_stored_version() {
        for kind in Kind::ALL {
            assert!(row(&kind.api_version(), &kind.name()).is_some_and(|it| it.is_stored), "{kind:?}");
        }
    }
}
