//! Whether a configuration can be used, in upstream's words.
//!
//! Upstream: `pkg/scheduler/apis/config/validation/validation.go`.

mod args;
mod component;
mod extenders;

use std::collections::BTreeMap;

use api::quote;
use base::Name;

use super::API_VERSION;
use super::error::{ConfigError, Errors};
use super::path::Path;
use super::plugins::PluginSet;
use super::point::Point;
use super::wire::{PluginArgs, PluginConfig, Wire, WireProfile};

pub(super) use self::args::check_fit_args;

/// Plugins that went with the volumes that are not CSI's.
const REMOVED: [&str; 4] = ["AzureDiskLimits", "CinderLimits", "EBSLimits", "GCEPDLimits"];

/// What is wrong with the values of a configuration that has its defaults. Upstream:
/// `ValidateKubeSchedulerConfiguration`.
pub(super) fn validate(wire: &Wire) -> Vec<ConfigError> {
    let (root, mut errors) = (Path::Root, Errors::default());
    component::check_client_connection(&wire.client_connection, &root.child("clientConnection"), &mut errors);
    component::check_leader_election(&wire.leader_election, &root.child("leaderElection"), &mut errors);
    if wire.parallelism <= 0 {
        let detail = "should be an integer value greater than zero";
        errors.invalid(&root.child("parallelism"), wire.parallelism, detail);
    }
    check_profiles(&wire.profiles, &root.child("profiles"), &mut errors);
    let path = &root.child("percentageOfNodesToScore");
    check_percentage(Some(wire.percentage_of_nodes_to_score), path, &mut errors);
    check_backoff(wire, &mut errors);
    extenders::check_extenders(&wire.extenders, &root.child("extenders"), &mut errors);
    errors.0
}

fn check_profiles(profiles: &[WireProfile], path: &Path<'_>, errors: &mut Errors) {
    let mut seen: BTreeMap<Name, usize> = BTreeMap::new();
    for (idx, profile) in profiles.iter().enumerate() {
        let path = &path.index(idx);
        check_profile(profile, path, errors);
        if seen.insert(profile.name(), idx).is_some() {
            // Upstream hands over a path as the value, and its JSON is empty.
            errors.duplicate(&path.child("schedulerName"), "{}");
        }
    }
    if let [first, others @ ..] = profiles {
        check_common_queue_sort(first, others, path, errors);
    }
}

fn check_profile(profile: &WireProfile, path: &Path<'_>, errors: &mut Errors) {
    if profile.name().is_empty() {
        errors.required(&path.child("schedulerName"), "");
    }
    let percentage = profile.percentage_of_nodes_to_score;
    check_percentage(percentage, &path.child("percentageOfNodesToScore"), errors);
    let plugins = &path.child("plugins");
    for point in Point::ALL {
        for (idx, plugin) in profile.plugins.at(point).enabled.iter().enumerate() {
            let set = plugins.child(point.field());
            check_removed(&plugin.name, &set.child("enabled").index(idx), errors);
        }
    }
    for (idx, config) in profile.plugin_config.iter().enumerate() {
        let configs = path.child("pluginConfig");
        let path = &configs.index(idx);
        if profile.plugin_config[..idx].iter().any(|it| it.name == config.name) {
            errors.duplicate(path, quote(&config.name));
        }
        check_removed(&config.name, path, errors);
        args::check_args(&config.args, &path.child("args"), errors);
    }
}

fn check_removed(plugin: &Name, path: &Path<'_>, errors: &mut Errors) {
    if REMOVED.contains(&plugin.as_str()) {
        // Upstream takes the version of the core group here.
        let versions = (quote("v1"), quote(API_VERSION));
        let detail = format!(
            "was invalid in version {} (KubeSchedulerConfiguration is version {})",
            versions.0, versions.1
        );
        errors.invalid(path, quote(plugin), detail);
    }
}

fn check_percentage(percentage: Option<i32>, path: &Path<'_>, errors: &mut Errors) {
    if let Some(percentage) = percentage.filter(|it| !(0..=100).contains(it)) {
        errors.invalid(path, percentage, "not in valid range [0-100]");
    }
}

fn check_backoff(wire: &Wire, errors: &mut Errors) {
    let (initial, max) = (wire.pod_initial_backoff_seconds, wire.pod_max_backoff_seconds);
    if initial <= 0 {
        errors.invalid(&Path::Root.child("podInitialBackoffSeconds"), initial, "must be greater than 0");
    }
    if max < initial {
        let detail = "must be greater than or equal to PodInitialBackoffSeconds";
        errors.invalid(&Path::Root.child("podMaxBackoffSeconds"), max, detail);
    }
}

/// Upstream: `validateCommonQueueSort`.
fn check_common_queue_sort(
    first: &WireProfile,
    others: &[WireProfile],
    path: &Path<'_>,
    errors: &mut Errors,
) {
    let canon = first.plugins.at(Point::QueueSort);
    if canon.enabled.len() > 1 {
        let (first, detail) = (path.index(0), "only one queue sort plugin can be enabled");
        let (plugins, count) = (first.child("plugins"), canon.enabled.len());
        errors.invalid(&plugins.child("queueSort").child("Enabled"), count, detail);
    }
    for (idx, profile) in others.iter().enumerate() {
        let path = &path.index(idx + 1);
        let set = profile.plugins.at(Point::QueueSort);
        if set != canon {
            let path = &path.child("plugins");
            errors.invalid(&path.child("queueSort"), set.to_go_json(), "must be the same for all profiles");
        }
        check_queue_sort_args(first, canon, &profile.plugin_config, &path.child("pluginConfig"), errors);
    }
}

/// Only a plugin that is enabled by name at the point itself is looked at.
fn check_queue_sort_args(
    first: &WireProfile,
    canon: &PluginSet,
    configs: &[PluginConfig],
    path: &Path<'_>,
    errors: &mut Errors,
) {
    let Some(plugin) = canon.enabled.first() else { return };
    let wanted = first.plugin_config.iter().rfind(|it| it.name == plugin.name).map(|it| &it.args);
    for config in configs.iter().filter(|it| it.name == plugin.name && Some(&it.args) != wanted) {
        if let PluginArgs::Other(value) = &config.args {
            errors.invalid(&path.child("args"), value, "queueSort must be the same for all profiles");
        }
    }
}
