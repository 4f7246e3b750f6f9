//! Values outside plugins that upstream refuses.

use expect_test::expect;

use super::*;

#[test]
fn numbers_out_of_range() {
    let value = configuration(json!({
        "parallelism": 0,
        "percentageOfNodesToScore": 101,
        "podInitialBackoffSeconds": 0,
        "podMaxBackoffSeconds": -1,
        "clientConnection": { "burst": -1 },
        "profiles": [{ "percentageOfNodesToScore": -1 }],
    }));
    expect![[r#"
        clientConnection.burst: Invalid value: -1: must be non-negative
        parallelism: Invalid value: 0: should be an integer value greater than zero
        profiles[0].percentageOfNodesToScore: Invalid value: -1: not in valid range [0-100]
        percentageOfNodesToScore: Invalid value: 101: not in valid range [0-100]
        podInitialBackoffSeconds: Invalid value: 0: must be greater than 0
        podMaxBackoffSeconds: Invalid value: -1: must be greater than or equal to PodInitialBackoffSeconds
    "#]]
    .assert_eq(&errors(&value));
}

#[test]
fn leader_election_without_sense() {
    let wrong = json!({
        "leaseDuration": "5s",
        "renewDeadline": "7s",
        "retryPeriod": "-1s",
        "resourceLock": "endpoints",
    });
    expect![[r#"
        leaderElection.retryPeriod: Invalid value: "-1s": must be greater than zero
        leaderElection.leaseDuration: Invalid value: "7s": must be greater than `RenewDeadline`
        leaderElection.resourceLock: Invalid value: "endpoints": resourceLock value must be "leases"
    "#]]
    .assert_eq(&errors(&configuration(json!({ "leaderElection": wrong }))));
    let mut off = wrong;
    off["leaderElect"] = false.into();
    assert!(!read(&configuration(json!({ "leaderElection": off }))).leader_election.leader_elect);
}

#[test]
fn names_of_profiles() {
    let twice = json!([{ "schedulerName": "x" }, { "schedulerName": "x" }, {}]);
    expect![[r#"
        profiles[1].schedulerName: Duplicate value: {}
        profiles[2].schedulerName: Required value
    "#]]
    .assert_eq(&errors(&configuration(json!({ "profiles": twice }))));
    expect![[r#"
        profiles[0].schedulerName: Required value
    "#]]
    .assert_eq(&errors(&profile(&json!({ "schedulerName": "" }))));
}

#[test]
fn extenders() {
    let resources = |names: &[&str]| names.iter().map(|it| json!({ "name": it })).collect::<Value>();
    let wrong = resources(&["cpu", "kubernetes.io/x", "requests.example.com/x", "example.com/"]);
    let twice = resources(&["example.com/x", "example.com/x"]);
    let value = configuration(json!({ "extenders": [
        { "urlPrefix": "http://a", "prioritizeVerb": "rank", "bindVerb": "bind" },
        { "prioritizeVerb": "rank", "weight": -1, "bindVerb": "bind", "managedResources": wrong },
        { "urlPrefix": "http://c", "managedResources": twice },
    ] }));
    expect![[r#"
        extenders[0].weight: Invalid value: 0: must have a positive weight applied to it
        extenders[1].weight: Invalid value: -1: must have a positive weight applied to it
        extenders[1].managedResources[0].name: Invalid value: "cpu": is an invalid extended resource name
        extenders[1].managedResources[1].name: Invalid value: "kubernetes.io/x": is an invalid extended resource name
        extenders[1].managedResources[2].name: Invalid value: "requests.example.com/x": is an invalid extended resource name
        extenders[1].managedResources[3].name: Invalid value: "example.com/": name part must be non-empty
        extenders[1].managedResources[3].name: Invalid value: "example.com/": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')
        extenders[2].managedResources[1].name: Invalid value: "example.com/x": duplicate extender managed resource name
        extenders: Invalid value: "found 2 extenders implementing bind": only one extender can implement bind
    "#]].assert_eq(&errors(&value));
}

#[test]
fn resources_cannot_be_left_to_extenders_where_no_plugin_looks_at_them() {
    let mut value =
        profile(&json!({ "plugins": { "multiPoint": { "disabled": [{ "name": "NodeResourcesFit" }] } } }));
    let ignored = json!({ "name": "a.b/c", "ignoredByScheduler": true });
    value["extenders"] = json!([{ "urlPrefix": "http://a", "managedResources": [ignored] }]);
    expect![[r#"
        couldn't build extenders: can't find NodeResourcesFitArgs in plugin config
    "#]]
    .assert_eq(&errors(&value));
}
