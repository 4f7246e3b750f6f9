//! Which plugins a profile turns on and off: upstream's, and how a user's choice changes them.
//!
//! Upstream: `pkg/scheduler/apis/config/v1/default_plugins.go`.

use base::Name;
use serde_json::{Value, json};

use super::decode::{Decode, Fields, decode};
use super::error::ConfigError;
use super::path::Path;
use super::point::Point;

/// Stands for all plugins where some are disabled.
pub(super) const ALL: &str = "*";

/// Enabled in every profile at all points that they extend, with their weights; 0 where none is given.
const DEFAULT: [(&str, i32); 19] = [
    ("SchedulingGates", 0),
    ("PrioritySort", 0),
    ("NodeUnschedulable", 0),
    ("NodeName", 0),
    ("TaintToleration", 3),
    ("NodeAffinity", 2),
    ("NodePorts", 0),
    ("NodeResourcesFit", 1),
    ("VolumeRestrictions", 0),
    ("NodeVolumeLimits", 0),
    ("VolumeBinding", 0),
    ("VolumeZone", 0),
    ("PodTopologySpread", 2),
    ("InterPodAffinity", 2),
    ("DynamicResources", 0),
    ("DefaultPreemption", 0),
    ("NodeResourcesBalancedAllocation", 1),
    ("ImageLocality", 1),
    ("DefaultBinder", 0),
];

/// The default plugins, in their order.
pub(crate) fn default_plugins() -> impl Iterator<Item = &'static str> {
    DEFAULT.iter().map(|it| it.0)
}

/// The plugins of a profile.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Plugins {
    /// By point: those chosen there.
    sets: [PluginSet; Point::ALL.len()],
    /// Those chosen at all points that they extend.
    pub(super) multi_point: PluginSet,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct PluginSet {
    pub(super) enabled: Vec<Plugin>,
    pub(super) disabled: Vec<Plugin>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Plugin {
    pub(super) name: Name,
    /// Of its score; 0 stands for 1.
    pub(super) weight: i32,
}

impl Plugins {
    /// Upstream: `getDefaultPlugins`, with the feature gates that are on by default.
    pub(super) fn default_set() -> Self {
        let plugin = |&(name, weight): &(&'static str, i32)| Plugin { name: Name::from_static(name), weight };
        let multi_point = PluginSet { enabled: DEFAULT.iter().map(plugin).collect(), disabled: Vec::new() };
        Self { multi_point, ..Self::default() }
    }

    pub(super) const fn at(&self, point: Point) -> &PluginSet {
        &self.sets[point.idx()]
    }

    /// The default plugins, changed by what a user `chose`. Upstream: `mergePlugins`.
    pub(super) fn merged_with(&self, chosen: &Self) -> Self {
        let merge = |point: Point| self.at(point).merged_with(chosen.at(point));
        Self { sets: Point::ALL.map(merge), multi_point: self.multi_point.merged_with(&chosen.multi_point) }
    }

    /// All that is enabled somewhere.
    pub(super) fn enabled(&self) -> impl Iterator<Item = &Plugin> {
        self.sets.iter().chain([&self.multi_point]).flat_map(|it| &it.enabled)
    }
}

impl PluginSet {
    pub(super) fn disables(&self, name: &str) -> bool {
        self.disabled.iter().any(|it| it.name == *name)
    }

    /// A chosen plugin takes the place of the default one of that name, the others come after the defaults.
    /// Upstream: `mergePluginSet`.
    fn merged_with(&self, chosen: &Self) -> Self {
        let named = |it: &Plugin| Plugin { name: it.name.clone(), weight: 0 };
        let disabled: Vec<Plugin> = chosen.disabled.iter().chain(&self.disabled).map(named).collect();
        let is_disabled = |name: &str| disabled.iter().any(|it| it.name == *name);
        let mut enabled = Vec::new();
        let mut replacing = vec![false; chosen.enabled.len()];
        for default in self.enabled.iter().filter(|it| !is_disabled(ALL) && !is_disabled(&it.name)) {
            let replacement = chosen.enabled.iter().rposition(|it| it.name == default.name);
            if let Some(idx) = replacement {
                replacing[idx] = true;
            }
            enabled.push(replacement.map_or(default, |idx| &chosen.enabled[idx]).clone());
        }
        let added = chosen.enabled.iter().zip(&replacing).filter(|(_, replaces)| !**replaces);
        enabled.extend(added.map(|(it, _)| it.clone()));
        Self { enabled, disabled }
    }

    /// As Go shows it in messages.
    pub(super) fn to_go_json(&self) -> String {
        let plugin = |it: &Plugin| json!({ "Name": it.name, "Weight": it.weight });
        let list = |plugins: &[Plugin]| match plugins {
            [] => Value::Null,
            plugins => plugins.iter().map(plugin).collect(),
        };
        format!("{{\"Enabled\":{},\"Disabled\":{}}}", list(&self.enabled), list(&self.disabled))
    }
}

impl Decode for Plugins {
    fn decode(value: &Value, path: &Path<'_>, errors: &mut Vec<ConfigError>) -> Self {
        let mut it = Self::default();
        let mut fields = Fields::open(value, path, errors);
        for point in Point::ALL {
            fields.read(point.field(), &mut it.sets[point.idx()]);
        }
        fields.read("multiPoint", &mut it.multi_point);
        fields.close();
        it
    }
}

decode! { PluginSet { enabled = "enabled", disabled = "disabled" } }

decode! { Plugin { name = "name", weight = "weight" } }
