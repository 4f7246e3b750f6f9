//! What the containers of a node use, at any moment.

use api::Uid;
use base::Time;
use workload::{Resource, Total};

use super::{Runtime, Sandbox};

impl Runtime {
    /// What all containers of the node use at `at`: cores, bytes, files or processes.
    pub fn usage(&self, resource: Resource, at: Time) -> f64 {
        if resource == Resource::Cpu {
            return self.processor_usage(at).into_iter().map(|it| it.1).sum();
        }
        let instances = self.pods.values().flat_map(Sandbox::instances);
        instances.map(|it| it.usage(resource, at)).sum()
    }

    /// What the containers of one pod use at `at`.
    pub fn usage_of(&self, uid: Uid, resource: Resource, at: Time) -> f64 {
        if resource == Resource::Cpu {
            let of_pod = self.processor_usage(at).into_iter().filter(|it| it.0 == uid);
            return of_pod.map(|it| it.1).sum();
        }
        let instances = self.pods.get(&uid).into_iter().flat_map(Sandbox::instances);
        instances.map(|it| it.usage(resource, at)).sum()
    }

    /// What all containers of the node use, as far as their lives are decided now: to be asked when it will reach a
    /// level. `constant` is what the node itself uses.
    pub fn total_usage(&self, resource: Resource, constant: f64) -> Total<'_> {
        total(constant, resource, self.pods.values())
    }

    /// The same for the containers of one pod.
    pub fn total_usage_of(&self, uid: Uid, resource: Resource) -> Total<'_> {
        total(0.0, resource, self.pods.get(&uid))
    }
}

fn total<'a>(constant: f64, resource: Resource, pods: impl IntoIterator<Item = &'a Sandbox>) -> Total<'a> {
    let mut total = Total::new(constant);
    for instance in pods.into_iter().flat_map(Sandbox::instances) {
        let until = instance.end.map_or(Time::MAX, |it| it.at);
        total.add(instance.started, until, instance.usage.of(resource));
        let served = instance.app.as_ref().and_then(|it| it.served.as_ref());
        if let Some(served) = served.filter(|_| resource == Resource::Memory) {
            served.add_memory(instance.started, until, &mut total);
        }
    }
    total
}
