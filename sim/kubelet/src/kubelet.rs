//! The kubelet of one node: takes what comes in to the pod, probe or request that it is for.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use api::{Lease, Node, Pod, Uid};
use base::{Cause, Handle, Luck, Name, Slab, Time};

use crate::admit::{Preemption, admit};
use crate::allocation::Allocation;
use crate::constants::GRACE_MIN;
use crate::core::{Core, Turn};
use crate::eviction::Watch;
use crate::images;
use crate::input::{Effect, Input, Start, Timer, Token};
use crate::node::Registrar;
use crate::pod::{Mode, Worker};
use crate::processor::Processor;
use crate::recorder::Saying;
use crate::reporter;
use crate::runtime::Runtime;
use crate::setup::Setup;
use crate::shutdown::Shutdown;
use crate::static_pods::{self, StaticPods, is_mirror};
use crate::ticks;

/// A kubelet that runs, or is about to. To crash it, drop it; a new one takes over with `run` one higher.
#[derive(Clone, Debug)]
pub struct Kubelet {
    core: Core,
    pods: Slab<Worker>,
    by_uid: BTreeMap<Uid, Handle<Worker>>,
    registrar: Registrar,
    /// Under way, if it is.
    shutdown: Option<Box<Shutdown>>,
    preemptions: Vec<Preemption>,
    allocation: Allocation,
    static_pods: StaticPods,
    watch: Watch,
    processor: Processor,
}

impl Kubelet {
    /// The `run`th kubelet process of its node, from 0. Its luck is that of the whole simulated run.
    pub fn new(setup: Arc<Setup>, run: u16, luck: Luck) -> Self {
        Self {
            core: Core::new(setup, run, luck.narrow("kubelet")),
            pods: Slab::new(),
            by_uid: BTreeMap::new(),
            registrar: Registrar::default(),
            shutdown: None,
            preemptions: Vec::new(),
            allocation: Allocation::default(),
            static_pods: StaticPods::default(),
            watch: Watch::default(),
            processor: Processor::default(),
        }
    }

    /// The same, but every probe, every renewal of the lease and every look at the node's status is an event of its own, also
    /// where it changes nothing.
    pub fn one_by_one(mut self) -> Self {
        self.core.one_by_one = true;
        self
    }

    pub fn node(&self) -> &Name {
        &self.core.setup.name
    }

    /// Takes in `input` at `now`. [`Input::Started`] comes first.
    pub fn handle(&mut self, now: Time, input: Input, runtime: &mut Runtime, effects: &mut Vec<Effect>) {
        let is_start = matches!(input, Input::Started(_));
        assert!(is_start == (self.core.started == Time::MAX), "a kubelet is started first, and once");
        let done_before = effects.len();
        let mut turn = Turn { now, core: &mut self.core, runtime, effects };
        match input {
            Input::Started(start) => {
                turn.core.set_clocks(now, start);
                turn.core.boot_id = turn.core.setup.boot_id(turn.runtime.boots());
                self.registrar.start(&mut turn);
                ticks::begin(&mut turn);
                self.start_static_pods(runtime, effects, now);
            }
            Input::PodSet(pod, cause) => self.pod_set(pod, cause, runtime, effects, now),
            Input::PodGone(uid, cause) => self.pod_gone(uid, cause, runtime, effects, now),
            Input::Listed => self.listed(runtime, effects, now),
            Input::Relisted(pods) => self.relist(pods, runtime, effects, now),
            Input::ClockSet => self.registrar.resume(&mut turn),
            Input::ShutDown => self.shut_down(runtime, effects, now),
            Input::NodeSet(node) => {
                let is_news = turn.core.volumes.see(&node.status);
                self.registrar.node_set(node, &mut turn);
                if is_news {
                    tell_volumes(&mut self.pods, &mut turn);
                }
            }
            Input::Timer(token) => self.timer(token, runtime, effects, now),
            Input::Answer(id, response) => {
                if turn.core.reporter.is_mine(id) {
                    reporter::answer(&mut self.pods, response, &mut turn);
                } else if self.registrar.is_mine(id) {
                    self.registrar.answer(id, response, &mut turn);
                } else if self.static_pods.is_mine(id) {
                    self.static_pods.answer(id, &response);
                } else if let Some(worker) = turn.core.asker(id).and_then(|it| self.pods.get_mut(it)) {
                    worker.hear(id, &response, &mut turn);
                }
            }
            Input::Allowed(allowance) => {
                turn.runtime.set_allowance(now, allowance);
                images::look(&mut self.pods, &mut turn);
            }
            Input::RegistriesChanged => images::look(&mut self.pods, &mut turn),
            Input::DiskChanged => {
                images::look(&mut self.pods, &mut turn);
                turn.watch_disk();
                self.watch.disk_changed(&self.pods, &mut turn);
            }
            Input::Disturbed(uid) => disturb(&mut self.pods, &self.by_uid, uid, &mut turn),
            Input::LoadChanged(uid) => {
                if let Some(worker) = self.by_uid.get(&uid).and_then(|it| self.pods.get_mut(*it)) {
                    worker.foresee(&mut turn);
                }
                self.watch.reconsider(&self.pods, &mut turn);
            }
        }
        let mut turn = Turn { now, core: &mut self.core, runtime, effects };
        self.preemptions.retain_mut(|it| !it.go_on(&mut self.pods, &mut turn));
        self.static_pods.tend(&self.pods, self.registrar.node().map(AsRef::as_ref), &mut turn);
        self.watch.follow_up(done_before, &mut self.pods, &mut turn);
        if let Some(shutdown) = &mut self.shutdown {
            shutdown.pump(&mut self.pods, &mut turn);
        }
        self.registrar.follow_volumes(&mut turn);
        let felt = self.processor.follow_up(&mut turn);
        foresee(&felt, &mut self.pods, &self.by_uid, &mut self.watch, &mut turn);
        reporter::pump(&self.pods, &mut turn);
    }

    /// Takes in a timer if nothing but another one comes of it: a look of a probe that finds what the last one found.
    /// Returns when it comes next; `None` if it is still to be handled.
    pub fn repeat(&mut self, now: Time, token: Token, runtime: &Runtime) -> Option<Time> {
        let Timer::Probe(round, _) = token.timer else { return None };
        let is_own = token.run == self.core.run;
        is_own.then(|| self.core.rounds.repeat(round, token.generation, now, runtime.changes())).flatten()
    }

    /// The node's lease as the kubelet leaves it when it dies at `now`: to be written in place of the one that
    /// renews itself. `None` before there is one.
    pub fn last_lease(&self, now: Time) -> Option<Lease> {
        let seconds = self.core.setup.configuration.node_lease_duration_seconds;
        self.registrar.last_lease(&self.core.setup.name, seconds, now)
    }

    /// How many pods it looks after.
    pub fn pod_count(&self) -> usize {
        self.pods.len()
    }

    fn timer(&mut self, token: Token, runtime: &mut Runtime, effects: &mut Vec<Effect>, now: Time) {
        if token.run != self.core.run {
            return; // Of a kubelet that died.
        }
        let mut turn = Turn { now, core: &mut self.core, runtime, effects };
        match token.timer {
            Timer::Worker(handle) => {
                if let Some(worker) = self.pods.get_mut(handle) {
                    worker.wake(token.generation, &mut turn);
                    self.drop_if_over(handle, runtime);
                }
            }
            Timer::Probe(round, _) => {
                if let Some((pod, probe)) = turn.core.rounds.take(round, token.generation)
                    && let Some(worker) = self.pods.get_mut(pod)
                {
                    worker.wake_probe(usize::from(probe), &mut turn);
                }
            }
            Timer::StatusSync => reporter::compare(&mut self.pods, &mut turn),
            Timer::NodeStatus => self.registrar.wake(token.generation, &mut turn),
            Timer::Housekeeping => kill_orphans(&self.by_uid, &mut turn),
            Timer::Tick(tick) => ticks::tick(tick, &mut self.registrar, &mut turn),
            Timer::Shutdown => (), // It goes on after every turn.
            Timer::Eviction => {
                self.watch.wake(token.generation, &mut self.pods, &mut self.registrar, &mut turn);
            }
            Timer::OutOfMemory => {
                let bereft =
                    self.watch.wake_kernel(token.generation, &self.pods, &mut self.registrar, &mut turn);
                bereft.into_iter().for_each(|it| disturb(&mut self.pods, &self.by_uid, it, &mut turn));
            }
            Timer::Processor => {
                let felt = self.processor.wake(token.generation, &mut turn);
                foresee(&felt, &mut self.pods, &self.by_uid, &mut self.watch, &mut turn);
            }
            Timer::Pulls => {
                if turn.core.puller.expects(token.generation) {
                    images::look(&mut self.pods, &mut turn);
                }
            }
            Timer::Resizes => {
                if self.allocation.expects(token.generation) {
                    self.retry_resizes(runtime, effects, now);
                }
            }
            Timer::ImageList => self.registrar.report_images(&mut turn),
            Timer::ImageCollection => images::collect(&mut self.registrar, &mut turn),
        }
    }

    fn start_static_pods(&mut self, runtime: &mut Runtime, effects: &mut Vec<Effect>, now: Time) {
        for pod in static_pods::of_setup(&self.core.setup) {
            let uid = pod.meta.uid;
            let mut turn = Turn { now, core: &mut self.core, runtime, effects };
            let new = insert(&mut self.pods, &mut self.by_uid, pod, Cause::NONE, &mut turn);
            self.pods.get_mut(new).expect("it was just put there").hide_mirror();
            self.static_pods.add(new, uid);
            self.admit(new, runtime, effects, now);
        }
    }

    /// A pod of this node, new or changed.
    fn pod_set(
        &mut self,
        pod: Arc<Pod>,
        cause: Cause,
        runtime: &mut Runtime,
        effects: &mut Vec<Effect>,
        now: Time,
    ) {
        let mut turn = Turn { now, core: &mut self.core, runtime, effects };
        if is_mirror(&pod) {
            self.static_pods.mirror_set(&pod, &mut self.pods, &mut turn);
        } else if let Some(known) = self.by_uid.get(&pod.meta.uid).copied() {
            self.pod_changed(known, pod, cause, runtime, effects, now);
        } else {
            let new = insert(&mut self.pods, &mut self.by_uid, pod, cause, &mut turn);
            self.admit(new, runtime, effects, now);
            if self.allocation.pod_added(new, &self.pods) {
                self.retry_resizes(runtime, effects, now);
            }
        }
    }

    /// A pod that this kubelet knows has changed.
    fn pod_changed(
        &mut self,
        known: Handle<Worker>,
        pod: Arc<Pod>,
        cause: Cause,
        runtime: &mut Runtime,
        effects: &mut Vec<Effect>,
        now: Time,
    ) {
        let mut turn = Turn { now, core: &mut self.core, runtime, effects };
        let Some(worker) = self.pods.get_mut(known) else { return };
        let change = worker.take(pod, cause, &mut turn);
        if change.concerns_worker {
            let node = node_of(&self.registrar, &turn);
            self.allocation.pod_changed(known, &mut self.pods, &node, &mut turn);
        } else if self.allocation.is_waiting() && change.frees_room(&worker.pod) {
            let node = node_of(&self.registrar, &turn);
            self.allocation.retry(&mut self.pods, &node, &mut turn);
        }
        let worker = self.pods.get_mut(known).expect("it was just there");
        worker.heed(&change, &mut turn);
        let is_late = worker.mode == Mode::Done && worker.pod.is_deleting();
        if worker.differs() || is_late {
            reporter::compare_later(known, worker, &mut turn);
        }
    }

    /// There may be room for pods that ask for more than they have.
    fn retry_resizes(&mut self, runtime: &mut Runtime, effects: &mut Vec<Effect>, now: Time) {
        if self.allocation.is_waiting() {
            let mut turn = Turn { now, core: &mut self.core, runtime, effects };
            let node = node_of(&self.registrar, &turn);
            self.allocation.retry(&mut self.pods, &node, &mut turn);
        }
    }

    /// A pod that the API server has no more.
    fn pod_gone(
        &mut self,
        uid: Uid,
        cause: Cause,
        runtime: &mut Runtime,
        effects: &mut Vec<Effect>,
        now: Time,
    ) {
        if !self.static_pods.mirror_gone(uid, &mut self.pods) {
            self.gone(uid, cause, runtime, effects, now);
            self.retry_resizes(runtime, effects, now);
        }
    }

    /// Takes in a complete list, after changes may have been missed. Upstream: `config.PodConfig`, `SET`.
    fn relist(&mut self, pods: Vec<Arc<Pod>>, runtime: &mut Runtime, effects: &mut Vec<Effect>, now: Time) {
        let there: BTreeSet<Uid> = pods.iter().map(|it| it.meta.uid).collect();
        let known = self.by_uid.keys().copied().filter(|it| !self.static_pods.runs(*it));
        let gone: Vec<Uid> =
            known.chain(self.static_pods.mirrors()).filter(|it| !there.contains(it)).collect();
        for uid in gone {
            self.pod_gone(uid, Cause::NONE, runtime, effects, now);
        }
        for pod in pods {
            self.pod_set(pod, Cause::NONE, runtime, effects, now);
        }
        let mut turn = Turn { now, core: &mut self.core, runtime, effects };
        self.registrar.resume(&mut turn);
        self.listed(runtime, effects, now);
    }

    /// What the runtime has beside the pods that were listed is nobody's.
    fn listed(&mut self, runtime: &mut Runtime, effects: &mut Vec<Effect>, now: Time) {
        let mut turn = Turn { now, core: &mut self.core, runtime, effects };
        let at = turn.core.housekeeping.after(turn.now);
        turn.wake_at(at, Timer::Housekeeping, 0);
        turn.watch_disk();
        self.allocation.listed(&mut turn);
        self.watch.listed(&self.pods, &mut turn);
    }

    /// The machine goes off at once unless the configuration says how long it is to wait for pods.
    fn shut_down(&mut self, runtime: &mut Runtime, effects: &mut Vec<Effect>, now: Time) {
        let groups = self.core.setup.configuration.shutdown_groups();
        if groups.is_empty() {
            return effects.push(Effect::PowerOff);
        }
        if self.shutdown.is_some() {
            return; // It is under way.
        }
        let mut turn = Turn { now, core: &mut self.core, runtime, effects };
        let text = Name::from_static("Shutdown manager detected shutdown event");
        self.registrar.utter(&mut turn, Saying::normal("Shutdown", text));
        turn.core.is_shutting_down = true;
        self.registrar.look(&mut turn);
        let pods = self.by_uid.values().filter_map(|it| Some((*it, self.pods.get(*it)?)));
        self.shutdown = Some(Box::new(Shutdown::new(&groups, pods)));
    }

    fn admit(&mut self, new: Handle<Worker>, runtime: &mut Runtime, effects: &mut Vec<Effect>, now: Time) {
        let mut turn = Turn { now, core: &mut self.core, runtime, effects };
        let node = node_of(&self.registrar, &turn);
        self.preemptions.extend(admit(new, &mut self.pods, &node, &mut turn));
    }

    fn gone(&mut self, uid: Uid, cause: Cause, runtime: &mut Runtime, effects: &mut Vec<Effect>, now: Time) {
        let Some(&handle) = self.by_uid.get(&uid) else { return };
        let mut turn = Turn { now, core: &mut self.core, runtime, effects };
        if let Some(worker) = self.pods.get_mut(handle) {
            worker.be_gone(cause, &mut turn);
        }
        self.drop_if_over(handle, runtime);
    }

    /// Forgets a pod that is over here and at the API server.
    fn drop_if_over(&mut self, handle: Handle<Worker>, runtime: &mut Runtime) {
        let is_over = |it: &Worker| it.flags.is_gone && it.mode == Mode::Done;
        if self.pods.get(handle).is_some_and(is_over) {
            let worker = self.pods.remove(handle).expect("it was just there");
            self.by_uid.remove(&worker.pod.meta.uid);
            runtime.remove(worker.pod.meta.uid);
        }
    }
}

/// The node's status tells something new of the volumes that pods wait for.
fn tell_volumes(pods: &mut Slab<Worker>, turn: &mut Turn<'_>) {
    for waiting in turn.core.volumes.take_waiting() {
        if let Some(worker) = pods.get_mut(waiting) {
            worker.volumes_told(turn);
        }
    }
}

/// What the containers of these pods may use of the processor has changed.
fn foresee(
    felt: &[Uid],
    pods: &mut Slab<Worker>,
    by_uid: &BTreeMap<Uid, Handle<Worker>>,
    watch: &mut Watch,
    turn: &mut Turn<'_>,
) {
    for uid in felt {
        if let Some(worker) = by_uid.get(uid).and_then(|it| pods.get_mut(*it)) {
            worker.foresee(turn);
        }
    }
    if !felt.is_empty() {
        watch.reconsider(pods, turn);
    }
}

/// Something has changed the containers of a pod from outside.
fn disturb(pods: &mut Slab<Worker>, by_uid: &BTreeMap<Uid, Handle<Worker>>, uid: Uid, turn: &mut Turn<'_>) {
    if let Some(worker) = by_uid.get(&uid).and_then(|it| pods.get_mut(*it)) {
        worker.be_disturbed(turn);
    }
}

/// Kills what runs for pods that the API server does not have. Upstream: `HandlePodCleanups`.
fn kill_orphans(known: &BTreeMap<Uid, Handle<Worker>>, turn: &mut Turn<'_>) {
    let orphans: Vec<Uid> =
        turn.runtime.pods().map(|(uid, _)| uid).filter(|it| !known.contains_key(it)).collect();
    let mut is_any_running = false;
    for uid in orphans {
        let running = running(turn.runtime, uid, turn.now);
        for container in &running {
            turn.runtime.stop(turn.now, uid, *container, GRACE_MIN);
        }
        if running.is_empty() {
            turn.runtime.remove(uid);
        }
        is_any_running |= !running.is_empty();
    }
    if is_any_running {
        let at = turn.core.housekeeping.after(turn.now);
        turn.wake_at(at, Timer::Housekeeping, 0);
    }
}

fn running(runtime: &Runtime, uid: Uid, now: Time) -> Vec<usize> {
    let Some(sandbox) = runtime.pod(uid) else { return Vec::new() };
    (0..sandbox.containers())
        .filter(|idx| sandbox.instance(*idx).is_some_and(|it| it.is_running(now)))
        .collect()
}

/// The node as the API server has it, or as it is going to be.
fn node_of(registrar: &Registrar, turn: &Turn<'_>) -> Arc<Node> {
    registrar.node().cloned().unwrap_or_else(|| Arc::new(turn.core.setup.node()))
}

/// A pod that is new to this kubelet, and is to be admitted.
fn insert(
    pods: &mut Slab<Worker>,
    by_uid: &mut BTreeMap<Uid, Handle<Worker>>,
    pod: Arc<Pod>,
    cause: Cause,
    turn: &mut Turn<'_>,
) -> Handle<Worker> {
    let uid = pod.meta.uid;
    let mut worker = Worker::new(pod, cause);
    worker.recall_allocation(turn.core.start == Start::Settled, turn);
    let handle = pods.insert(worker);
    by_uid.insert(uid, handle);
    pods.get_mut(handle).expect("it was just put there").me = Some(handle);
    handle
}
