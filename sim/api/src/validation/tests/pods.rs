use serde_json::{Value, json};

use super::{errors_of, expect_on_create, meta, with};

pub(super) fn pod() -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": meta(),
        "spec": {
            "containers": [
                {"name": "web", "image": "nginx:1", "ports": [{"name": "http", "containerPort": 80}]},
                {"name": "log", "image": "fluentd"},
            ],
            "initContainers": [{"name": "init", "image": "busybox"}],
            "volumes": [{"name": "data", "emptyDir": {}}],
        },
    })
}

const LABEL: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must \
                     start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for \
                     validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";

#[test]
fn containers_have_a_name_and_an_image() {
    let bad_name = format!("spec.containers[0].name: Invalid value: \"Web\": {LABEL}");
    expect_on_create(
        &pod(),
        &[
            ("/spec/containers", json!([]), &["spec.containers: Required value"]),
            ("/spec/containers/0/name", json!(""), &["spec.containers[0].name: Required value"]),
            ("/spec/containers/0/name", json!("Web"), &[&bad_name]),
            ("/spec/containers/0/image", json!(""), &["spec.containers[0].image: Required value"]),
            (
                "/spec/containers/0/image",
                json!(" nginx"),
                &[
                    r#"spec.containers[0].image: Invalid value: " nginx": must not have leading or trailing whitespace"#,
                ],
            ),
            (
                "/spec/containers/1/name",
                json!("web"),
                &[r#"spec.containers[1].name: Duplicate value: "web""#],
            ),
            (
                "/spec/initContainers/0/name",
                json!("web"),
                &[r#"spec.initContainers[0].name: Duplicate value: "web""#],
            ),
            (
                "/spec/containers/0/imagePullPolicy",
                json!("Sometimes"),
                &[
                    r#"spec.containers[0].imagePullPolicy: Unsupported value: "Sometimes": supported values: "Always", "IfNotPresent", "Never""#,
                ],
            ),
            (
                "/spec/containers/0/restartPolicy",
                json!("Always"),
                &["spec.containers[0].restartPolicy: Forbidden: may not be set for non-init containers"],
            ),
            (
                "/spec/containers/0/terminationMessagePolicy",
                json!("Shout"),
                &[
                    r#"spec.containers[0].terminationMessagePolicy: Unsupported value: "Shout": supported values: "File", "FallbackToLogsOnError""#,
                ],
            ),
        ],
    );
}

#[test]
fn ports_are_numbers_with_distinct_names() {
    expect_on_create(
        &pod(),
        &[
            (
                "/spec/containers/0/ports/0/containerPort",
                json!(0),
                &["spec.containers[0].ports[0].containerPort: Required value"],
            ),
            (
                "/spec/containers/0/ports/0/containerPort",
                json!(65_536),
                &[
                    "spec.containers[0].ports[0].containerPort: Invalid value: 65536: must be between 1 and 65535, inclusive",
                ],
            ),
            (
                "/spec/containers/0/ports/0/hostPort",
                json!(-1),
                &[
                    "spec.containers[0].ports[0].hostPort: Invalid value: -1: must be between 1 and 65535, inclusive",
                ],
            ),
            (
                "/spec/containers/0/ports/0/protocol",
                json!("ICMP"),
                &[
                    r#"spec.containers[0].ports[0].protocol: Unsupported value: "ICMP": supported values: "SCTP", "TCP", "UDP""#,
                ],
            ),
            (
                "/spec/containers/0/ports/0/name",
                json!("a-much-too-long-name"),
                &[
                    r#"spec.containers[0].ports[0].name: Invalid value: "a-much-too-long-name": must be no more than 15 characters"#,
                ],
            ),
            (
                "/spec/containers/0/ports/1",
                json!({"name": "http", "containerPort": 81}),
                &[r#"spec.containers[0].ports[1].name: Duplicate value: "http""#],
            ),
            // Another container may call its port the same.
            ("/spec/containers/1/ports", json!([{"name": "http", "containerPort": 81}]), &[]),
            (
                "/spec/containers/0/ports",
                json!([{"containerPort": 80, "hostPort": 80}, {"containerPort": 81, "hostPort": 80}]),
                &[r#"spec.containers[0].ports[1].hostPort: Duplicate value: "TCP//80""#],
            ),
            (
                "/spec",
                json!({"hostNetwork": true, "containers": [
                    {"name": "web", "image": "a", "ports": [{"containerPort": 80, "hostPort": 8080}]},
                ]}),
                &[
                    "spec.containers[0].ports[0].hostPort: Invalid value: 8080: must match `containerPort` when `hostNetwork` is true",
                ],
            ),
        ],
    );
}

#[test]
fn requests_fit_limits() {
    let place = "/spec/containers/0/resources";
    expect_on_create(
        &pod(),
        &[
            (place, json!({"requests": {"cpu": "500m", "memory": "1Gi"}, "limits": {"cpu": "1"}}), &[]),
            (
                place,
                json!({"requests": {"cpu": "2"}, "limits": {"cpu": "1"}}),
                &[
                    r#"spec.containers[0].resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1"#,
                ],
            ),
            (
                place,
                json!({"requests": {"cpu": "-1"}}),
                &[
                    r#"spec.containers[0].resources.requests[cpu]: Invalid value: "-1": must be greater than or equal to 0"#,
                ],
            ),
            (
                place,
                json!({"requests": {"cores": "1"}}),
                &[
                    r#"spec.containers[0].resources.requests[cores]: Invalid value: "cores": must be a standard resource type or fully qualified"#,
                    r#"spec.containers[0].resources.requests[cores]: Invalid value: "cores": must be a standard resource for containers"#,
                ],
            ),
            (
                place,
                json!({"requests": {"pods": "1"}}),
                &[
                    r#"spec.containers[0].resources.requests[pods]: Invalid value: "pods": must be a standard resource for containers"#,
                ],
            ),
            (place, json!({"limits": {"nvidia.com/gpu": "1"}}), &[]),
            (
                place,
                json!({"requests": {"nvidia.com/gpu": "1"}}),
                &[
                    "spec.containers[0].resources.limits: Required value: Limit must be set for non overcommitable resources",
                ],
            ),
            (
                place,
                json!({"requests": {"nvidia.com/gpu": "1"}, "limits": {"nvidia.com/gpu": "2"}}),
                &[
                    r#"spec.containers[0].resources.requests: Invalid value: "1": must be equal to nvidia.com/gpu limit of 2"#,
                ],
            ),
            (
                place,
                json!({"limits": {"nvidia.com/gpu": "500m"}}),
                &[
                    r#"spec.containers[0].resources.limits[nvidia.com/gpu]: Invalid value: "500m": must be an integer"#,
                    r#"spec.containers[0].resources.requests[nvidia.com/gpu]: Invalid value: "500m": must be an integer"#,
                ],
            ),
            (
                place,
                json!({"limits": {"hugepages-2Mi": "4Mi"}}),
                &["spec.containers[0].resources: Forbidden: HugePages require cpu or memory"],
            ),
            (
                place,
                json!({"limits": {"cpu": "1", "hugepages-2Mi": "3Mi"}}),
                &[
                    r#"spec.containers[0].resources.limits[hugepages-2Mi]: Invalid value: "3Mi": 3Mi is not positive integer multiple of hugepages-2Mi"#,
                    r#"spec.containers[0].resources.requests[hugepages-2Mi]: Invalid value: "3Mi": 3Mi is not positive integer multiple of hugepages-2Mi"#,
                ],
            ),
            (
                "/spec/resources",
                json!({"requests": {"ephemeral-storage": "1"}, "limits": {"cpu": "1"}}),
                &[
                    r#"spec.resources.requests[ephemeral-storage]: Unsupported value: "ephemeral-storage": supported values: "cpu", "memory""#,
                ],
            ),
        ],
    );
    let limited = with(&pod(), place, &json!({"limits": {"cpu": "2"}, "requests": {"cpu": "1"}}));
    expect_on_create(
        &limited,
        &[(
            "/spec/resources",
            json!({"requests": {"cpu": "500m"}, "limits": {"cpu": "1"}}),
            &[
                r#"spec.resources.requests[cpu]: Invalid value: "500m": must be greater than or equal to aggregate container requests of 1"#,
                r#"spec.resources.containers[0][cpu].limits: Invalid value: "2": must be less than or equal to pod limits of 1"#,
            ],
        )],
    );
}

#[test]
fn probes_have_one_handler() {
    let place = "/spec/containers/0/livenessProbe";
    expect_on_create(
        &pod(),
        &[
            (place, json!({"httpGet": {"port": "http"}}), &[]),
            (
                place,
                json!({}),
                &["spec.containers[0].livenessProbe: Required value: must specify a handler type"],
            ),
            (
                place,
                json!({"exec": {"command": ["true"]}, "tcpSocket": {"port": 80}}),
                &[
                    "spec.containers[0].livenessProbe.tcpSocket: Forbidden: may not specify more than 1 handler type",
                ],
            ),
            (place, json!({"exec": {}}), &["spec.containers[0].livenessProbe.exec.command: Required value"]),
            (
                place,
                json!({"httpGet": {"port": 0}}),
                &[
                    "spec.containers[0].livenessProbe.httpGet.port: Invalid value: 0: must be between 1 and 65535, inclusive",
                ],
            ),
            (
                place,
                json!({"httpGet": {"port": 80, "scheme": "FTP"}}),
                &[
                    r#"spec.containers[0].livenessProbe.httpGet.scheme: Unsupported value: "FTP": supported values: "HTTP", "HTTPS""#,
                ],
            ),
            (
                place,
                json!({"tcpSocket": {"port": 80}, "successThreshold": 2, "periodSeconds": -1}),
                &[
                    "spec.containers[0].livenessProbe.periodSeconds: Invalid value: -1: must be greater than or equal to 0",
                    "spec.containers[0].livenessProbe.successThreshold: Invalid value: 2: must be 1",
                ],
            ),
            (
                "/spec/containers/0/readinessProbe",
                json!({"tcpSocket": {"port": 80}, "successThreshold": 2, "terminationGracePeriodSeconds": 5}),
                &[
                    "spec.containers[0].readinessProbe.terminationGracePeriodSeconds: Invalid value: 5: must not be set for readinessProbes",
                ],
            ),
            (
                "/spec/containers/0/lifecycle",
                json!({"preStop": {"sleep": {"seconds": 31}}}),
                &[
                    "spec.containers[0].lifecycle.preStop.sleep: Invalid value: 31: must be non-negative and less than terminationGracePeriodSeconds (30)",
                ],
            ),
            (
                "/spec/initContainers/0/readinessProbe",
                json!({"tcpSocket": {"port": 80}}),
                &[
                    "spec.initContainers[0].readinessProbe: Forbidden: may not be set for init containers without restartPolicy=Always",
                ],
            ),
            (
                "/spec/initContainers/0/restartPolicy",
                json!("Never"),
                &[
                    r#"spec.initContainers[0].restartPolicy: Unsupported value: "Never": supported values: "Always""#,
                ],
            ),
        ],
    );
}

#[test]
fn volumes_are_there_when_they_are_mounted() {
    expect_on_create(
        &pod(),
        &[
            ("/spec/containers/0/volumeMounts", json!([{"name": "data", "mountPath": "/data"}]), &[]),
            (
                "/spec/containers/0/volumeMounts",
                json!([{"name": "other", "mountPath": "/data"}]),
                &[r#"spec.containers[0].volumeMounts[0].name: Not found: "other""#],
            ),
            (
                "/spec/containers/0/volumeMounts",
                json!([{"name": "data", "mountPath": "/a"}, {"name": "data", "mountPath": "/a"}]),
                &[r#"spec.containers[0].volumeMounts[1].mountPath: Invalid value: "/a": must be unique"#],
            ),
            (
                "/spec/containers/0/volumeMounts",
                json!([{"name": "data"}]),
                &["spec.containers[0].volumeMounts[0].mountPath: Required value"],
            ),
            (
                "/spec/volumes/1",
                json!({"name": "data"}),
                &[r#"spec.volumes[1].name: Duplicate value: "data""#],
            ),
            ("/spec/volumes/0", json!({"emptyDir": {}}), &["spec.volumes[0].name: Required value"]),
            (
                "/spec/volumes/0",
                json!({"name": "data", "emptyDir": {}, "secret": {"secretName": "a"}}),
                &["spec.volumes[0].secret: Forbidden: may not specify more than 1 volume type"],
            ),
            (
                "/spec/volumes/0",
                json!({"name": "data", "persistentVolumeClaim": {}}),
                &["spec.volumes[0].persistentVolumeClaim.claimName: Required value"],
            ),
            (
                "/spec/volumes/0",
                json!({"name": "data", "hostPath": {"path": "/a/../b"}}),
                &[r#"spec.volumes[0].hostPath.path: Invalid value: "/a/../b": must not contain '..'"#],
            ),
            (
                "/spec/volumes/0",
                json!({"name": "data", "configMap": {"name": "a", "defaultMode": 512}}),
                &[
                    "spec.volumes[0].configMap.defaultMode: Invalid value: 512: must be a number between 0 and 0777 (octal), both inclusive",
                ],
            ),
        ],
    );
}

#[test]
fn variables_come_from_one_place() {
    let place = "/spec/containers/0/env/0";
    let env = with(&pod(), "/spec/containers/0/env", &json!([]));
    expect_on_create(
        &env,
        &[
            (place, json!({"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}), &[]),
            (
                place,
                json!({"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['app']"}}}),
                &[],
            ),
            (place, json!({"value": "1"}), &["spec.containers[0].env[0].name: Required value"]),
            (
                place,
                json!({"name": "A=B"}),
                &[
                    r#"spec.containers[0].env[0].name: Invalid value: "A=B": a valid environment variable name must consist only of printable ASCII characters other than '='"#,
                ],
            ),
            (
                place,
                json!({"name": "A", "valueFrom": {}}),
                &[
                    r#"spec.containers[0].env[0].valueFrom: Invalid value: "": must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`"#,
                ],
            ),
            (
                place,
                json!({"name": "A", "value": "x", "valueFrom": {"secretKeyRef": {"name": "a", "key": "b"}}}),
                &[
                    r#"spec.containers[0].env[0].valueFrom: Invalid value: "": may not be specified when `value` is not empty"#,
                ],
            ),
            (
                place,
                json!({"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "status.phase"}}}),
                &[
                    r#"spec.containers[0].env[0].valueFrom.fieldRef.fieldPath: Unsupported value: "status.phase": supported values: "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName", "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs""#,
                ],
            ),
            (
                place,
                json!({"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "status.nonsense"}}}),
                &[
                    r#"spec.containers[0].env[0].valueFrom.fieldRef.fieldPath: Invalid value: "status.nonsense": error converting fieldPath: field label not supported: status.nonsense"#,
                ],
            ),
            (
                place,
                json!({"name": "A", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu", "divisor": "1Mi"}}}),
                &[
                    r#"spec.containers[0].env[0].valueFrom.resourceFieldRef.divisor: Invalid value: "limits.cpu": only divisor's values 1m and 1 are supported with the cpu resource"#,
                ],
            ),
            (
                "/spec/containers/0/envFrom",
                json!([{}]),
                &[
                    r#"spec.containers[0].envFrom: Invalid value: "": must specify one of: `configMapRef` or `secretRef`"#,
                ],
            ),
        ],
    );
}

#[test]
fn words_and_numbers_of_a_spec() {
    expect_on_create(
        &pod(),
        &[
            (
                "/spec/restartPolicy",
                json!("Maybe"),
                &[
                    r#"spec.restartPolicy: Unsupported value: "Maybe": supported values: "Always", "OnFailure", "Never""#,
                ],
            ),
            (
                "/spec/dnsPolicy",
                json!("Mine"),
                &[
                    r#"spec.dnsPolicy: Unsupported value: "Mine": supported values: "ClusterFirstWithHostNet", "ClusterFirst", "Default", "None""#,
                ],
            ),
            (
                "/spec/dnsPolicy",
                json!("None"),
                &["spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None"],
            ),
            (
                "/spec/activeDeadlineSeconds",
                json!(0),
                &[
                    "spec.activeDeadlineSeconds: Invalid value: 0: must be between 1 and 2147483647, inclusive",
                ],
            ),
            ("/spec/nodeSelector", json!({"disk": "ssd"}), &[]),
            (
                "/spec/nodeSelector",
                json!({"disk": "s s d"}),
                &[
                    r#"spec.nodeSelector: Invalid value: "s s d": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"#,
                ],
            ),
            (
                "/spec/hostname",
                json!("a.b"),
                &[r#"spec.hostname: Invalid value: "a.b": must not contain dots"#],
            ),
            (
                "/spec/schedulingGates",
                json!([{"name": "example.com/a"}, {"name": "example.com/a"}]),
                &[r#"spec.schedulingGates[1]: Duplicate value: "example.com/a""#],
            ),
            (
                "/spec",
                json!({"nodeName": "a", "schedulingGates": [{"name": "example.com/a"}], "containers": [
                    {"name": "web", "image": "a"},
                ]}),
                &["spec.nodeName: Forbidden: cannot be set until all schedulingGates have been cleared"],
            ),
            (
                "/spec/preemptionPolicy",
                json!("Always"),
                &[
                    r#"spec.preemptionPolicy: Unsupported value: "Always": supported values: "PreemptLowerPriority", "Never""#,
                ],
            ),
            (
                "/spec/securityContext",
                json!({"runAsUser": -1}),
                &[
                    "spec.securityContext.runAsUser: Invalid value: -1: must be between 0 and 2147483647, inclusive",
                ],
            ),
            (
                "/spec/hostAliases",
                json!([{"ip": "1.2.3"}]),
                &[
                    r#"spec.hostAliases[0].ip: Invalid value: "1.2.3": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"#,
                ],
            ),
            (
                "/metadata/annotations",
                json!({"controller.kubernetes.io/pod-deletion-cost": "cheap"}),
                &[
                    r#"metadata.annotations[controller.kubernetes.io/pod-deletion-cost]: Invalid value: "cheap": must be a 32bit integer"#,
                ],
            ),
        ],
    );
}

#[test]
fn metadata_is_checked_as_for_every_object() {
    let (orphan, foreground) = ("orphan", "foregroundDeletion");
    expect_on_create(
        &pod(),
        &[
            (
                "/metadata/name",
                json!(""),
                &["metadata.name: Required value: name or generateName is required"],
            ),
            ("/metadata/namespace", json!(""), &["metadata.namespace: Required value"]),
            ("/metadata/generateName", json!("web-"), &[]),
            (
                "/metadata/finalizers",
                json!(["mine"]),
                &[
                    r#"metadata.finalizers[0]: Invalid value: "mine": name is neither a standard finalizer name nor is it fully qualified"#,
                ],
            ),
            (
                "/metadata/finalizers",
                json!([orphan, foreground]),
                &[
                    r#"metadata.finalizers: Invalid value: ["orphan","foregroundDeletion"]: finalizer orphan and foregroundDeletion cannot be both set"#,
                ],
            ),
            (
                "/metadata/ownerReferences",
                json!([{"apiVersion": "v1", "kind": "Event", "name": "", "uid": "a"}]),
                &[r#"metadata.ownerReferences.name: Invalid value: "": must not be empty"#, &owner_error()],
            ),
        ],
    );
    let mut long = pod();
    long["metadata"]["annotations"] = json!({"a": "x".repeat(262_144)});
    assert_eq!(errors_of(&long), ["metadata.annotations: Too long: may not be more than 262144 bytes"]);
}

/// The owner as JSON; a uid that is none is digested into one.
fn owner_error() -> String {
    let uid = serde_json::from_value::<crate::Uid>(json!("a")).unwrap();
    format!(
        r#"metadata.ownerReferences: Invalid value: {{"apiVersion":"v1","kind":"Event","uid":"{uid}"}}: /v1, Kind=Event is disallowed from being an owner"#
    )
}
