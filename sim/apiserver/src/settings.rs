//! What an operator sets on the command line of the API server.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use base::Span;

/// Defaults are those of kubeadm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// `--service-cluster-ip-range`: the network, and how many of its bits are fixed (12 to 30 make sense).
    pub service_range: (Ipv4Addr, u8),
    /// `--service-node-port-range`: the first and the last port.
    pub node_ports: (u16, u16),
    /// `--etcd-compaction-interval`. What is younger than this can be watched, what is twice as old cannot.
    pub compaction: Span,
    /// `--disable-admission-plugins`.
    pub disabled: BTreeSet<Plugin>,
}

/// An admission plugin that is on by default, and that does something here.
///
/// Upstream: `pkg/kubeapiserver/options/plugins.go`. Of the others that are on by default, webhooks and policies,
/// PodSecurity, ResourceQuota, PersistentVolumeClaimResize, DefaultIngressClass and those for certificates are
/// not modelled. Everybody may do everything: there is no authentication and no RBAC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Plugin {
    LimitRanger,
    ServiceAccount,
    TaintNodesByCondition,
    Priority,
    DefaultTolerationSeconds,
    DefaultStorageClass,
    StorageObjectInUseProtection,
    RuntimeClass,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            service_range: (Ipv4Addr::new(10, 96, 0, 0), 12),
            node_ports: (30_000, 32_767),
            compaction: Span::mins(5),
            disabled: BTreeSet::new(),
        }
    }
}
