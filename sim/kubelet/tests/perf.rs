#![allow(clippy::all, clippy::disallowed_types, clippy::disallowed_methods)]
mod world;
use api::*;
use base::*;
use kubelet::*;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;

enum Due {
    Input(Input),
    Request(RequestId, Request),
}

#[test]
fn perf() {
    let setup = Arc::new(world::setup());
    let behaviours = Arc::new(workload::Behaviours::default());
    let template = world::pod(
        "web",
        json!({"containers": [{"name": "main", "image": "web:v1"}], "volumes":[{"name":"t"}]}),
    );
    let (mut inner, mut sends, mut wakes, mut handles, mut events) = (std::time::Duration::ZERO, 0, 0, 0, 0);
    let nodes = 1000;
    let per = 10;
    let mut live = Vec::new();
    for node in 0..nodes {
        let luck = Luck::new(node, "x");
        let mut rt = Runtime::new(&setup.name, setup.pod_cidr.parse().unwrap(), behaviours.clone(), luck);
        let mut k = Kubelet::new(setup.clone(), 0, luck);
        let mut q: BTreeMap<(Time, u64), Due> = BTreeMap::new();
        let mut n = 0;
        let mut pods: BTreeMap<Name, Arc<Pod>> = BTreeMap::new();
        q.insert((world::START, 0), Due::Input(Input::Started(Start::Settled)));
        for i in 0..per {
            let mut p = template.clone();
            p.meta.name = Name::new(format!("web-5d4f8c7b9-{i:05}"));
            p.meta.uid = Uid::random(node, i);
            let p = Arc::new(p);
            pods.insert(p.meta.name.clone(), p.clone());
            n += 1;
            q.insert((world::START + Span::secs(1), n), Due::Input(Input::PodSet(p, Cause::NONE)));
        }
        let mut fx = Vec::new();
        while let Some(((now, _), due)) = q.pop_first() {
            let mut feed = |k: &mut Kubelet, input, q: &mut BTreeMap<_, _>, n: &mut u64| {
                let t = std::time::Instant::now();
                k.handle(now, input, &mut rt, &mut fx);
                inner += t.elapsed();
                handles += 1;
                for e in fx.drain(..) {
                    *n += 1;
                    match e {
                        Effect::Send { id, at, request, .. } => {
                            sends += 1;
                            if matches!(request, Request::Create { .. }) {
                                events += 1;
                            }
                            q.insert((at + Span::millis(1), *n), Due::Request(id, request));
                        }
                        Effect::WakeAt(at, t) => {
                            wakes += 1;
                            q.insert((at, *n), Due::Input(Input::Timer(t)));
                        }
                        Effect::Note(_) => (),
                    }
                }
            };
            match due {
                Due::Input(i) => feed(&mut k, i, &mut q, &mut n),
                Due::Request(id, r) => {
                    let key = r.key();
                    let resp = match r {
                        Request::Get { .. } => Ok(Answer::Object(pods[&key.name].clone().into_object())),
                        Request::Patch { patch: Patch::Apply(mut e), .. } if key.kind == Kind::Pod => {
                            let Edit::PodStatus(s) = e.remove(0) else { panic!() };
                            let p = Arc::new(Pod { status: *s, ..(*pods[&key.name]).clone() });
                            pods.insert(key.name.clone(), p.clone());
                            feed(&mut k, Input::PodSet(p.clone(), Cause::NONE), &mut q, &mut n);
                            Ok(Answer::Object(p.into_object()))
                        }
                        Request::Create { object } if key.kind == Kind::Node => Ok(Answer::Object(object)),
                        _ => Ok(Answer::Done),
                    };
                    feed(&mut k, Input::Answer(id, resp), &mut q, &mut n);
                }
            }
        }
        assert!(pods.values().all(|p| p.is_ready()));
        live.push((k, rt, pods));
    }
    let total = (nodes * per) as f64;
    let rss = std::fs::read_to_string("/proc/self/status").unwrap();
    let rss = rss.lines().find(|l| l.starts_with("VmRSS")).unwrap().to_string();
    println!(
        "{:.2} us per pod; {:.1} handles {:.1} sends ({:.1} creates) {:.1} wakes per pod; {rss}",
        inner.as_secs_f64() * 1e6 / total,
        handles as f64 / total,
        sends as f64 / total,
        events as f64 / total,
        wakes as f64 / total
    );
    println!("worker timer etc: {}", live.len());
    drop(live.iter().map(|l| &l.2).count());
    for l in &mut live {
        l.2.clear();
    }
    let rss = std::fs::read_to_string("/proc/self/status").unwrap();
    println!("{}", rss.lines().find(|l| l.starts_with("VmRSS")).unwrap());
}
#[test]
fn sizes() {
    println!(
        "Effect {} Request {} PodStatus {} Condition {} ContainerStatus {} Pod {} Event {} Meta {}",
        size_of::<Effect>(),
        size_of::<Request>(),
        size_of::<PodStatus>(),
        size_of::<Condition>(),
        size_of::<ContainerStatus>(),
        size_of::<Pod>(),
        size_of::<Event>(),
        size_of::<Meta>()
    );
}
