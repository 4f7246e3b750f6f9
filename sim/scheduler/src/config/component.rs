//! What every component can be told: how it speaks to the API server, how it elects a leader.
//!
//! Upstream: `staging/src/k8s.io/component-base/config/v1alpha1`.

use api::GoDuration;
use base::Name;

use super::decode::decode;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct ClientConnection {
    pub kubeconfig: Name,
    pub accept_content_types: Name,
    pub content_type: Name,
    /// Requests a second. Negative means without limit.
    pub qps: f32,
    /// Requests at once, beyond `qps`. At least 0.
    pub burst: i32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeaderElection {
    pub leader_elect: bool,
    /// How long the others wait, after a leader's last renewal, before they take over.
    pub lease_duration: GoDuration,
    /// How long a leader tries to renew before it gives up. Less than `lease_duration`.
    pub renew_deadline: GoDuration,
    /// From one try to the next.
    pub retry_period: GoDuration,
    pub resource_lock: Name,
    pub resource_name: Name,
    pub resource_namespace: Name,
}

impl Default for LeaderElection {
    fn default() -> Self {
        let mut it = Self {
            leader_elect: true,
            lease_duration: GoDuration::default(),
            renew_deadline: GoDuration::default(),
            retry_period: GoDuration::default(),
            resource_lock: Name::EMPTY,
            resource_name: Name::EMPTY,
            resource_namespace: Name::EMPTY,
        };
        it.set_defaults();
        it
    }
}

impl ClientConnection {
    /// The scheduler's own; what is zero counts as unset.
    pub(super) fn set_defaults(&mut self) {
        if self.content_type.is_empty() {
            self.content_type = Name::from_static("application/vnd.kubernetes.protobuf");
        }
        if self.qps.abs() <= 0.0 {
            self.qps = 50.0;
        }
        if self.burst == 0 {
            self.burst = 100;
        }
    }
}

impl LeaderElection {
    /// What is zero counts as unset. Upstream: `RecommendedDefaultLeaderElectionConfiguration`.
    pub(super) fn set_defaults(&mut self) {
        let seconds = |it: i64| GoDuration::from_nanos(it * 1_000_000_000);
        fill(&mut self.lease_duration, seconds(15));
        fill(&mut self.renew_deadline, seconds(10));
        fill(&mut self.retry_period, seconds(2));
        fill(&mut self.resource_lock, Name::from_static("leases"));
        fill(&mut self.resource_name, Name::from_static("kube-scheduler"));
        fill(&mut self.resource_namespace, Name::from_static("kube-system"));
    }
}

fn fill<T: Default + PartialEq>(field: &mut T, default: T) {
    if *field == T::default() {
        *field = default;
    }
}

decode! { ClientConnection {
    kubeconfig = "kubeconfig",
    accept_content_types = "acceptContentTypes",
    content_type = "contentType",
    qps = "qps",
    burst = "burst",
} }

decode! { LeaderElection {
    leader_elect = "leaderElect",
    lease_duration = "leaseDuration",
    renew_deadline = "renewDeadline",
    retry_period = "retryPeriod",
    resource_lock = "resourceLock",
    resource_name = "resourceName",
    resource_namespace = "resourceNamespace",
} }
