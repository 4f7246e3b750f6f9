//! How a scheduler is configured: reads, defaults, validates and expands a `KubeSchedulerConfiguration`.
//!
//! Upstream: `pkg/scheduler/apis/config`, `pkg/scheduler/scheduler.go`, `New`.

mod args;
mod args_wire;
mod component;
mod decode;
mod error;
mod expand;
mod extender;
mod path;
mod plugins;
mod point;
#[cfg(test)]
mod tests;
mod validation;
mod wire;

use base::Name;
use serde_json::Value;

use self::error::Errors;
use self::wire::{PluginArgs, Wire, WireProfile};

pub use self::args::*;
pub use self::component::{ClientConnection, LeaderElection};
pub use self::error::{ConfigError, ProfileError, QueueSortError};
pub use self::expand::Points;
pub use self::extender::{Extender, ExtenderManagedResource, ExtenderTlsConfig};
pub(crate) use self::plugins::default_plugins;
pub use self::point::{Point, Registry};

/// The API group of scheduler configurations.
pub const GROUP: &str = "kubescheduler.config.k8s.io";

/// The only version.
pub const API_VERSION: &str = "kubescheduler.config.k8s.io/v1";

pub const KIND: &str = "KubeSchedulerConfiguration";

/// A valid configuration, ready to build a scheduler from.
#[derive(Clone, Debug, PartialEq)]
pub struct Configuration {
    /// How many nodes upstream looks at at once. At least 1.
    pub parallelism: i32,
    pub leader_election: LeaderElection,
    pub client_connection: ClientConnection,
    /// When to stop looking for feasible nodes, in percent of all nodes. 0 means by the size of the cluster.
    pub percentage_of_nodes_to_score: i32,
    /// At least 1.
    pub pod_initial_backoff_seconds: i64,
    /// At least `pod_initial_backoff_seconds`.
    pub pod_max_backoff_seconds: i64,
    /// At least one; each of another name.
    pub profiles: Vec<Profile>,
    /// In the order in which they are asked: those that can be ignored come last.
    pub extenders: Vec<Extender>,
    /// Whether a scheduler that does not lead stays blind.
    pub delay_cache_until_active: bool,
}

/// How pods are scheduled that ask for this scheduler by name.
#[derive(Clone, Debug, PartialEq)]
pub struct Profile {
    pub scheduler_name: Name,
    /// Instead of the configuration's.
    pub percentage_of_nodes_to_score: Option<i32>,
    pub points: Points,
    pub args: Args,
}

impl Configuration {
    /// Reads a configuration that uses upstream's plugins only.
    ///
    /// # Errors
    ///
    /// All that is wrong: first with its form, then with its values, then with its plugins.
    pub fn from_value(value: &Value) -> Result<Self, Vec<ConfigError>> {
        Self::with_plugins(value, &Registry::in_tree())
    }

    /// Reads a configuration that can use all the plugins of `registry`.
    ///
    /// # Errors
    ///
    /// As [`Configuration::from_value`].
    pub fn with_plugins(value: &Value, registry: &Registry) -> Result<Self, Vec<ConfigError>> {
        let mut wire = wire::read(value)?;
        let found = validation::validate(&wire);
        if !found.is_empty() {
            return Err(found);
        }
        leave_to_extenders(&mut wire).map_err(|it| vec![it])?;
        Self::build(wire, registry).map_err(|it| vec![it])
    }

    fn build(wire: Wire, registry: &Registry) -> Result<Self, ConfigError> {
        let mut profiles = Vec::with_capacity(wire.profiles.len());
        for profile in &wire.profiles {
            let built = Profile::build(profile, registry)?;
            if let Some(first) = profiles.first() {
                check_queue_sort(&built, first)?;
            }
            profiles.push(built);
        }
        Ok(Self {
            parallelism: wire.parallelism,
            leader_election: wire.leader_election,
            client_connection: wire.client_connection,
            percentage_of_nodes_to_score: wire.percentage_of_nodes_to_score,
            pod_initial_backoff_seconds: wire.pod_initial_backoff_seconds,
            pod_max_backoff_seconds: wire.pod_max_backoff_seconds,
            profiles,
            extenders: ignorable_last(wire.extenders),
            delay_cache_until_active: wire.delay_cache_until_active,
        })
    }
}

impl Default for Configuration {
    /// Upstream's: one profile, `default-scheduler`.
    fn default() -> Self {
        let value = serde_json::json!({ "apiVersion": API_VERSION, "kind": KIND });
        Self::from_value(&value).expect("upstream's defaults are valid")
    }
}

impl Profile {
    fn build(wire: &WireProfile, registry: &Registry) -> Result<Self, ConfigError> {
        let scheduler_name = wire.name();
        let fail = |source| ConfigError::Profile { scheduler_name: wire.name(), source };
        let args = wire.args();
        if wire.enables("NodeResourcesFit") {
            check_fit(&args.node_resources_fit).map_err(fail)?;
        }
        let points = expand::expand(&scheduler_name, &wire.plugins, registry).map_err(fail)?;
        let percentage_of_nodes_to_score = wire.percentage_of_nodes_to_score;
        Ok(Self { scheduler_name, percentage_of_nodes_to_score, points, args })
    }
}

/// The one plugin whose settings upstream only looks at when it makes the plugin. Upstream: `NewFit`.
fn check_fit(args: &NodeResourcesFitArgs) -> Result<(), ProfileError> {
    let mut errors = Errors::default();
    validation::check_fit_args(args, &mut errors);
    if errors.0.is_empty() {
        return Ok(());
    }
    let plugin = Name::from_static("NodeResourcesFit");
    Err(ProfileError::Args { plugin, problem: error::aggregate(&errors.0) })
}

/// Upstream: `cfgValidator` in `pkg/scheduler/profile/profile.go`.
fn check_queue_sort(profile: &Profile, first: &Profile) -> Result<(), ConfigError> {
    let (plugin, wanted) = (&profile.points.queue_sort, &first.points.queue_sort);
    let scheduler_name = profile.scheduler_name.clone();
    if plugin != wanted {
        let (plugin, first) = (plugin.clone(), wanted.clone());
        return Err(ConfigError::QueueSort(QueueSortError::Plugin { scheduler_name, plugin, first }));
    }
    if profile.args.others.get(plugin) != first.args.others.get(plugin) {
        return Err(ConfigError::QueueSort(QueueSortError::Args { scheduler_name }));
    }
    Ok(())
}

/// Resources that extenders take care of are ignored by NodeResourcesFit, instead of those in its settings.
/// Upstream: `buildExtenders`.
fn leave_to_extenders(wire: &mut Wire) -> Result<(), ConfigError> {
    let managed = wire.extenders.iter().flat_map(|it| &it.managed_resources);
    let ignored: Vec<Name> = managed.filter(|it| it.ignored_by_scheduler).map(|it| it.name.clone()).collect();
    if ignored.is_empty() {
        return Ok(());
    }
    wire.profiles.iter_mut().try_for_each(|profile| profile.ignore_resources(&ignored))
}

/// Otherwise in their order.
fn ignorable_last(extenders: Vec<Extender>) -> Vec<Extender> {
    let (last, mut ordered): (Vec<Extender>, Vec<Extender>) =
        extenders.into_iter().partition(|it| it.ignorable);
    ordered.extend(last);
    ordered
}

impl WireProfile {
    fn ignore_resources(&mut self, ignored: &[Name]) -> Result<(), ConfigError> {
        let mut args = match self.config_of("NodeResourcesFit") {
            Some(PluginArgs::NodeResourcesFit(args)) => args.clone(),
            _ if self.enables("NodeResourcesFit") => NodeResourcesFitArgs::default(),
            _ => return Err(ConfigError::NoFitArgs),
        };
        args.ignored_resources = ignored.to_vec();
        self.set_args("NodeResourcesFit", PluginArgs::NodeResourcesFit(args));
        Ok(())
    }
}
