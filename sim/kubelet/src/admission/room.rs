//! What is there on a node, and what admitted pods take of it.
//!
//! Upstream: `pkg/scheduler/framework/plugins/noderesources/fit.go`, `Fits`.

use api::{Pod, Resources};
use base::Name;

use super::Rejection;
use super::ports::Ports;

/// What is there, and what admitted pods ask for.
#[derive(Clone, Debug)]
pub(crate) struct Room {
    allocatable: Resources,
    used: Resources,
    ports: Ports,
}

/// A resource of which there is too little. Upstream: `InsufficientResourceError`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Shortage {
    pub(crate) resource: Name,
    requested: i64,
    used: i64,
    capacity: i64,
}

impl Room {
    pub(crate) fn new(allocatable: Resources) -> Self {
        Self { allocatable, used: Resources::default(), ports: Ports::default() }
    }

    pub(crate) fn allocatable(&self) -> &Resources {
        &self.allocatable
    }

    /// Makes room for `pod`, which takes so much.
    pub(crate) fn take(&mut self, pod: &Pod, held: &Resources) {
        self.used += held;
        self.used.pods += 1;
        self.ports.take(pod);
    }

    /// Takes back the room of a pod that was admitted, and took so much.
    pub(crate) fn release(&mut self, pod: &Pod, held: &Resources) {
        self.used -= held;
        self.used.pods -= 1;
        self.ports.release(pod);
    }

    /// Everything that `pod` asks for and that is not there, in upstream's order.
    pub(crate) fn shortages(&self, pod: &Pod) -> Vec<Shortage> {
        let wanted = pod.requests();
        let (used, all) = (&self.used, &self.allocatable);
        let plain = [
            ("pods", 1, used.pods, all.pods),
            ("cpu", wanted.cpu_milli, used.cpu_milli, all.cpu_milli),
            ("memory", wanted.memory_bytes, used.memory_bytes, all.memory_bytes),
            ("ephemeral-storage", wanted.ephemeral_bytes, used.ephemeral_bytes, all.ephemeral_bytes),
        ];
        let plain = plain.into_iter().filter_map(|(name, requested, used, capacity)| {
            Shortage::of(&Name::from_static(name), requested, used, capacity)
        });
        // Devices that the node has never heard of are the scheduler's matter.
        let scalar = wanted.scalar.iter().filter_map(|(name, amount)| {
            Shortage::of(name, *amount, used.scalar(name).unwrap_or(0), all.scalar(name)?)
        });
        plain.chain(scalar).collect()
    }

    pub(crate) fn has_ports(&self, pod: &Pod) -> bool {
        self.ports.are_free_for(pod)
    }
}

impl Shortage {
    fn of(resource: &Name, requested: i64, used: i64, capacity: i64) -> Option<Self> {
        let fits = requested <= 0 || requested <= capacity - used;
        (!fits).then(|| Self { resource: resource.clone(), requested, used, capacity })
    }

    /// How much of it must come free.
    pub(crate) fn amount(&self) -> i64 {
        self.requested - (self.capacity - self.used)
    }

    pub(crate) fn rejection(&self) -> Rejection {
        let Self { resource, requested, used, capacity } = self;
        Rejection {
            reason: Name::from(format_args!("OutOf{resource}")),
            message: Name::from(format_args!(
                "Node didn't have enough resource: {resource}, requested: {requested}, used: {used}, capacity: {capacity}"
            )),
        }
    }
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

    fn take(room: &mut Room, pod: &Pod) {
        room.take(pod, pod.requests());
    }

    #[test]
    fn what_is_taken_is_not_there_for_others() {
        let mut room = Room::new(Resources { cpu_milli: 4_000, pods: 2, ..Resources::default() });
        let lacks = |room: &Room, cpu_milli| -> Vec<(String, i64)> {
            let shortages = room.shortages(&pod(cpu_milli));
            shortages.iter().map(|it| (it.resource.to_string(), it.amount())).collect()
        };
        take(&mut room, &pod(3_500));
        assert_eq!(lacks(&room, 1_000), [("cpu".to_owned(), 500)]);
        take(&mut room, &pod(0));
        assert_eq!(lacks(&room, 0), [("pods".to_owned(), 1)]);
        assert_eq!(lacks(&room, 501).len(), 2);
        room.release(&pod(3_500), pod(3_500).requests());
        assert_eq!(lacks(&room, 4_000), []);
    }
}
