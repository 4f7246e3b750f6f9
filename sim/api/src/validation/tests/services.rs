use serde_json::{Value, json};

use super::{expect_on_create, meta};

fn service() -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": meta(),
        "spec": {"selector": {"app": "web"}, "ports": [{"name": "http", "port": 80}]},
    })
}

#[test]
fn services_have_ports() {
    expect_on_create(
        &service(),
        &[
            ("/spec/ports", json!([]), &["spec.ports: Required value"]),
            (
                "/spec/ports/0/port",
                json!(0),
                &[
                    "spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive",
                    "spec.ports[0].targetPort: Invalid value: 0: must be between 1 and 65535, inclusive",
                ],
            ),
            ("/spec/ports/0/targetPort", json!("http"), &[]),
            (
                "/spec/ports/0/targetPort",
                json!(70_000),
                &["spec.ports[0].targetPort: Invalid value: 70000: must be between 1 and 65535, inclusive"],
            ),
            ("/spec/ports/1", json!({"port": 81}), &["spec.ports[1].name: Required value"]),
            (
                "/spec/ports/1",
                json!({"name": "http", "port": 81}),
                &[r#"spec.ports[1].name: Duplicate value: "http""#],
            ),
            (
                "/spec/ports/1",
                json!({"name": "again", "port": 80}),
                &[
                    r#"spec.ports[1]: Duplicate value: {"Name":"","Protocol":"TCP","AppProtocol":null,"Port":80,"TargetPort":0,"NodePort":0}"#,
                ],
            ),
            (
                "/spec/ports/0/nodePort",
                json!(30_000),
                &["spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'"],
            ),
            (
                "/spec/ports/0/protocol",
                json!("HTTP"),
                &[
                    r#"spec.ports[0].protocol: Unsupported value: "HTTP": supported values: "SCTP", "TCP", "UDP""#,
                ],
            ),
            (
                "/metadata/name",
                json!("1web"),
                &[
                    "metadata.name: Invalid value: \"1web\": a DNS-1035 label must consist of lower case alphanumeric \
                 characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. \
                 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')",
                ],
            ),
        ],
    );
}

#[test]
fn types_of_services() {
    expect_on_create(
        &service(),
        &[
            (
                "/spec/type",
                json!("Magic"),
                &[
                    r#"spec.type: Unsupported value: "Magic": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort""#,
                    "spec.internalTrafficPolicy: Required value",
                ],
            ),
            ("/spec/type", json!("ExternalName"), &["spec.externalName: Required value"]),
            ("/spec", json!({"type": "ExternalName", "externalName": "example.com."}), &[]),
            ("/spec", json!({"clusterIP": "None"}), &[]),
            (
                "/spec",
                json!({"type": "NodePort", "clusterIP": "None", "ports": [{"port": 80}]}),
                &[
                    r#"spec.clusterIPs[0]: Invalid value: "None": may not be set to 'None' for NodePort services"#,
                ],
            ),
            (
                "/spec/sessionAffinity",
                json!("Cookie"),
                &[
                    r#"spec.sessionAffinity: Unsupported value: "Cookie": supported values: "ClientIP", "None""#,
                ],
            ),
            (
                "/spec/externalTrafficPolicy",
                json!("Local"),
                &[
                    r#"spec.externalTrafficPolicy: Invalid value: "Local": may only be set for externally-accessible services"#,
                ],
            ),
            (
                "/spec/trafficDistribution",
                json!("Random"),
                &[
                    r#"spec.trafficDistribution: Unsupported value: "Random": supported values: "PreferClose", "PreferSameNode", "PreferSameZone""#,
                ],
            ),
            (
                "/spec/loadBalancerSourceRanges",
                json!(["10.0.0.0/8"]),
                &["spec.LoadBalancerSourceRanges: Forbidden: may only be used when `type` is 'LoadBalancer'"],
            ),
        ],
    );
}

#[test]
fn addresses_of_services() {
    let bad = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
    let not_address = format!("spec.clusterIPs[0]: Invalid value: \"ten\": {bad}");
    expect_on_create(
        &service(),
        &[
            ("/spec/clusterIP", json!("10.96.0.10"), &[]),
            ("/spec/clusterIP", json!("ten"), &[&not_address]),
            (
                "/spec/clusterIPs",
                json!(["10.96.0.10"]),
                &[
                    r#"spec.clusterIPs: Invalid value: ["10.96.0.10"]: must be empty when `clusterIP` is not specified"#,
                ],
            ),
            (
                "/spec/ipFamilies",
                json!(["IPv5"]),
                &[r#"spec.ipFamilies[0]: Unsupported value: "IPv5": supported values: "IPv4", "IPv6""#],
            ),
            (
                "/spec/externalIPs",
                json!(["127.0.0.1"]),
                &[
                    r#"spec.externalIPs[0]: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)"#,
                ],
            ),
        ],
    );
}

#[test]
fn endpoint_slices() {
    let slice = json!({
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": meta(),
        "addressType": "IPv4",
        "endpoints": [{"addresses": ["10.0.0.1"]}],
        "ports": [{"name": "http", "port": 80}],
    });
    expect_on_create(
        &slice,
        &[
            ("/addressType", json!(""), &["addressType: Required value"]),
            (
                "/endpoints/0/addresses",
                json!([]),
                &["endpoints[0].addresses: Required value: must contain at least 1 address"],
            ),
            (
                "/endpoints/0/addresses/0",
                json!("a"),
                &[r#"endpoints[0].addresses[0]: Invalid value: "a": must be a valid IPv4 address"#],
            ),
            ("/ports/1", json!({"name": "http"}), &[r#"ports[1].name: Duplicate value: "http""#]),
        ],
    );
}
