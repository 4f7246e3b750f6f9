//! Choices of plugins that upstream refuses.

use expect_test::expect;

use super::*;

fn plugins_errors(plugins: &Value) -> String {
    errors(&profile(&json!({ "plugins": plugins })))
}

#[test]
fn plugins_that_cannot_stand_where_they_are_enabled() {
    let cases = [
        json!({ "filter": { "enabled": [{ "name": "NodeAffinty" }] } }),
        json!({ "multiPoint": { "enabled": [{ "name": "Mine" }] } }),
        json!({ "score": { "enabled": [{ "name": "NodeName", "weight": 1 }] } }),
        json!({ "score": { "enabled": [{ "name": "NodeAffinity" }, { "name": "NodeAffinity" }] } }),
        json!({ "multiPoint": { "enabled": [{ "name": "ImageLocality" }, { "name": "ImageLocality" }] } }),
        json!({ "queueSort": { "disabled": [{ "name": "*" }] } }),
        json!({ "bind": { "disabled": [{ "name": "DefaultBinder" }] } }),
        json!({ "filter": { "enabled": [{ "name": "EBSLimits" }] } }),
    ];
    expect![[r#"
        initializing profiles: creating profile for scheduler name default-scheduler: FilterPlugin "NodeAffinty" does not exist; did you mean "NodeAffinity"?
        initializing profiles: creating profile for scheduler name default-scheduler: PreFilterPlugin "Mine" does not exist
        initializing profiles: creating profile for scheduler name default-scheduler: plugin "NodeName" does not extend ScorePlugin plugin
        initializing profiles: creating profile for scheduler name default-scheduler: plugin "NodeAffinity" already registered as "ScorePlugin"
        initializing profiles: creating profile for scheduler name default-scheduler: plugin "ImageLocality" already registered as "ScorePlugin"
        initializing profiles: creating profile for scheduler name default-scheduler: only one queue sort plugin required for profile with scheduler name "default-scheduler", but got 0
        initializing profiles: creating profile for scheduler name default-scheduler: at least one bind plugin is needed for profile with scheduler name "default-scheduler"
        profiles[0].plugins.filter.enabled[0]: Invalid value: "EBSLimits": was invalid in version "v1" (KubeSchedulerConfiguration is version "kubescheduler.config.k8s.io/v1")
    "#]].assert_eq(&cases.iter().map(plugins_errors).collect::<String>());
}

#[test]
fn disabling_what_is_not_there_is_no_error() {
    let value = profile(&json!({ "plugins": { "filter": { "disabled": [{ "name": "Nothing" }] } } }));
    assert_eq!(read(&value).profiles[0].points, Configuration::default().profiles[0].points);
}

#[test]
fn all_profiles_share_one_queue() {
    let registry = Registry::in_tree().with("Sort", &[Point::QueueSort]);
    let own = json!({ "enabled": [{ "name": "Sort" }], "disabled": [{ "name": "*" }] });
    let settings = |args: Value| json!([{ "name": "Sort", "args": args }]);
    let profiles = |first: Value, second: Value| {
        let named = |mut profile: Value, name: &str| {
            profile["schedulerName"] = name.into();
            profile
        };
        configuration(json!({ "profiles": [named(first, "a"), named(second, "b")] }))
    };
    let at_point = json!({ "plugins": { "queueSort": own } });
    let instead = json!({ "enabled": [{ "name": "Sort" }], "disabled": [{ "name": "PrioritySort" }] });
    let everywhere = json!({ "plugins": { "multiPoint": instead } });
    let with = |profile: &Value, args: Value| {
        let mut profile = profile.clone();
        profile["pluginConfig"] = settings(args);
        profile
    };
    let cases = [
        profiles(json!({}), at_point.clone()),
        profiles(json!({}), everywhere.clone()),
        profiles(with(&at_point, json!({ "by": "age" })), with(&at_point, json!({ "by": "size" }))),
        profiles(with(&everywhere, json!(1)), with(&everywhere, json!(2))),
    ];
    let found: String = cases.iter().map(|it| errors_with(it, &registry)).collect();
    expect![[r#"
        profiles[1].plugins.queueSort: Invalid value: {"Enabled":[{"Name":"Sort","Weight":0}],"Disabled":[{"Name":"*","Weight":0}]}: must be the same for all profiles
        initializing profiles: different queue sort plugins for profile "b": "Sort", first: "PrioritySort"
        profiles[1].pluginConfig.args: Invalid value: {"by":"size"}: queueSort must be the same for all profiles
        initializing profiles: different queue sort plugin args for profile "b"
    "#]].assert_eq(&found);
    let both = json!({ "enabled": [{ "name": "PrioritySort" }, { "name": "Sort" }] });
    let twice = json!({ "plugins": { "queueSort": both } });
    expect![[r#"
        profiles[0].plugins.queueSort.Enabled: Invalid value: 2: only one queue sort plugin can be enabled
    "#]]
    .assert_eq(&errors_with(&profiles(twice.clone(), twice), &registry));
}
