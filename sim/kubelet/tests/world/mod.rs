//! One node with its kubelet and runtime, in front of an API server that does just enough, on a virtual clock.

#![allow(
    dead_code,
    unreachable_pub,
    missing_debug_implementations,
    reason = "each test file uses its own part"
)]
#![allow(clippy::unwrap_used, reason = "what fails here is the test")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use api::{
    Answer, Condition, ContainerState, ContainerStatus, Edit, Event, Key, Kind, Lease, Meta, Node, Object,
    Patch, Pod, PodPhase, PodSpec, PodStatus, Request, Resource, Response, Status, Timestamp, Uid,
};
use base::{Cause, Luck, Name, Span, Time};
use kubelet::{Effect, Input, Kubelet, Note, Runtime, Setup, Start, Token};
use workload::{Behaviours, Defaults, Lasting, Rule};

/// 2026-01-01T00:00:00Z.
pub const START: Time = Time::from_secs(1_767_225_600);
/// Between the kubelet and the API server.
const ONE_WAY: Span = Span::millis(1);

pub struct World {
    pub now: Time,
    pub kubelet: Option<Kubelet>,
    pub runtime: Runtime,
    pub pods: BTreeMap<Name, Arc<Pod>>,
    pub node: Option<Arc<Node>>,
    pub lease: Option<Arc<Lease>>,
    /// ConfigMaps and Secrets.
    objects: BTreeMap<Key, Object>,
    events: BTreeMap<Name, Event>,
    setup: Arc<Setup>,
    luck: Luck,
    runs: u16,
    revision: u64,
    /// By time, rank and ticket.
    queue: BTreeMap<(Time, u32, u64), Due>,
    tickets: u64,
    story: String,
    outage: Outage,
    /// Everything the kubelet noted, and when.
    pub notes: Vec<(Time, Note)>,
    /// Every status that was written, and when.
    pub statuses: Vec<(Time, Name, PodStatus)>,
    /// When the kubelet was woken, by a timer.
    pub wakes: usize,
    /// What the kubelet would have taken from registries with a limit, and when.
    pub demands: Vec<(Time, kubelet::Demand)>,
    /// Whether the story tells which images the node's status lists.
    pub tells_images: bool,
}

/// What keeps the kubelet from going on, and what waits for it.
#[derive(Default)]
struct Outage {
    is_frozen: bool,
    is_cut_off: bool,
    held: Vec<(u16, Input)>,
    lost: Vec<(u16, kubelet::RequestId)>,
}

enum Due {
    Input(u16, Input),
    Request(u16, kubelet::RequestId, Request),
    /// Something the test does.
    Act(Box<dyn FnOnce(&mut World)>),
}

/// Times that a reader can add up: a sandbox takes 200 ms, a container 100 ms, a pull 2 s, a second one 300 ms; a
/// process is well after 1 s, stops within 500 ms, and an init container runs for 2 s.
pub fn defaults() -> Defaults {
    let millis = |it| Lasting::from(Span::millis(it));
    Defaults {
        startup: millis(1_000),
        stop: millis(500),
        init_run: millis(2_000),
        batch_run: millis(5_000),
        usage: Arc::default(),
        image_bytes: base::Distribution::constant(60e6).unwrap(),
        pull_overhead: millis(500),
        pull_bytes_per_second: 40e6,
        sandbox: millis(200),
        create: millis(100),
        recheck: millis(300),
    }
}

pub fn setup() -> Setup {
    let quantity = |text: &str| text.parse().unwrap();
    let list: api::ResourceList = [("cpu", "4"), ("memory", "8Gi"), ("pods", "110")]
        .into_iter()
        .map(|(name, amount)| (Name::new(name), quantity(amount)))
        .collect();
    Setup {
        name: Name::new("node-0"),
        labels: [("topology.kubernetes.io/zone", "zone-a")].into(),
        annotations: api::Labels::EMPTY,
        taints: Vec::new(),
        capacity: list.clone(),
        allocatable: list,
        address: Name::new("192.168.0.10"),
        pod_cidr: Name::new("10.244.0.0/24"),
        provider_id: Name::EMPTY,
        arch: Name::new("amd64"),
        status_rest: api::Rest::default(),
        static_pods: Vec::new(),
        configuration: Arc::default(),
        images: images(kubelet::Catalog::default()),
    }
}

/// Images of which no two have a layer in common, unless the catalog says so.
pub fn images(catalog: kubelet::Catalog) -> Arc<kubelet::ImageSettings> {
    let catalog = Arc::new(kubelet::Catalog { base_share: 0.0, ..catalog });
    Arc::new(kubelet::ImageSettings { catalog, ..kubelet::ImageSettings::default() })
}

/// A pod from the YAML-like JSON of its spec.
pub fn pod(name: &str, spec: serde_json::Value) -> Pod {
    let mut spec: PodSpec = serde_json::from_value(spec).unwrap();
    if spec.restart_policy.is_unset() {
        spec.restart_policy = api::RestartPolicy::Always;
    }
    for probe in spec.init_containers.iter_mut().chain(&mut spec.containers).flat_map(|it| {
        [&mut it.startup_probe, &mut it.readiness_probe, &mut it.liveness_probe].into_iter().flatten()
    }) {
        let or = |value: &mut i32, default| {
            if *value == 0 {
                *value = default;
            }
        };
        or(&mut probe.period_seconds, 10);
        or(&mut probe.failure_threshold, 3);
        or(&mut probe.success_threshold, 1);
        or(&mut probe.timeout_seconds, 1);
    }
    let scheduled = Condition {
        kind: Name::new("PodScheduled"),
        status: api::ConditionStatus::True,
        last_transition_time: Some(START.into()),
        ..Condition::default()
    };
    Pod {
        meta: Meta {
            name: Name::new(name),
            namespace: Name::new("default"),
            uid: Uid(u128::from(Luck::of_text(name))),
            generation: 1,
            ..Meta::default()
        },
        spec: spec.into(),
        node: Name::new("node-0"),
        status: PodStatus {
            phase: PodPhase::Pending,
            conditions: vec![scheduled],
            qos_class: Name::new("BestEffort"),
            ..PodStatus::default()
        },
    }
}

impl World {
    /// A settled node whose clocks tick at whole seconds, with behaviours as a scenario writes them.
    pub fn new(rules: serde_json::Value) -> Self {
        Self::with_seed(rules, defaults(), 7)
    }

    /// The same with another set-up of the node.
    pub fn with_setup(rules: serde_json::Value, setup: Setup) -> Self {
        Self::on(setup, rules, defaults(), 7)
    }

    pub fn with_seed(rules: serde_json::Value, defaults: Defaults, seed: u64) -> Self {
        Self::on(setup(), rules, defaults, seed)
    }

    /// A settled node whose kubelet has a configuration.
    pub fn configured(rules: serde_json::Value, configuration: serde_json::Value) -> Self {
        let configuration = Arc::new(serde_json::from_value(configuration).unwrap());
        Self::on(Setup { configuration, ..setup() }, rules, defaults(), 7)
    }

    /// A settled node of some make.
    pub fn on(setup: Setup, rules: serde_json::Value, defaults: Defaults, seed: u64) -> Self {
        let rules: Vec<Rule> = serde_json::from_value(rules).unwrap();
        let behaviours = Arc::new(Behaviours::with_defaults(rules, defaults).starting_at(START));
        let luck = Luck::new(seed, "test");
        let setup = Arc::new(setup);
        let cidr = setup.pod_cidr.parse().unwrap();
        let mut world = Self {
            now: START,
            kubelet: None,
            runtime: Runtime::new(&setup.name, cidr, behaviours, luck)
                .with_images(Arc::clone(&setup.images))
                .on(&setup),
            pods: BTreeMap::new(),
            node: None,
            lease: None,
            objects: BTreeMap::new(),
            events: BTreeMap::new(),
            setup,
            luck,
            runs: 0,
            revision: 0,
            queue: BTreeMap::new(),
            tickets: 0,
            story: String::new(),
            outage: Outage::default(),
            notes: Vec::new(),
            statuses: Vec::new(),
            wakes: 0,
            demands: Vec::new(),
            tells_images: false,
        };
        world.start_kubelet(Start::Settled);
        world
    }

    pub fn at(&mut self, secs: f64, act: impl FnOnce(&mut Self) + 'static) {
        self.push(START + Span::from_secs_f64(secs), Due::Act(Box::new(act)));
    }

    pub fn run_until(&mut self, secs: f64) {
        let end = START + Span::from_secs_f64(secs);
        while let Some(((at, ..), _)) = self.queue.first_key_value().filter(|((at, ..), _)| *at <= end) {
            assert!(self.now <= *at, "time ran backwards");
            self.now = *at;
            let (_, due) = self.queue.pop_first().unwrap();
            match due {
                Due::Input(run, input) => self.input(run, input),
                Due::Request(run, id, request) => self.serve(run, id, request),
                Due::Act(act) => act(self),
            }
        }
        self.now = end;
    }

    pub fn story(&self) -> &str {
        &self.story
    }

    pub fn pod(&self, name: &str) -> &Pod {
        &self.pods[name]
    }

    /// How many inputs, requests and timers are still to come.
    pub fn pending(&self) -> usize {
        self.queue.len()
    }
}

/// What a user, a controller or a fault does.
impl World {
    pub fn create(&mut self, pod: Pod) {
        self.tell(&format!("user     creates {}", pod.meta.name));
        self.put(pod);
    }

    pub fn delete(&mut self, name: &str, grace: u64) {
        self.tell(&format!("user     deletes {name} with {grace} s of grace"));
        let mut pod = self.pods[name].as_ref().clone();
        if grace == 0 {
            return self.remove(name);
        }
        pod.meta.deletion_timestamp = Some(Timestamp::from(self.now + Span::secs(grace)));
        pod.meta.deletion_grace_period_seconds = Some(i64::try_from(grace).unwrap());
        self.put(pod);
    }

    pub fn edit(&mut self, name: &str, change: impl FnOnce(&mut Pod)) {
        let mut pod = self.pods[name].as_ref().clone();
        change(&mut pod);
        self.put(pod);
    }

    /// Changes what a container asks for and its limits, as a resize does.
    pub fn resize(&mut self, name: &str, container: &str, resources: &serde_json::Value) {
        self.tell(&format!("user     resizes {name}: {container} {resources}"));
        let resources: api::ResourceRequirements = serde_json::from_value(resources.clone()).unwrap();
        self.edit(name, |pod| {
            pod.meta.generation += 1;
            PodSpec::edit(&mut pod.spec, |spec| {
                let mut all = spec.init_containers.iter_mut().chain(&mut spec.containers);
                all.find(|it| it.name == container).unwrap().resources = resources;
            });
        });
    }

    /// So many pods share the load from now on.
    pub fn share_load(&mut self, name: &str, sharing: u32) {
        self.tell(&format!("load     is shared among {sharing}"));
        let uid = self.pods[name].meta.uid;
        self.runtime.share_load(self.now, uid, sharing);
        self.input(self.runs - 1, Input::LoadChanged(uid));
    }

    /// A ConfigMap or Secret in the namespace of the pods.
    pub fn create_object(&mut self, kind: &str, name: &str, data: &serde_json::Value) {
        self.tell(&format!("user     creates {kind} {name}"));
        let meta = serde_json::json!({"name": name, "namespace": "default"});
        let value = serde_json::json!({"metadata": meta, "data": data});
        let kind = Kind::ALL.iter().find(|it| it.name() == kind).unwrap();
        let object = Object::from_json(kind, value).unwrap();
        self.objects.insert(object.key(), object);
    }

    /// What the kubelet changes of its node.
    fn take_in(&mut self, node: &mut Node, edit: Edit) {
        if let Edit::Labels(labels) = edit {
            for (key, value) in labels {
                self.tell(&format!("node     {key}={}", value.as_ref().unwrap()));
                node.meta.labels.insert(key, value.unwrap());
            }
            return;
        }
        let Edit::NodeStatus(status) = edit else { panic!("a kubelet does not ask for {edit:?}") };
        self.tell_conditions(&node.status.conditions, &status.conditions);
        if self.tells_images && node.status.images != status.images {
            self.tell_images(&status.images);
        }
        if node.status.volumes_in_use != status.volumes_in_use {
            self.tell(&format!("node     uses {:?}", status.volumes_in_use));
        }
        let attached = std::mem::take(&mut node.status.volumes_attached);
        node.status = api::NodeStatus { volumes_attached: attached, ..*status };
    }

    /// A bound claim in the namespace of the pods, and its volume, which a driver has of the same name.
    pub fn create_claim(&mut self, name: &str) {
        let claim = serde_json::json!({
            "metadata": {"name": name, "namespace": "default"},
            "spec": {"volumeName": name},
            "status": {"phase": "Bound"},
        });
        let csi = serde_json::json!({"driver": "disk.example.com", "volumeHandle": name});
        let volume = serde_json::json!({"metadata": {"name": name}, "spec": {"csi": csi}});
        self.put_object(&Kind::PersistentVolumeClaim, claim);
        self.put_object(&Kind::PersistentVolume, volume);
    }

    pub fn put_object(&mut self, kind: &Kind, value: serde_json::Value) {
        let object = Object::from_json(kind, value).unwrap();
        self.objects.insert(object.key(), object);
    }

    /// As the attach/detach controller does.
    pub fn attach(&mut self, volume: &str) {
        let name = Name::from(format_args!("kubernetes.io/csi/disk.example.com^{volume}"));
        self.tell(&format!("node     has {volume} attached"));
        let node = Arc::make_mut(self.node.as_mut().unwrap());
        node.status.volumes_attached.push(api::AttachedVolume { name, ..Default::default() });
        let node = Arc::clone(self.node.as_ref().unwrap());
        self.watch(Input::NodeSet(node));
    }

    pub fn stop_kubelet(&mut self) {
        self.tell("fault    the kubelet dies");
        if let Some(lease) = self.kubelet.take().and_then(|it| it.last_lease(self.now)) {
            self.lease = Some(Arc::new(lease));
        }
        self.runtime.kubelet_gone();
    }

    pub fn crash_node(&mut self) {
        self.tell("fault    the node crashes");
        if let Some(lease) = self.kubelet.take().and_then(|it| it.last_lease(self.now)) {
            self.lease = Some(Arc::new(lease));
        }
        self.runtime.power_off(self.now);
    }

    pub fn edit_node(&mut self, change: impl FnOnce(&mut Node)) {
        self.tell("user     edits the node");
        change(Arc::make_mut(self.node.as_mut().unwrap()));
        let node = self.node.clone().unwrap();
        self.watch(Input::NodeSet(node));
    }

    pub fn shut_down(&mut self) {
        self.tell("fault    the machine is to shut down");
        self.input(self.runs - 1, Input::ShutDown);
    }

    pub fn freeze(&mut self) {
        self.tell("fault    the machine freezes");
        self.outage.is_frozen = true;
        self.runtime.freeze(self.now);
    }

    pub fn thaw(&mut self) {
        self.tell("fault    the machine goes on");
        self.outage.is_frozen = false;
        self.runtime.thaw(self.now);
        for (run, input) in std::mem::take(&mut self.outage.held) {
            self.input(run, input);
        }
        self.relist();
    }

    /// Puts the node's clock forward.
    pub fn set_clock(&mut self, secs: i64) {
        self.tell(&format!("fault    the clock is {secs} s fast"));
        self.runtime.set_clock(kubelet::Clock { skew_nanos: secs * 1_000_000_000 });
        self.input(self.runs - 1, Input::ClockSet);
    }

    /// Fills the disk up, or gives it room again.
    pub fn set_disk_full(&mut self, is_full: bool) {
        self.tell(if is_full { "fault    the disk is full" } else { "fault    the disk has room again" });
        self.runtime.set_disk(self.now, kubelet::Disk { is_full, ..self.runtime.disk() });
        self.input(self.runs - 1, Input::DiskChanged);
    }

    /// Has the network plugin fail, or work again.
    pub fn set_network_plugin(&mut self, fails: bool) {
        let how = if fails { "fails" } else { "works again" };
        self.tell(&format!("fault    the network plugin {how}"));
        self.runtime.set_network_plugin(fails);
    }

    pub fn cut_off(&mut self) {
        self.tell("fault    the network is lost");
        self.outage.is_cut_off = true;
    }

    pub fn reconnect(&mut self) {
        self.tell("fault    the network is back");
        self.outage.is_cut_off = false;
        for (run, id) in std::mem::take(&mut self.outage.lost) {
            let failure = Status::new(api::Reason::Timeout, "lost");
            self.push(self.now, Due::Input(run, Input::Answer(id, Err(failure))));
        }
        self.relist();
    }

    fn relist(&mut self) {
        let pods: Vec<_> = self.pods.values().cloned().collect();
        self.input(self.runs - 1, Input::Relisted(pods));
        let node = self.node.clone().unwrap();
        self.input(self.runs - 1, Input::NodeSet(node));
    }

    /// As the node lifecycle controller does.
    pub fn set_node_ready(&mut self, status: api::ConditionStatus) {
        let node = Arc::make_mut(self.node.as_mut().unwrap());
        let ready = node.status.conditions.iter_mut().find(|it| it.kind == "Ready").unwrap();
        ready.status = status;
        let node = Arc::clone(self.node.as_ref().unwrap());
        self.watch(Input::NodeSet(node));
    }

    /// Has registries fail, or work again.
    pub fn set_registries(&mut self, conditions: kubelet::Conditions) {
        let failing: Vec<String> =
            conditions.failing.iter().map(|(host, how)| format!("{host} {how:?}")).collect();
        self.tell(&format!("fault    registries that fail: [{}]", failing.join(", ")));
        self.runtime.set_registries(self.now, Arc::new(conditions));
        self.input(self.runs - 1, Input::RegistriesChanged);
    }

    /// Tells how fast pulls from registries with a limit may go.
    pub fn allow(&mut self, host: &str, bytes_per_second: f64) {
        self.tell(&format!("registry {host} gives each pull {bytes_per_second} bytes per second"));
        self.input(self.runs - 1, Input::Allowed([(Name::new(host), bytes_per_second)].into()));
    }

    /// Tells the kubelet that something was done to the pod's containers.
    pub fn disturb(&mut self, uid: Uid) {
        self.tell("fault    kills the pod's processes");
        self.input(self.runs - 1, Input::Disturbed(uid));
    }

    pub fn start_kubelet(&mut self, start: Start) {
        self.tell(&format!("fault    a kubelet starts ({start:?})"));
        self.runtime.power_on(self.now);
        self.kubelet = Some(Kubelet::new(Arc::clone(&self.setup), self.runs, self.luck));
        let run = self.runs;
        self.runs += 1;
        self.input(run, Input::Started(start));
        let pods: Vec<_> = self.pods.values().cloned().collect();
        for pod in pods {
            self.input(run, Input::PodSet(pod, Cause::NONE));
        }
        self.input(run, Input::Listed);
    }
}

impl World {
    fn push(&mut self, at: Time, due: Due) {
        self.tickets += 1;
        let rank = if let Due::Input(_, Input::Timer(token)) = &due { token.rank() } else { 0 };
        self.queue.insert((at, rank, self.tickets), due);
    }

    fn input(&mut self, run: u16, input: Input) {
        let Some(kubelet) = self.kubelet.as_mut().filter(|_| run + 1 == self.runs) else { return };
        if self.outage.is_frozen {
            return self.outage.held.push((run, input));
        }
        self.wakes += usize::from(matches!(input, Input::Timer(_)));
        let mut effects = Vec::new();
        kubelet.handle(self.now, input, &mut self.runtime, &mut effects);
        for effect in effects {
            match effect {
                Effect::Send { id, at, request, .. } => {
                    self.push(at + ONE_WAY, Due::Request(run, id, request));
                }
                Effect::WakeAt(at, token) => self.wake(run, at, token),
                Effect::Note(note) => self.notes.push((self.now, note)),
                Effect::PowerOff => self.push(self.now, Due::Act(Box::new(Self::crash_node))),
                Effect::Demand(demand) => self.demands.push((self.now, demand)),
            }
        }
    }

    fn wake(&mut self, run: u16, at: Time, token: Token) {
        assert!(self.now <= at, "a timer in the past");
        self.push(at, Due::Input(run, Input::Timer(token)));
    }

    fn serve(&mut self, run: u16, id: kubelet::RequestId, request: Request) {
        if self.outage.is_cut_off {
            return self.outage.lost.push((run, id));
        }
        let response = self.carry_out(request);
        self.push(self.now + ONE_WAY, Due::Input(run, Input::Answer(id, response)));
    }

    fn carry_out(&mut self, request: Request) -> Response {
        let key = request.key();
        match (request, key.kind.clone()) {
            (Request::Get { .. }, Kind::Pod) => match self.pods.get(&key.name) {
                Some(pod) => Ok(Answer::Object(Arc::clone(pod).into_object())),
                None => Err(Status::not_found(&key)),
            },
            (
                Request::Get { .. },
                Kind::ConfigMap
                | Kind::Secret
                | Kind::PersistentVolumeClaim
                | Kind::PersistentVolume
                | Kind::CSIDriver,
            ) => match self.objects.get(&key) {
                Some(object) => Ok(Answer::Object(object.clone())),
                None => Err(Status::not_found(&key)),
            },
            (Request::Get { .. }, Kind::Lease) => match &self.lease {
                Some(lease) => Ok(Answer::Object(Arc::clone(lease).into_object())),
                None => Err(Status::not_found(&key)),
            },
            (Request::Get { .. }, _) => {
                Ok(Answer::Object(Arc::clone(self.node.as_ref().unwrap()).into_object()))
            }
            (Request::Create { object }, Kind::Node) => {
                if self.node.is_some() {
                    return Err(Status::already_exists(&key));
                }
                self.node = object.get::<Node>().cloned();
                Ok(Answer::Object(object))
            }
            (Request::Create { object } | Request::Update { object, .. }, Kind::Lease) => {
                self.lease = object.get::<Lease>().cloned();
                Ok(Answer::Object(object))
            }
            (Request::Create { object }, Kind::Pod) => {
                if self.pods.contains_key(&key.name) {
                    return Err(Status::already_exists(&key));
                }
                self.tell(&format!("kubelet  creates {}", key.name));
                let mut pod = object.get::<Pod>().unwrap().as_ref().clone();
                pod.meta.uid = Uid(u128::from(self.revision + 1));
                pod.status.phase = PodPhase::Pending;
                self.put(pod);
                Ok(Answer::Object(object))
            }
            (Request::Create { object }, _) => {
                let event = object.get::<Event>().unwrap();
                self.events.insert(key.name, event.as_ref().clone());
                self.tell_event(event, 1);
                Ok(Answer::Object(object))
            }
            (Request::Patch { patch: Patch::Merge(change), .. }, _) => {
                let event = self.events[&key.name].clone();
                self.tell_event(&event, change["count"].as_u64().unwrap());
                Ok(Answer::Done)
            }
            (Request::Patch { patch: Patch::Apply(edits), .. }, Kind::Node) => {
                let mut node = self.node.as_deref().unwrap().clone();
                for edit in edits {
                    self.take_in(&mut node, edit);
                }
                let node = Arc::new(node);
                self.node = Some(Arc::clone(&node));
                self.watch(Input::NodeSet(node));
                Ok(Answer::Done)
            }
            (Request::Patch { patch: Patch::Apply(edits), preconditions, .. }, _) => {
                let Some(pod) = self.pods.get(&key.name).filter(|it| Some(it.meta.uid) == preconditions.uid)
                else {
                    return Err(Status::not_found(&key));
                };
                let [Edit::PodStatus(status)] = edits.as_slice() else { panic!("{edits:?}") };
                let mut status = status.as_ref().clone();
                let is_others = |kind: &str| kind == "DisruptionTarget" || kind.contains('/');
                let is_named = |it: &Condition| status.conditions.iter().any(|own| own.kind == it.kind);
                let is_other = |it: &&Condition| is_others(&it.kind) && !is_named(it);
                let others: Vec<_> = pod.status.conditions.iter().filter(is_other).cloned().collect();
                status.conditions.extend(others);
                let pod = Pod { status, ..pod.as_ref().clone() };
                self.tell_status(&pod);
                self.statuses.push((self.now, pod.meta.name.clone(), pod.status.clone()));
                self.put(pod);
                Ok(Answer::Object(Arc::clone(&self.pods[&key.name]).into_object()))
            }
            (Request::Delete { .. }, _) => {
                let sandbox = self.pods.get(&key.name).and_then(|it| self.runtime.pod(it.meta.uid));
                let runs = sandbox.is_some_and(|it| it.instances().any(|it| it.is_running(self.now)));
                assert!(!runs, "a pod goes when its containers have stopped:\n{}", self.story);
                self.tell(&format!("kubelet  deletes {}", key.name));
                self.remove(&key.name);
                Ok(Answer::Done)
            }
            (other, _) => panic!("a kubelet does not ask for {other:?}"),
        }
    }

    fn put(&mut self, mut pod: Pod) {
        self.revision += 1;
        pod.meta.resource_version = api::Revision(self.revision);
        let pod = Arc::new(pod);
        self.pods.insert(pod.meta.name.clone(), Arc::clone(&pod));
        self.watch(Input::PodSet(pod, Cause::NONE));
    }

    fn remove(&mut self, name: &str) {
        let pod = self.pods.remove(name).unwrap();
        self.watch(Input::PodGone(pod.meta.uid, Cause::NONE));
    }

    fn watch(&mut self, input: Input) {
        if self.outage.is_frozen || self.outage.is_cut_off {
            return; // It will list what there is.
        }
        let run = self.runs - 1;
        self.push(self.now + ONE_WAY, Due::Input(run, input));
    }

    pub fn tell(&mut self, line: &str) {
        writeln!(self.story, "{:>9} {line}", self.now.since(START).to_string()).unwrap();
    }

    fn tell_event(&mut self, event: &Event, count: u64) {
        let count = if count == 1 { String::new() } else { format!(" (x{count})") };
        let part = event.involved_object.field_path.as_str();
        let part = part.split(['{', '}']).nth(1).map(|it| format!("{it}: ")).unwrap_or_default();
        let name = &event.involved_object.name;
        self.tell(&format!("event    {name} {} {part}{}{count}", event.reason, event.message));
    }

    fn tell_images(&mut self, images: &[api::ContainerImage]) {
        let name = |it: &api::ContainerImage| it.names.last().map(ToString::to_string).unwrap_or_default();
        let names: Vec<String> = images.iter().map(name).collect();
        self.tell(&format!("node     has [{}]", names.join(", ")));
    }

    fn tell_conditions(&mut self, old: &[Condition], new: &[Condition]) {
        for condition in new {
            let is_known = |it: &&Condition| it.kind == condition.kind && it.status == condition.status;
            if old.iter().find(is_known).is_none() {
                self.tell(&format!("node     {}={} {}", condition.kind, condition.status, condition.reason));
            }
        }
    }

    fn tell_status(&mut self, pod: &Pod) {
        let status = &pod.status;
        let statuses = status.init_container_statuses.iter().chain(&status.container_statuses);
        let containers: Vec<String> = statuses.map(tell_container).collect();
        let conditions: Vec<String> =
            status.conditions.iter().filter(|it| it.is_true()).map(|it| short(&it.kind)).collect();
        let reason = if status.reason.is_empty() { String::new() } else { format!(" ({})", status.reason) };
        self.tell(&format!(
            "status   {} {}{reason} [{}] {}",
            pod.meta.name,
            status.phase,
            containers.join(", "),
            conditions.join(" ")
        ));
        self.tell_resize(pod);
    }

    /// What the status says anew of a resize.
    fn tell_resize(&mut self, pod: &Pod) {
        let before = Arc::clone(&self.pods[&pod.meta.name]);
        let lines = resize_conditions(&pod.status)
            .filter(|it| !resize_conditions(&before.status).any(|old| old == *it));
        lines.for_each(|it| self.tell(&format!("         {} {it}", pod.meta.name)));
        let all = |pod: &'_ Pod| -> Vec<ContainerStatus> {
            let status = &pod.status;
            status.init_container_statuses.iter().chain(&status.container_statuses).cloned().collect()
        };
        for (old, new) in all(&before).iter().zip(&all(pod)).filter(|(old, _)| old.resources.is_some()) {
            let requests = |it: &ContainerStatus| serde_json::to_value(&it.allocated_resources).unwrap();
            let resources = |it: &ContainerStatus| serde_json::to_value(it.resources.as_deref()).unwrap();
            if requests(old) != requests(new) {
                self.tell(&format!("         {} {} is allocated {}", pod.meta.name, new.name, requests(new)));
            }
            if resources(old) != resources(new) {
                self.tell(&format!("         {} {} has {}", pod.meta.name, new.name, resources(new)));
            }
        }
    }
}

fn resize_conditions(status: &PodStatus) -> impl Iterator<Item = String> {
    let conditions = status.conditions.iter().filter(|it| it.kind.starts_with("PodResize"));
    conditions.map(|it| {
        format!("{} of generation {} {}: {}", it.kind, it.observed_generation, it.reason, it.message)
    })
}

fn short(condition: &str) -> String {
    match condition {
        "PodReadyToStartContainers" => "network".into(),
        "PodScheduled" => "scheduled".into(),
        other => other.to_ascii_lowercase(),
    }
}

fn tell_container(status: &ContainerStatus) -> String {
    let ready = if status.ready { " ready" } else { "" };
    let restarts =
        if status.restart_count == 0 { String::new() } else { format!(" #{}", status.restart_count) };
    format!("{}{restarts} {}{ready}", status.name, tell_state(&status.state))
}

fn tell_state(state: &ContainerState) -> String {
    match (&state.waiting, &state.running, &state.terminated) {
        (Some(it), _, _) => it.reason.to_string(),
        (_, Some(_), _) => "running".into(),
        (_, _, Some(it)) => format!("{} {}", it.reason, it.exit_code),
        (None, None, None) => "unknown".into(),
    }
}
