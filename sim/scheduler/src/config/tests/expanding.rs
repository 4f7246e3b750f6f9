//! From what a user chose to the plugins at each point.

use expect_test::expect;

use super::*;

#[test]
fn nothing_said_means_upstreams_plugins() {
    expect![[r#"
        preEnqueue: SchedulingGates DynamicResources DefaultPreemption
        queueSort: PrioritySort
        preFilter: NodeAffinity NodePorts NodeResourcesFit VolumeRestrictions NodeVolumeLimits VolumeBinding VolumeZone PodTopologySpread InterPodAffinity DynamicResources
        filter: NodeUnschedulable NodeName TaintToleration NodeAffinity NodePorts NodeResourcesFit VolumeRestrictions NodeVolumeLimits VolumeBinding VolumeZone PodTopologySpread InterPodAffinity DynamicResources
        postFilter: DynamicResources DefaultPreemption
        preScore: TaintToleration NodeAffinity NodeResourcesFit VolumeBinding PodTopologySpread InterPodAffinity NodeResourcesBalancedAllocation
        score: TaintToleration:3 NodeAffinity:2 NodeResourcesFit:1 VolumeBinding:1 PodTopologySpread:2 InterPodAffinity:2 NodeResourcesBalancedAllocation:1 ImageLocality:1
        reserve: VolumeBinding DynamicResources
        preBind: VolumeBinding DynamicResources
        bind: DefaultBinder
    "#]].assert_eq(&story(&Configuration::default().profiles[0].points));
}

#[test]
fn nothing_said_means_upstreams_settings() {
    let mut configuration = Configuration::default();
    let profile = configuration.profiles.remove(0);
    assert_eq!(profile.scheduler_name, "default-scheduler");
    assert_eq!(profile.percentage_of_nodes_to_score, None);
    assert_eq!(profile.args, Args::default());
    expect![[r#"
        Configuration {
            parallelism: 16,
            leader_election: LeaderElection {
                leader_elect: true,
                lease_duration: GoDuration(
                    15000000000,
                ),
                renew_deadline: GoDuration(
                    10000000000,
                ),
                retry_period: GoDuration(
                    2000000000,
                ),
                resource_lock: "leases",
                resource_name: "kube-scheduler",
                resource_namespace: "kube-system",
            },
            client_connection: ClientConnection {
                kubeconfig: "",
                accept_content_types: "",
                content_type: "application/vnd.kubernetes.protobuf",
                qps: 50.0,
                burst: 100,
            },
            percentage_of_nodes_to_score: 0,
            pod_initial_backoff_seconds: 1,
            pod_max_backoff_seconds: 10,
            profiles: [],
            extenders: [],
            delay_cache_until_active: false,
        }
    "#]]
    .assert_debug_eq(&configuration);
}

/// The plugins at one point, for the choice of a user; with `Mine`, which extends all points but two.
fn at(plugins: &Value, point: &str) -> String {
    let own: Vec<Point> =
        Point::ALL.into_iter().filter(|it| !matches!(it, Point::Bind | Point::QueueSort)).collect();
    let registry = Registry::in_tree().with("Mine", &own).with("Sort", &[Point::QueueSort]);
    let value = profile(&json!({ "plugins": plugins }));
    let configuration = Configuration::with_plugins(&value, &registry).expect("the configuration is valid");
    let story = story(&configuration.profiles[0].points);
    let line = story.lines().find_map(|it| it.strip_prefix(point)?.strip_prefix(": "));
    line.unwrap_or("none").to_owned()
}

/// A choice at one point; a weight of 0 is not said.
fn set(enabled: &[(&str, i32)], disabled: &[&str]) -> Value {
    let enabled: Value =
        enabled.iter().map(|(name, weight)| json!({ "name": name, "weight": weight })).collect();
    let disabled: Value = disabled.iter().map(|name| json!({ "name": name })).collect();
    json!({ "enabled": enabled, "disabled": disabled })
}

/// The score plugins for each choice.
fn scores(cases: Vec<(&str, Value)>) -> String {
    let show = |(claim, plugins): (&str, Value)| format!("{claim}\n  {}\n", at(&plugins, "score"));
    cases.into_iter().map(show).collect()
}

#[test]
fn what_is_chosen_at_a_point_goes_before_what_is_chosen_for_all() {
    let cases = [
        ("a weight is overridden, and the plugin comes first", set(&[("ImageLocality", 9)], &[])),
        ("a weight that is not said is one", set(&[("TaintToleration", 0)], &[])),
        ("a plugin is disabled", set(&[], &["ImageLocality"])),
        ("all are disabled", set(&[], &["*"])),
        ("all are disabled but one", set(&[("NodeAffinity", 7)], &["*"])),
        ("disabled and enabled means enabled", set(&[("NodeAffinity", 7)], &["NodeAffinity"])),
        ("a new one comes last", set(&[("Mine", 5)], &[])),
        ("old before new, whatever the order", set(&[("Mine", 0), ("ImageLocality", 0)], &[])),
    ];
    let cases = cases.map(|(claim, set)| (claim, json!({ "score": set })));
    expect![[r#"
        a weight is overridden, and the plugin comes first
          ImageLocality:9 TaintToleration:3 NodeAffinity:2 NodeResourcesFit:1 VolumeBinding:1 PodTopologySpread:2 InterPodAffinity:2 NodeResourcesBalancedAllocation:1
        a weight that is not said is one
          TaintToleration:1 NodeAffinity:2 NodeResourcesFit:1 VolumeBinding:1 PodTopologySpread:2 InterPodAffinity:2 NodeResourcesBalancedAllocation:1 ImageLocality:1
        a plugin is disabled
          TaintToleration:3 NodeAffinity:2 NodeResourcesFit:1 VolumeBinding:1 PodTopologySpread:2 InterPodAffinity:2 NodeResourcesBalancedAllocation:1
        all are disabled
          none
        all are disabled but one
          NodeAffinity:7
        disabled and enabled means enabled
          TaintToleration:3 NodeResourcesFit:1 VolumeBinding:1 PodTopologySpread:2 InterPodAffinity:2 NodeResourcesBalancedAllocation:1 ImageLocality:1 NodeAffinity:7
        a new one comes last
          TaintToleration:3 NodeAffinity:2 NodeResourcesFit:1 VolumeBinding:1 PodTopologySpread:2 InterPodAffinity:2 NodeResourcesBalancedAllocation:1 ImageLocality:1 Mine:5
        old before new, whatever the order
          ImageLocality:1 TaintToleration:3 NodeAffinity:2 NodeResourcesFit:1 VolumeBinding:1 PodTopologySpread:2 InterPodAffinity:2 NodeResourcesBalancedAllocation:1 Mine:1
    "#]].assert_eq(&scores(cases.into()));
}

#[test]
fn what_is_chosen_for_all_points_takes_the_place_of_the_default() {
    let all = |set: Value| json!({ "multiPoint": set });
    let mine = |score: Value| json!({ "multiPoint": set(&[("Mine", 4)], &[]), "score": score });
    let needed = [("DefaultBinder", 0), ("PrioritySort", 0), ("Mine", 0)];
    let again = set(&[("TaintToleration", 0)], &["TaintToleration"]);
    let cases = [
        ("a weight is changed in its place", all(set(&[("NodeAffinity", 8)], &[]))),
        ("a new one comes last", all(set(&[("Mine", 4)], &[]))),
        ("one is disabled", all(set(&[], &["NodeAffinity"]))),
        ("one is disabled and enabled, and comes last", all(again)),
        ("all are disabled but what is needed", all(set(&needed, &["*"]))),
        ("the point wins over all points", mine(set(&[("Mine", 6)], &[]))),
        ("a new one is disabled at the point", mine(set(&[], &["Mine"]))),
    ];
    expect![[r#"
        a weight is changed in its place
          TaintToleration:3 NodeAffinity:8 NodeResourcesFit:1 VolumeBinding:1 PodTopologySpread:2 InterPodAffinity:2 NodeResourcesBalancedAllocation:1 ImageLocality:1
        a new one comes last
          TaintToleration:3 NodeAffinity:2 NodeResourcesFit:1 VolumeBinding:1 PodTopologySpread:2 InterPodAffinity:2 NodeResourcesBalancedAllocation:1 ImageLocality:1 Mine:4
        one is disabled
          TaintToleration:3 NodeResourcesFit:1 VolumeBinding:1 PodTopologySpread:2 InterPodAffinity:2 NodeResourcesBalancedAllocation:1 ImageLocality:1
        one is disabled and enabled, and comes last
          NodeAffinity:2 NodeResourcesFit:1 VolumeBinding:1 PodTopologySpread:2 InterPodAffinity:2 NodeResourcesBalancedAllocation:1 ImageLocality:1 TaintToleration:1
        all are disabled but what is needed
          Mine:1
        the point wins over all points
          Mine:6 TaintToleration:3 NodeAffinity:2 NodeResourcesFit:1 VolumeBinding:1 PodTopologySpread:2 InterPodAffinity:2 NodeResourcesBalancedAllocation:1 ImageLocality:1
        a new one is disabled at the point
          TaintToleration:3 NodeAffinity:2 NodeResourcesFit:1 VolumeBinding:1 PodTopologySpread:2 InterPodAffinity:2 NodeResourcesBalancedAllocation:1 ImageLocality:1
    "#]].assert_eq(&scores(cases.into()));
}

#[test]
fn a_plugin_stands_at_every_point_that_it_extends() {
    let plugins = json!({ "multiPoint": set(&[("Mine", 0)], &[]), "queueSort": set(&[("Sort", 0)], &["*"]) });
    for point in ["preEnqueue", "filter", "postFilter", "reserve", "permit", "preBind", "postBind"] {
        assert!(at(&plugins, point).ends_with("Mine"), "{point}");
    }
    assert_eq!(at(&plugins, "bind"), "DefaultBinder");
    assert_eq!(at(&plugins, "queueSort"), "Sort");
}

#[test]
fn profiles_differ_in_name_plugins_and_settings() {
    let resources = json!([{ "name": "cpu", "weight": 3 }, { "name": "memory" }]);
    let strategy = json!({ "type": "MostAllocated", "resources": resources });
    let pack = json!({
        "schedulerName": "pack",
        "percentageOfNodesToScore": 50,
        "plugins": { "multiPoint": set(&[], &["NodeResourcesBalancedAllocation"]) },
        "pluginConfig": [{ "name": "NodeResourcesFit", "args": { "scoringStrategy": strategy } }],
    });
    let profiles = json!([{ "schedulerName": "spread" }, pack]);
    let configuration = read(&configuration(json!({ "profiles": profiles })));
    let [spread, pack] = configuration.profiles.as_slice() else { panic!("two profiles were written") };
    assert_eq!((spread.percentage_of_nodes_to_score, pack.percentage_of_nodes_to_score), (None, Some(50)));
    assert_eq!(spread.points, Configuration::default().profiles[0].points);
    assert!(!story(&pack.points).contains("NodeResourcesBalancedAllocation"));
    assert_eq!(spread.args, Args::default());
    expect![[r#"
        NodeResourcesFitArgs {
            ignored_resources: [],
            ignored_resource_groups: [],
            scoring_strategy: ScoringStrategy {
                kind: MostAllocated,
                resources: [
                    ResourceSpec {
                        name: "cpu",
                        weight: 3,
                    },
                    ResourceSpec {
                        name: "memory",
                        weight: 1,
                    },
                ],
                requested_to_capacity_ratio: None,
            },
        }
    "#]]
    .assert_debug_eq(&pack.args.node_resources_fit);
}

#[test]
fn settings_are_read_and_the_others_keep_their_defaults() {
    let pool = json!({ "matchExpressions": [{ "key": "pool", "operator": "In", "values": ["a"] }] });
    let required = json!({ "nodeSelectorTerms": [pool] });
    let constraint = json!({ "maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway" });
    let args = [
        ("DefaultPreemption", json!({ "minCandidateNodesPercentage": 25 })),
        ("DynamicResources", json!({ "filterTimeout": "0s" })),
        (
            "InterPodAffinity",
            json!({
                "apiVersion": API_VERSION,
                "kind": "InterPodAffinityArgs",
                "hardPodAffinityWeight": 0,
                "ignorePreferredTermsOfExistingPods": true,
            }),
        ),
        (
            "NodeAffinity",
            json!({ "addedAffinity": { "requiredDuringSchedulingIgnoredDuringExecution": required } }),
        ),
        ("NodeResourcesBalancedAllocation", json!({ "resources": [{ "name": "nvidia.com/gpu" }] })),
        ("PodTopologySpread", json!({ "defaultingType": "List", "defaultConstraints": [constraint] })),
        ("VolumeBinding", json!(null)),
        ("Mine", json!({ "anything": ["goes"] })),
    ];
    let configs = args.map(|(plugin, args)| json!({ "name": plugin, "args": args }));
    let configuration = read(&profile(&json!({ "pluginConfig": configs })));
    expect![[r#"
        Args {
            default_preemption: DefaultPreemptionArgs {
                min_candidate_nodes_percentage: 25,
                min_candidate_nodes_absolute: 100,
            },
            dynamic_resources: DynamicResourcesArgs {
                filter_timeout: GoDuration(
                    0,
                ),
            },
            inter_pod_affinity: InterPodAffinityArgs {
                hard_pod_affinity_weight: 0,
                ignore_preferred_terms_of_existing_pods: true,
            },
            node_affinity: NodeAffinityArgs {
                added_affinity: Some(
                    NodeAffinity {
                        required: Some(
                            NodeSelector {
                                node_selector_terms: [
                                    NodeSelectorTerm {
                                        match_expressions: [
                                            NodeSelectorRequirement {
                                                key: "pool",
                                                operator: In,
                                                values: [
                                                    "a",
                                                ],
                                                rest: Rest(
                                                    None,
                                                ),
                                            },
                                        ],
                                        match_fields: [],
                                        rest: Rest(
                                            None,
                                        ),
                                    },
                                ],
                                rest: Rest(
                                    None,
                                ),
                            },
                        ),
                        preferred: [],
                        rest: Rest(
                            None,
                        ),
                    },
                ),
            },
            node_resources_balanced_allocation: NodeResourcesBalancedAllocationArgs {
                resources: [
                    ResourceSpec {
                        name: "nvidia.com/gpu",
                        weight: 1,
                    },
                ],
            },
            node_resources_fit: NodeResourcesFitArgs {
                ignored_resources: [],
                ignored_resource_groups: [],
                scoring_strategy: ScoringStrategy {
                    kind: LeastAllocated,
                    resources: [
                        ResourceSpec {
                            name: "cpu",
                            weight: 1,
                        },
                        ResourceSpec {
                            name: "memory",
                            weight: 1,
                        },
                    ],
                    requested_to_capacity_ratio: None,
                },
            },
            pod_topology_spread: PodTopologySpreadArgs {
                default_constraints: [
                    TopologySpreadConstraint {
                        max_skew: 1,
                        topology_key: "zone",
                        when_unsatisfiable: "ScheduleAnyway",
                        label_selector: None,
                        min_domains: None,
                        node_affinity_policy: None,
                        node_taints_policy: None,
                        match_label_keys: [],
                        rest: Rest(
                            None,
                        ),
                    },
                ],
                defaulting_type: List,
            },
            volume_binding: VolumeBindingArgs {
                bind_timeout_seconds: 600,
                shape: None,
            },
            others: {
                "Mine": Object {
                    "anything": Array [
                        String("goes"),
                    ],
                },
            },
        }
    "#]]
    .assert_debug_eq(&configuration.profiles[0].args);
}

#[test]
fn extenders_that_can_be_ignored_come_last_and_take_resources_over() {
    let fpga = json!({ "name": "example.com/fpga", "ignoredByScheduler": true });
    let configuration = read(&configuration(json!({ "extenders": [
        { "urlPrefix": "http://a", "filterVerb": "filter", "ignorable": true },
        {
            "urlPrefix": "http://b",
            "bindVerb": "bind",
            "managedResources": [fpga, { "name": "example.com/gpu" }],
        },
        {
            "urlPrefix": "http://c",
            "prioritizeVerb": "rank",
            "weight": 2,
            "httpTimeout": "1m30s",
            "enableHTTPS": true,
            "tlsConfig": { "insecure": true },
        },
    ] })));
    let order: Vec<&str> = configuration.extenders.iter().map(|it| it.url_prefix.as_str()).collect();
    assert_eq!(order, ["http://b", "http://c", "http://a"]);
    assert_eq!(configuration.profiles[0].args.node_resources_fit.ignored_resources, ["example.com/fpga"]);
}
