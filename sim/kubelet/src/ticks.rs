//! What is periodic and changes nothing, as events of their own: only where a run is simulated one by one. Elsewhere it is
//! computed, and a run of this kind shows that both come to the same. Probes are their workers' own.
//!
//! Upstream: `pkg/kubelet/kubelet.go`, `Run`; `component-helpers/apimachinery/lease/controller.go`.

use base::Time;

use crate::core::Turn;
use crate::input::Timer;
use crate::node::Registrar;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tick {
    /// The kubelet looks whether its node's status is as it should be.
    NodeStatus,
    /// It renews its lease.
    Lease,
}

/// The kubelet has started.
pub(crate) fn begin(turn: &mut Turn<'_>) {
    if turn.core.one_by_one {
        arm(Tick::NodeStatus, next_look(turn), turn);
    }
}

pub(crate) fn arm(tick: Tick, at: Time, turn: &mut Turn<'_>) {
    turn.wake_at(at, Timer::Tick(tick), 0);
}

/// Does what is due, and waits for the next time.
pub(crate) fn tick(tick: Tick, registrar: &mut Registrar, turn: &mut Turn<'_>) {
    match tick {
        Tick::NodeStatus => {
            registrar.look(turn);
            arm(tick, next_look(turn), turn);
        }
        Tick::Lease => {
            if let Some(next) = registrar.renew(turn.now) {
                arm(tick, next, turn);
            }
        }
    }
}

fn next_look(turn: &Turn<'_>) -> Time {
    turn.core.node_status.after(turn.now)
}
