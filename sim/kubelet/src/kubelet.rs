//! The kubelet of one node: takes what comes in to the pod, probe or request that it is for.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::{Lease, Pod, Uid};
use base::{Cause, Handle, Luck, Name, Slab, Time};

use crate::admit::{Preemption, admit};
use crate::constants::GRACE_MIN;
use crate::core::{Core, Turn};
use crate::eviction::Watch;
use crate::images;
use crate::input::{Effect, Input, Timer, Token};
use crate::node::Registrar;
use crate::pod::{Mode, Worker};
use crate::reporter;
use crate::runtime::Runtime;
use crate::setup::Setup;

/// A kubelet that runs, or is about to. To crash it, drop it; a new one takes over with `run` one higher.
#[derive(Clone, Debug)]
pub struct Kubelet {
    core: Core,
    pods: Slab<Worker>,
    by_uid: BTreeMap<Uid, Handle<Worker>>,
    registrar: Registrar,
    preemptions: Vec<Preemption>,
    watch: Watch,
}

impl Kubelet {
    /// The `run`th kubelet process of its node, from 0. Its luck is that of the whole simulated run.
    pub fn new(setup: Arc<Setup>, run: u16, luck: Luck) -> Self {
        Self {
            core: Core::new(setup, run, luck.narrow("kubelet")),
            pods: Slab::new(),
            by_uid: BTreeMap::new(),
            registrar: Registrar::default(),
            preemptions: Vec::new(),
            watch: Watch::default(),
        }
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
                self.registrar.start(&mut turn);
            }
            Input::PodSet(pod, cause) => {
                if let Some(new) = set(&mut self.pods, &mut self.by_uid, pod, cause, &mut turn) {
                    self.admit(new, runtime, effects, now);
                }
            }
            Input::PodGone(uid, cause) => self.gone(uid, cause, runtime, effects, now),
            Input::Listed => {
                let at = turn.core.housekeeping.after(now);
                turn.wake_at(at, Timer::Housekeeping, 0);
                self.watch.listed(&self.pods, &mut turn);
            }
            Input::NodeSet(node) => self.registrar.node_set(node, &mut turn),
            Input::Timer(token) => self.timer(token, runtime, effects, now),
            Input::Answer(id, response) => {
                if turn.core.reporter.is_mine(id) {
                    reporter::answer(&mut self.pods, response, &mut turn);
                } else if self.registrar.is_mine(id) {
                    self.registrar.answer(id, response, &mut turn);
                } else if let Some(handle) = turn.core.secrets.remove(&id)
                    && let Some(worker) = self.pods.get_mut(handle)
                {
                    worker.secret_answered(id, response.is_ok(), &mut turn);
                }
            }
            Input::Allowed(allowance) => {
                turn.runtime.set_allowance(now, allowance);
                images::look(&mut self.pods, &mut turn);
            }
            Input::RegistriesChanged => images::look(&mut self.pods, &mut turn),
            Input::Disturbed(uid) => disturb(&mut self.pods, &self.by_uid, uid, &mut turn),
        }
        let mut turn = Turn { now, core: &mut self.core, runtime, effects };
        self.preemptions.retain_mut(|it| !it.go_on(&mut self.pods, &mut turn));
        self.watch.follow_up(done_before, &mut self.pods, &mut turn);
        reporter::pump(&self.pods, &mut turn);
    }

    /// The node's lease as the kubelet leaves it when it dies at `now`: to be written in place of the one that
    /// renews itself. `None` before there is one.
    pub fn last_lease(&self, now: Time) -> Option<Lease> {
        self.registrar.last_lease(&self.core.setup.name, now)
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
            Timer::Probe(handle, position) => {
                if let Some(worker) = self.pods.get_mut(handle) {
                    worker.wake_probe(usize::from(position), token.generation, &mut turn);
                }
            }
            Timer::StatusSync => reporter::compare(&mut self.pods, &mut turn),
            Timer::NodeStatus => self.registrar.wake(token.generation, &mut turn),
            Timer::Housekeeping => kill_orphans(&self.by_uid, &mut turn),
            Timer::Eviction => {
                self.watch.wake(token.generation, &mut self.pods, &mut self.registrar, &mut turn);
            }
            Timer::OutOfMemory => {
                let bereft =
                    self.watch.wake_kernel(token.generation, &self.pods, &mut self.registrar, &mut turn);
                bereft.into_iter().for_each(|it| disturb(&mut self.pods, &self.by_uid, it, &mut turn));
            }
            Timer::Pulls => {
                if turn.core.puller.expects(token.generation) {
                    images::look(&mut self.pods, &mut turn);
                }
            }
            Timer::ImageList => self.registrar.report_images(&mut turn),
            Timer::ImageCollection => images::collect(&mut self.registrar, &mut turn),
        }
    }

    fn admit(&mut self, new: Handle<Worker>, runtime: &mut Runtime, effects: &mut Vec<Effect>, now: Time) {
        let mut turn = Turn { now, core: &mut self.core, runtime, effects };
        let preemption = match self.registrar.node() {
            Some(node) => admit(new, &mut self.pods, node, &mut turn),
            None => admit(new, &mut self.pods, &turn.core.setup.node(), &mut turn),
        };
        self.preemptions.extend(preemption);
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

/// A pod of this node, new or changed. Returns a new one, which is to be admitted.
fn set(
    pods: &mut Slab<Worker>,
    by_uid: &mut BTreeMap<Uid, Handle<Worker>>,
    pod: Arc<Pod>,
    cause: Cause,
    turn: &mut Turn<'_>,
) -> Option<Handle<Worker>> {
    let uid = pod.meta.uid;
    if let Some((handle, worker)) = by_uid.get(&uid).and_then(|it| Some((*it, pods.get_mut(*it)?))) {
        worker.update(pod, cause, turn);
        let is_late = worker.mode == Mode::Done && worker.pod.is_deleting();
        if worker.differs() || is_late {
            reporter::compare_later(handle, worker, turn);
        }
        return None;
    }
    let handle = pods.insert(Worker::new(pod, cause));
    by_uid.insert(uid, handle);
    pods.get_mut(handle).expect("it was just put there").me = Some(handle);
    Some(handle)
}
