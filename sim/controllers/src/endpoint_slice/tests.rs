use std::collections::BTreeMap;
use std::sync::Arc;

use api::{
    Condition, ConditionStatus, Container, ContainerPort, DeleteOptions, Endpoint, EndpointSlice, Event,
    IntOrString, Key, Kind, Labels, Meta, Node, Pod, PodPhase, PodSpec, PodStatus, Request, Service,
    ServicePort, Subresource, Timestamp, condition,
};
use base::{Name, Span};
use client::{ControlLoop, Rate};
use proptest::prelude::*;

use super::endpoint::{has_endpoint, selects};
use super::partition::ENDPOINTS_MAX;
use super::*;
use crate::testing::{START, World};

type Bench = World<ControlLoop<EndpointSliceController>>;

fn bench(seed: u64) -> Bench {
    let mut bench =
        World::new(ControlLoop::new(EndpointSliceController::new(), Rate::per_sec(1000, 1000)), seed);
    for (node, zone) in [("n1", "a"), ("n2", "b")] {
        let labels = Labels::from([("topology.kubernetes.io/zone", zone)]);
        bench.create(Node { meta: Meta { name: node.into(), labels, ..Meta::default() }, ..Node::default() });
    }
    bench
}

fn service(name: &str) -> Service {
    let meta = Meta { name: name.into(), namespace: "shop".into(), ..Meta::default() };
    let mut service = Service { meta, ..Service::default() };
    service.spec.cluster_ip = "10.0.0.1".into();
    service.spec.ip_families = vec!["IPv4".into()];
    service.spec.selector = Labels::from([("app", "web")]);
    service.spec.ports = vec![port("http", IntOrString::Int(8080))];
    service
}

fn port(name: &str, target: IntOrString) -> ServicePort {
    ServicePort {
        name: name.into(),
        protocol: "TCP".into(),
        port: 80,
        target_port: Some(target),
        ..ServicePort::default()
    }
}

fn pod(name: &str) -> Pod {
    let labels = Labels::from([("app", "web")]);
    let meta = Meta { name: name.into(), namespace: "shop".into(), labels, ..Meta::default() };
    let ip = name.bytes().fold(0_u32, |sum, it| sum * 31 % 65_521 + u32::from(it));
    let ready = Condition {
        kind: condition::READY,
        status: ConditionStatus::True,
        last_transition_time: Some(Timestamp::from(START + Span::secs(1))),
        ..Condition::default()
    };
    let status = PodStatus {
        phase: PodPhase::Running,
        pod_ip: Name::from(format_args!("10.1.{}.{}", ip / 256, ip % 256)),
        conditions: vec![ready],
        ..PodStatus::default()
    };
    Pod { meta, node: "n1".into(), status, ..Pod::default() }
}

fn pod_key(name: &str) -> Key {
    Key::new(Kind::Pod, "shop", name)
}

fn service_key(name: &str) -> Key {
    Key::new(Kind::Service, "shop", name)
}

fn slices(bench: &Bench) -> Vec<&EndpointSlice> {
    bench.server.of_kind(&Kind::EndpointSlice).map(|it| it.get::<EndpointSlice>().unwrap().as_ref()).collect()
}

fn endpoints(bench: &Bench) -> BTreeMap<&str, &Arc<Endpoint>> {
    let all = slices(bench).into_iter().flat_map(|it| &it.endpoints);
    all.map(|it| (it.target_ref.as_ref().unwrap().name.as_str(), it)).collect()
}

fn conditions(endpoint: &Endpoint) -> (bool, bool, bool) {
    let it = &endpoint.conditions;
    (it.ready.unwrap(), it.serving.unwrap(), it.terminating.unwrap())
}

fn settle(bench: &mut Bench) {
    bench.run_for(Span::mins(30));
}

/// The verbs that changed slices since the last question.
fn writes(bench: &mut Bench) -> Vec<&'static str> {
    let log = std::mem::take(&mut bench.log);
    let of_slices = log.iter().filter(|(_, request)| request.key().kind == Kind::EndpointSlice);
    of_slices.map(|(_, request)| request.verb()).collect()
}

#[test]
fn a_slice_says_what_is_behind_a_service() {
    let mut bench = bench(1);
    bench.create(service("web"));
    bench.create(pod("web-1"));
    settle(&mut bench);
    let [slice] = slices(&bench)[..] else { panic!("one slice is enough") };
    assert_eq!((&*slice.meta.generate_name, &*slice.address_type), ("web-", "IPv4"));
    let labels = Labels::from([
        ("endpointslice.kubernetes.io/managed-by", "endpointslice-controller.k8s.io"),
        ("kubernetes.io/service-name", "web"),
    ]);
    assert_eq!(slice.meta.labels, labels);
    let owner = &slice.meta.owner_references[0];
    assert_eq!((&*owner.kind, &*owner.name, owner.controller), ("Service", "web", Some(true)));
    let port = &slice.ports[0];
    assert_eq!(
        (port.name.as_deref(), port.port, port.protocol.as_deref()),
        (Some("http"), Some(8080), Some("TCP"))
    );
    let [endpoint] = &slice.endpoints[..] else { panic!("one pod, one endpoint") };
    let target = endpoint.target_ref.as_ref().unwrap();
    assert_eq!((&*target.kind, &*target.namespace, &*target.name), ("Pod", "shop", "web-1"));
    assert_eq!((endpoint.node_name.as_deref(), endpoint.zone.as_deref()), (Some("n1"), Some("a")));
    assert_eq!((conditions(endpoint), endpoint.hostname.as_deref()), ((true, true, false), None));
}

#[test]
fn conditions_follow_readiness_and_deletion() {
    // Ready and being deleted, against what a slice says: ready, serving, terminating.
    let table = [
        ((true, false, false), (true, true, false)),
        ((false, false, false), (false, false, false)),
        ((true, true, false), (false, true, true)),
        ((false, true, false), (false, false, true)),
        ((false, false, true), (true, false, false)),
        ((false, true, true), (true, false, true)),
    ];
    for ((ready, deleting, publish), expected) in table {
        let mut service = service("web");
        service.spec.publish_not_ready_addresses = publish;
        let mut pod = pod("web-1");
        pod.status.conditions[0].status = if ready { ConditionStatus::True } else { ConditionStatus::False };
        pod.meta.deletion_timestamp = deleting.then_some(Timestamp::from(START));
        let endpoint = endpoint::endpoint_of(&pod, None, &service);
        assert_eq!(conditions(&endpoint), expected, "ready {ready}, deleting {deleting}, publish {publish}");
    }
}

#[test]
fn pods_that_have_ended_or_have_no_address_are_left_out() {
    let mut bench = bench(1);
    bench.create(service("web"));
    for (name, phase) in
        [("ok", PodPhase::Running), ("done", PodPhase::Succeeded), ("failed", PodPhase::Failed)]
    {
        let mut pod = pod(name);
        pod.status.phase = phase;
        bench.create(pod);
    }
    let mut young = pod("young");
    young.status.pod_ip = Name::EMPTY;
    bench.create(young);
    let mut other = pod("other");
    other.meta.labels = Labels::from([("app", "db")]);
    bench.create(other);
    settle(&mut bench);
    assert_eq!(endpoints(&bench).into_keys().collect::<Vec<_>>(), ["ok"]);
}

#[test]
fn a_headless_service_shows_hostnames_and_says_that_it_is_headless() {
    let mut bench = bench(1);
    let mut service = service("db");
    service.spec.cluster_ip = "None".into();
    service.spec.ports = Vec::new();
    bench.create(service);
    let mut pod = pod("db-0");
    pod.spec = PodSpec { hostname: "db-0".into(), subdomain: "db".into(), ..PodSpec::default() }.into();
    bench.create(pod);
    settle(&mut bench);
    let [slice] = slices(&bench)[..] else { panic!("one slice") };
    assert_eq!(slice.meta.label("service.kubernetes.io/headless"), Some(&Name::EMPTY));
    assert_eq!((slice.ports.len(), slice.endpoints[0].hostname.as_deref()), (0, Some("db-0")));
}

#[test]
fn services_without_selector_or_with_an_external_name_get_no_slices() {
    let mut bench = bench(1);
    let mut bare = service("bare");
    bare.spec.selector = Labels::EMPTY;
    let mut external = service("external");
    external.spec.kind = "ExternalName".into();
    [bare, external].into_iter().for_each(|it| drop(bench.create(it)));
    bench.create(pod("web-1"));
    settle(&mut bench);
    assert!(slices(&bench).is_empty());
}

#[test]
fn a_service_without_pods_has_an_empty_slice_that_its_first_pod_takes_over() {
    let mut bench = bench(1);
    bench.create(service("web"));
    settle(&mut bench);
    let name = slices(&bench)[0].meta.name.clone();
    assert_eq!((slices(&bench)[0].endpoints.len(), slices(&bench)[0].ports.len()), (0, 0));
    assert_eq!(writes(&mut bench), ["create"]);
    bench.create(pod("web-1"));
    settle(&mut bench);
    assert_eq!((&slices(&bench)[0].meta.name, endpoints(&bench).len()), (&name, 1));
    assert_eq!(writes(&mut bench), ["update"]);
    bench.ask(Request::Delete { key: pod_key("web-1"), options: DeleteOptions::default() }).unwrap();
    settle(&mut bench);
    assert_eq!((slices(&bench).len(), endpoints(&bench).len(), slices(&bench)[0].ports.len()), (1, 0, 0));
    assert_eq!(writes(&mut bench), ["update"]);
}

#[test]
fn named_ports_are_looked_up_in_each_pod_and_split_the_slices() {
    let mut bench = bench(1);
    let mut service = service("web");
    service.spec.ports = vec![port("http", IntOrString::String("web".into()))];
    bench.create(service);
    for (name, number) in [("a", 80), ("b", 8080), ("c", 80)] {
        let port = ContainerPort {
            name: "web".into(),
            container_port: number,
            protocol: "TCP".into(),
            ..Default::default()
        };
        let container = Container { ports: vec![port], ..Container::default() };
        let mut pod = pod(name);
        pod.spec = PodSpec { containers: vec![container], ..PodSpec::default() }.into();
        bench.create(pod);
    }
    settle(&mut bench);
    let mut shown: Vec<_> = slices(&bench).iter().map(|it| (it.ports[0].port, it.endpoints.len())).collect();
    shown.sort();
    assert_eq!(shown, [(Some(80), 2), (Some(8080), 1)]);
}

#[test]
fn slices_hold_a_hundred_and_new_pods_go_where_there_is_room() {
    let mut bench = bench(1);
    bench.create(service("web"));
    (0..250).for_each(|n| drop(bench.create(pod(&format!("web-{n}")))));
    settle(&mut bench);
    let mut sizes: Vec<_> = slices(&bench).iter().map(|it| it.endpoints.len()).collect();
    sizes.sort();
    assert_eq!((sizes.iter().sum::<usize>(), *sizes.last().unwrap()), (250, 100));
    writes(&mut bench);
    bench.create(pod("web-more"));
    settle(&mut bench);
    assert_eq!((writes(&mut bench), slices(&bench).len()), (vec!["update"], sizes.len()));
}

#[test]
fn labels_of_the_service_show_on_its_slices() {
    let mut bench = bench(1);
    bench.create(service("web"));
    bench.create(pod("web-1"));
    settle(&mut bench);
    bench.change::<Service>(&service_key("web"), |it| it.meta.labels.insert("team", "blue"));
    settle(&mut bench);
    assert_eq!(slices(&bench)[0].meta.label("team").map(|it| it.to_string()), Some("blue".into()));
    assert_eq!(endpoints(&bench).len(), 1);
}

#[test]
fn the_trigger_time_is_that_of_the_pod_that_changed() {
    let mut bench = bench(1);
    bench.create(service("web"));
    bench.create(pod("web-1"));
    settle(&mut bench);
    writes(&mut bench);
    bench.change::<Pod>(&pod_key("web-1"), |pod| {
        pod.status.conditions[0].status = ConditionStatus::False;
        pod.status.conditions[0].last_transition_time = Some(Timestamp::from(START + Span::secs(77)));
    });
    settle(&mut bench);
    let trigger =
        slices(&bench)[0].meta.annotation("endpoints.kubernetes.io/last-change-trigger-time").cloned();
    assert_eq!(trigger, Some("2026-01-01T00:01:17Z".into()));
    assert_eq!(writes(&mut bench), ["update"]);
}

#[test]
fn a_pod_on_a_node_that_does_not_exist_is_left_out_until_it_does() {
    let mut bench = bench(1);
    bench.create(service("web"));
    let mut lost = pod("lost");
    lost.node = "n3".into();
    bench.create(lost);
    bench.create(pod("web-1"));
    bench.run_for(Span::secs(20));
    assert_eq!(endpoints(&bench).into_keys().collect::<Vec<_>>(), ["web-1"]);
    let events: Vec<_> = bench.server.of_kind(&Kind::Event).filter_map(|it| it.get::<Event>()).collect();
    assert_eq!(
        &*events[0].message,
        "Error updating Endpoint Slices for Service shop/web: skipping Pod lost for Service shop/web: Node n3 Not Found"
    );
    bench.create(Node { meta: Meta { name: "n3".into(), ..Meta::default() }, ..Node::default() });
    bench.run_for(Span::mins(3));
    assert_eq!(endpoints(&bench).into_keys().collect::<Vec<_>>(), ["lost", "web-1"]);
}

#[test]
fn what_others_do_to_a_slice_is_undone() {
    let mut bench = bench(1);
    bench.create(service("web"));
    (0..3).for_each(|n| drop(bench.create(pod(&format!("web-{n}")))));
    settle(&mut bench);
    let key = bench.server.of_kind(&Kind::EndpointSlice).next().unwrap().key();
    bench.change::<EndpointSlice>(&key, |slice| drop(slice.endpoints.remove(1)));
    settle(&mut bench);
    assert_eq!(endpoints(&bench).len(), 3);
    bench.ask(Request::Delete { key, options: DeleteOptions::default() }).unwrap();
    settle(&mut bench);
    assert_eq!(endpoints(&bench).len(), 3);
}

#[test]
fn one_write_after_the_other_and_none_after_a_failure() {
    let mut service = service("web");
    service.meta.uid = api::Uid(7);
    let changes = partition::Changes {
        create: vec![EndpointSlice::default()],
        update: vec![EndpointSlice::default(); 2],
        delete: vec![EndpointSlice::default().into()],
    };
    let plan = plan::writes(&service, changes, None);
    let verbs: Vec<_> =
        plan.steps.iter().map(|step| (step.writes.len(), step.writes[0].request.verb())).collect();
    assert_eq!(verbs, [(1, "create"), (1, "update"), (1, "update"), (1, "delete")]);
    assert!(plan.steps.iter().all(|step| step.on_failure == client::OnFailure::Stop));
}

/// What may happen to a pod.
#[derive(Clone, Copy, Debug)]
enum Deed {
    Create,
    Delete,
    FlipReady,
    Finish,
    Relabel,
    Move,
    Wait,
    ReshapeService,
    Vandalize,
}

fn deed() -> impl Strategy<Value = (Deed, u8)> {
    use Deed::*;
    let deeds =
        [Create, Create, Create, Delete, FlipReady, Finish, Relabel, Move, Wait, ReshapeService, Vandalize];
    (prop::sample::select(deeds.to_vec()), 0_u8..30)
}

fn act(bench: &mut Bench, deed: Deed, n: u8) {
    let name = format!("web-{n}");
    let key = pod_key(&name);
    let exists = bench.server.get(&key).is_some();
    match deed {
        Deed::Create if !exists => drop(bench.create(pod(&name))),
        Deed::Delete if exists => {
            drop(bench.ask(Request::Delete { key, options: DeleteOptions::default() }));
        }
        Deed::FlipReady if exists => bench.change::<Pod>(&key, |pod| {
            let status = &mut pod.status.conditions[0].status;
            *status =
                if *status == ConditionStatus::True { ConditionStatus::False } else { ConditionStatus::True };
        }),
        // Upstream goes by the readiness: that a pod which was not ready has finished, it does not notice.
        Deed::Finish if is_ready(bench, &key) => finish(bench, &key),
        Deed::Relabel if exists => bench.change::<Pod>(&key, |pod| {
            let app = if pod.meta.label("app").is_some_and(|it| it == "web") { "db" } else { "web" };
            pod.meta.labels.insert("app", app);
        }),
        Deed::Move if exists => bench.change::<Pod>(&key, |pod| {
            pod.status.pod_ip = Name::from(format_args!("10.9.{n}.{}", pod.status.pod_ip.len()));
        }),
        Deed::Wait => bench.run_for(Span::millis(u64::from(n) * 200)),
        Deed::ReshapeService => bench.change::<Service>(&service_key("web"), |service| {
            service.spec.ports = vec![port("http", IntOrString::Int(8000 + i32::from(n % 2)))];
            service.meta.labels.insert("n", n.to_string());
        }),
        Deed::Vandalize => vandalize(bench, n),
        Deed::Create | Deed::Delete | Deed::FlipReady | Deed::Finish | Deed::Relabel | Deed::Move => (),
    }
}

fn is_ready(bench: &Bench, pod: &Key) -> bool {
    bench.server.get(pod).and_then(|it| it.get::<Pod>()).is_some_and(|it| it.is_ready())
}

fn finish(bench: &mut Bench, pod: &Key) {
    bench.change::<Pod>(pod, |pod| {
        pod.status.phase = PodPhase::Succeeded;
        pod.status.conditions[0].status = ConditionStatus::False;
    });
}

/// Upstream: `podEndpointsChanged`, which does not look at the phase.
#[test]
fn a_pod_that_finishes_unready_stays_in_its_slice_until_something_else_happens() {
    let mut bench = bench(1);
    bench.create(service("web"));
    for name in ["web-0", "web-1"] {
        bench.create(pod(name));
    }
    bench.change::<Pod>(&pod_key("web-0"), |pod| pod.status.conditions[0].status = ConditionStatus::False);
    settle(&mut bench);
    finish(&mut bench, &pod_key("web-0"));
    settle(&mut bench);
    assert_eq!(endpoints(&bench).len(), 2);
    finish(&mut bench, &pod_key("web-1"));
    settle(&mut bench);
    assert_eq!(endpoints(&bench).len(), 0);
}

/// Somebody else changes a slice.
fn vandalize(bench: &mut Bench, n: u8) {
    let Some(slice) = bench.server.of_kind(&Kind::EndpointSlice).next().cloned() else { return };
    let mut slice = slice.get::<EndpointSlice>().unwrap().as_ref().clone();
    if slice.endpoints.is_empty() {
        return;
    }
    let at = usize::from(n) % slice.endpoints.len();
    if n.is_multiple_of(2) {
        slice.endpoints.remove(at);
    } else {
        Arc::make_mut(&mut slice.endpoints[at]).conditions.ready = None;
    }
    let object = api::Object::new(slice);
    bench.ask(Request::Update { object, sub: Subresource::Main }).unwrap();
}

/// What a service's slices must hold in the end, by pod.
fn wanted(bench: &Bench) -> BTreeMap<String, (Name, bool)> {
    let service = bench.server.get(&service_key("web")).unwrap().get::<Service>().unwrap();
    let pods = bench.server.of_kind(&Kind::Pod).map(|it| it.get::<Pod>().unwrap());
    let pods = pods.filter(|pod| selects(&service.spec.selector, &pod.meta.labels) && has_endpoint(pod));
    pods.map(|pod| (pod.meta.name.to_string(), (pod.status.pod_ip.clone(), pod.is_ready()))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    /// Whatever happens, in the end the slices hold exactly the pods that they should, once each, as they are; and one
    /// who looks at everything anew finds nothing to do.
    #[test]
    fn slices_end_up_right(deeds in prop::collection::vec(deed(), 1..80), refusals in 0_u64..20, seed: u64) {
        let mut bench = bench(seed);
        bench.refusals_percent = refusals;
        bench.create(service("web"));
        deeds.into_iter().for_each(|(deed, n)| act(&mut bench, deed, n));
        settle(&mut bench);
        let placed: Vec<&Arc<Endpoint>> = slices(&bench).into_iter().flat_map(|it| &it.endpoints).collect();
        let shown: BTreeMap<String, (Name, bool)> = endpoints(&bench)
            .into_iter()
            .map(|(pod, it)| (pod.into(), (it.addresses[0].clone(), conditions(it).0)))
            .collect();
        prop_assert_eq!(placed.len(), shown.len(), "no pod is in two slices");
        prop_assert_eq!(shown, wanted(&bench));
        prop_assert!(slices(&bench).iter().all(|it| it.endpoints.len() <= ENDPOINTS_MAX));
        let mut stranger = EndpointSliceController::new();
        for slice in slices(&bench) {
            let change = Change::Set { old: None, new: api::Object::new(slice.clone()) };
            stranger.wakes(bench.now, &change, &bench.view, &mut Wakes::default());
        }
        let context = Context { now: bench.now, view: &bench.view, settled: true };
        prop_assert_eq!(stranger.reconcile(&context, &service_key("web")).steps, []);
    }
}

#[test]
fn a_service_of_ten_thousand_pods_takes_about_a_hundred_writes() {
    let mut bench = bench(1);
    bench.create(service("web"));
    (0..10_000).for_each(|n| drop(bench.create(pod(&format!("web-{n}")))));
    settle(&mut bench);
    assert_eq!(endpoints(&bench).len(), 10_000);
    assert!((100..110).contains(&slices(&bench).len()), "{}", slices(&bench).len());
    assert!((100..150).contains(&writes(&mut bench).len()));
    // A change of one pod is one write.
    bench.change::<Pod>(&pod_key("web-77"), |pod| pod.status.conditions[0].status = ConditionStatus::False);
    settle(&mut bench);
    assert_eq!(writes(&mut bench), ["update"]);
}
