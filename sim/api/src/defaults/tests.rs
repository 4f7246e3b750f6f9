//! What objects look like once they are stored.

use std::sync::Arc;

use serde_json::{Value, json};

use super::container::is_latest;
use super::{apply, pod_spec, template_spec};
use crate::kind::{Kind, Object};
use crate::pod::{Pod, PodSpec};

/// What is added to an object of this kind with this spec.
fn filled(api_version: &str, kind: &str, spec: &Value) -> Value {
    let value = json!({"metadata": {"name": "web", "namespace": "default"}, "spec": spec});
    let kind = Kind::find(api_version, kind).expect("a built-in kind");
    let mut object = Object::from_json(&kind, value).expect("the right types");
    apply(&mut object);
    let mut again = object.clone();
    apply(&mut again);
    assert_eq!(again, object, "a second time changes nothing");
    object.to_json()["spec"].take()
}

fn containers() -> Value {
    json!([{"name": "web", "image": "nginx"}])
}

#[test]
fn a_pod_says_everything() {
    let spec = filled("v1", "Pod", &json!({"containers": containers()}));
    assert_eq!(
        spec,
        json!({
            "containers": [{
                "name": "web",
                "image": "nginx",
                "imagePullPolicy": "Always",
                "terminationMessagePath": "/dev/termination-log",
                "terminationMessagePolicy": "File",
            }],
            "dnsPolicy": "ClusterFirst",
            "enableServiceLinks": true,
            "restartPolicy": "Always",
            "schedulerName": "default-scheduler",
            "securityContext": {},
            "terminationGracePeriodSeconds": 30,
        })
    );
}

#[test]
fn ports_probes_and_variables_of_a_container() {
    let container = json!({
        "name": "web",
        "image": "nginx:1.27",
        "ports": [{"containerPort": 80}],
        "readinessProbe": {"httpGet": {"port": 80}},
        "livenessProbe": {"grpc": {"port": 81}, "periodSeconds": 5},
        "lifecycle": {"preStop": {"httpGet": {"port": 80, "path": "/bye"}}},
        "env": [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}],
    });
    let spec = filled("v1", "Pod", &json!({"containers": [container], "hostNetwork": true}));
    let container = &spec["containers"][0];
    assert_eq!(container["imagePullPolicy"], "IfNotPresent");
    assert_eq!(container["ports"], json!([{"containerPort": 80, "hostPort": 80, "protocol": "TCP"}]));
    let numbers =
        json!({"timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3});
    let mut readiness = numbers.clone();
    readiness["httpGet"] = json!({"port": 80, "path": "/", "scheme": "HTTP"});
    assert_eq!(container["readinessProbe"], readiness);
    let mut liveness = numbers;
    liveness["grpc"] = json!({"port": 81, "service": ""});
    liveness["periodSeconds"] = json!(5);
    assert_eq!(container["livenessProbe"], liveness);
    assert_eq!(container["lifecycle"]["preStop"]["httpGet"]["scheme"], "HTTP");
    assert_eq!(container["env"][0]["valueFrom"]["fieldRef"]["apiVersion"], "v1");
}

#[test]
fn only_pods_ask_for_their_limits() {
    let mut containers = containers();
    containers[0]["resources"] =
        json!({"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "500m"}});
    let pod = filled("v1", "Pod", &json!({"containers": containers}));
    assert_eq!(pod["containers"][0]["resources"]["requests"], json!({"cpu": "500m", "memory": "1Gi"}));

    let template = json!({"spec": {"containers": containers, "hostNetwork": true}});
    let set = filled("apps/v1", "ReplicaSet", &json!({"template": template}));
    let spec = &set["template"]["spec"];
    assert_eq!(spec["containers"][0]["resources"]["requests"], json!({"cpu": "500m"}));
    assert_eq!(spec["dnsPolicy"], "ClusterFirst");
    assert_eq!(spec["enableServiceLinks"], Value::Null);
}

#[test]
fn a_pod_as_a_whole_asks_for_what_its_containers_do() {
    let mut containers = containers();
    containers[0]["resources"] = json!({"requests": {"cpu": "500m"}, "limits": {"hugepages-2Mi": "4Mi"}});
    let own = json!({"limits": {"cpu": "2", "memory": "1Gi"}});
    let spec = filled("v1", "Pod", &json!({"containers": containers, "resources": own}));
    assert_eq!(
        spec["resources"],
        json!({
            "limits": {"cpu": "2", "hugepages-2Mi": "4Mi", "memory": "1Gi"},
            "requests": {"cpu": "500m", "hugepages-2Mi": "4Mi", "memory": "1Gi"},
        })
    );
}

#[test]
fn amounts_have_at_most_three_decimals() {
    let mut containers = containers();
    containers[0]["resources"] = json!({"requests": {"cpu": "100u", "memory": "1.5"}});
    let spec = filled("v1", "Pod", &json!({"containers": containers}));
    assert_eq!(spec["containers"][0]["resources"]["requests"], json!({"cpu": "1m", "memory": "1500m"}));
}

#[test]
fn images_without_a_tag_are_the_latest() {
    let table = [
        ("nginx", true),
        ("nginx:latest", true),
        ("nginx:1.27", false),
        ("registry.example.com:5000/team/nginx", true),
        ("registry.example.com:5000/team/nginx:v1", false),
        ("nginx@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", false),
        ("nginx:latest@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", false),
        ("", false),
        ("Not An Image", false),
    ];
    for (image, expected) in table {
        assert_eq!(is_latest(image), expected, "{image}");
    }
}

#[test]
fn volumes() {
    let volumes = json!([
        {"name": "a"},
        {"name": "b", "secret": {"secretName": "b"}},
        {"name": "c", "hostPath": {"path": "/c"}},
        {"name": "d", "projected": {"sources": [{"serviceAccountToken": {"path": "token"}}]}},
        {"name": "e", "persistentVolumeClaim": {"claimName": "e"}},
    ]);
    let spec = filled("v1", "Pod", &json!({"containers": containers(), "volumes": volumes}));
    assert_eq!(
        spec["volumes"],
        json!([
            {"name": "a", "emptyDir": {}},
            {"name": "b", "secret": {"secretName": "b", "defaultMode": 420}},
            {"name": "c", "hostPath": {"path": "/c", "type": ""}},
            {"name": "d", "projected": {
                "defaultMode": 420,
                "sources": [{"serviceAccountToken": {"path": "token", "expirationSeconds": 3600}}],
            }},
            {"name": "e", "persistentVolumeClaim": {"claimName": "e"}},
        ])
    );
}

#[test]
fn both_names_of_the_service_account_agree() {
    for (stated, value) in [("serviceAccountName", "robot"), ("serviceAccount", "robot")] {
        let spec = filled("v1", "Pod", &json!({"containers": containers(), stated: value}));
        assert_eq!(
            (&spec["serviceAccountName"], &spec["serviceAccount"]),
            (&json!("robot"), &json!("robot"))
        );
    }
}

#[test]
fn workloads() {
    let template = json!({"spec": {"containers": containers()}});
    let rest = |api: &str, kind: &str, spec: Value| {
        let mut spec = filled(api, kind, &spec);
        spec.as_object_mut().expect("a spec").remove("template");
        spec
    };
    assert_eq!(
        rest("apps/v1", "Deployment", json!({"template": template})),
        json!({
            "replicas": 1,
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}},
            "revisionHistoryLimit": 10,
            "progressDeadlineSeconds": 600,
        })
    );
    assert_eq!(rest("apps/v1", "ReplicaSet", json!({"template": template})), json!({"replicas": 1}));
    assert_eq!(
        rest("apps/v1", "DaemonSet", json!({"template": template})),
        json!({
            "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}},
            "revisionHistoryLimit": 10,
        })
    );
    assert_eq!(
        rest("apps/v1", "StatefulSet", json!({"template": template})),
        json!({
            "podManagementPolicy": "OrderedReady",
            "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}},
            "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain", "whenScaled": "Retain"},
            "replicas": 1,
            "revisionHistoryLimit": 10,
        })
    );
    // A strategy that is stated without settings gets none.
    let stated = json!({"template": template, "updateStrategy": {"type": "RollingUpdate"}});
    assert_eq!(rest("apps/v1", "StatefulSet", stated)["updateStrategy"], json!({"type": "RollingUpdate"}));
}

#[test]
fn jobs() {
    let template = json!({"spec": {"containers": containers(), "restartPolicy": "Never"}});
    let of_job = |more: Value| {
        let mut spec = json!({"template": template});
        spec.as_object_mut().expect("a spec").extend(more.as_object().expect("fields").clone());
        let mut spec = filled("batch/v1", "Job", &spec);
        spec.as_object_mut().expect("a spec").remove("template");
        spec
    };
    let common = json!({
        "parallelism": 1,
        "completions": 1,
        "backoffLimit": 6,
        "completionMode": "NonIndexed",
        "suspend": false,
        "manualSelector": false,
        "podReplacementPolicy": "TerminatingOrFailed",
    });
    assert_eq!(of_job(json!({})), common);
    assert_eq!(of_job(json!({"parallelism": 3}))["completions"], Value::Null);
    assert_eq!(of_job(json!({"completions": 3}))["parallelism"], 1);
    assert_eq!(of_job(json!({"backoffLimitPerIndex": 1}))["backoffLimit"], i32::MAX);
    let policy = json!({"rules": [{"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget"}]}]});
    let with_policy = of_job(json!({"podFailurePolicy": policy}));
    assert_eq!(with_policy["podReplacementPolicy"], "Failed");
    assert_eq!(with_policy["podFailurePolicy"]["rules"][0]["onPodConditions"][0]["status"], "True");

    let cron = filled(
        "batch/v1",
        "CronJob",
        &json!({"schedule": "* * * * *", "jobTemplate": {"spec": {"template": template}}}),
    );
    assert_eq!(cron["concurrencyPolicy"], "Allow");
    assert_eq!(
        (&cron["successfulJobsHistoryLimit"], &cron["failedJobsHistoryLimit"]),
        (&json!(3), &json!(1))
    );
    assert_eq!(cron["jobTemplate"]["spec"]["backoffLimit"], Value::Null);
    assert_eq!(cron["jobTemplate"]["spec"]["template"]["spec"]["dnsPolicy"], "ClusterFirst");
}

#[test]
fn services() {
    let common = json!({
        "type": "ClusterIP",
        "sessionAffinity": "None",
        "internalTrafficPolicy": "Cluster",
        "ipFamilies": ["IPv4"],
        "ipFamilyPolicy": "SingleStack",
        "selector": {"app": "web"},
        "ports": [{"port": 80, "protocol": "TCP", "targetPort": 80}],
    });
    let stated = json!({"selector": {"app": "web"}, "ports": [{"port": 80}]});
    assert_eq!(filled("v1", "Service", &stated), common);

    let mut balancer = stated.clone();
    balancer["type"] = json!("LoadBalancer");
    balancer["sessionAffinity"] = json!("ClientIP");
    let balancer = filled("v1", "Service", &balancer);
    assert_eq!(balancer["externalTrafficPolicy"], "Cluster");
    assert_eq!(balancer["allocateLoadBalancerNodePorts"], true);
    assert_eq!(balancer["sessionAffinityConfig"], json!({"clientIP": {"timeoutSeconds": 10_800}}));

    let open = filled("v1", "Service", &json!({"clusterIP": "None"}));
    assert_eq!(open["ipFamilyPolicy"], "RequireDualStack");
    assert_eq!((&open["ipFamilies"], &open["clusterIPs"]), (&json!(["IPv4", "IPv6"]), &json!(["None"])));
    let external = filled("v1", "Service", &json!({"type": "ExternalName", "externalName": "example.com"}));
    assert_eq!(
        external,
        json!({"type": "ExternalName", "externalName": "example.com", "sessionAffinity": "None"})
    );
}

#[test]
fn autoscalers() {
    let spec =
        filled("autoscaling/v2", "HorizontalPodAutoscaler", &json!({"maxReplicas": 3, "behavior": {}}));
    assert_eq!(spec["minReplicas"], 1);
    assert_eq!(
        spec["metrics"],
        json!([{
            "type": "Resource",
            "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}},
        }])
    );
    assert_eq!(
        spec["behavior"]["scaleUp"]["policies"][0],
        json!({"type": "Pods", "value": 4, "periodSeconds": 15})
    );
    assert_eq!(spec["behavior"]["scaleDown"]["stabilizationWindowSeconds"], Value::Null);
}

#[test]
fn limits_follow_from_each_other() {
    let limit = json!({"type": "Container", "max": {"cpu": "2"}, "min": {"memory": "1Mi"}, "default": {"memory": "1Gi"}});
    let spec = filled("v1", "LimitRange", &json!({"limits": [limit]}));
    let limit = &spec["limits"][0];
    assert_eq!(limit["default"], json!({"cpu": "2", "memory": "1Gi"}));
    assert_eq!(limit["defaultRequest"], json!({"cpu": "2", "memory": "1Gi"}));
}

#[test]
fn other_kinds() {
    let of = |api: &str, kind: &str, value: Value| {
        let mut object =
            Object::from_json(&Kind::find(api, kind).expect("built in"), value).expect("right types");
        apply(&mut object);
        object.to_json()
    };
    let namespace = of("v1", "Namespace", json!({"metadata": {"name": "shop"}}));
    assert_eq!(namespace["metadata"]["labels"], json!({"kubernetes.io/metadata.name": "shop"}));
    assert_eq!(namespace["status"]["phase"], "Active");
    let claim = of("v1", "PersistentVolumeClaim", json!({}));
    assert_eq!(
        (&claim["spec"]["volumeMode"], &claim["status"]["phase"]),
        (&json!("Filesystem"), &json!("Pending"))
    );
    let class = of("scheduling.k8s.io/v1", "PriorityClass", json!({"value": 1}));
    assert_eq!(class["preemptionPolicy"], "PreemptLowerPriority");
    let node = of("v1", "Node", json!({"status": {"capacity": {"cpu": "8"}}}));
    assert_eq!(node["status"]["allocatable"], json!({"cpu": "8"}));
    let slice = of("discovery.k8s.io/v1", "EndpointSlice", json!({"ports": [{"port": 80}]}));
    assert_eq!(slice["ports"], json!([{"port": 80, "name": "", "protocol": "TCP"}]));
}

/// Ten thousand pods of one template must not have ten thousand specs.
#[test]
fn pods_of_a_template_share_what_they_become() {
    let spec: PodSpec = serde_json::from_value(json!({"containers": containers()})).unwrap();
    let template = template_spec(&spec).expect("much is missing");
    assert!(template_spec(&template).is_none(), "it is complete");
    let pod = |spec: &Arc<PodSpec>| {
        let mut object = Object::new(Pod { spec: spec.clone(), ..Pod::default() });
        apply(&mut object);
        object.get::<Pod>().expect("it is a pod").spec.clone()
    };
    let (first, second) = (pod(&template), pod(&template));
    assert!(Arc::ptr_eq(&first, &second));
    assert!(!Arc::ptr_eq(&first, &template), "pods get more than templates");
    assert!(Arc::ptr_eq(&pod(&first), &first), "a complete spec stays where it is");
    assert!(pod_spec(&first).is_none());
}

#[test]
fn what_was_worked_out_is_forgotten_when_the_spec_changes() {
    let spec: PodSpec = serde_json::from_value(json!({"containers": containers()})).unwrap();
    let mut done = pod_spec(&spec).expect("much is missing");
    PodSpec::edit(&mut done, |spec| spec.scheduler_name = base::Name::EMPTY);
    assert_eq!(pod_spec(&done).expect("the scheduler is missing").scheduler_name, "default-scheduler");
}
