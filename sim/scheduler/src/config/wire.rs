//! The configuration as it is written, with defaults filled in.
//!
//! Upstream: `staging/src/k8s.io/kube-scheduler/config/v1/types.go`, `pkg/scheduler/apis/config/v1/defaults.go`.

use base::Name;
use serde_json::Value;

use super::args::*;
use super::component::{ClientConnection, LeaderElection};
use super::decode::{Decode, Fields, decode};
use super::error::ConfigError;
use super::extender::Extender;
use super::path::Path;
use super::plugins::Plugins;
use super::{API_VERSION, GROUP, KIND};

/// `KubeSchedulerConfiguration`.
#[derive(Clone, Debug)]
pub(super) struct Wire {
    pub(super) parallelism: i32,
    pub(super) leader_election: LeaderElection,
    pub(super) client_connection: ClientConnection,
    pub(super) percentage_of_nodes_to_score: i32,
    pub(super) pod_initial_backoff_seconds: i64,
    pub(super) pod_max_backoff_seconds: i64,
    pub(super) profiles: Vec<WireProfile>,
    pub(super) extenders: Vec<Extender>,
    pub(super) delay_cache_until_active: bool,
}

/// `KubeSchedulerProfile`.
#[derive(Clone, Debug, Default)]
pub(super) struct WireProfile {
    pub(super) scheduler_name: Option<Name>,
    pub(super) percentage_of_nodes_to_score: Option<i32>,
    pub(super) plugins: Plugins,
    pub(super) plugin_config: Vec<PluginConfig>,
}

/// What is set of one plugin.
#[derive(Clone, Debug, Default)]
pub(super) struct PluginConfig {
    pub(super) name: Name,
    pub(super) args: PluginArgs,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum PluginArgs {
    DefaultPreemption(DefaultPreemptionArgs),
    DynamicResources(DynamicResourcesArgs),
    InterPodAffinity(InterPodAffinityArgs),
    NodeAffinity(NodeAffinityArgs),
    NodeResourcesBalancedAllocation(NodeResourcesBalancedAllocationArgs),
    NodeResourcesFit(NodeResourcesFitArgs),
    PodTopologySpread(PodTopologySpreadArgs),
    VolumeBinding(VolumeBindingArgs),
    /// Of a plugin that is not upstream's, or has no arguments there.
    Other(Value),
}

/// Reads a whole configuration. One of another version or kind is not read any further.
pub(super) fn read(value: &Value) -> Result<Wire, Vec<ConfigError>> {
    let mut errors = Vec::new();
    if value.is_object() {
        check_version(value.get("apiVersion"), "apiVersion".into(), &mut errors);
        check_kind(value.get("kind"), &mut errors);
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    let mut wire = Wire::decode(value, &Path::Root, &mut errors);
    if !value.is_object() && errors.is_empty() {
        errors.push(ConfigError::Kind { found: String::new() }); // A null.
    }
    wire.set_defaults();
    if errors.is_empty() { Ok(wire) } else { Err(errors) }
}

/// Versions that upstream has had are told from what never was one.
fn check_version(version: Option<&Value>, field: String, errors: &mut Vec<ConfigError>) {
    let found = version.and_then(Value::as_str).unwrap_or_default();
    if found != API_VERSION {
        let old = ["v1alpha1", "v1alpha2", "v1beta1", "v1beta2", "v1beta3"];
        let version = found.strip_prefix(GROUP).and_then(|it| it.strip_prefix('/'));
        let is_old = version.is_some_and(|it| old.contains(&it));
        errors.push(ConfigError::Version { field, found: found.into(), is_old });
    }
}

fn check_kind(kind: Option<&Value>, errors: &mut Vec<ConfigError>) {
    let found = kind.and_then(Value::as_str).unwrap_or_default();
    if found != KIND {
        errors.push(ConfigError::Kind { found: found.into() });
    }
}

impl Wire {
    /// Upstream: `SetDefaults_KubeSchedulerConfiguration`.
    fn set_defaults(&mut self) {
        if self.profiles.is_empty() {
            self.profiles.push(WireProfile::default());
        }
        // With several profiles, each must say its name.
        if let [only] = self.profiles.as_mut_slice() {
            only.scheduler_name.get_or_insert(Name::from_static("default-scheduler"));
        }
        for profile in &mut self.profiles {
            profile.plugins = Plugins::default_set().merged_with(&profile.plugins);
        }
        self.client_connection.set_defaults();
        self.leader_election.set_defaults();
    }
}

impl WireProfile {
    /// Empty if it is missing, which does not pass validation.
    pub(super) fn name(&self) -> Name {
        self.scheduler_name.clone().unwrap_or_default()
    }

    /// What is set of this plugin, explicitly.
    pub(super) fn config_of(&self, plugin: &str) -> Option<&PluginArgs> {
        self.plugin_config.iter().find(|it| it.name == *plugin).map(|it| &it.args)
    }

    pub(super) fn set_args(&mut self, plugin: &'static str, args: PluginArgs) {
        self.plugin_config.retain(|it| it.name != plugin);
        self.plugin_config.push(PluginConfig { name: Name::from_static(plugin), args });
    }

    pub(super) fn enables(&self, plugin: &str) -> bool {
        self.plugins.enabled().any(|it| it.name == *plugin)
    }

    /// Of all plugins; the defaults of those that are not set.
    pub(super) fn args(&self) -> Args {
        let mut args = Args::default();
        for config in &self.plugin_config {
            config.args.clone().put_into(&config.name, &mut args);
        }
        args
    }
}

impl PluginArgs {
    fn put_into(self, name: &Name, args: &mut Args) {
        match self {
            Self::DefaultPreemption(it) => args.default_preemption = it,
            Self::DynamicResources(it) => args.dynamic_resources = it,
            Self::InterPodAffinity(it) => args.inter_pod_affinity = it,
            Self::NodeAffinity(it) => args.node_affinity = it,
            Self::NodeResourcesBalancedAllocation(it) => args.node_resources_balanced_allocation = it,
            Self::NodeResourcesFit(it) => args.node_resources_fit = it,
            Self::PodTopologySpread(it) => args.pod_topology_spread = it,
            Self::VolumeBinding(it) => args.volume_binding = it,
            Self::Other(it) => drop(args.others.insert(name.clone(), it)),
        }
    }

    /// `None` if upstream knows no arguments of this plugin.
    fn decode_in_tree(
        plugin: &str,
        value: &Value,
        path: &Path<'_>,
        errors: &mut Vec<ConfigError>,
    ) -> Option<Self> {
        Some(match plugin {
            "DefaultPreemption" => Self::DefaultPreemption(Decode::decode(value, path, errors)),
            "DynamicResources" => Self::DynamicResources(Decode::decode(value, path, errors)),
            "InterPodAffinity" => Self::InterPodAffinity(Decode::decode(value, path, errors)),
            "NodeAffinity" => Self::NodeAffinity(Decode::decode(value, path, errors)),
            "NodeResourcesBalancedAllocation" => {
                let mut args = NodeResourcesBalancedAllocationArgs::decode(value, path, errors);
                args.set_defaults();
                Self::NodeResourcesBalancedAllocation(args)
            }
            "NodeResourcesFit" => {
                let mut args = NodeResourcesFitArgs::decode(value, path, errors);
                args.set_defaults();
                Self::NodeResourcesFit(args)
            }
            "PodTopologySpread" => Self::PodTopologySpread(Decode::decode(value, path, errors)),
            "VolumeBinding" => Self::VolumeBinding(Decode::decode(value, path, errors)),
            _ => return None,
        })
    }
}

impl Default for PluginArgs {
    fn default() -> Self {
        Self::Other(Value::Null)
    }
}

impl Default for Wire {
    fn default() -> Self {
        Self {
            parallelism: 16,
            leader_election: LeaderElection::default(),
            client_connection: ClientConnection::default(),
            percentage_of_nodes_to_score: 0, // Adaptive. Upstream: `DefaultPercentageOfNodesToScore`.
            pod_initial_backoff_seconds: 1,
            pod_max_backoff_seconds: 10,
            profiles: Vec::new(),
            extenders: Vec::new(),
            delay_cache_until_active: false,
        }
    }
}

impl Decode for Wire {
    fn decode(value: &Value, path: &Path<'_>, errors: &mut Vec<ConfigError>) -> Self {
        let mut it = Self::default();
        let mut fields = Fields::open(value, path, errors);
        fields.skip(&["apiVersion", "kind"]);
        fields.read("parallelism", &mut it.parallelism);
        fields.read("leaderElection", &mut it.leader_election);
        fields.read("clientConnection", &mut it.client_connection);
        let mut unused = false; // There is nothing to profile.
        fields.read("enableProfiling", &mut unused);
        fields.read("enableContentionProfiling", &mut unused);
        fields.read("percentageOfNodesToScore", &mut it.percentage_of_nodes_to_score);
        fields.read("podInitialBackoffSeconds", &mut it.pod_initial_backoff_seconds);
        fields.read("podMaxBackoffSeconds", &mut it.pod_max_backoff_seconds);
        fields.read("profiles", &mut it.profiles);
        fields.read("extenders", &mut it.extenders);
        fields.read("delayCacheUntilActive", &mut it.delay_cache_until_active);
        fields.close();
        it
    }
}

decode! { WireProfile {
    scheduler_name = "schedulerName",
    percentage_of_nodes_to_score = "percentageOfNodesToScore",
    plugins = "plugins",
    plugin_config = "pluginConfig",
} }

impl Decode for PluginConfig {
    fn decode(value: &Value, path: &Path<'_>, errors: &mut Vec<ConfigError>) -> Self {
        let mut name = Name::EMPTY;
        let mut fields = Fields::open(value, path, errors);
        fields.read("name", &mut name);
        let raw = fields.raw("args").cloned().unwrap_or_default();
        fields.close();
        let body = without_kind(&raw);
        let args = PluginArgs::decode_in_tree(&name, &body, &path.child("args"), errors);
        if args.is_some() {
            check_args_kind(&name, &raw, path, errors);
        }
        Self { name, args: args.unwrap_or(PluginArgs::Other(raw)) }
    }
}

fn without_kind(args: &Value) -> Value {
    let mut args = args.clone();
    if let Some(map) = args.as_object_mut() {
        map.retain(|field, _| field != "apiVersion" && field != "kind");
    }
    args
}

/// Arguments need not say what they are; if they do, it must be right.
fn check_args_kind(plugin: &Name, args: &Value, path: &Path<'_>, errors: &mut Vec<ConfigError>) {
    let stated = |field| args.get(field).filter(|it| !it.is_null());
    if let Some(version) = stated("apiVersion") {
        check_version(Some(version), format!("{path}.args.apiVersion"), errors);
    }
    let kind = stated("kind").map(|it| it.as_str().unwrap_or_default());
    if let Some(found) = kind.filter(|it| it.strip_suffix("Args") != Some(plugin)) {
        let (entry, found) = (path.to_string(), found.into());
        errors.push(ConfigError::ArgsKind { entry, plugin: plugin.clone(), found });
    }
}
