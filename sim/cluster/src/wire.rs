//! The traffic between clients and the API server: requests, answers, and news for those who watch.

use std::sync::Arc;

use api::{Kind, Node, Object, Pod, Request, Response};
use apiserver::Commit;
use base::{Cause, Digest, Handle, Luck, Name, Slab, Time};
use engine::{Phase, Queue};
use record::{Log, Write};

use crate::event::{Client, Event, NodeIdx, Watcher};
use crate::latency::Latency;

/// What a client calls its request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestId {
    Client(client::RequestId),
    Kubelet(kubelet::RequestId),
}

impl RequestId {
    /// Whether the client wants to hear the answer.
    pub(crate) fn is_awaited(self) -> bool {
        match self {
            Self::Client(id) => id != client::RequestId::UNHEARD,
            Self::Kubelet(id) => id.is_awaited(),
        }
    }
}

/// A request on its way, or its answer.
#[derive(Clone, Debug)]
pub struct Flight {
    pub client: Client,
    pub id: RequestId,
    pub actor: Name,
    pub cause: Cause,
    /// The number of what it is about, for luck.
    pub entity: u64,
    pub content: Content,
}

/// What is under way: first there, then back.
#[derive(Clone, Debug)]
pub enum Content {
    Request(Request),
    /// The server is at it.
    Nothing,
    Response(Response),
}

impl Flight {
    pub(crate) fn new(client: Client, id: RequestId, actor: &Name, cause: Cause, request: Request) -> Self {
        let (_, namespace, name) = request.about();
        let entity = entity_of(namespace, name);
        Self { client, id, actor: actor.clone(), cause, entity, content: Content::Request(request) }
    }

    /// Takes out what is under way.
    pub(crate) fn take(&mut self) -> Content {
        std::mem::replace(&mut self.content, Content::Nothing)
    }
}

/// A change on its way to those who watch.
#[derive(Clone, Debug)]
pub struct News {
    pub commit: Arc<Commit>,
    pub cause: Cause,
    /// How many have not heard it yet.
    listeners: u32,
}

/// Everything under way.
#[derive(Clone, Debug)]
pub(crate) struct Wire {
    pub(crate) latency: Latency,
    flights: Slab<Flight>,
    news: Slab<News>,
    /// When the last message to each watcher arrives: they come in order.
    manager_hears: Time,
    scheduler_hears: Time,
    /// By node, as far as there was any.
    kubelets_hear: Vec<Time>,
}

impl Wire {
    pub(crate) fn new(latency: Latency) -> Self {
        Self {
            latency,
            flights: Slab::new(),
            news: Slab::new(),
            manager_hears: Time::ZERO,
            scheduler_hears: Time::ZERO,
            kubelets_hear: Vec::new(),
        }
    }

    /// Sends a request at `at`, or now if that has passed.
    pub(crate) fn send(&mut self, at: Time, flight: Flight, queue: &mut Queue<Event>) {
        let at = at.max(queue.now());
        let arrival = at + self.latency.message(flight.entity, at);
        let handle = self.flights.insert(flight);
        queue.at(arrival, Phase::Deliver, Event::Arrive(handle));
    }

    pub(crate) fn flight(&mut self, handle: Handle<Flight>) -> Option<&mut Flight> {
        self.flights.get_mut(handle)
    }

    /// Sends an answer back to who waits for it, once what it tells of is `committed`.
    pub(crate) fn answer(
        &mut self,
        committed: Time,
        entity: u64,
        handle: Handle<Flight>,
        response: Response,
        queue: &mut Queue<Event>,
    ) {
        let Some(flight) = self.flights.get_mut(handle) else { return };
        if !flight.id.is_awaited() {
            self.flights.remove(handle);
            return;
        }
        flight.content = Content::Response(response);
        let back = self.latency.message(entity.rotate_left(16), committed);
        queue.at(committed + back, Phase::Deliver, Event::Answer(handle));
    }

    pub(crate) fn land(&mut self, handle: Handle<Flight>) -> Option<Flight> {
        self.flights.remove(handle)
    }

    /// Sends a commit to everyone who watches its kind, and to the kubelets of these nodes.
    pub(crate) fn publish(
        &mut self,
        committed: Time,
        commit: Commit,
        cause: Cause,
        nodes: [Option<NodeIdx>; 2],
        queue: &mut Queue<Event>,
    ) {
        let watchers = watchers_of(&commit.key.kind, nodes);
        let listeners = watchers.iter().flatten().map(|_| 1).sum();
        if listeners == 0 {
            return;
        }
        let entity = entity_of_key(&commit.key);
        let news = self.news.insert(News { commit: Arc::new(commit), cause, listeners });
        for watcher in watchers.into_iter().flatten() {
            let delay = self.latency.watch(entity, watcher_entity(watcher), committed);
            let hears = self.hears(watcher);
            *hears = (*hears).max(committed + delay);
            queue.at(*hears, Phase::Deliver, Event::Watch { watcher, news });
        }
    }

    /// Hands a change to one watcher; the last one lets go of it.
    pub(crate) fn deliver(&mut self, handle: Handle<News>) -> (Arc<Commit>, Cause) {
        let news = self.news.get_mut(handle).expect("news stay until the last listener has heard them");
        news.listeners -= 1;
        let (commit, cause, is_last) = (news.commit.clone(), news.cause, news.listeners == 0);
        if is_last {
            self.news.remove(handle);
        }
        (commit, cause)
    }

    fn hears(&mut self, watcher: Watcher) -> &mut Time {
        match watcher {
            Watcher::Manager => &mut self.manager_hears,
            Watcher::Scheduler => &mut self.scheduler_hears,
            Watcher::Kubelet(node) => {
                let position = node.0 as usize;
                if self.kubelets_hear.len() <= position {
                    self.kubelets_hear.resize(position + 1, Time::ZERO);
                }
                &mut self.kubelets_hear[position]
            }
        }
    }
}

/// Who watches objects of this kind; a kubelet watches the pods of its node, and that node.
fn watchers_of(kind: &Kind, nodes: [Option<NodeIdx>; 2]) -> [Option<Watcher>; 4] {
    // The garbage collector ignores events, and nobody else in there reads them.
    let manager = (*kind != Kind::Event).then_some(Watcher::Manager);
    let scheduler = scheduler::Scheduler::watches().contains(kind).then_some(Watcher::Scheduler);
    let [first, second] = nodes.map(|it| it.map(Watcher::Kubelet));
    [manager, scheduler, first, second]
}

fn watcher_entity(watcher: Watcher) -> u64 {
    match watcher {
        Watcher::Manager => 1,
        Watcher::Scheduler => 2,
        Watcher::Kubelet(node) => 3 + u64::from(node.0),
    }
}

/// Luck is an object's own: what happens to others moves none of its delays.
pub(crate) fn entity_of_key(key: &api::Key) -> u64 {
    entity_of(&key.namespace, &key.name)
}

fn entity_of(namespace: &Name, name: &Name) -> u64 {
    Luck::of_text(name) ^ Luck::of_text(namespace).rotate_left(1)
}

/// The names of the nodes whose kubelets care about a commit: those that the pod was and is on, or the node itself.
pub(crate) fn nodes_concerned(commit: &Commit) -> [Option<&Name>; 2] {
    let [old, new] = [&commit.old, &commit.new].map(|it| it.as_ref().and_then(node_of));
    [old, new.filter(|new| old != Some(*new))]
}

fn node_of(object: &Object) -> Option<&Name> {
    let of_pod = object.get::<Pod>().map(|pod| &pod.node);
    of_pod.or_else(|| object.get::<Node>().map(|node| &node.meta.name)).filter(|name| !name.is_empty())
}

/// What is kept of every commit: a record, and its part of the fingerprint of the run.
pub(crate) fn note_commit(
    log: &mut Log,
    digest: &mut Digest,
    now: Time,
    actor: &Name,
    cause: Cause,
    commit: &Commit,
    verb: record::Verb,
    sub: record::Subresource,
) -> Cause {
    let write =
        Write { verb, sub, revision: commit.revision, old: commit.old.as_ref(), new: commit.new.as_ref() };
    digest.word(now.nanos());
    digest.text(actor);
    digest.word(commit.revision.0);
    match &commit.new {
        Some(object) => object.fold(digest),
        None => digest.text(&commit.key.to_string()),
    }
    log.push_write(now, actor, cause, &write)
}

/// Does what a client wants.
pub(crate) fn carry_out(
    wire: &mut Wire,
    client: Client,
    actor: &Name,
    effect: client::Effect,
    queue: &mut Queue<Event>,
) {
    match effect {
        client::Effect::Send { id, at, request, cause } => {
            let id = RequestId::Client(id);
            wire.send(at, Flight::new(client, id, actor, cause, request), queue);
        }
        client::Effect::WakeAt(at) => {
            queue.at(at.max(queue.now()), Phase::Act, Event::Tick(client));
        }
    }
}
