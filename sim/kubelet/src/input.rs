//! What a kubelet hears, and what it wants done.

use std::sync::Arc;

use api::{Node, Pod, Request, Response, Uid};
use base::{Cause, Handle, Name, Span, Time};

use crate::images::{Allowance, Demand};
use crate::pod::Worker;
use crate::rounds::RoundIdx;
use crate::ticks::Tick;

/// So many pods of a node are told apart by the ranks of their timers.
const PODS_RANKED: usize = 1 << 11;

/// Why a kubelet starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// It has been running since long before the simulation began: it says nothing about itself, and what its pods
    /// report is true.
    Settled,
    /// The machine came up.
    Booted,
    /// Only the process is new; the containers have been running on.
    Restarted,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// Comes first, and once.
    Started(Start),
    /// A pod that is bound to this node, as it is now.
    PodSet(Arc<Pod>, Cause),
    /// A pod that the API server has no more.
    PodGone(Uid, Cause),
    /// The first list of pods is complete: what the runtime has beside it is nobody's.
    Listed,
    /// The kubelet is heard again, and hears: these are the pods of its node now, all of them.
    Relisted(Vec<Arc<Pod>>),
    /// The kubelet's own node, as it is now.
    NodeSet(Arc<Node>),
    /// The clock of the node was put forward or back.
    ClockSet,
    /// The machine is to shut down.
    ShutDown,
    Timer(Token),
    Answer(RequestId, Response),
    /// Something outside has changed containers of the pod: a fault killed a process.
    Disturbed(Uid),
    /// The load that comes to the pod is shared by more or fewer pods than before: the runtime knows.
    LoadChanged(Uid),
    /// The disk has filled up, has room again, or is slower or faster than before: the runtime knows.
    DiskChanged,
    /// How fast pulls from registries with a limit may go from now on.
    Allowed(Allowance),
    /// Registries fail, or work again: the runtime knows.
    RegistriesChanged,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// A request to the API server; it leaves at `at`, when the client's own rate limit lets it.
    Send {
        id: RequestId,
        at: Time,
        request: Request,
        cause: Cause,
    },
    /// `Input::Timer` is wanted then. Timers are never cancelled: one that is no longer needed is ignored.
    WakeAt(Time, Token),
    Note(Note),
    /// Nothing holds up the shutdown of the machine any longer.
    PowerOff,
    /// How much the node would take from registries with a limit has changed.
    Demand(Demand),
}

/// Tells the answers to a kubelet's requests apart, also from those to its predecessor on the node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RequestId {
    pub(crate) run: u16,
    /// Zero where nobody waits for the answer.
    pub(crate) number: u32,
}

impl RequestId {
    /// Whether the kubelet wants to hear the answer. Events are sent, and that is that.
    pub fn is_awaited(self) -> bool {
        self.number != 0
    }
}

/// What a timer is for. To the driver, a token is to be given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    /// Of the kubelet's process on its node: timers of a dead one mean nothing to the next.
    pub(crate) run: u16,
    /// A timer that was set again since is stale.
    pub(crate) generation: u32,
    pub(crate) timer: Timer,
}

impl Token {
    /// Its place among the timers of its kubelet that come at the same moment, whenever they were set: what the kubelet
    /// does comes first, then its probes look, pod by pod. So a probe that looks at every period finds what one finds that
    /// was set long ago. Repeats beyond 2¹¹ pods.
    pub fn rank(self) -> u32 {
        match self.timer {
            Timer::Probe(_, rank) => rank,
            Timer::Worker(_)
            | Timer::StatusSync
            | Timer::NodeStatus
            | Timer::Housekeeping
            | Timer::Tick(_)
            | Timer::Shutdown
            | Timer::Eviction
            | Timer::OutOfMemory
            | Timer::Processor
            | Timer::Pulls
            | Timer::ImageList
            | Timer::ImageCollection
            | Timer::Resizes => 0,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Timer {
    /// The next step of a pod's worker.
    Worker(Handle<Worker>),
    /// A probe, and the rank of its looks.
    Probe(RoundIdx, u32),
    StatusSync,
    NodeStatus,
    Housekeeping,
    Tick(Tick),
    Shutdown,
    /// A look of the eviction manager.
    Eviction,
    /// The kernel has no memory left.
    OutOfMemory,
    /// What containers want of the processor changes.
    Processor,
    /// A pull is over.
    Pulls,
    /// The list of images in the node's status is out of date.
    ImageList,
    ImageCollection,
    /// Resizes that wait for room are tried again.
    Resizes,
}

impl Timer {
    /// A look of a probe, which has this position among those of its pod.
    pub(crate) fn probe(round: RoundIdx, pod: Handle<Worker>, probe: usize) -> Self {
        let pod = pod.position() % PODS_RANKED;
        let rank = 1 + (pod << u8::BITS | probe);
        Self::Probe(round, u32::try_from(rank).expect("a pod has fewer than 86 containers"))
    }
}

/// Something that happened on the node, for the story of the run.
#[derive(Clone, Debug, PartialEq)]
pub struct Note {
    pub pod: Uid,
    pub namespace: Name,
    pub name: Name,
    /// Empty where it is about the pod as a whole.
    pub container: Name,
    pub what: What,
    pub cause: Cause,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// The node cannot run it; the reason in one word.
    Rejected {
        reason: Name,
    },
    SandboxCreated {
        ip: Name,
    },
    PullStarted {
        image: Name,
    },
    Pulled {
        image: Name,
        bytes: i64,
        took: Span,
    },
    PullFailed {
        image: Name,
        why: Name,
    },
    /// `restarts` is 0 for the first start.
    Started {
        restarts: u32,
    },
    /// Noticed now; it happened at `at`.
    Exited {
        at: Time,
        code: i32,
        reason: &'static str,
    },
    /// It runs with other resources from now on; they are told in words.
    Resized {
        resources: Name,
    },
    /// Its containers are being stopped, and have so long.
    Stopping {
        grace: Span,
    },
    /// A container must wait before it is started again.
    BackingOff {
        delay: Span,
    },
    ProbeFailed {
        probe: &'static str,
    },
    /// All containers have stopped for good.
    Stopped,
}
