//! Kinds that Kubernetes once served in versions that v1.34 does not.
//!
//! Upstream: the deprecated API migration guide of the documentation.

/// A group's version that is gone, for some of its kinds.
pub(crate) struct Dropped {
    api_version: &'static str,
    kinds: &'static [&'static str],
    /// The minor version of Kubernetes 1 that no longer served it.
    since: u32,
    /// The version to write, unless the kind is gone altogether.
    now: Option<&'static str>,
}

const fn row(
    api_version: &'static str,
    since: u32,
    now: &'static str,
    kinds: &'static [&'static str],
) -> Dropped {
    Dropped { api_version, kinds, since, now: Some(now) }
}

const fn gone(api_version: &'static str, since: u32, kinds: &'static [&'static str]) -> Dropped {
    Dropped { api_version, kinds, since, now: None }
}

const WORKLOADS: &[&str] = &["ControllerRevision", "DaemonSet", "Deployment", "ReplicaSet", "StatefulSet"];
const RBAC: &[&str] = &["ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"];
const WEBHOOKS: &[&str] = &["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"];
const POLICIES: &[&str] = &["ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"];
const REVIEWS: &[&str] =
    &["LocalSubjectAccessReview", "SelfSubjectAccessReview", "SelfSubjectRulesReview", "SubjectAccessReview"];
const FLOWS: &[&str] = &["FlowSchema", "PriorityLevelConfiguration"];
const STORAGE: &[&str] = &["CSIDriver", "CSINode", "StorageClass", "VolumeAttachment"];
const CLAIMS: &[&str] = &["DeviceClass", "ResourceClaim", "ResourceClaimTemplate", "ResourceSlice"];
const HPA: &[&str] = &["HorizontalPodAutoscaler"];

static DROPPED: &[Dropped] = &[
    row("extensions/v1beta1", 16, "apps/v1", WORKLOADS),
    row("extensions/v1beta1", 16, "networking.k8s.io/v1", &["NetworkPolicy"]),
    row("extensions/v1beta1", 22, "networking.k8s.io/v1", &["Ingress"]),
    gone("extensions/v1beta1", 16, &["PodSecurityPolicy"]),
    row("apps/v1beta1", 16, "apps/v1", WORKLOADS),
    row("apps/v1beta2", 16, "apps/v1", WORKLOADS),
    row("admissionregistration.k8s.io/v1beta1", 22, "admissionregistration.k8s.io/v1", WEBHOOKS),
    row("admissionregistration.k8s.io/v1beta1", 34, "admissionregistration.k8s.io/v1", POLICIES),
    row("admissionregistration.k8s.io/v1alpha1", 34, "admissionregistration.k8s.io/v1", POLICIES),
    row("apiextensions.k8s.io/v1beta1", 22, "apiextensions.k8s.io/v1", &["CustomResourceDefinition"]),
    row("apiregistration.k8s.io/v1beta1", 22, "apiregistration.k8s.io/v1", &["APIService"]),
    row("authentication.k8s.io/v1beta1", 22, "authentication.k8s.io/v1", &["TokenReview"]),
    row("authorization.k8s.io/v1beta1", 22, "authorization.k8s.io/v1", REVIEWS),
    row("autoscaling/v2beta1", 25, "autoscaling/v2", HPA),
    row("autoscaling/v2beta2", 26, "autoscaling/v2", HPA),
    row("batch/v1beta1", 25, "batch/v1", &["CronJob"]),
    row("batch/v2alpha1", 21, "batch/v1", &["CronJob"]),
    row("certificates.k8s.io/v1beta1", 22, "certificates.k8s.io/v1", &["CertificateSigningRequest"]),
    row("coordination.k8s.io/v1beta1", 22, "coordination.k8s.io/v1", &["Lease"]),
    row("discovery.k8s.io/v1beta1", 25, "discovery.k8s.io/v1", &["EndpointSlice"]),
    row("events.k8s.io/v1beta1", 25, "events.k8s.io/v1", &["Event"]),
    row("flowcontrol.apiserver.k8s.io/v1alpha1", 21, "flowcontrol.apiserver.k8s.io/v1", FLOWS),
    row("flowcontrol.apiserver.k8s.io/v1beta1", 26, "flowcontrol.apiserver.k8s.io/v1", FLOWS),
    row("flowcontrol.apiserver.k8s.io/v1beta2", 29, "flowcontrol.apiserver.k8s.io/v1", FLOWS),
    row("flowcontrol.apiserver.k8s.io/v1beta3", 32, "flowcontrol.apiserver.k8s.io/v1", FLOWS),
    row("networking.k8s.io/v1beta1", 22, "networking.k8s.io/v1", &["Ingress", "IngressClass"]),
    row("networking.k8s.io/v1alpha1", 34, "networking.k8s.io/v1", &["IPAddress", "ServiceCIDR"]),
    row("node.k8s.io/v1beta1", 25, "node.k8s.io/v1", &["RuntimeClass"]),
    row("policy/v1beta1", 25, "policy/v1", &["PodDisruptionBudget", "Eviction"]),
    gone("policy/v1beta1", 25, &["PodSecurityPolicy"]),
    row("rbac.authorization.k8s.io/v1alpha1", 22, "rbac.authorization.k8s.io/v1", RBAC),
    row("rbac.authorization.k8s.io/v1beta1", 22, "rbac.authorization.k8s.io/v1", RBAC),
    row("resource.k8s.io/v1alpha2", 31, "resource.k8s.io/v1", CLAIMS),
    row("resource.k8s.io/v1alpha3", 32, "resource.k8s.io/v1", CLAIMS),
    row("scheduling.k8s.io/v1alpha1", 22, "scheduling.k8s.io/v1", &["PriorityClass"]),
    row("scheduling.k8s.io/v1beta1", 22, "scheduling.k8s.io/v1", &["PriorityClass"]),
    row("storage.k8s.io/v1beta1", 22, "storage.k8s.io/v1", STORAGE),
    row("storage.k8s.io/v1beta1", 27, "storage.k8s.io/v1", &["CSIStorageCapacity"]),
    row("storage.k8s.io/v1alpha1", 24, "storage.k8s.io/v1", &["CSIStorageCapacity", "VolumeAttachment"]),
];

/// What became of `kind` in `api_version`, if v1.34 no longer serves it there.
pub(crate) fn dropped(api_version: &str, kind: &str) -> Option<&'static Dropped> {
    DROPPED.iter().find(|it| it.api_version == api_version && it.kinds.contains(&kind))
}

/// Groups that exist only in what v1.34 no longer serves.
pub(crate) fn is_dropped_group(group: &str) -> bool {
    group == "extensions"
}

impl Dropped {
    /// What is wrong, and what would be right.
    pub(crate) fn explain(&self, kind: &str) -> (String, String) {
        let Self { api_version, since, .. } = self;
        let message = format!("`{api_version}` {kind} is no longer served since v1.{since}");
        match self.now {
            Some(now) => (format!("{message}; write `{now}`"), hint(kind, api_version)),
            None => (message, format!("{kind} was removed from Kubernetes; remove the object")),
        }
    }
}

/// What else has to change besides the version.
fn hint(kind: &str, api_version: &str) -> String {
    match kind {
        "Deployment" | "DaemonSet" | "ReplicaSet" | "StatefulSet" => {
            "`spec.selector` must be stated too, and match the labels of the template"
        }
        "Ingress" => "backends are `service: {name: …, port: {number: …}}`, and each path needs a `pathType`",
        "HorizontalPodAutoscaler" if api_version.ends_with("v2beta1") => {
            "`targetAverageUtilization: 50` is now `target: {type: Utilization, averageUtilization: 50}`"
        }
        "PodDisruptionBudget" => "an empty selector now selects every pod of the namespace",
        "CustomResourceDefinition" => "each version needs a `schema.openAPIV3Schema`",
        "MutatingWebhookConfiguration" | "ValidatingWebhookConfiguration" => {
            "`sideEffects` and `admissionReviewVersions` must be stated too"
        }
        "CertificateSigningRequest" => "`spec.signerName` must be stated too",
        _ => "the fields are the same",
    }
    .into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema;

    #[test]
    fn what_was_dropped_is_not_served_and_its_successor_is() {
        for it in DROPPED {
            for kind in it.kinds {
                assert!(schema::row(it.api_version, kind).is_none(), "{} {kind}", it.api_version);
                let Some(now) = it.now else { continue };
                assert!(schema::row(now, kind).is_some(), "{now} {kind}");
            }
        }
    }
}
