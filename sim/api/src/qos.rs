//! The quality of service of a pod, as its spec has it.
//!
//! Upstream: `pkg/apis/core/v1/helper/qos/qos.go`, `ComputePodQOS`.

use base::Name;

use crate::pod::PodSpec;
use crate::quantity::Quantity;
use crate::resources::{ResourceList, ResourceRequirements};

/// `Guaranteed` if every container limits cpu and memory and asks for as much, `BestEffort` if none says anything
/// of either, else `Burstable`. What the pod states as a whole counts instead of its containers.
pub fn qos_class(spec: &PodSpec) -> Name {
    let stated: Vec<&ResourceRequirements> = match &spec.resources {
        Some(pod) => vec![pod],
        None => spec.containers.iter().chain(&spec.init_containers).map(|it| &it.resources).collect(),
    };
    let is_silent = |it: &ResourceRequirements| {
        compute(&it.requests).next().is_none() && compute(&it.limits).next().is_none()
    };
    if stated.iter().all(|it| is_silent(it)) {
        return Name::from_static("BestEffort");
    }
    let is_limited = stated.iter().all(|it| compute(&it.limits).count() == 2);
    let sums = |list: fn(&ResourceRequirements) -> &ResourceList| {
        ["cpu", "memory"]
            .map(|name| stated.iter().filter_map(|it| list(it).get(name)).fold(Quantity::ZERO, |a, b| a + *b))
    };
    let requests = sums(|it| &it.requests);
    let limits = sums(|it| &it.limits);
    let asks_less = requests.iter().zip(&limits).any(|(request, limit)| request != limit);
    Name::from_static(if is_limited && !asks_less { "Guaranteed" } else { "Burstable" })
}

/// The amounts of cpu and memory in a list that are more than nothing.
fn compute(list: &ResourceList) -> impl Iterator<Item = &Quantity> {
    ["cpu", "memory"].into_iter().filter_map(|name| list.get(name)).filter(|it| 0 < it.sign())
}

#[cfg(test)]
mod tests {
    use crate::container::Container;

    use super::*;

    fn list(items: &[(&'static str, &str)]) -> ResourceList {
        items.iter().map(|(name, text)| (Name::from_static(name), text.parse().unwrap())).collect()
    }

    fn container(requests: &[(&'static str, &str)], limits: &[(&'static str, &str)]) -> Container {
        let resources = ResourceRequirements {
            requests: list(requests),
            limits: list(limits),
            ..ResourceRequirements::default()
        };
        Container { resources, ..Container::default() }
    }

    #[test]
    fn the_quality_of_service_follows_from_requests_and_limits() {
        let full = [("cpu", "1"), ("memory", "1Gi")];
        let cases: [(&str, Vec<Container>); 7] = [
            ("BestEffort", vec![container(&[], &[])]),
            ("BestEffort", vec![container(&[("cpu", "0")], &[("example.com/gpu", "1")])]),
            ("Guaranteed", vec![container(&full, &full)]),
            ("Guaranteed", vec![container(&full, &full), container(&full, &full)]),
            ("Burstable", vec![container(&full, &full), container(&[], &[])]),
            ("Burstable", vec![container(&[("cpu", "1")], &[("cpu", "1")])]),
            ("Burstable", vec![container(&[("cpu", "500m"), ("memory", "1Gi")], &full)]),
        ];
        for (expected, containers) in cases {
            let spec = PodSpec { containers, ..PodSpec::default() };
            assert_eq!(qos_class(&spec), expected, "{spec:?}");
        }
    }
}
