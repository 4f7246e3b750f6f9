//! Whether a pod may run here at all.
//!
//! Upstream: `pkg/kubelet/lifecycle/predicate.go`, `pkg/scheduler/framework/plugins/noderesources/fit.go`.

use api::{Pod, Resources};
use base::Name;

/// Why a node cannot run a pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rejection {
    /// `OutOfcpu`.
    pub(crate) reason: Name,
    pub(crate) message: Name,
}

impl Rejection {
    /// Upstream: `pkg/kubelet/nodeshutdown/nodeshutdown_manager_linux.go`, `Admit`.
    pub(crate) fn shutdown() -> Self {
        Self {
            reason: Name::from_static("NodeShutdown"),
            message: Name::from_static("Pod was rejected as the node is shutting down."),
        }
    }
}

/// What is there, and what admitted pods ask for.
#[derive(Clone, Debug)]
pub(crate) struct Room {
    allocatable: Resources,
    used: Resources,
}

impl Room {
    pub(crate) fn new(allocatable: Resources) -> Self {
        Self { allocatable, used: Resources::default() }
    }

    /// Makes room for `pod`, if there is enough of everything. The first thing that lacks is the reason.
    pub(crate) fn admit(&mut self, pod: &Pod) -> Result<(), Rejection> {
        let wanted = pod.requests();
        let (used, all) = (&self.used, &self.allocatable);
        check("pods", 1, used.pods, all.pods)?;
        check("cpu", wanted.cpu_milli, used.cpu_milli, all.cpu_milli)?;
        check("memory", wanted.memory_bytes, used.memory_bytes, all.memory_bytes)?;
        check("ephemeral-storage", wanted.ephemeral_bytes, used.ephemeral_bytes, all.ephemeral_bytes)?;
        for (name, amount) in &wanted.scalar {
            // Devices that the node has never heard of are the scheduler's matter.
            if let Some(capacity) = all.scalar(name) {
                check(name, *amount, used.scalar(name).unwrap_or(0), capacity)?;
            }
        }
        self.used += wanted;
        self.used.pods += 1;
        Ok(())
    }

    /// Takes back the room of a pod that was admitted.
    pub(crate) fn release(&mut self, pod: &Pod) {
        self.used -= pod.requests();
        self.used.pods -= 1;
    }
}

fn check(resource: &str, requested: i64, used: i64, capacity: i64) -> Result<(), Rejection> {
    if requested <= 0 || requested <= capacity - used {
        return Ok(());
    }
    Err(Rejection {
        reason: Name::from(format_args!("OutOf{resource}")),
        message: Name::from(format_args!(
            "Node didn't have enough resource: {resource}, requested: {requested}, used: {used}, capacity: {capacity}"
        )),
    })
}

#[cfg(test)]
mod tests {
    use api::{Container, PodSpec, Quantity, QuantityFormat};

    use super::*;

    fn pod(cpu_milli: i64) -> Pod {
        let mut container = Container::default();
        container.resources.requests.insert(api::CPU, Quantity::milli(cpu_milli, QuantityFormat::DecimalSi));
        Pod { spec: PodSpec { containers: vec![container], ..PodSpec::default() }.into(), ..Pod::default() }
    }

    #[test]
    fn what_does_not_fit_is_rejected_in_upstreams_words() {
        let mut room = Room::new(Resources { cpu_milli: 4_000, pods: 2, ..Resources::default() });
        assert_eq!(room.admit(&pod(3_500)), Ok(()));
        let rejection = room.admit(&pod(1_000)).unwrap_err();
        assert_eq!(rejection.reason, "OutOfcpu");
        assert_eq!(
            rejection.message,
            "Node didn't have enough resource: cpu, requested: 1000, used: 3500, capacity: 4000"
        );
        assert_eq!(room.admit(&pod(0)), Ok(()));
        assert_eq!(room.admit(&pod(0)).unwrap_err().reason, "OutOfpods");
        room.release(&pod(3_500));
        assert_eq!(room.admit(&pod(4_000)), Ok(()));
    }
}
