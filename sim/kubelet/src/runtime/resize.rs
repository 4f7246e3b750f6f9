//! Containers that get other resources while they run, and what a kubelet notes of that on its disk.

use std::sync::Arc;

use api::{ContainerStatus, Pod, PodSpec, ResourceRequirements, Uid};
use base::Time;

use super::Runtime;
use super::sandbox::Cell;
use super::start::memory_limit;

impl Runtime {
    /// What a kubelet has set aside for the containers of a pod; the rest of the spec means nothing.
    /// Upstream: `allocated_pods_state`.
    pub(crate) fn allocated(&self, uid: Uid) -> Option<&Arc<PodSpec>> {
        self.pods.get(&uid).map(|it| &it.allocated)
    }

    pub(crate) fn allocate(&mut self, uid: Uid, spec: &Arc<PodSpec>) {
        if let Some(sandbox) = self.pods.get_mut(&uid) {
            sandbox.allocated = Arc::clone(spec);
            sandbox.claim = sandbox.claim.with(spec);
            self.touch();
        }
    }

    /// Changes the limits of a container that runs. Upstream: `UpdateContainerResources`.
    pub(crate) fn resize(
        &mut self,
        now: Time,
        uid: Uid,
        container: usize,
        resources: Arc<ResourceRequirements>,
    ) {
        let cores = self.site.cores(&resources);
        let cell = self.pods.get_mut(&uid).and_then(|it| it.cells.get_mut(container));
        if let Some(instance) = cell.and_then(Cell::current_mut).filter(|it| it.is_running(now)) {
            let memory = memory_limit(&resources);
            instance.resources = resources;
            instance.set_limits(now, memory, cores);
            self.touch();
        }
    }
}

/// What was set aside for a pod from before the simulation, as its status says.
pub(super) fn allocated_before(pod: &Pod) -> Arc<PodSpec> {
    let asked = |idx: usize| pod.spec.resources_of(idx);
    let known = |idx: usize, name: &str| allocated_of(status_of(pod, name)?, asked(idx));
    let mut containers = pod.spec.all_containers().enumerate();
    if containers.all(|(idx, it)| known(idx, &it.name).is_none_or(|had| had == **asked(idx))) {
        return Arc::clone(&pod.spec);
    }
    let mut spec = Arc::clone(&pod.spec);
    PodSpec::edit(&mut spec, |own| {
        let containers = own.init_containers.iter_mut().chain(&mut own.containers);
        for (idx, it) in containers.enumerate() {
            it.resources = known(idx, &it.name).unwrap_or_else(|| it.resources.clone());
        }
    });
    spec
}

fn status_of<'a>(pod: &'a Pod, name: &str) -> Option<&'a ContainerStatus> {
    let status = &pod.status;
    status.init_container_statuses.iter().chain(&status.container_statuses).find(|it| it.name == name)
}

/// `None` where the status does not tell.
fn allocated_of(status: &ContainerStatus, asked: &ResourceRequirements) -> Option<ResourceRequirements> {
    let had = status.resources.as_ref()?;
    let requests = &status.allocated_resources;
    let requests = if requests.is_empty() { &had.requests } else { requests };
    Some(ResourceRequirements { limits: had.limits.clone(), requests: requests.clone(), ..asked.clone() })
}
