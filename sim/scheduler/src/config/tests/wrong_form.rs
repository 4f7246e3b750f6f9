//! Configurations that cannot be read.

use expect_test::expect;

use super::*;

#[test]
fn other_versions_and_kinds_are_refused() {
    let cases = [
        json!({ "apiVersion": "kubescheduler.config.k8s.io/v1beta3", "kind": KIND }),
        json!({ "apiVersion": "kubescheduler.config.k8s.io/v1beta1", "kind": KIND, "unknown": 1 }),
        json!({ "apiVersion": "kubescheduler.config.k8s.io/v2", "kind": KIND }),
        json!({ "apiVersion": "v1", "kind": "Pod" }),
        json!({}),
        json!(null),
        json!([1]),
        json!("text"),
    ];
    expect![[r#"
        apiVersion: "kubescheduler.config.k8s.io/v1beta3" is not supported; write "kubescheduler.config.k8s.io/v1", which replaced it
        apiVersion: "kubescheduler.config.k8s.io/v1beta1" is not supported; write "kubescheduler.config.k8s.io/v1", which replaced it
        apiVersion: "kubescheduler.config.k8s.io/v2" is not supported; write "kubescheduler.config.k8s.io/v1"
        apiVersion: "v1" is not supported; write "kubescheduler.config.k8s.io/v1"
        kind: "Pod" is not a scheduler configuration; write "KubeSchedulerConfiguration"
        apiVersion: "" is not supported; write "kubescheduler.config.k8s.io/v1"
        kind: "" is not a scheduler configuration; write "KubeSchedulerConfiguration"
        kind: "" is not a scheduler configuration; write "KubeSchedulerConfiguration"
        configuration: expected an object, found a list
        configuration: expected an object, found "text"
    "#]].assert_eq(&cases.iter().map(errors).collect::<String>());
}

#[test]
fn unknown_fields_name_what_was_probably_meant() {
    let affinity = json!({ "requiredDuringSchedulingIgnoredDuringExecution": {
        "nodeSelectorTerms": [{ "matchExpression": [] }],
    } });
    let profile = json!({
        "schedulername": "x",
        "plugins": { "filters": {}, "score": { "enable": [], "disabled": [{ "names": "*" }] } },
        "pluginConfig": [
            { "name": "NodeResourcesFit", "args": { "scoringStrategy": { "types": "MostAllocated" } } },
            { "name": "NodeAffinity", "args": { "addedAffinity": affinity } },
            { "name": "VolumeBinding", "arg": {} },
        ],
    });
    let value = configuration(json!({
        "percentageOfNodeToScore": 5,
        "colour": "red",
        "leaderElection": { "leaderElected": true },
        "clientConnection": { "QPS": 5 },
        "extenders": [{ "urlPrefix": "http://a", "tls": {} }, { "managedResources": [{ "nam": "x" }] }],
        "profiles": [profile],
    }));
    expect![[r#"
        unknown field "leaderElection.leaderElected"; did you mean "leaderElect"?
        unknown field "clientConnection.QPS"; did you mean "qps"?
        unknown field "profiles[0].plugins.score.disabled[0].names"; did you mean "name"?
        unknown field "profiles[0].plugins.score.enable"; did you mean "enabled"?
        unknown field "profiles[0].plugins.filters"; did you mean "filter"?
        unknown field "profiles[0].pluginConfig[0].args.scoringStrategy.types"; did you mean "type"?
        unknown field "profiles[0].pluginConfig[1].args.addedAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpression"; did you mean "matchExpressions"?
        unknown field "profiles[0].pluginConfig[2].arg"; did you mean "args"?
        unknown field "profiles[0].schedulername"; did you mean "schedulerName"?
        unknown field "extenders[0].tls"
        unknown field "extenders[1].managedResources[0].nam"; did you mean "name"?
        unknown field "colour"
        unknown field "percentageOfNodeToScore"; did you mean "percentageOfNodesToScore"?
    "#]].assert_eq(&errors(&value));
}

#[test]
fn wrong_types_say_what_was_expected() {
    let value = configuration(json!({
        "parallelism": "many",
        "percentageOfNodesToScore": 4_000_000_000_i64,
        "podInitialBackoffSeconds": 1.5,
        "clientConnection": { "qps": "fast", "burst": [] },
        "leaderElection": { "leaderElect": "yes", "leaseDuration": 15, "retryPeriod": "soon" },
        "profiles": [
            7,
            { "schedulerName": 5, "plugins": [], "pluginConfig": {} },
            {
                "plugins": { "score": { "enabled": ["NodeAffinity"] } },
                "pluginConfig": [{ "name": "NodeResourcesFit", "args": [] }],
            },
        ],
    }));
    expect![[r#"
        parallelism: expected a whole number of 32 bits, found "many"
        leaderElection.leaderElect: expected true or false, found "yes"
        leaderElection.leaseDuration: expected a duration such as "15s", found 15
        leaderElection.retryPeriod: expected a duration such as "15s", found "soon"
        clientConnection.qps: expected a number of 32 bits, found "fast"
        clientConnection.burst: expected a whole number of 32 bits, found a list
        percentageOfNodesToScore: expected a whole number of 32 bits, found 4000000000
        podInitialBackoffSeconds: expected a whole number of 64 bits, found 1.5
        profiles[0]: expected an object, found 7
        profiles[1].schedulerName: expected a text, found 5
        profiles[1].plugins: expected an object, found a list
        profiles[1].pluginConfig: expected a list, found an object
        profiles[2].plugins.score.enabled[0]: expected an object, found "NodeAffinity"
        profiles[2].pluginConfig[0].args: expected an object, found a list
    "#]]
    .assert_eq(&errors(&value));
}

#[test]
fn settings_of_another_kind_or_version_are_refused() {
    let kind = json!({ "kind": "NodeAffinityArgs" });
    let version =
        json!({ "apiVersion": "kubescheduler.config.k8s.io/v1beta2", "kind": "NodeResourcesFitArgs" });
    let found = args_errors("NodeResourcesFit", &kind) + &args_errors("NodeResourcesFit", &version);
    expect![[r#"
        decoding .profiles[0].pluginConfig[0]: args for plugin NodeResourcesFit were not of type NodeResourcesFitArgs.kubescheduler.config.k8s.io, got NodeAffinityArgs.kubescheduler.config.k8s.io
        profiles[0].pluginConfig[0].args.apiVersion: "kubescheduler.config.k8s.io/v1beta2" is not supported; write "kubescheduler.config.k8s.io/v1", which replaced it
    "#]].assert_eq(&found);
}
