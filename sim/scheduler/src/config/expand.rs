//! From the plugins of a profile to the list at each extension point.
//!
//! Upstream: `NewFramework` and `expandMultiPointPlugins` in `pkg/scheduler/framework/runtime/framework.go`.

use api::nearest;
use base::Name;

use super::error::ProfileError;
use super::plugins::{ALL, Plugins};
use super::point::{Point, Registry};

/// The plugins at each extension point, in the order in which they are asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Points {
    pub pre_enqueue: Vec<Name>,
    pub queue_sort: Name,
    pub pre_filter: Vec<Name>,
    pub filter: Vec<Name>,
    pub post_filter: Vec<Name>,
    pub pre_score: Vec<Name>,
    /// With the weight of each.
    pub score: Vec<(Name, i64)>,
    pub reserve: Vec<Name>,
    pub permit: Vec<Name>,
    pub pre_bind: Vec<Name>,
    /// At least one.
    pub bind: Vec<Name>,
    pub post_bind: Vec<Name>,
}

/// The points of the profile of this name. `plugins` are merged with the defaults.
pub(super) fn expand(
    scheduler_name: &Name,
    plugins: &Plugins,
    registry: &Registry,
) -> Result<Points, ProfileError> {
    for point in Point::ALL {
        check_enabled(plugins, point, registry)?;
    }
    let mut lists = Lists::default();
    for point in Point::ALL {
        lists[point.idx()] = expand_point(plugins, point, registry)?;
    }
    let scheduler_name = || scheduler_name.clone();
    let count = lists[Point::QueueSort.idx()].len();
    if count != 1 {
        return Err(ProfileError::QueueSortCount { scheduler_name: scheduler_name(), count });
    }
    if lists[Point::Bind.idx()].is_empty() {
        return Err(ProfileError::NoBind { scheduler_name: scheduler_name() });
    }
    Ok(Points::new(lists, plugins))
}

/// Names of plugins by point.
type Lists = [Vec<Name>; Point::ALL.len()];

impl Points {
    /// There is one plugin to sort the queue.
    fn new(mut lists: Lists, plugins: &Plugins) -> Self {
        let mut take = |point: Point| std::mem::take(&mut lists[point.idx()]);
        let weighted = |it: Name| (it.clone(), weight(plugins, &it));
        Self {
            pre_enqueue: take(Point::PreEnqueue),
            queue_sort: take(Point::QueueSort).swap_remove(0),
            pre_filter: take(Point::PreFilter),
            filter: take(Point::Filter),
            post_filter: take(Point::PostFilter),
            pre_score: take(Point::PreScore),
            score: take(Point::Score).into_iter().map(weighted).collect(),
            reserve: take(Point::Reserve),
            permit: take(Point::Permit),
            pre_bind: take(Point::PreBind),
            bind: take(Point::Bind),
            post_bind: take(Point::PostBind),
        }
    }
}

/// Whether what is enabled at one point exists, belongs there and stands there once.
/// Upstream: `updatePluginList`.
fn check_enabled(plugins: &Plugins, point: Point, registry: &Registry) -> Result<(), ProfileError> {
    let (interface, enabled) = (point.interface(), &plugins.at(point).enabled);
    for (idx, plugin) in enabled.iter().enumerate() {
        if !find(&plugin.name, point, registry)?.contains(&point) {
            return Err(ProfileError::NotExtended { interface, plugin: plugin.name.clone() });
        }
        if enabled[..idx].iter().any(|it| it.name == plugin.name) {
            return Err(ProfileError::Twice { interface, plugin: plugin.name.clone() });
        }
    }
    Ok(())
}

/// First the plugins of this point that are also enabled at all points, then the others of those, then the
/// others of this point.
fn expand_point(plugins: &Plugins, point: Point, registry: &Registry) -> Result<Vec<Name>, ProfileError> {
    let set = plugins.at(point);
    let enabled: Vec<Name> = set.enabled.iter().map(|it| it.name.clone()).collect();
    if set.disables(ALL) {
        return Ok(enabled);
    }
    let (mut overriding, mut added) = (Vec::new(), Vec::new());
    for plugin in &plugins.multi_point.enabled {
        let name = &plugin.name;
        if !find(name, point, registry)?.contains(&point) || set.disables(name) {
            continue;
        }
        if enabled.contains(name) {
            overriding.push(name.clone());
        } else if added.contains(name) {
            return Err(ProfileError::Twice { interface: point.interface(), plugin: name.clone() });
        } else {
            added.push(name.clone());
        }
    }
    let (first, last): (Vec<Name>, Vec<Name>) = enabled.into_iter().partition(|it| overriding.contains(it));
    Ok([first, added, last].concat())
}

fn find<'a>(plugin: &Name, point: Point, registry: &'a Registry) -> Result<&'a [Point], ProfileError> {
    registry.points_of(plugin).ok_or_else(|| {
        let closest = nearest(plugin, registry.names().map(Name::as_str)).map(Name::new);
        ProfileError::UnknownPlugin { interface: point.interface(), plugin: plugin.clone(), closest }
    })
}

/// What is said at the point goes before what is said at all points; zero means one.
/// Upstream: `getScoreWeights`.
fn weight(plugins: &Plugins, name: &Name) -> i64 {
    let stated = plugins.at(Point::Score).enabled.iter().chain(&plugins.multi_point.enabled);
    let weight = stated.filter(|it| it.name == *name).map(|it| it.weight).next().unwrap_or(0);
    if weight == 0 { 1 } else { i64::from(weight) }
}
