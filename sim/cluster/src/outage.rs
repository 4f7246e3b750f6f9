//! Nodes that cannot be reached: what gets lost on the way, and how they catch up.

use std::collections::BTreeSet;
use std::sync::Arc;

use api::{Key, Kind, Node, Object, Pod, Reason, Resource as _, Status};
use base::{Digest, Handle, Span, Time};
use engine::{Phase, Queue};
use kubelet::Input;

use crate::cluster::Cluster;
use crate::event::{Client, Event, NodeIdx};
use crate::wire::{Content, Flight};

/// An event that cannot be sent is tried again for so long: twelve times, every 10 s.
/// Upstream: `client-go/tools/record/event.go`, `maxTriesPerEvent`, `defaultSleepDuration`.
const EVENT_RETRIES: Span = Span::secs(120);

impl Cluster {
    /// Whether a message between the API server and a kubelet is lost, since its node is cut off.
    pub(crate) fn lose(&mut self, handle: Handle<Flight>, now: Time) -> bool {
        let Some(Client::Kubelet(node)) = self.wire.flight(handle).map(|it| it.client) else { return false };
        let machine = &mut self.machines[node.0 as usize];
        let is_lost = machine.is_cut_off();
        if is_lost {
            machine.lost.push((now, handle));
        }
        is_lost
    }

    /// A node is connected again. What it asked in vain has failed, and is repeated by whoever asked for it; events
    /// repeat themselves, if they are not too old.
    ///
    /// A request that gets no answer really fails after its client's timeout, and would be repeated, and fail, for as
    /// long as the node is cut off. None of that can be seen from outside.
    pub(crate) fn find_lost(&mut self, node: NodeIdx, queue: &mut Queue<Event>) {
        let now = queue.now();
        for (sent, handle) in std::mem::take(&mut self.machines[node.0 as usize].lost) {
            let Some(flight) = self.wire.flight(handle) else { continue };
            let repeats = match &flight.content {
                Content::Request(request) => {
                    request.key().kind == Kind::Event && now.since(sent) <= EVENT_RETRIES
                }
                Content::Nothing | Content::Response(_) => false,
            };
            if repeats {
                queue.at(now, Phase::Deliver, Event::Arrive(handle));
            } else {
                let failure = Status::new(Reason::Timeout, "http2: client connection lost");
                flight.content = Content::Response(Err(failure));
                queue.at(now, Phase::Deliver, Event::Answer(handle));
            }
        }
    }

    /// A kubelet that has missed changes lists its pods and its node again.
    pub(crate) fn relist(&mut self, node: NodeIdx, digest: &mut Digest, queue: &mut Queue<Event>) {
        let pods = self.list_pods(node);
        let key = Key::cluster(Kind::Node, self.machines[node.0 as usize].name.clone());
        let own = self.server.read(&key).and_then(Object::get::<Node>).cloned();
        self.kubelet(node, Input::Relisted(pods), digest, queue);
        if let Some(own) = own {
            self.kubelet(node, Input::NodeSet(own), digest, queue);
        }
    }

    /// The pods that are bound to a node, as the API server has them. The kubelet need not hear again of what has led to
    /// that.
    pub(crate) fn list_pods(&mut self, node: NodeIdx) -> Vec<Arc<Pod>> {
        let machine = &mut self.machines[node.0 as usize];
        let mut keys: BTreeSet<Key> = self.manager.view().pods_on(&machine.name).map(|it| it.key()).collect();
        keys.append(&mut machine.missed);
        machine.listed = self.server.revision();
        let stored = keys.iter().filter_map(|key| self.server.read(key).and_then(Object::get::<Pod>));
        stored.filter(|pod| pod.node == machine.name).cloned().collect()
    }
}
