//! What holds of every choice of plugins.

use proptest::prelude::*;

use super::*;

/// Some plugins and `*`, to be enabled and disabled here and there.
fn any_set() -> impl Strategy<Value = Value> {
    let names =
        || prop::sample::select(vec!["NodeAffinity", "ImageLocality", "NodeName", "VolumeBinding", "Mine"]);
    let plugin = (names(), 0..4).prop_map(|(name, weight)| json!({ "name": name, "weight": weight }));
    let out = prop_oneof![4 => names(), 1 => Just("*")].prop_map(|name| json!({ "name": name }));
    let lists = (prop::collection::vec(plugin, 0..3), prop::collection::vec(out, 0..3));
    lists.prop_map(|(enabled, disabled)| json!({ "enabled": enabled, "disabled": disabled }))
}

/// The names on `list` of a set.
fn names<'a>(set: &'a Value, list: &str) -> Vec<&'a str> {
    set[list].as_array().into_iter().flatten().filter_map(|it| it["name"].as_str()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// A plugin scores if it can, unless it is disabled and not enabled again; it scores once, with a weight.
    #[test]
    fn a_plugin_scores_once_if_it_is_enabled(score in any_set(), everywhere in any_set()) {
        let registry = Registry::in_tree().with("Mine", &[Point::Score]);
        let value = profile(&json!({ "plugins": { "score": score, "multiPoint": everywhere } }));
        let Ok(configuration) = Configuration::with_plugins(&value, &registry) else { return Ok(()) };
        let scoring = &configuration.profiles[0].points.score;
        prop_assert!(scoring.iter().all(|(_, weight)| *weight != 0));
        let is_default = |name: &Name| *name != "Mine";
        for name in registry.names() {
            let is_in = |set: &Value, list: &str| names(set, list).contains(&name.as_str());
            let is_out = |set: &Value| is_in(set, "disabled") || names(set, "disabled").contains(&"*");
            let is_for_all = is_in(&everywhere, "enabled") || (is_default(name) && !is_out(&everywhere));
            let can = registry.points_of(name).is_some_and(|it| it.contains(&Point::Score));
            let scores = can && (is_in(&score, "enabled") || (is_for_all && !is_out(&score)));
            let times = scoring.iter().filter(|(it, _)| it == name).count();
            prop_assert_eq!(times, usize::from(scores), "{}", name);
        }
    }
}
