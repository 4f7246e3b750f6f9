//! Settings of plugins that upstream refuses.

use expect_test::expect;

use super::*;

#[test]
fn the_same_plugin_twice() {
    let config = json!([{ "name": "NodeAffinity" }, { "name": "NodeAffinity" }, { "name": "CinderLimits" }]);
    expect![[r#"
        profiles[0].pluginConfig[1]: Duplicate value: "NodeAffinity"
        profiles[0].pluginConfig[2]: Invalid value: "CinderLimits": was invalid in version "v1" (KubeSchedulerConfiguration is version "kubescheduler.config.k8s.io/v1")
    "#]].assert_eq(&errors(&profile(&json!({ "pluginConfig": config }))));
}

#[test]
fn node_resources_fit() {
    let weights = json!([{ "name": "cpu", "weight": 101 }, { "name": "memory", "weight": -1 }]);
    let point = |utilization: i32, score: i32| json!({ "utilization": utilization, "score": score });
    let shape = json!([point(0, 11), point(0, -1), point(101, 10)]);
    let ratio = "RequestedToCapacityRatio";
    let strategies = [
        json!({ "type": "Best" }),
        json!({}),
        json!({ "type": "LeastAllocated", "resources": weights }),
        json!({ "type": ratio }),
        json!({ "type": ratio, "requestedToCapacityRatio": {} }),
        json!({ "type": ratio, "requestedToCapacityRatio": { "shape": shape } }),
    ];
    let ignored =
        json!({ "ignoredResources": ["example.com/", "cpu"], "ignoredResourceGroups": ["example.com/x"] });
    let cases = strategies.into_iter().map(|it| json!({ "scoringStrategy": it })).chain([ignored]);
    let found: String = cases.map(|it| args_errors("NodeResourcesFit", &it)).collect();
    expect![[r#"
        initializing profiles: creating profile for scheduler name default-scheduler: initializing plugin "NodeResourcesFit": scoringStrategy.type: Unsupported value: "Best": supported values: "LeastAllocated", "MostAllocated", "RequestedToCapacityRatio"
        initializing profiles: creating profile for scheduler name default-scheduler: initializing plugin "NodeResourcesFit": scoringStrategy.type: Unsupported value: "": supported values: "LeastAllocated", "MostAllocated", "RequestedToCapacityRatio"
        initializing profiles: creating profile for scheduler name default-scheduler: initializing plugin "NodeResourcesFit": [scoringStrategy.resources[0].weight: Invalid value: 101: resource weight of cpu not in valid range (0, 100], scoringStrategy.resources[1].weight: Invalid value: -1: resource weight of memory not in valid range (0, 100]]
        initializing profiles: creating profile for scheduler name default-scheduler: initializing plugin "NodeResourcesFit": scoringStrategy.requestedToCapacityRatio: Required value: must be specified when type is RequestedToCapacityRatio
        initializing profiles: creating profile for scheduler name default-scheduler: initializing plugin "NodeResourcesFit": scoringStrategy.shape: Required value: at least one point must be specified
        initializing profiles: creating profile for scheduler name default-scheduler: initializing plugin "NodeResourcesFit": [scoringStrategy.shape[1].utilization: Invalid value: 0: values must be sorted in increasing order, scoringStrategy.shape[0].score: Invalid value: 11: not in valid range [0, 10], scoringStrategy.shape[1].score: Invalid value: -1: not in valid range [0, 10], scoringStrategy.shape[2].utilization: Invalid value: 101: not in valid range [0, 100]]
        initializing profiles: creating profile for scheduler name default-scheduler: initializing plugin "NodeResourcesFit": [ignoredResources[0]: Invalid value: "example.com/": name part must be non-empty, ignoredResources[0]: Invalid value: "example.com/": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]'), ignoredResourceGroups[0]: Invalid value: "example.com/x": resource group name can't contain '/']
    "#]].assert_eq(&found);
}

#[test]
fn settings_of_a_plugin_that_is_not_used_are_not_looked_at() {
    let value = profile(&json!({
        "plugins": { "multiPoint": { "disabled": [{ "name": "NodeResourcesFit" }] } },
        "pluginConfig": [{ "name": "NodeResourcesFit", "args": { "scoringStrategy": {} } }],
    }));
    assert_eq!(read(&value).profiles[0].args.node_resources_fit.scoring_strategy.resources.len(), 2);
}

#[test]
fn node_resources_balanced_allocation() {
    let args =
        json!({ "resources": [{ "name": "cpu" }, { "name": "cpu" }, { "name": "memory", "weight": 2 }] });
    expect![[r#"
        profiles[0].pluginConfig[0].args.resources[1].name: Duplicate value: "cpu"
        profiles[0].pluginConfig[0].args.resources[2].weight: Invalid value: 2: must be 1
    "#]]
    .assert_eq(&args_errors("NodeResourcesBalancedAllocation", &args));
}

#[test]
fn default_preemption() {
    let cases = [
        json!({ "minCandidateNodesPercentage": 101, "minCandidateNodesAbsolute": -1 }),
        json!({ "minCandidateNodesPercentage": 0, "minCandidateNodesAbsolute": 0 }),
    ];
    let found: String = cases.into_iter().map(|it| args_errors("DefaultPreemption", &it)).collect();
    expect![[r#"
        profiles[0].pluginConfig[0].args.minCandidateNodesPercentage: Invalid value: 101: not in valid range [0, 100]
        profiles[0].pluginConfig[0].args.minCandidateNodesAbsolute: Invalid value: -1: not in valid range [0, inf)
        profiles[0].pluginConfig[0].args.minCandidateNodesPercentage: Invalid value: 0: cannot be zero at the same time as minCandidateNodesAbsolute
        profiles[0].pluginConfig[0].args.minCandidateNodesAbsolute: Invalid value: 0: cannot be zero at the same time as minCandidateNodesPercentage
    "#]].assert_eq(&found);
}

#[test]
fn inter_pod_affinity_dynamic_resources_and_volume_binding() {
    let found = args_errors("InterPodAffinity", &json!({ "hardPodAffinityWeight": 101 }))
        + &args_errors("DynamicResources", &json!({ "filterTimeout": "-1s" }))
        + &args_errors(
            "VolumeBinding",
            &json!({ "bindTimeoutSeconds": -1, "shape": [{ "utilization": 0, "score": 10 }] }),
        )
        + &args_errors("VolumeBinding", &json!({ "shape": [] }));
    expect![[r#"
        profiles[0].pluginConfig[0].args.hardPodAffinityWeight: Invalid value: 101: not in valid range [0, 100]
        profiles[0].pluginConfig[0].args.filterTimeout: Invalid value: "-1s": must be zero or positive
        profiles[0].pluginConfig[0].args.bindTimeoutSeconds: Invalid value: -1: invalid BindTimeoutSeconds, should not be a negative value
        profiles[0].pluginConfig[0].args.shape: Invalid value: [{"Utilization":0,"Score":10}]: unexpected field `shape`, remove it or turn on the feature gate StorageCapacityScoring
        profiles[0].pluginConfig[0].args.shape: Invalid value: []: unexpected field `shape`, remove it or turn on the feature gate StorageCapacityScoring
    "#]].assert_eq(&found);
}

#[test]
fn pod_topology_spread() {
    let constraint = |skew: i32, key: &str, action: &str| json!({ "maxSkew": skew, "topologyKey": key, "whenUnsatisfiable": action });
    let mut selective = constraint(1, "rack", "DoNotSchedule");
    selective["labelSelector"] = json!({ "matchLabels": { "app": "web" } });
    let wrong = json!([
        constraint(0, "", ""),
        constraint(1, "a b", "Never"),
        selective,
        constraint(2, "rack", "DoNotSchedule"),
    ]);
    let cases = [
        json!({ "defaultingType": "Sometimes" }),
        json!({ "defaultConstraints": [constraint(1, "zone", "ScheduleAnyway")] }),
        json!({ "defaultingType": "List", "defaultConstraints": wrong }),
    ];
    let found: String = cases.into_iter().map(|it| args_errors("PodTopologySpread", &it)).collect();
    expect![[r#"
        profiles[0].pluginConfig[0].args.defaultingType: Unsupported value: "Sometimes": supported values: "System", "List"
        profiles[0].pluginConfig[0].args.defaultingType: Invalid value: "System": when .defaultConstraints are not empty
        profiles[0].pluginConfig[0].args.defaultConstraints[0].maxSkew: Invalid value: 0: not in valid range (0, inf)
        profiles[0].pluginConfig[0].args.defaultConstraints[0].topologyKey: Required value: can not be empty
        profiles[0].pluginConfig[0].args.defaultConstraints[0].whenUnsatisfiable: Required value: can not be empty
        profiles[0].pluginConfig[0].args.defaultConstraints[1].topologyKey: Invalid value: "a b": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')
        profiles[0].pluginConfig[0].args.defaultConstraints[1].whenUnsatisfiable: Unsupported value: "Never": supported values: "DoNotSchedule", "ScheduleAnyway"
        profiles[0].pluginConfig[0].args.defaultConstraints[2].labelSelector: Forbidden: constraint must not define a selector, as they deduced for each pod
        profiles[0].pluginConfig[0].args.defaultConstraints[3]: Duplicate value: "{rack, DoNotSchedule}"
    "#]].assert_eq(&found);
}

#[test]
fn node_affinity() {
    let empty = json!({ "key": "a", "operator": "In" });
    let term = json!({
        "matchExpressions": [
            { "key": "a b", "operator": "Exists" },
            empty,
            { "key": "a", "operator": "Is" },
            { "key": "a", "operator": "Gt", "values": ["many"] },
        ],
        "matchFields": [
            { "key": "metadata.name", "operator": "In" },
            { "key": "metadata.name", "operator": "Gt", "values": ["1"] },
        ],
    });
    let affinity = json!({
        "requiredDuringSchedulingIgnoredDuringExecution": { "nodeSelectorTerms": [{}, term] },
        "preferredDuringSchedulingIgnoredDuringExecution": [
            { "weight": 0, "preference": term },
            { "weight": 1, "preference": { "matchExpressions": [empty] } },
        ],
    });
    expect![[r#"
        profiles[0].pluginConfig[0].args.addedAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[1].matchExpressions[0].key: Invalid value: "a b": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')
        profiles[0].pluginConfig[0].args.addedAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[1].matchExpressions[1].values: Invalid value: null: for 'in', 'notin' operators, values set can't be empty
        profiles[0].pluginConfig[0].args.addedAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[1].matchExpressions[2].operator: Unsupported value: "Is": supported values: "In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"
        profiles[0].pluginConfig[0].args.addedAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[1].matchExpressions[3].values[0]: Invalid value: "many": for 'Gt', 'Lt' operators, the value must be an integer
        profiles[0].pluginConfig[0].args.addedAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[1].matchFields[0].values: Invalid value: null: must have one element
        profiles[0].pluginConfig[0].args.addedAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[1].matchFields[1].operator: Unsupported value: "Gt": supported values: "In", "NotIn"
        profiles[0].pluginConfig[0].args.addedAffinity.preferredDuringSchedulingIgnoredDuringExecution[1].matchExpressions[0].values: Invalid value: null: for 'in', 'notin' operators, values set can't be empty
    "#]].assert_eq(&args_errors("NodeAffinity", &json!({ "addedAffinity": affinity })));
}
