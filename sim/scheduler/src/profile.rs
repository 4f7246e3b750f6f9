//! One scheduler of those that share a process: which plugins it asks at which point, in which order.
//!
//! Upstream: `pkg/scheduler/profile/profile.go`, `pkg/scheduler/framework/runtime/framework.go`.

use std::sync::Arc;

use api::Pod;
use base::Name;

use crate::cluster::Cluster;
use crate::config;
use crate::extender::ExtenderListener;
use crate::framework::{Plugin, Rejection};
use crate::hint::ClusterEvent;
use crate::plugins;

/// The position of a plugin in its profile.
pub(crate) type PluginIdx = usize;

#[derive(Clone)]
pub struct Profile {
    /// As in `spec.schedulerName` of the pods that it looks after.
    pub name: Name,
    plugins: Arc<Vec<Box<dyn Plugin>>>,
    /// By position of the plugin: what it registered for.
    events: Arc<Vec<Vec<ClusterEvent>>>,
    pub(crate) points: Points,
    has_extenders: bool,
    /// How many hundredths of all nodes must be found feasible before the search ends; 0 means adaptive.
    pub percentage_of_nodes_to_score: i32,
}

/// The plugins that are asked at each point, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Points {
    pub(crate) pre_enqueue: Vec<PluginIdx>,
    pub(crate) pre_filter: Vec<PluginIdx>,
    pub(crate) filter: Vec<PluginIdx>,
    pub(crate) post_filter: Vec<PluginIdx>,
    /// With the weight.
    pub(crate) score: Vec<(PluginIdx, i64)>,
    pub(crate) reserve: Vec<PluginIdx>,
    pub(crate) permit: Vec<PluginIdx>,
    pub(crate) pre_bind: Vec<PluginIdx>,
    pub(crate) post_bind: Vec<PluginIdx>,
}

impl Profile {
    /// All plugins of `plugins` at every point, in that order. Those with a weight score.
    pub fn new(name: Name, plugins: Vec<(Box<dyn Plugin>, i64)>) -> Self {
        let all: Vec<PluginIdx> = (0..plugins.len()).collect();
        let score = plugins.iter().enumerate().filter(|(_, it)| it.1 != 0).map(|(idx, it)| (idx, it.1));
        let points = Points {
            score: score.collect(),
            pre_enqueue: all.clone(),
            pre_filter: all.clone(),
            filter: all.clone(),
            post_filter: all.clone(),
            reserve: all.clone(),
            permit: all.clone(),
            pre_bind: all.clone(),
            post_bind: all,
        };
        Self::of(name, plugins.into_iter().map(|it| it.0).collect(), points, 0)
    }

    /// The profile that a scheduler has without configuration.
    pub fn with_defaults(name: Name) -> Self {
        Self::new(name, plugins::defaults())
    }

    /// All profiles of a configuration, in its order.
    pub fn all_of(configuration: &config::Configuration) -> Vec<Self> {
        let mut profiles: Vec<Self> = configuration.profiles.iter().map(Self::configured).collect();
        for (profile, own) in profiles.iter_mut().zip(&configuration.profiles) {
            if own.percentage_of_nodes_to_score.is_none() {
                profile.percentage_of_nodes_to_score = configuration.percentage_of_nodes_to_score;
            }
        }
        profiles
    }

    /// As a user has configured it.
    pub fn configured(config: &config::Profile) -> Self {
        let points = &config.points;
        let mut builder = Builder { args: &config.args, names: Vec::new(), plugins: Vec::new() };
        let points = Points {
            pre_enqueue: builder.all(&points.pre_enqueue),
            pre_filter: builder.all(&points.pre_filter),
            filter: builder.all(&points.filter),
            post_filter: builder.all(&points.post_filter),
            score: points
                .score
                .iter()
                .filter_map(|(name, weight)| Some((builder.one(name)?, *weight)))
                .collect(),
            reserve: builder.all(&points.reserve),
            permit: builder.all(&points.permit),
            pre_bind: builder.all(&points.pre_bind),
            post_bind: builder.all(&points.post_bind),
        };
        let percentage = config.percentage_of_nodes_to_score.unwrap_or(0);
        Self::of(config.scheduler_name.clone(), builder.plugins, points, percentage)
    }

    fn of(name: Name, plugins: Vec<Box<dyn Plugin>>, points: Points, percentage: i32) -> Self {
        let events = Arc::new(plugins.iter().map(|it| it.events_to_register()).collect());
        let percentage_of_nodes_to_score = percentage;
        let plugins = Arc::new(plugins);
        Self { name, plugins, events, points, has_extenders: false, percentage_of_nodes_to_score }
    }

    /// Pods that extenders refuse are woken by whatever happens.
    pub(crate) fn listen_for_extenders(&mut self) {
        self.has_extenders = true;
    }

    /// The plugins that registered for what has happened.
    pub(crate) fn listeners(&self, event: ClusterEvent) -> impl Iterator<Item = &dyn Plugin> {
        let registered = self.plugins().zip(self.events.iter());
        let registered = registered.filter(move |it| it.1.iter().any(|it| it.covers(event))).map(|it| it.0);
        registered.chain(self.has_extenders.then_some(&ExtenderListener as &dyn Plugin))
    }

    /// The score plugins, each with its weight.
    pub fn weights(&self) -> impl Iterator<Item = (&'static str, i64)> {
        self.points.score.iter().map(|&(plugin, weight)| (self.plugin(plugin).name(), weight))
    }

    pub(crate) fn plugin(&self, idx: PluginIdx) -> &dyn Plugin {
        self.plugins[idx].as_ref()
    }

    pub(crate) fn plugins(&self) -> impl Iterator<Item = &dyn Plugin> {
        self.plugins.iter().map(AsRef::as_ref)
    }

    /// The plugin that does not let the pod into the queue, if there is one. Upstream: `RunPreEnqueuePlugins`.
    pub fn gate(&self, pod: &Pod, cluster: &Cluster) -> Option<(&'static str, Rejection)> {
        self.points.pre_enqueue.iter().find_map(|&idx| {
            let plugin = self.plugin(idx);
            Some((plugin.name(), plugin.pre_enqueue(pod, cluster)?))
        })
    }
}

/// Makes each plugin when it is first named.
struct Builder<'a> {
    args: &'a config::Args,
    names: Vec<Name>,
    plugins: Vec<Box<dyn Plugin>>,
}

impl Builder<'_> {
    fn all(&mut self, names: &[Name]) -> Vec<PluginIdx> {
        names.iter().filter_map(|name| self.one(name)).collect()
    }

    fn one(&mut self, name: &Name) -> Option<PluginIdx> {
        if let Some(idx) = self.names.iter().position(|it| it == name) {
            return Some(idx);
        }
        self.plugins.push(plugins::make(name, self.args)?);
        self.names.push(name.clone());
        Some(self.names.len() - 1)
    }
}

impl std::fmt::Debug for Profile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<&str> = self.plugins().map(Plugin::name).collect();
        f.debug_struct("Profile").field("name", &self.name).field("plugins", &names).finish_non_exhaustive()
    }
}
