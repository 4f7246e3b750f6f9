//! Runs whose scheduler has extenders: real servers on this machine, and what the program says of them.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Output};

use expect_test::expect;
use serde_json::{Value, json};

const SCENARIO: &str = "
apiVersion: wavetank.dev/v1
kind: Scenario
metadata: {name: extended}
spec:
  duration: 1m
  cluster:
    nodePools: [{name: node, count: 3}]
    schedulerConfig: scheduler.yaml
    schedulerCost: none
    extenderLatency: 20ms
  manifests: [app.yaml]
";
const APP: &str = "
apiVersion: v1
kind: Pod
metadata: {name: p}
spec: {schedulerName: picky, containers: [{name: main, image: app}]}
---
apiVersion: v1
kind: Pod
metadata: {name: q}
spec: {containers: [{name: main, image: app, resources: {limits: {example.com/board: 1}}}]}
";

/// Serves calls until the test is over: `answer` goes from the path and the body to a status and a body.
#[expect(clippy::disallowed_methods, reason = "a real server needs a thread")]
fn serve(answer: fn(&str, &Value) -> (u16, Value)) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = listener.local_addr().expect("it is bound").to_string();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            serve_one(&mut stream.expect("someone calls"), answer);
        }
    });
    address
}

fn serve_one(stream: &mut TcpStream, answer: fn(&str, &Value) -> (u16, Value)) {
    let (mut request, mut buffer) = (Vec::new(), [0; 4096]);
    let (path, body) = loop {
        let count = stream.read(&mut buffer).expect("the request comes");
        request.extend_from_slice(&buffer[..count]);
        let text = String::from_utf8_lossy(&request);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        if let Ok(body) = body.parse::<Value>() {
            break (head.split(' ').nth(1).expect("a path").to_owned(), body);
        }
    };
    let (status, body) = answer(&path, &body);
    let body = body.to_string();
    let length = body.len();
    let head = format!("HTTP/1.1 {status} So\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
    stream.write_all((head + &body).as_bytes()).expect("the caller listens");
}

fn wavetank(folder: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wavetank"));
    command.current_dir(folder).args(args).output().expect("it can be started")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("it prints text")
}

fn folder_with(scheduler: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let head = "apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration\n";
    let files = [
        ("scheduler.yaml", format!("{head}{scheduler}")),
        ("it.yaml", SCENARIO.into()),
        ("app.yaml", APP.into()),
    ];
    for (name, text) in files {
        fs::write(folder.path().join(name), text).expect("it can be written");
    }
    folder
}

#[test]
fn two_extenders_and_a_profile_have_their_say_and_are_named_in_the_summary() {
    let address = serve(|path, body| match path {
        "/strict/filter" => {
            let nodes: Vec<&Value> = body["Nodes"]["items"].as_array().into_iter().flatten().collect();
            let left: Vec<&&Value> = nodes.iter().filter(|it| it["metadata"]["name"] != "node-0").collect();
            (200, json!({"Nodes": {"items": left}, "FailedNodes": {"node-0": "the rack is full"}}))
        }
        "/boards/filter" => (200, json!({"NodeNames": ["node-2"]})),
        "/boards/prioritize" => (200, json!([{"Host": "node-2", "Score": 10}])),
        _ => (404, Value::Null),
    });
    let folder = folder_with(&format!(
        "profiles: [{{schedulerName: default-scheduler}}, {{schedulerName: picky}}]\n\
         extenders:\n\
         - {{urlPrefix: \"http://{address}/strict\", filterVerb: filter}}\n\
         - urlPrefix: \"http://{address}/boards\"\n\
         \x20 filterVerb: filter\n\
         \x20 prioritizeVerb: prioritize\n\
         \x20 weight: 2\n\
         \x20 nodeCacheCapable: true\n\
         \x20 managedResources: [{{name: example.com/board, ignoredByScheduler: true}}]\n"
    ));
    let done = wavetank(folder.path(), &["run", "it.yaml", "--check-determinism", "--out", "run"]);
    assert!(done.status.success(), "{}", text(&done.stderr));
    let told = text(&done.stdout).replace(&address, "ADDRESS");
    let line = told.lines().find(|it| it.contains("ADDRESS")).expect("the extenders are named");
    expect!["the same seed gives this run again only with the same answers of http://ADDRESS/strict, http://ADDRESS/boards"].assert_eq(line);
    let summary: Value =
        serde_json::from_slice(&fs::read(folder.path().join("run/summary.json")).expect("it was written"))
            .expect("it is JSON");
    assert_eq!(summary["dependsOn"].as_array().map(Vec::len), Some(2));
    let explained = ["pod/p", "pod/q"].map(|pod| {
        let told = wavetank(folder.path(), &["explain", "run", pod, "--scheduling"]);
        text(&told.stdout).replace(&address, "ADDRESS")
    });
    expect![[r#"
        told:
             0.003353 s  attempt 1: node-1 (2 of 3 nodes would do)
          node-0 is rejected by Extender (Unschedulable): the rack is full
         node    TaintToleration x3  NodeResourcesFit x1  ImageLocality x1  total 
         node-2                 100                   97                 0    397 
         node-1                 100                   97                 0    397 
          http://ADDRESS/strict filter: leaves 2 of 3 nodes: node-2, node-1
          node-2, node-1 are equally good; chance took node-1
             0.023353 s  attempt 1: node-2 (1 of 2 nodes would do)
          node-0 is rejected by Extender (Unschedulable): the rack is full
         node    TaintToleration x3  NodeResourcesFit x1  ImageLocality x1  total 
         node-2                 100                   97                 0    397 
          http://ADDRESS/strict filter: leaves 2 of 3 nodes: node-2, node-1
          http://ADDRESS/boards filter: leaves 1 of 2 nodes: node-2
    "#]]
    .assert_eq(&format!("told:\n{}", explained.concat()));
}

#[test]
fn pods_wait_while_their_extender_is_away() {
    let folder = folder_with(
        "profiles: [{schedulerName: default-scheduler}, {schedulerName: picky}]\n\
         extenders:\n\
         - urlPrefix: http://127.0.0.1:9/x\n\
         \x20 filterVerb: filter\n\
         \x20 managedResources: [{name: example.com/board, ignoredByScheduler: true}]\n",
    );
    let done = wavetank(folder.path(), &["run", "it.yaml", "--out", "run"]);
    let told = text(&done.stdout);
    let pending: Vec<&str> = told.lines().filter(|it| it.starts_with("pending")).collect();
    expect![[r#"
        pending 1: Post "http://127.0.0.1:9/x/filter": dial tcp 127.0.0.1:9: connect: connection refused"#]]
    .assert_eq(&pending.join("\n"));
}

#[test]
fn extenders_that_a_simulation_cannot_call_are_refused() {
    let folder = folder_with(
        "extenders:\n\
         - {urlPrefix: \"http://extender.kube-system.svc:8888\", filterVerb: filter}\n\
         - {urlPrefix: \"https://localhost\", filterVerb: filter, enableHTTPS: true}\n\
         - urlPrefix: http://localhost\n\
         \x20 tlsConfig: {insecure: true}\n",
    );
    let done = wavetank(folder.path(), &["run", "it.yaml"]);
    assert_eq!(done.status.code(), Some(2));
    expect![[r#"
        scheduler.yaml:4:15: `extender.kube-system.svc:8888` is not on this machine; extenders are called on loopback only, as `http://127.0.0.1:8888` or `http://localhost:8888`
          |
        4 | - {urlPrefix: "http://extender.kube-system.svc:8888", filterVerb: filter}
          |               ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
        scheduler.yaml:5:15: expected a URL like `http://127.0.0.1:8888/scheduler`, found `https://localhost`; extenders are called over plain HTTP
          |
        5 | - {urlPrefix: "https://localhost", filterVerb: filter, enableHTTPS: true}
          |               ^^^^^^^^^^^^^^^^^^^
        scheduler.yaml:5:69: extenders are called over plain HTTP, without TLS; leave this out
          |
        5 | - {urlPrefix: "https://localhost", filterVerb: filter, enableHTTPS: true}
          |                                                                     ^^^^
        scheduler.yaml:7:14: extenders are called over plain HTTP, without TLS; leave this out
          |
        7 |   tlsConfig: {insecure: true}
          |              ^
    "#]].assert_eq(&text(&done.stderr));
}
