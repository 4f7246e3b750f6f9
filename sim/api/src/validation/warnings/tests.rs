use serde_json::{Value, json};

use super::warnings;
use crate::kind::{Kind, Object};

fn told(kind: &Kind, object: Value) -> Vec<String> {
    let object = Object::from_json(kind, object).expect("an object");
    warnings(&object).iter().map(ToString::to_string).collect()
}

/// Of a pod with one container.
fn of_pod(annotations: &Value, mut spec: Value, container: &Value) -> Vec<String> {
    let mut main = json!({"name": "main", "image": "shop/web:v1"});
    for (field, value) in container.as_object().into_iter().flatten() {
        main[field] = value.clone();
    }
    spec["containers"] = json!([main]);
    told(&Kind::Pod, json!({"metadata": {"name": "web", "annotations": annotations}, "spec": spec}))
}

#[test]
fn what_a_spec_may_say_and_hardly_means() {
    let table = [
        (json!({}), vec![]),
        (
            json!({"terminationGracePeriodSeconds": -5}),
            vec![
                "spec.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1",
            ],
        ),
        (json!({"terminationGracePeriodSeconds": 0}), vec![]),
        (
            json!({"nodeSelector": {"beta.kubernetes.io/os": "linux"}}),
            vec![
                r#"spec.nodeSelector[beta.kubernetes.io/os]: deprecated since v1.14; use "kubernetes.io/os" instead"#,
            ],
        ),
        (
            json!({"affinity": {"nodeAffinity": {
                "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
                    {"matchExpressions": [{"key": "app.kubernetes.io/created-by", "operator": "Exists"}]},
                ]},
            }}}),
            vec![concat!(
                "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0]",
                ".matchExpressions[0].key: app.kubernetes.io/created-by is deprecated since v1.9"
            )],
        ),
        (
            json!({"topologySpreadConstraints": [{"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"}]}),
            vec![
                "spec.topologySpreadConstraints[0].labelSelector: a null labelSelector results in matching no pod",
            ],
        ),
        (
            json!({"affinity": {"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [
                {"weight": 1, "podAffinityTerm": {"topologyKey": "zone"}},
            ]}}}),
            vec![concat!(
                "spec.affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution[0]",
                ".podAffinityTerm.labelSelector: a null labelSelector results in matching no pod"
            )],
        ),
        (
            json!({"imagePullSecrets": [{"name": "a"}, {"name": "a"}, {}], "hostAliases": [{"ip": "10.0.0.1"}, {"ip": "10.0.0.1"}]}),
            vec![
                r#"spec.hostAliases[1].ip: duplicate ip "10.0.0.1""#,
                r#"spec.imagePullSecrets[1].name: duplicate name "a""#,
                r#"spec.imagePullSecrets[2].name: invalid empty name """#,
            ],
        ),
        (
            json!({"volumes": [{"name": "code", "gitRepo": {"repository": "r"}}]}),
            vec!["spec.volumes[0].gitRepo: deprecated in v1.11"],
        ),
        (
            json!({"overhead": {"memory": "100m"}}),
            vec![r#"spec.overhead[memory]: fractional byte value "100m" is invalid, must be an integer"#],
        ),
    ];
    for (spec, expected) in table {
        assert_eq!(of_pod(&json!({}), spec.clone(), &json!({})), expected, "{spec}");
    }
}

#[test]
fn what_a_container_may_say_and_hardly_means() {
    let table = [
        (
            json!({"resources": {"requests": {"memory": "1500m", "cpu": "100m"}, "limits": {"ephemeral-storage": "1Gi"}}}),
            vec![
                r#"spec.containers[0].resources.requests[memory]: fractional byte value "1500m" is invalid, must be an integer"#,
            ],
        ),
        (
            json!({"resources": {
                "requests": {"memory": "1m", "ephemeral-storage": "1m"},
                "limits": {"memory": "2m", "ephemeral-storage": "2m"},
            }}),
            vec![
                r#"spec.containers[0].resources.limits[memory]: fractional byte value "2m" is invalid, must be an integer"#,
                r#"spec.containers[0].resources.requests[memory]: fractional byte value "1m" is invalid, must be an integer"#,
                r#"spec.containers[0].resources.limits[ephemeral-storage]: fractional byte value "2m" is invalid, must be an integer"#,
                r#"spec.containers[0].resources.requests[ephemeral-storage]: fractional byte value "1m" is invalid, must be an integer"#,
            ],
        ),
        (
            json!({"env": [{"name": "A", "value": "1"}, {"name": "A", "value": "$(A)2"}, {"name": "A", "value": "3"}]}),
            vec![
                r#"spec.containers[0].env[2]: hides previous definition of "A", which may be dropped when using apply"#,
            ],
        ),
        (
            json!({"ports": [
                {"containerPort": 80, "protocol": "TCP"},
                {"containerPort": 80, "protocol": "UDP"},
                {"containerPort": 80, "protocol": "TCP"},
                {"containerPort": 80, "protocol": "TCP", "hostPort": 8080},
            ]}),
            vec![
                "spec.containers[0].ports[2]: duplicate port definition with spec.containers[0].ports[0]",
                "spec.containers[0].ports[3]: overlapping port definition with spec.containers[0].ports[0]",
                "spec.containers[0].ports[3]: overlapping port definition with spec.containers[0].ports[2]",
            ],
        ),
        (
            json!({"ports": [
                {"containerPort": 80, "protocol": "TCP", "hostPort": 80},
                {"containerPort": 80, "protocol": "TCP", "hostPort": 80, "hostIP": "10.0.0.1"},
                {"name": "x", "containerPort": 81, "protocol": "TCP", "hostIP": "10.0.0.1"},
            ]}),
            vec![
                "spec.containers[0].ports[1]: dangerously ambiguous port definition with spec.containers[0].ports[0]",
                "spec.containers[0].ports[2]: hostIP set without hostPort: {Name:x HostPort:0 ContainerPort:81 Protocol:TCP HostIP:10.0.0.1}",
            ],
        ),
    ];
    for (container, expected) in table {
        assert_eq!(of_pod(&json!({}), json!({}), &container), expected, "{container}");
    }
}

#[test]
fn annotations_that_have_become_fields() {
    let annotations = json!({
        "scheduler.alpha.kubernetes.io/critical-pod": "",
        "seccomp.security.alpha.kubernetes.io/pod": "runtime/default",
    });
    let expected = [
        r#"metadata.annotations[scheduler.alpha.kubernetes.io/critical-pod]: non-functional in v1.16+; use the "priorityClassName" field instead"#,
        r#"metadata.annotations[seccomp.security.alpha.kubernetes.io/pod]: non-functional in v1.27+; use the \"seccompProfile\" field instead"#,
    ];
    assert_eq!(of_pod(&annotations, json!({}), &json!({})), expected);
    let profile = json!({"securityContext": {"seccompProfile": {"type": "RuntimeDefault"}}});
    assert_eq!(of_pod(&annotations, profile, &json!({})), expected[..1]);
}

#[test]
fn templates_are_looked_at_where_they_stand() {
    let template = json!({"spec": {"terminationGracePeriodSeconds": -1}});
    let grace =
        "terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1";
    let whole = |spec: Value| json!({"metadata": {"name": "web"}, "spec": spec});
    for kind in [
        Kind::DaemonSet,
        Kind::Deployment,
        Kind::Job,
        Kind::ReplicaSet,
        Kind::ReplicationController,
        Kind::StatefulSet,
    ] {
        let told = told(&kind, whole(json!({"template": template})));
        assert_eq!(told, [format!("spec.template.spec.{grace}")], "{kind:?}");
    }
    let cron = whole(json!({"schedule": "* * * * *", "jobTemplate": {"spec": {"template": template}}}));
    assert_eq!(told(&Kind::CronJob, cron), [format!("spec.jobTemplate.spec.template.spec.{grace}")]);
    assert_eq!(told(&Kind::Service, whole(json!({}))), [""; 0]);
}
