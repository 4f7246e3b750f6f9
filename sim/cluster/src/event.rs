//! Everything that can happen, in one enum. Small and `Copy`: indices and handles, never objects.

use base::Handle;

use crate::wire::{Flight, News};

/// The position of a node in the cluster; stable for the whole run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeIdx(pub u32);

/// Who talks to the API server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Client {
    /// One of the loops of kube-controller-manager, by position.
    Manager(u8),
    Scheduler,
    Kubelet(NodeIdx),
    /// A command of the timeline, by position.
    Kubectl(u16),
}

/// Who watches the API server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Watcher {
    /// The informers that all loops of kube-controller-manager share.
    Manager,
    Scheduler,
    Kubelet(NodeIdx),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A request reaches the API server.
    Arrive(Handle<Flight>),
    /// Its answer reaches who asked.
    Answer(Handle<Flight>),
    /// A change reaches a watcher.
    Watch { watcher: Watcher, news: Handle<News> },
    /// A time that a client asked for has come.
    Tick(Client),
    /// A timer of a kubelet or of its containers has run out.
    Timer { node: NodeIdx, token: kubelet::Token },
    /// The next step of the scenario's timeline, by position.
    Step(u16),
    /// What a step broke of a node is whole again.
    Repair { step: u16, node: NodeIdx },
    /// What a step did to registries is over.
    Calm(u16),
    /// The figures over time are read.
    Sample,
    /// What nodes use is read.
    SampleUsage,
}
