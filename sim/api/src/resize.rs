//! What a pod holds of its node while its containers are being resized in place.
//!
//! Upstream: `PodRequests` with `UseStatusResources` in `staging/src/k8s.io/component-helpers/resource/helpers.go`.

use std::borrow::Cow;

use crate::container::{Container, ContainerStatus};
use crate::pod::{Pod, condition};
use crate::resources::{self, ResourceList, Resources, request_list_with};

impl Pod {
    /// What it holds of its node: what its spec asks for, or what its containers have still where that is more.
    ///
    /// Unless it is being resized these are the requests of its spec, which it shares with others.
    pub fn requests_in_use(&self) -> Cow<'_, Resources> {
        if self.spec.all_containers().all(|it| matches!(self.in_use(it), Cow::Borrowed(_))) {
            return Cow::Borrowed(self.requests());
        }
        Cow::Owned(Resources::from_list(&request_list_with(&self.spec, |it| self.in_use(it))))
    }

    /// The same in the quantities that are stated, where each container that states no request of a resource of
    /// `missing` asks for that much of it. Upstream: `PodResourcesOptions.NonMissingContainerRequests`.
    pub fn request_list_in_use(&self, missing: &ResourceList) -> ResourceList {
        request_list_with(&self.spec, |it| resources::with_missing(self.in_use(it), missing))
    }

    /// Has the statuses of containers that have been started say what they run with, where the kubelet that wrote them was too
    /// old to.
    pub fn fill_in_resources(&mut self) {
        let status = &mut self.status;
        for it in status.init_container_statuses.iter_mut().chain(&mut status.container_statuses) {
            let was_started = it.state.running.is_some() || it.state.terminated.is_some();
            let found = self.spec.all_containers().position(|container| container.name == it.name);
            if let Some(idx) = found.filter(|_| was_started && it.resources.is_none()) {
                let resources = self.spec.resources_of(idx);
                it.allocated_resources = resources.requests.clone();
                it.resources = Some(resources.clone());
            }
        }
    }

    /// Whether the node cannot do what the spec asks for now. Upstream: `IsPodResizeInfeasible`.
    pub fn is_resize_infeasible(&self) -> bool {
        self.status.condition(&condition::POD_RESIZE_PENDING).is_some_and(|it| it.reason == "Infeasible")
    }

    /// Borrowed if it is what the spec asks for. Upstream: `determineContainerReqs`.
    fn in_use<'a>(&'a self, container: &'a Container) -> Cow<'a, ResourceList> {
        let asked = &container.resources.requests;
        let Some(status) = self.status_of(container) else { return Cow::Borrowed(asked) };
        let Some(has) = status.resources.as_ref().map(|it| &it.requests) else { return Cow::Borrowed(asked) };
        let set_aside = &status.allocated_resources;
        let is_infeasible = self.is_resize_infeasible();
        if !is_infeasible && covers(asked, has) && covers(asked, set_aside) {
            return Cow::Borrowed(asked);
        }
        let mut most = if is_infeasible { ResourceList::default() } else { asked.clone() };
        most.raise_to(has);
        most.raise_to(set_aside);
        Cow::Owned(most)
    }

    /// The status of a container that can be resized: a main one or a sidecar.
    fn status_of(&self, container: &Container) -> Option<&ContainerStatus> {
        let is_of = |it: &&ContainerStatus| it.name == container.name;
        let sidecars = if container.is_sidecar() { &*self.status.init_container_statuses } else { &[] };
        self.status.container_statuses.iter().chain(sidecars).find(is_of)
    }
}

fn covers(list: &ResourceList, other: &ResourceList) -> bool {
    list == other // They mostly share it.
        || other.iter().all(|(name, quantity)| list.get(name).is_some_and(|own| quantity <= own))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// A pod with a main container, a sidecar and an init container, each of which asks for 100m.
    fn pod(statuses: &Value, init_statuses: &Value, reason: &str) -> Pod {
        let container = |name: &str| json!({"name": name, "resources": {"requests": {"cpu": "100m"}}});
        let mut sidecar = container("side");
        sidecar["restartPolicy"] = json!("Always");
        let pod = json!({
            "metadata": {"name": "web"},
            "spec": {
                "containers": [container("main")],
                "initContainers": [sidecar, container("init")],
                "overhead": {"cpu": "1m"},
            },
            "status": {
                "containerStatuses": statuses,
                "initContainerStatuses": init_statuses,
                "conditions": [{"type": "PodResizePending", "status": "True", "reason": reason}],
            },
        });
        serde_json::from_value(pod).expect("a pod")
    }

    fn status(name: &str, has: &str, set_aside: &str) -> Value {
        json!([{
            "name": name,
            "resources": {"requests": {"cpu": has}},
            "allocatedResources": {"cpu": set_aside},
        }])
    }

    #[test]
    fn the_most_of_what_is_asked_had_and_set_aside_counts() {
        let none = json!([]);
        let only_set_aside = json!([{"name": "main", "allocatedResources": {"cpu": "300m"}}]);
        let table = [
            (none.clone(), none.clone(), "", 201),
            (status("main", "100m", "100m"), none.clone(), "", 201),
            (status("main", "300m", "100m"), none.clone(), "", 401),
            (status("main", "50m", "400m"), none.clone(), "Deferred", 501),
            (status("main", "50m", "50m"), none.clone(), "Deferred", 201),
            // A resize that cannot be is not counted; the sidecar and the init container take 200m at the start.
            (status("main", "50m", "60m"), none.clone(), "Infeasible", 201),
            (status("main", "150m", "60m"), none.clone(), "Infeasible", 251),
            // Without `resources`, the status is of an old kubelet.
            (only_set_aside, none.clone(), "", 201),
            (none.clone(), status("side", "300m", "100m"), "", 401),
            // An init container that ends is not resized.
            (none.clone(), status("init", "300m", "300m"), "", 201),
            (status("other", "300m", "300m"), none, "", 201),
        ];
        for (statuses, init_statuses, reason, expected) in table {
            let pod = pod(&statuses, &init_statuses, reason);
            assert_eq!(pod.requests_in_use().cpu_milli, expected, "{statuses} {init_statuses} {reason}");
        }
    }

    #[test]
    fn what_an_old_kubelet_does_not_say_can_be_filled_in() {
        let started = json!([{"name": "main", "state": {"running": {}}}]);
        let mut pod = pod(&started, &json!([{"name": "side", "state": {"waiting": {}}}]), "");
        pod.fill_in_resources();
        let main = &pod.status.container_statuses[0];
        assert_eq!(main.resources.as_deref(), Some(&pod.spec.containers[0].resources));
        assert_eq!(main.allocated_resources, pod.spec.containers[0].resources.requests);
        assert_eq!(pod.status.init_container_statuses[0].resources, None, "it has not been started");
    }

    #[test]
    fn a_pod_that_has_what_it_asks_for_shares_its_requests() {
        let none = json!([]);
        for statuses in [none.clone(), status("main", "100m", "100m"), status("main", "50m", "10m")] {
            let pod = pod(&statuses, &none, "");
            assert!(matches!(pod.requests_in_use(), Cow::Borrowed(it) if std::ptr::eq(it, pod.requests())));
        }
    }

    #[test]
    fn what_a_container_does_not_ask_for_can_be_filled_in() {
        let missing = |cpu: &str, memory: &str| {
            serde_json::from_value::<ResourceList>(json!({"cpu": cpu, "memory": memory})).expect("a list")
        };
        let pod = pod(&status("main", "300m", "100m"), &json!([]), "");
        let filled = Resources::from_list(&pod.request_list_in_use(&missing("7", "5")));
        // Of the memory the main container and the sidecar ask for five each, and so do the sidecar and the init container.
        assert_eq!((filled.cpu_milli, filled.memory_bytes), (401, 10));
    }

    #[test]
    fn a_resource_that_is_no_longer_asked_for_counts_while_it_is_had() {
        let statuses = json!([{"name": "main", "resources": {"requests": {"example.com/gpu": "2"}}}]);
        assert_eq!(pod(&statuses, &json!([]), "").requests_in_use().scalar("example.com/gpu"), Some(2));
    }
}
