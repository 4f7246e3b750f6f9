//! Admission, plugin by plugin.

use api::{Key, Kind, Object, Pod, PodSpec, PreemptionPolicy, Reason, Request};
use apiserver::Plugin;
use serde_json::{Value, json};

use crate::lab::*;

/// A pod with this as its spec, besides what a pod must have.
fn pod_with(spec: Value) -> Object {
    let mut whole = json!({"containers": [{"name": "main", "image": "i"}]});
    for (field, value) in spec.as_object().expect("a spec is an object") {
        whole[field] = value.clone();
    }
    object(Kind::Pod, json!({"metadata": {"generateName": "web-", "namespace": "default"}, "spec": whole}))
}

fn admitted(lab: &mut Lab, spec: Value) -> PodSpec {
    PodSpec::clone(spec_of(&lab.create(pod_with(spec))))
}

fn refused(lab: &mut Lab, spec: Value) -> String {
    let refusal = lab.refusal(Request::Create { object: pod_with(spec) });
    assert_eq!(refusal.reason, Reason::Forbidden);
    let prefix = "pods \"web-\" is forbidden: "; // Names are made up after admission.
    refusal
        .message
        .strip_prefix(prefix)
        .unwrap_or_else(|| panic!("no prefix in {}", refusal.message))
        .to_owned()
}

fn priority_class(name: &str, value: i32, rest: Value) -> Object {
    let mut class = json!({"metadata": {"name": name}, "value": value});
    for (field, value) in rest.as_object().expect("the rest is an object") {
        class[field] = value.clone();
    }
    object(Kind::PriorityClass, class)
}

#[test]
fn pods_stay_five_minutes_on_a_node_that_is_gone() {
    let tolerations = |given: Value| -> Vec<(String, Option<i64>)> {
        let spec = admitted(&mut Lab::new(), json!({"tolerations": given}));
        spec.tolerations
            .iter()
            .map(|it| (it.key.replace("node.kubernetes.io/", ""), it.toleration_seconds))
            .collect()
    };
    let (gone, silent) = ("not-ready".to_owned(), "unreachable".to_owned());
    assert_eq!(tolerations(json!([])), [(gone.clone(), Some(300)), (silent.clone(), Some(300))]);
    let own = json!([{"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 5}]);
    assert_eq!(tolerations(own), [(gone.clone(), Some(5)), (silent.clone(), Some(300))]);
    let other_effect =
        json!([{"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoSchedule"}]);
    assert_eq!(tolerations(other_effect), [(gone.clone(), None), (gone, Some(300)), (silent, Some(300))]);
    assert_eq!(tolerations(json!([{"operator": "Exists"}])), [(String::new(), None)]);
}

#[test]
fn classes_become_numbers() {
    let mut lab = Lab::new();
    let spec = admitted(&mut lab, json!({}));
    assert_eq!((spec.priority, spec.preemption_policy), (Some(0), PreemptionPolicy::PreemptLowerPriority));
    let spec = admitted(&mut lab, json!({"priorityClassName": "system-node-critical"}));
    assert_eq!(spec.priority, Some(2_000_001_000));
    lab.create(priority_class("polite", 7, json!({"preemptionPolicy": "Never"})));
    lab.create(priority_class("usual", 3, json!({"globalDefault": true})));
    let spec = admitted(&mut lab, json!({"priorityClassName": "polite", "priority": 7}));
    assert_eq!((spec.priority, spec.preemption_policy), (Some(7), PreemptionPolicy::Never));
    let spec = admitted(&mut lab, json!({}));
    assert_eq!((spec.priority, spec.priority_class_name.as_str()), (Some(3), "usual"));

    assert_eq!(
        refused(&mut lab, json!({"priorityClassName": "missing"})),
        "no PriorityClass with name missing was found"
    );
    assert_eq!(
        refused(&mut lab, json!({"priority": 9})),
        "the integer value of priority (9) must not be provided in pod spec; priority admission controller computed 3 \
         from the given PriorityClass name"
    );
    assert_eq!(
        refused(&mut lab, json!({"priorityClassName": "polite", "preemptionPolicy": "PreemptLowerPriority"})),
        "the string value of PreemptionPolicy (PreemptLowerPriority) must not be provided in pod spec; priority \
         admission controller computed Never from the given PriorityClass name"
    );
    let second = Request::Create { object: priority_class("second", 4, json!({"globalDefault": true})) };
    assert_eq!(
        lab.message(second),
        "priorityclasses.scheduling.k8s.io \"second\" is forbidden: PriorityClass usual is already marked as default. \
         Only one default can exist"
    );
}

#[test]
fn every_pod_runs_as_somebody() {
    let mut lab = Lab::new();
    let spec = admitted(&mut lab, json!({}));
    assert_eq!(spec.service_account_name, "default");
    assert_eq!(spec.rest.get("serviceAccount"), Some(&json!("default")));
    assert_eq!(
        refused(&mut lab, json!({"serviceAccountName": "robot"})),
        "error looking up service account default/robot: serviceaccount \"robot\" not found"
    );
    let account =
        json!({"metadata": {"name": "robot", "namespace": "default"}, "imagePullSecrets": [{"name": "s"}]});
    lab.create(object(Kind::ServiceAccount, account));
    let spec = admitted(&mut lab, json!({"serviceAccount": "robot"}));
    assert_eq!(spec.service_account_name, "robot");
    assert_eq!(spec.rest.get("imagePullSecrets"), Some(&json!([{"name": "s"}])));
}

fn limits(limits: Value) -> Object {
    let range = json!({"metadata": {"name": "limits", "namespace": "default"}, "spec": {"limits": limits}});
    object(Kind::LimitRange, range)
}

#[test]
fn a_limit_range_fills_in_what_is_not_said() {
    let mut lab = Lab::new();
    lab.create(limits(json!([
        {"type": "Container", "defaultRequest": {"cpu": "100m", "memory": "64Mi"}, "default": {"cpu": "200m"}},
    ])));
    let container = json!([{"name": "main", "image": "i", "resources": {"requests": {"cpu": "1m"}}}]);
    let created = lab.create(pod_with(json!({"containers": container})));
    let pod = created.get::<Pod>().unwrap();
    let resources = &pod.spec.containers[0].resources;
    let shown =
        |list: &api::ResourceList| list.iter().map(|(name, it)| format!("{name}={it}")).collect::<Vec<_>>();
    assert_eq!(shown(&resources.requests), ["cpu=1m", "memory=64Mi"]);
    assert_eq!(shown(&resources.limits), ["cpu=200m"]);
    assert_eq!(pod.status.qos_class, "Burstable");
    assert_eq!(
        pod.meta.annotation("kubernetes.io/limit-ranger").map(|it| it.as_str()),
        Some("LimitRanger plugin set: memory request for container main; cpu limit for container main")
    );
    let again = lab.create(pod_with(json!({"containers": container})));
    assert!(again.meta().annotation("kubernetes.io/limit-ranger").is_some());
}

#[test]
fn a_limit_range_refuses_in_upstreams_words() {
    let resources = |requests: Value, limits: Value| json!({"containers": [{"name": "main", "image": "i", "resources": {"requests": requests, "limits": limits}}]});
    let cases = [
        (
            json!({"type": "Container", "max": {"memory": "1Gi"}}),
            resources(json!({"memory": "1Gi"}), json!({"memory": "1536Mi"})),
            "maximum memory usage per Container is 1Gi, but limit is 1536Mi",
        ),
        (
            json!({"type": "Pod", "max": {"cpu": "1"}}), // Of a container, the maximum is also the default.
            resources(json!({}), json!({})),
            "maximum cpu usage per Pod is 1.  No limit is specified",
        ),
        (
            json!({"type": "Container", "min": {"cpu": "200m"}}),
            resources(json!({"cpu": "100m"}), json!({})),
            "minimum cpu usage per Container is 200m, but request is 100m",
        ),
        (
            json!({"type": "Pod", "min": {"cpu": "200m"}}),
            resources(json!({}), json!({})),
            "minimum cpu usage per Pod is 200m.  No request is specified",
        ),
        (
            json!({"type": "Container", "maxLimitRequestRatio": {"cpu": "2"}}),
            resources(json!({"cpu": "100m"}), json!({"cpu": "300m"})),
            "cpu max limit to request ratio per Container is 2, but provided ratio is 3.000000",
        ),
        (
            json!({"type": "Pod", "max": {"cpu": "1", "memory": "1Gi"}}),
            resources(json!({}), json!({})),
            "[maximum cpu usage per Pod is 1.  No limit is specified, maximum memory usage per Pod is 1Gi.  No limit is \
             specified]",
        ),
    ];
    for (limit, spec, message) in cases {
        let mut lab = Lab::new();
        lab.create(limits(json!([limit])));
        assert_eq!(refused(&mut lab, spec), message);
    }
    let mut lab = Lab::new();
    lab.create(limits(json!([{"type": "PersistentVolumeClaim", "min": {"storage": "2Gi"}}])));
    assert_eq!(
        lab.message(Request::Create { object: claim("1Gi") }),
        "persistentvolumeclaims \"data\" is forbidden: minimum storage usage per PersistentVolumeClaim is 2Gi, but \
         request is 1Gi"
    );
}

fn claim(size: &str) -> Object {
    object(
        Kind::PersistentVolumeClaim,
        json!({"metadata": {"name": "data", "namespace": "default"},
            "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}}}}),
    )
}

#[test]
fn claims_get_the_youngest_default_class_and_a_finalizer() {
    let mut lab = Lab::new();
    let class = |name: &str, is_default: &str| {
        let annotations = json!({"storageclass.kubernetes.io/is-default-class": is_default});
        object(
            Kind::StorageClass,
            json!({"metadata": {"name": name, "annotations": annotations}, "provisioner": "p"}),
        )
    };
    lab.create(class("old", "true"));
    lab.sleep(base::Span::secs(1));
    lab.create(class("new", "true"));
    lab.create(class("other", "false"));
    let created = lab.create(claim("1Gi"));
    let claim = created.get::<api::PersistentVolumeClaim>().unwrap();
    assert_eq!(claim.spec.storage_class_name, Some("new".into()));
    assert_eq!(claim.status.phase, "Pending");
    assert_eq!(claim.meta.finalizers, ["kubernetes.io/pvc-protection"]);
}

#[test]
fn a_runtime_class_adds_what_the_runtime_needs() {
    let mut lab = Lab::new();
    let class = json!({"metadata": {"name": "kata"}, "handler": "kata",
        "overhead": {"podFixed": {"cpu": "250m"}},
        "scheduling": {"nodeSelector": {"kata": "yes"}, "tolerations": [{"key": "kata", "operator": "Exists"}]}});
    lab.create(object(Kind::RuntimeClass, class));
    let spec = admitted(&mut lab, json!({"runtimeClassName": "kata"}));
    assert_eq!(spec.overhead.get("cpu").map(ToString::to_string), Some("250m".into()));
    assert_eq!(spec.node_selector.get("kata"), Some(&"yes".into()));
    assert!(spec.tolerations.iter().any(|it| it.key == "kata"));
    assert_eq!(spec.requests().cpu_milli, 250);
    let cases = [
        (json!({"runtimeClassName": "x"}), "pod rejected: RuntimeClass \"x\" not found"),
        (
            json!({"runtimeClassName": "kata", "overhead": {"cpu": "1"}}),
            "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead",
        ),
        (
            json!({"overhead": {"cpu": "1"}}),
            "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead",
        ),
        (
            json!({"runtimeClassName": "kata", "nodeSelector": {"kata": "no"}}),
            "conflict: runtimeClass.scheduling.nodeSelector[kata] = yes; pod.spec.nodeSelector[kata] = no",
        ),
    ];
    for (spec, message) in cases {
        assert_eq!(refused(&mut lab, spec), message);
    }
}

#[test]
fn plugins_can_be_turned_off() {
    let mut lab = Lab::without([
        Plugin::ServiceAccount,
        Plugin::DefaultTolerationSeconds,
        Plugin::TaintNodesByCondition,
    ]);
    let spec = admitted(&mut lab, json!({"serviceAccountName": "robot"}));
    assert!(spec.tolerations.is_empty());
    let node = lab.create(object(Kind::Node, json!({"metadata": {"name": "n"}})));
    assert!(node.get::<api::Node>().unwrap().spec.taints.is_empty());
    assert!(lab.read(&Key::cluster(Kind::Node, "n")).is_some());
}
