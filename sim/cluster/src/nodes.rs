//! The kubelets: what reaches them, and what they want.

use api::{Key, Kind, Lease, Node, Object, Pod, Request, Subresource};
use apiserver::Commit;
use base::{Cause, Digest, Name, Time};
use engine::{Phase, Queue, Rank};
use kubelet::{Effect, Input, Note, Start, Token, What};
use record::Step;

use crate::cluster::Cluster;
use crate::event::{Client, Event, NodeIdx};
use crate::wire::{Flight, RequestId};

impl Cluster {
    pub(crate) fn start_kubelets(&mut self, now: Time, digest: &mut Digest, queue: &mut Queue<Event>) {
        for n in 0..self.machines.len() {
            let idx = NodeIdx(u32::try_from(n).expect("their number was checked"));
            self.start_kubelet(now, idx, Start::Settled, digest, queue);
        }
    }

    /// Starts a kubelet, which lists the pods of its node.
    pub(crate) fn start_kubelet(
        &mut self,
        now: Time,
        node: NodeIdx,
        start: Start,
        digest: &mut Digest,
        queue: &mut Queue<Event>,
    ) {
        let pods = match start {
            Start::Settled => Some(Vec::new()), // It hears of what there is, as everyone does.
            Start::Booted | Start::Restarted if self.machines[node.0 as usize].is_cut_off() => None,
            Start::Booted | Start::Restarted => Some(self.list_pods(node)),
        };
        let mut effects = Vec::new();
        self.machines[node.0 as usize].start(now, start, pods, &mut effects);
        self.carry_out_all(node, &mut effects, digest, queue);
    }

    pub(crate) fn kubelet(
        &mut self,
        node: NodeIdx,
        input: Input,
        digest: &mut Digest,
        queue: &mut Queue<Event>,
    ) {
        let mut effects = std::mem::take(&mut self.wishes);
        self.machines[node.0 as usize].handle(queue.now(), input, &mut effects);
        self.carry_out_all(node, &mut effects, digest, queue);
        self.wishes = effects;
    }

    /// A timer of a kubelet has run out.
    pub(crate) fn wake_kubelet(
        &mut self,
        node: NodeIdx,
        token: Token,
        digest: &mut Digest,
        queue: &mut Queue<Event>,
    ) {
        match self.machines[node.0 as usize].repeat(queue.now(), token) {
            Some(next) => wake_at(next, node, token, queue),
            None => self.kubelet(node, Input::Timer(token), digest, queue),
        }
    }

    /// A change of one of its pods, or of its node, reaches a kubelet.
    pub(crate) fn tell_kubelet(
        &mut self,
        node: NodeIdx,
        commit: &Commit,
        cause: Cause,
        digest: &mut Digest,
        queue: &mut Queue<Event>,
    ) {
        if self.machines[node.0 as usize].misses(commit) {
            return;
        }
        let pod = |object: &Option<Object>| object.as_ref().and_then(Object::get::<Pod>).cloned();
        let input = match (pod(&commit.old), pod(&commit.new)) {
            (_, Some(pod)) => Input::PodSet(pod, cause),
            (Some(pod), None) => Input::PodGone(pod.meta.uid, cause),
            (None, None) => match commit.new.as_ref().and_then(Object::get::<Node>) {
                Some(node) => Input::NodeSet(node.clone()),
                None => return,
            },
        };
        self.kubelet(node, input, digest, queue);
    }

    pub(crate) fn carry_out_all(
        &mut self,
        node: NodeIdx,
        effects: &mut Vec<Effect>,
        digest: &mut Digest,
        queue: &mut Queue<Event>,
    ) {
        let actor = self.machines[node.0 as usize].actor.clone();
        // What was noted first explains what is asked for next.
        let mut noted: Option<Cause> = None;
        let mut goes_off = false;
        let mut demanded = None;
        for effect in effects.drain(..) {
            match effect {
                Effect::Send { id, at, request, cause } => {
                    let cause = noted.unwrap_or(cause);
                    let (client, id) = (Client::Kubelet(node), RequestId::Kubelet(id));
                    self.wire.send(at, Flight::new(client, id, &actor, cause, request), queue);
                }
                Effect::WakeAt(at, token) => wake_at(at, node, token, queue),
                Effect::Note(note) => {
                    let id = self.note(queue.now(), &actor, &note, digest);
                    noted = Some(id);
                }
                Effect::PowerOff => goes_off = true,
                Effect::Demand(demand) => demanded = Some(demand),
            }
        }
        self.watch_usage(node, queue);
        if demanded.is_some() {
            self.share_registries(node, demanded, digest, queue);
        }
        if goes_off {
            self.go_off(node, noted.unwrap_or(Cause::NONE), digest, queue);
        }
    }

    /// Keeps what happened to a container: an external effect, and part of the run's fingerprint.
    fn note(&mut self, now: Time, actor: &Name, note: &Note, digest: &mut Digest) -> Cause {
        digest.word(now.nanos());
        digest.text(&note.name);
        digest.text(&note.container);
        let pod = || Key::new(Kind::Pod, note.namespace.clone(), note.name.clone());
        let Some(step) = step_of(&note.what) else {
            let what = || record::What::Note { object: Some(pod()), text: described(&note.what) };
            if matches!(note.what, What::SandboxCreated { .. }) {
                return self.log.push_step(now, actor, note.cause, what); // One for every pod.
            }
            return self.log.push(now, actor, note.cause, what());
        };
        self.log.push_step(now, actor, note.cause, || record::What::Container {
            pod: pod(),
            container: note.container.clone(),
            step,
            detail: described(&note.what),
        })
    }

    /// Leaves a dead kubelet's lease as it was renewed last: from now on it renews itself no more.
    pub(crate) fn write_last_lease(
        &mut self,
        now: Time,
        node: NodeIdx,
        lease: Option<Lease>,
        cause: Cause,
        digest: &mut Digest,
        queue: &mut Queue<Event>,
    ) {
        let Some(mut lease) = lease else { return };
        let actor = self.machines[node.0 as usize].actor.clone();
        let key = Key::new(Kind::Lease, lease.meta.namespace.clone(), lease.meta.name.clone());
        let Some(stored) = self.server.read(&key) else { return };
        lease.meta = stored.meta().clone();
        let request = Request::Update { object: Object::new(lease), sub: Subresource::Main };
        let by = (record::Verb::from(&request), record::Subresource::from(&request));
        let mut commits = Vec::new();
        // It was written before the kubelet died; that it is written down now is our own bookkeeping.
        let written = self.server.handle(now, &actor, request, &mut commits);
        assert!(written.is_ok(), "a lease as it was read can be written: {written:?}");
        for commit in commits {
            self.commit(now, now, &actor, cause, by, commit, digest, queue);
        }
    }
}

fn wake_at(at: Time, node: NodeIdx, token: Token, queue: &mut Queue<Event>) {
    let rank = Rank::new(token.rank());
    queue.at_rank(at.max(queue.now()), Phase::Act, rank, Event::Timer { node, token });
}

/// The record's word for what a kubelet noted, if it has one.
fn step_of(what: &What) -> Option<Step> {
    match what {
        What::PullStarted { .. } => Some(Step::Pulling),
        What::Pulled { .. } => Some(Step::Pulled),
        What::Started { .. } => Some(Step::Started),
        What::Exited { code, .. } => Some(Step::Exited { code: *code }),
        What::Stopping { .. } => Some(Step::Stopping),
        What::BackingOff { .. } => Some(Step::BackOff),
        What::PullFailed { .. } => None,
        What::ProbeFailed { .. } => Some(Step::ProbeFailed),
        What::Resized { .. } => Some(Step::Resized),
        What::Rejected { .. } | What::SandboxCreated { .. } | What::Stopped => None,
    }
}

/// What there is to say about it.
fn described(what: &What) -> Name {
    match what {
        What::Rejected { reason } => Name::from(format_args!("the node cannot run it: {reason}")),
        What::SandboxCreated { ip } => Name::from(["has the address ", ip].concat()),
        What::PullStarted { image } => image.clone(),
        What::Pulled { image, took, .. } => Name::from(format_args!("{image}, in {took}")),
        What::PullFailed { image, why } => Name::from(format_args!("cannot pull {image}: {why}")),
        What::Started { restarts: 0 } => Name::EMPTY,
        What::Started { restarts } => Name::from(format_args!("restart {restarts}")),
        What::Exited { reason, .. } => Name::from_static(reason),
        What::Stopping { grace } => Name::from(format_args!("within {grace}")),
        What::BackingOff { delay } => Name::from(format_args!("for {delay}")),
        What::ProbeFailed { probe } => Name::from_static(probe),
        What::Resized { resources } => resources.clone(),
        What::Stopped => Name::from_static("all its containers have stopped"),
    }
}
