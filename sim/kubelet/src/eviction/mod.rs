//! What happens when a node runs short of memory, disk or processes: conditions, evictions, and the kernel's own kills.
//!
//! A node on which nobody states what anything uses, and whose disk no fault fills, has none of this, and spends
//! nothing on it.
//!
//! Upstream: `pkg/kubelet/eviction`, `pkg/kubelet/qos`, `pkg/kubelet/oom`.

mod admission;
mod forecast;
mod local_storage;
mod manager;
mod message;
mod observation;
mod out_of_memory;
mod rank;
mod signal;
mod state;
mod threshold;

use api::{Resources, Uid};
use base::{Luck, Slab, Span, Time};

pub(crate) use self::admission::refusal;
use self::manager::{Manager, PERIOD};
pub(crate) use self::signal::{Pressure, Pressures};
pub(crate) use self::threshold::hard_thresholds;
use crate::core::Turn;
use crate::input::{Effect, Note, Start, Timer, What};
use crate::node::Registrar;
use crate::pod::Worker;

type Pods = Slab<Worker>;

/// Watches over what a node has left: the kubelet's eviction manager, and the kernel behind it.
#[derive(Clone, Debug)]
pub(crate) struct Watch {
    /// `None` while nothing is used on the node that anybody states, and its disk has not been full.
    manager: Option<Box<Manager>>,
    /// When the kernel runs out of memory, as far as is foreseen.
    out_of_memory: Time,
    generation: u32,
}

impl Default for Watch {
    fn default() -> Self {
        Self { manager: None, out_of_memory: Time::MAX, generation: 0 }
    }
}

impl Watch {
    /// All pods that were there before this kubelet are known to it.
    pub(crate) fn listed(&mut self, pods: &Pods, turn: &mut Turn<'_>) {
        let states_usage = |(uid, _)| turn.runtime.states_usage(uid);
        if turn.runtime.disk().is_full || turn.runtime.pods().any(states_usage) {
            self.foresee(pods, turn);
        }
    }

    /// The eviction manager's timer has come.
    pub(crate) fn wake(
        &mut self,
        generation: u32,
        pods: &mut Pods,
        registrar: &mut Registrar,
        turn: &mut Turn<'_>,
    ) {
        if let Some(manager) = &mut self.manager {
            manager.wake(generation, pods, registrar, turn);
        }
    }

    /// The kernel has run out of memory, unless something has changed since that was foreseen. Returns the pods that
    /// have lost a container.
    pub(crate) fn wake_kernel(
        &mut self,
        generation: u32,
        pods: &Pods,
        registrar: &mut Registrar,
        turn: &mut Turn<'_>,
    ) -> Vec<Uid> {
        let Some(manager) = self.manager.as_ref().filter(|_| generation == self.generation) else {
            return Vec::new();
        };
        let bereft = out_of_memory::relieve(manager.capacity(), pods, registrar, turn);
        self.foresee(pods, turn);
        bereft
    }

    /// Takes in what the kubelet did in this turn: the effects from `since` on.
    pub(crate) fn follow_up(&mut self, since: usize, pods: &mut Pods, turn: &mut Turn<'_>) {
        if let Some(manager) = &mut self.manager {
            manager.go_on_killing(pods, turn);
        }
        let is_watched = self.manager.is_some();
        let concerns = |it: &Effect| {
            let Effect::Note(note) = it else { return false };
            is_watched || uses_something(note, turn)
        };
        if turn.effects[since..].iter().any(concerns) {
            self.foresee(pods, turn);
        }
    }

    /// What containers use has changed from outside.
    pub(crate) fn reconsider(&mut self, pods: &Pods, turn: &mut Turn<'_>) {
        if self.manager.is_some() {
            self.foresee(pods, turn);
        }
    }

    /// The disk has filled up, or has room again.
    pub(crate) fn disk_changed(&mut self, pods: &Pods, turn: &mut Turn<'_>) {
        if turn.runtime.disk().is_full || self.manager.is_some() {
            self.foresee(pods, turn);
        }
    }

    /// Works out anew when something will run short.
    fn foresee(&mut self, pods: &Pods, turn: &mut Turn<'_>) {
        let manager =
            self.manager.get_or_insert_with(|| Box::new(Manager::new(&turn.core.setup, first_look(turn))));
        manager.foresee(pods, turn);
        let at = forecast::next_out_of_memory(turn.now, manager.capacity(), turn.runtime);
        let at = at.unwrap_or(Time::MAX);
        if std::mem::replace(&mut self.out_of_memory, at) == at {
            return;
        }
        self.generation = self.generation.wrapping_add(1);
        if at != Time::MAX {
            turn.wake_at(at, Timer::OutOfMemory, self.generation);
        }
    }
}

/// When the manager looks first: as soon as its kubelet looks after pods. One that has been running is somewhere
/// between two looks.
fn first_look(turn: &Turn<'_>) -> Time {
    let core = &turn.core;
    match core.start {
        Start::Settled => {
            let luck = core.luck.narrow("eviction.look");
            let offset: Span = PERIOD.scale(luck.unit(Luck::of_text(&core.setup.name), u64::from(core.run)));
            core.started.before(offset)
        }
        Start::Booted | Start::Restarted => core.relist.first,
    }
}

/// Whether the node can run short of something because of what was noted.
fn uses_something(note: &Note, turn: &Turn<'_>) -> bool {
    if matches!(note.what, What::Pulled { .. }) {
        let disk = Resources::from_list(&turn.core.setup.capacity).ephemeral_bytes;
        return disk / 2 < turn.runtime.images_bytes(turn.now);
    }
    matches!(note.what, What::Started { .. }) && turn.runtime.states_usage(note.pod)
}
