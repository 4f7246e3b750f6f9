//! One scheduler of those that share a process: which plugins it asks at which point, in which order.
//!
//! Upstream: `pkg/scheduler/profile/profile.go`, `pkg/scheduler/framework/runtime/framework.go`.

use std::sync::Arc;

use api::Pod;
use base::Name;

use crate::cluster::Cluster;
use crate::framework::{Plugin, Rejection};
use crate::plugins;

/// The position of a plugin in its profile.
pub(crate) type PluginIdx = usize;

#[derive(Clone)]
pub struct Profile {
    /// As in `spec.schedulerName` of the pods that it looks after.
    pub name: Name,
    plugins: Arc<Vec<Box<dyn Plugin>>>,
    pub(crate) points: Points,
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
            pre_bind: all,
        };
        let plugins = Arc::new(plugins.into_iter().map(|it| it.0).collect());
        Self { name, plugins, points, percentage_of_nodes_to_score: 0 }
    }

    /// The profile that a scheduler has without configuration.
    pub fn with_defaults(name: Name) -> Self {
        Self::new(name, plugins::defaults())
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

impl std::fmt::Debug for Profile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<&str> = self.plugins().map(Plugin::name).collect();
        f.debug_struct("Profile").field("name", &self.name).field("plugins", &names).finish_non_exhaustive()
    }
}
