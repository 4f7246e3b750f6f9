//! The simulated cluster: every component, and the loop that hands each event to whom it is for.

use std::collections::BTreeSet;
use std::sync::Arc;

use api::{Key, Kind, Object, Pod, Revision};
use apiserver::{ApiServer, Commit, Settings};
use base::{Cause, Digest, Handle, Lookup, Luck, Name, Time};
use chaos::Fault;
use client::Change;
use engine::{Phase, Queue, Run, Seed, World};
use kubectl::Session;
use record::{Keep, Log, Verb};
use scheduler::Scheduler;

use crate::event::{Client, Event, NodeIdx, Watcher};
use crate::latency::Latency;
use crate::ledger::Ledger;
use crate::load::Loads;
use crate::machine::Machine;
use crate::manager::Manager;
use crate::series::Series;
use crate::setup::{Setup, SetupError, Step};
use crate::usage::UsageSampling;
use crate::wire::{self, Content, Flight, News, Wire};

/// Before a run begins, its nodes register themselves, and the node controller frees each of the taint that new nodes have, and
/// says so: two requests each, of which it makes twenty a second after the first thirty. Small clusters take 5 s.
pub fn warm_up(nodes: usize) -> base::Span {
    base::Span::secs(5 + nodes.saturating_sub(40).div_ceil(10) as u64)
}

/// Nobody in here lists or watches from an old revision, so that none is kept for long: it would be most of the memory.
const COMPACTION: base::Span = base::Span::secs(1);

/// Everything that is simulated. Cloning it is cheap, since objects are shared until they are written.
#[derive(Clone, Debug)]
pub struct Cluster {
    pub(crate) start: Time,
    pub(crate) seed: u64,
    pub(crate) server: ApiServer,
    pub(crate) wire: Wire,
    pub(crate) manager: Manager,
    pub(crate) scheduler: Scheduler,
    pub(crate) machines: Vec<Machine>,
    pub(crate) by_name: Lookup<Name, NodeIdx>,
    pub(crate) timeline: Arc<Vec<Step>>,
    /// The commands of the timeline that have been started, by step.
    pub(crate) sessions: std::collections::BTreeMap<u16, Session>,
    /// What registries with a limit send to whom.
    pub(crate) registries: kubelet::Registries,
    /// Faults of registries that go on, by step.
    pub(crate) disturbed: std::collections::BTreeMap<u16, Fault>,
    pub(crate) log: Log,
    pub(crate) ledger: Ledger,
    pub(crate) series: Series,
    pub(crate) usage: UsageSampling,
    loads: Loads,
    sample_due: Option<Time>,
    /// The kinds of which somebody wants to know what is written.
    observed: Vec<Kind>,
    /// What was written of them since somebody last asked.
    written_of_observed: Vec<Key>,
    commits: u64,
    /// Empty but while a request is answered: kept to save allocations.
    written: Vec<Commit>,
    /// The same while a kubelet has its turn.
    pub(crate) wishes: Vec<kubelet::Effect>,
}

impl Cluster {
    /// A run that is about to begin. Nothing has happened yet but what the snapshot holds.
    pub fn start(setup: Setup) -> Result<Run<Self>, SetupError> {
        let settings = &setup.scheduler;
        if settings.transport.is_none() && !settings.configuration.extenders.is_empty() {
            return Err(SetupError::NoTransport);
        }
        let begin = setup.start.before(warm_up(setup.nodes.len()));
        let mut queue = Queue::starting_at(begin);
        if setup.shuffle_ties {
            queue.shuffle_ties(Seed(setup.seed));
        }
        let mut cluster = Self::empty(&setup, begin)?;
        let mut digest = Digest::default();
        cluster.restore(begin, setup.snapshot, &mut digest, &mut queue)?;
        for (n, step) in (0_u16..).zip(cluster.timeline.iter()) {
            queue.at(setup.start + step.at, step.phase(), Event::Step(n));
        }
        cluster.start_kubelets(begin, &mut digest, &mut queue);
        let mut run = Run::new(cluster, queue);
        run.digest = digest;
        Ok(run)
    }

    fn empty(setup: &Setup, begin: Time) -> Result<Self, SetupError> {
        let luck = Luck::new(setup.seed, "run");
        let keep = setup.keep.unwrap_or(Keep::ALL);
        let limits = setup.nodes.first().map(|it| it.images.catalog.limits()).unwrap_or_default();
        let mut cluster = Self {
            start: setup.start,
            seed: setup.seed,
            server: ApiServer::new(begin, Settings { compaction: COMPACTION, ..Settings::default() }, luck),
            wire: Wire::new(Latency::new(setup.seed)),
            manager: Manager::new(begin, setup.one_by_one),
            scheduler: Scheduler::new(begin, luck, &setup.scheduler.configuration)
                .with_cost(setup.scheduler.cost)
                .with_extenders(setup.scheduler.extenders()),
            machines: Vec::with_capacity(setup.nodes.len()),
            by_name: Lookup::new(),
            timeline: Arc::new(setup.timeline.clone()),
            sessions: std::collections::BTreeMap::new(),
            registries: kubelet::Registries::new(limits),
            disturbed: std::collections::BTreeMap::new(),
            log: Log::new(keep),
            ledger: Ledger::new(keep.events),
            series: Series::default(),
            usage: UsageSampling::default(),
            loads: Loads::new(&setup.behaviours),
            sample_due: None,
            observed: Vec::new(),
            written_of_observed: Vec::new(),
            commits: 0,
            written: Vec::new(),
            wishes: Vec::new(),
        };
        for node in &setup.nodes {
            let idx = NodeIdx(u32::try_from(cluster.machines.len()).map_err(|_| SetupError::TooManyNodes)?);
            if cluster.by_name.insert(node.name.clone(), idx).is_some() {
                return Err(SetupError::TwoNodes { name: node.name.clone() });
            }
            let machine = Machine::new(node.clone(), &setup.behaviours, luck)
                .map_err(|error| SetupError::PodCidr { node: node.name.clone(), error: error.to_string() })?;
            cluster.machines.push(machine.one_by_one(setup.one_by_one));
        }
        Ok(cluster)
    }

    /// Stores the snapshot, and tells everyone who watches what there is.
    fn restore(
        &mut self,
        begin: Time,
        snapshot: Vec<Object>,
        digest: &mut Digest,
        queue: &mut Queue<Event>,
    ) -> Result<(), SetupError> {
        let there = self.server.events_since(Revision(0)).map_err(|status| SetupError::Refused { status })?;
        let mut commits: Vec<Commit> =
            there.filter_map(|it| it.new.map(|new| first_commit(it.revision, new))).collect();
        for mut object in snapshot {
            if let Some(pod) = object.get_mut::<Pod>().filter(|it| it.is_bound() && !it.is_finished()) {
                pod.fill_in_resources();
            }
            self.server
                .restore(begin, object, &mut commits)
                .map_err(|status| SetupError::Refused { status })?;
        }
        for commit in commits {
            if let Some(pod) = commit.new.as_ref().and_then(Object::get::<Pod>)
                && let Some(&idx) = self.by_name.get(&pod.node)
                && !pod.is_finished()
            {
                self.machines[idx.0 as usize].adopt(pod);
            }
            let by = (Verb::Create, record::Subresource::Main);
            self.commit(begin, begin, &Name::from_static("snapshot"), Cause::NONE, by, commit, digest, queue);
        }
        Ok(())
    }

    /// What `key` names now.
    pub fn read(&self, key: &Key) -> Option<&Object> {
        self.server.read(key)
    }

    /// From now on all attempts to schedule `pod` are told in full, see [`Cluster::traced_scheduling`].
    pub fn trace_scheduling(&mut self, pod: Key) {
        self.scheduler.trace(pod);
    }

    pub fn traced_scheduling(&self) -> &[scheduler::TracedAttempt] {
        self.scheduler.traced()
    }

    pub fn server(&self) -> &ApiServer {
        &self.server
    }

    pub fn log(&self) -> &Log {
        &self.log
    }

    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    pub fn series(&self) -> &Series {
        &self.series
    }

    /// When the run began, by the calendar.
    pub fn started(&self) -> Time {
        self.start
    }

    /// How many writes the store has taken.
    pub fn commits(&self) -> u64 {
        self.commits
    }

    /// The rules of the behaviours that any container has been by, by position.
    pub fn used_rules(&self) -> BTreeSet<usize> {
        self.machines.iter().flat_map(Machine::used_rules).copied().collect()
    }

    /// What the commands of the timeline have printed, by step.
    pub fn output(&self) -> impl Iterator<Item = (&Step, &[kubectl::Line])> {
        self.sessions.iter().map(|(&n, session)| (&self.timeline[usize::from(n)], session.lines()))
    }

    /// From now on it is kept which objects of these kinds are written: see [`Cluster::take_written`].
    pub fn observe(&mut self, kinds: impl IntoIterator<Item = Kind>) {
        self.observed = kinds.into_iter().collect();
    }

    /// Takes the objects that were written since it was last asked, in the order of the writes, each of them once for
    /// each write.
    pub fn take_written(&mut self) -> Vec<Key> {
        std::mem::take(&mut self.written_of_observed)
    }

    /// Takes in one commit: record, fingerprint, figures, and news for those who watch. Returns the record's number.
    #[expect(clippy::too_many_arguments, reason = "all that is known of a commit, in one place")]
    pub(crate) fn commit(
        &mut self,
        now: Time,
        committed: Time,
        actor: &Name,
        cause: Cause,
        (verb, sub): (Verb, record::Subresource),
        commit: Commit,
        digest: &mut Digest,
        queue: &mut Queue<Event>,
    ) -> Cause {
        self.commits += 1;
        let has_expired = commit.verb == Verb::Expire.as_str();
        let cause = if has_expired {
            // It came to light with a request, which had nothing to do with it.
            let (verb, sub) = (Verb::Expire, record::Subresource::Main);
            wire::note_commit(&mut self.log, digest, now, &commit.actor, Cause::NONE, &commit, verb, sub)
        } else {
            wire::note_commit(&mut self.log, digest, now, actor, cause, &commit, verb, sub)
        };
        self.ledger.observe(now, commit.new.as_ref(), commit.old.as_ref());
        self.series.observe(commit.new.as_ref(), commit.old.as_ref());
        self.arm_sample(queue);
        let node_of = |name: &Name| self.by_name.get(name).copied();
        let shares = self.loads.observe(commit.new.as_ref(), commit.old.as_ref(), node_of);
        self.share_loads(shares, digest, queue);
        if self.observed.contains(&commit.key.kind) {
            self.written_of_observed.push(commit.key.clone());
        }
        let nodes = wire::nodes_concerned(&commit).map(|it| self.by_name.get(it?).copied());
        self.wire.publish(committed, commit, cause, nodes, queue);
        cause
    }

    fn arm_sample(&mut self, queue: &mut Queue<Event>) {
        if self.sample_due.is_none()
            && let Some(due) = self.series.due(queue.now())
        {
            self.sample_due = Some(due);
            queue.at(due, Phase::Sample, Event::Sample);
        }
    }

    fn hear(&mut self, watcher: Watcher, news: Handle<News>, digest: &mut Digest, queue: &mut Queue<Event>) {
        let now = queue.now();
        let (commit, cause) = self.wire.deliver(news);
        match watcher {
            Watcher::Manager => {
                let wire = &mut self.wire;
                self.manager.hear(now, &commit, cause, |wish| wish.carry_out(wire, queue));
            }
            Watcher::Scheduler => {
                let change = change_of(&commit);
                self.schedule(now, client::Input::Changed { change: &change, cause }, queue);
            }
            Watcher::Kubelet(node) => self.tell_kubelet(node, &commit, cause, digest, queue),
        }
    }
}

/// What was there before anyone could watch, as a commit.
fn first_commit(revision: Revision, object: &Object) -> Commit {
    let actor = Name::from_static("kube-apiserver");
    Commit { revision, key: object.key(), old: None, new: Some(object.clone()), actor, verb: "create" }
}

/// The commit as one sees it who has seen all before it: the scheduler, which keeps no view.
fn change_of(commit: &Commit) -> Change {
    match (commit.old.clone(), commit.new.clone()) {
        (old, Some(new)) => Change::Set { old, new },
        (Some(old), None) => Change::Gone(old),
        (None, None) => unreachable!("what a commit is about was there, or is"),
    }
}

impl World for Cluster {
    type Event = Event;

    fn handle(&mut self, event: Event, queue: &mut Queue<Event>, digest: &mut Digest) {
        match event {
            Event::Arrive(flight) => self.arrive(flight, digest, queue),
            Event::Answer(flight) => self.answer(flight, digest, queue),
            Event::Watch { watcher, news } => self.hear(watcher, news, digest, queue),
            Event::Tick(client) => self.tick(client, queue),
            Event::Timer { node, token } => self.wake_kubelet(node, token, digest, queue),
            Event::Step(step) => self.step(step, digest, queue),
            Event::Repair { step, node } => self.repair(step, node, digest, queue),
            Event::Calm(step) => self.calm_registries(step, digest, queue),
            Event::Sample => {
                self.sample_due = None;
                self.series.sample(queue.now());
            }
            Event::SampleUsage => self.sample_usage(queue),
        }
    }
}

impl Cluster {
    /// A request reaches the API server.
    fn arrive(&mut self, handle: Handle<Flight>, digest: &mut Digest, queue: &mut Queue<Event>) {
        let now = queue.now();
        if self.lose(handle, now) {
            return;
        }
        let Some(flight) = self.wire.flight(handle) else { return };
        let (actor, cause, entity) = (flight.actor.clone(), flight.cause, flight.entity);
        let Content::Request(request) = flight.take() else { return };
        let by = (Verb::from(&request), record::Subresource::from(&request));
        let key = request.key();
        let mut commits = std::mem::take(&mut self.written);
        let response = self.server.handle(now, &actor, request, &mut commits);
        let latency = &self.wire.latency;
        let done =
            if commits.is_empty() { now + latency.handling } else { now + latency.commit(entity, now) };
        if let Err(status) = &response
            && by.0 != Verb::Get
        {
            let what = record::What::Rejected {
                verb: by.0,
                sub: by.1,
                object: key,
                code: status.reason.code(),
                message: status.message.clone(),
            };
            self.log.push(now, &actor, cause, what);
        }
        for commit in commits.drain(..) {
            self.commit(now, done, &actor, cause, by, commit, digest, queue);
        }
        self.written = commits;
        self.wire.answer(done, entity, handle, response, queue);
    }

    /// An answer reaches who asked.
    fn answer(&mut self, handle: Handle<Flight>, digest: &mut Digest, queue: &mut Queue<Event>) {
        if self.lose(handle, queue.now()) {
            return;
        }
        let Some(Flight { client, id, content: Content::Response(response), .. }) = self.wire.land(handle)
        else {
            return;
        };
        match (client, id) {
            (Client::Kubelet(node), wire::RequestId::Kubelet(id)) => {
                self.kubelet(node, kubelet::Input::Answer(id, response), digest, queue);
            }
            (client, wire::RequestId::Client(id)) => {
                self.tell(client, client::Input::Answer { id, response }, queue);
            }
            (client, id) => unreachable!("{client:?} does not call its requests {id:?}"),
        }
    }

    fn tick(&mut self, client: Client, queue: &mut Queue<Event>) {
        self.tell(client, client::Input::Tick, queue);
    }

    /// Hands something to a client that has a loop of its own.
    fn tell(&mut self, client: Client, input: client::Input<'_>, queue: &mut Queue<Event>) {
        const KUBECTL: Name = Name::from_static("kubectl");
        let (now, wire) = (queue.now(), &mut self.wire);
        match client {
            Client::Manager(member) => {
                self.manager.handle(now, member, input, &mut |wish| wish.carry_out(wire, queue));
            }
            Client::Scheduler => self.schedule(now, input, queue),
            Client::Kubectl(step) => {
                let Some(session) = self.sessions.get_mut(&step) else { return };
                let mut effects = Vec::new();
                session.handle(now, input, &mut effects);
                effects.into_iter().for_each(|it| wire::carry_out(wire, client, &KUBECTL, it, queue));
            }
            Client::Kubelet(node) => unreachable!("the kubelet of {node:?} has inputs of its own"),
        }
    }

    /// Hands something to the scheduler, and notes what it decides.
    fn schedule(&mut self, now: Time, input: client::Input<'_>, queue: &mut Queue<Event>) {
        const ACTOR: Name = Name::from_static("kube-scheduler");
        let mut effects = Vec::new();
        self.scheduler.handle(now, input, &mut effects);
        let decisions: Vec<(Key, Cause)> = self
            .scheduler
            .take_decisions()
            .into_iter()
            .map(|it| {
                let what = || {
                    let (node, message) = match &it.outcome {
                        Ok(placement) => (Some(placement.node.clone()), placement.to_string().into()),
                        Err(diagnosis) => (None, diagnosis.message()),
                    };
                    record::What::Decision { pod: it.pod.clone(), node, message }
                };
                let record = self.log.push_step(now, &ACTOR, it.cause, what);
                (it.pod, record)
            })
            .collect();
        for mut effect in effects {
            if let client::Effect::Send { request, cause, .. } = &mut effect {
                let key = request.key();
                if let Some((_, decision)) = decisions.iter().find(|(pod, _)| *pod == key) {
                    *cause = *decision;
                }
            }
            wire::carry_out(&mut self.wire, Client::Scheduler, &ACTOR, effect, queue);
        }
    }
}
