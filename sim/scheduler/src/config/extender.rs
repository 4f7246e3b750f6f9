//! Where the schedulers outside this one are, and what they take part in.
//!
//! Upstream: `Extender` in `staging/src/k8s.io/kube-scheduler/config/v1/types.go`.

use api::GoDuration;
use base::Name;

use super::decode::decode;

/// A scheduler outside this one that is asked over HTTP. A verb that is empty is not asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extender {
    /// What the verbs are appended to.
    pub url_prefix: Name,
    pub filter_verb: Name,
    pub preempt_verb: Name,
    pub prioritize_verb: Name,
    /// What its scores count; positive if it scores.
    pub weight: i64,
    /// At most one extender binds.
    pub bind_verb: Name,
    pub enable_https: bool,
    pub tls_config: Option<ExtenderTlsConfig>,
    /// For one call; zero stands for the default of 5 s.
    pub http_timeout: GoDuration,
    /// Whether it knows the nodes, so that their names suffice.
    pub node_cache_capable: bool,
    /// Asked only about pods that ask for one of these; if there are none, about every pod.
    pub managed_resources: Vec<ExtenderManagedResource>,
    /// Whether pods are scheduled without it when it does not answer.
    pub ignorable: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExtenderManagedResource {
    pub name: Name,
    /// Whether NodeResourcesFit leaves this resource to the extender.
    pub ignored_by_scheduler: bool,
}

/// How to speak TLS with an extender: for who carries the calls.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExtenderTlsConfig {
    /// Whether the certificate of the extender goes unchecked.
    pub insecure: bool,
    /// Instead of the host's name.
    pub server_name: Name,
    pub cert_file: Name,
    pub key_file: Name,
    pub ca_file: Name,
    /// PEM in base64, before `cert_file`.
    pub cert_data: Name,
    /// PEM in base64, before `key_file`.
    pub key_data: Name,
    /// PEM in base64, before `ca_file`.
    pub ca_data: Name,
}

decode! { Extender {
    url_prefix = "urlPrefix",
    filter_verb = "filterVerb",
    preempt_verb = "preemptVerb",
    prioritize_verb = "prioritizeVerb",
    weight = "weight",
    bind_verb = "bindVerb",
    enable_https = "enableHTTPS",
    tls_config = "tlsConfig",
    http_timeout = "httpTimeout",
    node_cache_capable = "nodeCacheCapable",
    managed_resources = "managedResources",
    ignorable = "ignorable",
} }

decode! { ExtenderManagedResource { name = "name", ignored_by_scheduler = "ignoredByScheduler" } }

decode! { ExtenderTlsConfig {
    insecure = "insecure",
    server_name = "serverName",
    cert_file = "certFile",
    key_file = "keyFile",
    ca_file = "caFile",
    cert_data = "certData",
    key_data = "keyData",
    ca_data = "caData",
} }
