//! What is said of an eviction.
//!
//! Upstream: `pkg/kubelet/eviction/helpers.go`, `evictionMessage`, `getThresholdMetInfo`.

use std::fmt::Write as _;

use api::{Container, Labels, Pod, Quantity, QuantityFormat};
use base::Name;

use super::observation::{ContainerStats, Observations, PodStats};
use super::signal::{Signal, Starved};
use super::threshold::Threshold;

/// Why a pod is evicted, and what upstream notes on the event beside it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Explanation {
    pub(crate) message: Name,
    pub(crate) annotations: Labels,
}

/// The node lacks something, as the first of `thresholds` that is about it shows.
pub(crate) fn explain(
    starved: Starved,
    pod: &Pod,
    stats: Option<&PodStats>,
    thresholds: &[Threshold],
    observations: &Observations,
) -> Explanation {
    let mut message = format!("The node was low on resource: {}. ", starved.name());
    let met = thresholds.iter().find(|it| it.signal.starved() == starved);
    if let Some((met, observed)) = met.and_then(|it| Some((it, observations.of(it.signal)?))) {
        let available = Quantity::new(observed.available, format_of(met.signal));
        let quantity = met.quantity(observed.capacity);
        add(&mut message, format_args!("Threshold quantity: {quantity}, available: {available}. "));
    }
    let Some(stats) = stats else {
        return Explanation { message: Name::from(message), annotations: Labels::EMPTY };
    };
    let mut annotations = Labels::EMPTY;
    explain_pod(starved, pod, stats, &mut message, &mut annotations);
    explain_containers(starved, pod, stats, &mut message, &mut annotations);
    annotations.insert(Name::from_static("starved_resource"), Name::from_static(starved.name()));
    Explanation { message: Name::from(message), annotations }
}

/// Only memory that is asked for by the pod as a whole is told of.
fn explain_pod(starved: Starved, pod: &Pod, stats: &PodStats, message: &mut String, notes: &mut Labels) {
    let stated = pod.spec.resources.as_ref().and_then(|it| it.requests.get(starved.name()));
    let (Starved::Memory, Some(request)) = (starved, stated) else { return };
    let (name, used) = (&pod.meta.name, bytes(stats.memory()));
    add(message, format_args!("Pod {name} {}", comparison(used, *request, starved)));
    notes.insert(Name::from_static("offending_pod"), name.clone());
    notes.insert(Name::from_static("offending_pod_usage"), Name::from(used.to_string()));
}

fn explain_containers(
    starved: Starved,
    pod: &Pod,
    stats: &PodStats,
    message: &mut String,
    notes: &mut Labels,
) {
    let (mut names, mut usages) = (Vec::new(), Vec::new());
    for it in &stats.containers {
        let Some(used) = used(starved, it) else { break };
        let request = request(pod, &it.name, starved);
        if request < used {
            add(message, format_args!("Container {} {}", it.name, comparison(used, request, starved)));
            names.push(it.name.to_string());
            usages.push(used.to_string());
        }
    }
    notes.insert(Name::from_static("offending_containers"), Name::from(names.join(",")));
    notes.insert(Name::from_static("offending_containers_usage"), Name::from(usages.join(",")));
}

fn comparison(used: Quantity, request: Quantity, starved: Starved) -> String {
    format!("was using {used}, request is {request}, has larger consumption of {}. ", starved.name())
}

/// `None` for what upstream does not tell of.
fn used(starved: Starved, it: &ContainerStats) -> Option<Quantity> {
    match starved {
        Starved::Memory => Some(bytes(it.memory)),
        Starved::Storage => Some(bytes(it.own_disk)),
        Starved::Inodes | Starved::Pids => None,
    }
}

fn request(pod: &Pod, container: &Name, starved: Starved) -> Quantity {
    let stated = |it: &Container| it.resources.requests.get(starved.name()).copied();
    let found = pod.spec.all_containers().find(|it| it.name == *container);
    found.and_then(stated).unwrap_or(Quantity::ZERO)
}

fn bytes(amount: i64) -> Quantity {
    Quantity::new(amount, QuantityFormat::BinarySi)
}

const fn format_of(signal: Signal) -> QuantityFormat {
    match signal.starved() {
        Starved::Memory | Starved::Storage => QuantityFormat::BinarySi,
        Starved::Inodes | Starved::Pids => QuantityFormat::DecimalSi,
    }
}

fn add(message: &mut String, text: std::fmt::Arguments<'_>) {
    message.write_fmt(text).expect("a text takes any text");
}
