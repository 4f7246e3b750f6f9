//! Amounts of resources: as objects state them, and summed for decisions.
//!
//! Upstream: `staging/src/k8s.io/component-helpers/resource/helpers.go`, `pkg/scheduler/framework/types.go`.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::{AddAssign, Deref, DerefMut, SubAssign};
use std::sync::Arc;

use base::Name;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::container::Container;
use crate::pod::PodSpec;
use crate::pod_claim::ContainerResourceClaim;
use crate::quantity::Quantity;
use crate::wire::wire;

pub const CPU: Name = Name::from_static("cpu");
pub const MEMORY: Name = Name::from_static("memory");
pub const EPHEMERAL_STORAGE: Name = Name::from_static("ephemeral-storage");
pub const PODS: Name = Name::from_static("pods");

/// Quantities by resource name, as objects state them. A copy shares them until it is changed, so that the status of a
/// container can have those of its template.
#[derive(Clone, Debug, Default)]
pub struct ResourceList(Option<Arc<BTreeMap<Name, Quantity>>>);

static NO_QUANTITIES: BTreeMap<Name, Quantity> = BTreeMap::new();

wire! {
    pub struct ResourceRequirements {
        pub limits: ResourceList,
        pub requests: ResourceList,
        /// Of a container only.
        pub claims: Vec<ContainerResourceClaim>,
    }
}

/// Amounts summed for decisions. Upstream: `framework.Resource`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resources {
    /// In thousandths of a core.
    pub cpu_milli: i64,
    pub memory_bytes: i64,
    pub ephemeral_bytes: i64,
    /// What a node can hold; pods do not ask for it, but each counts as one.
    pub pods: i64,
    /// Extended resources and huge pages, by name; only those that were mentioned.
    pub scalar: Vec<(Name, i64)>,
}

impl Resources {
    /// Rounds up to whole units, cpu to thousandths. Upstream: `framework.Resource.Add`.
    pub fn from_list(list: &ResourceList) -> Self {
        let mut sum = Self::default();
        for (name, quantity) in list.iter() {
            match name.as_str() {
                "cpu" => sum.cpu_milli = quantity.milli_value(),
                "memory" => sum.memory_bytes = quantity.value(),
                "ephemeral-storage" => sum.ephemeral_bytes = quantity.value(),
                "pods" => sum.pods = quantity.value(),
                _ => sum.scalar.push((name.clone(), quantity.value())), // In the order of the list: by name.
            }
        }
        sum
    }

    pub fn scalar(&self, name: &str) -> Option<i64> {
        let idx = self.scalar.binary_search_by(|(it, _)| it.as_str().cmp(name)).ok()?;
        Some(self.scalar[idx].1)
    }

    fn combine(&mut self, other: &Self, with: impl Fn(&mut i64, i64)) {
        with(&mut self.cpu_milli, other.cpu_milli);
        with(&mut self.memory_bytes, other.memory_bytes);
        with(&mut self.ephemeral_bytes, other.ephemeral_bytes);
        with(&mut self.pods, other.pods);
        for (name, amount) in &other.scalar {
            let idx = match self.scalar.binary_search_by(|(it, _)| it.cmp(name)) {
                Ok(idx) => idx,
                Err(idx) => {
                    self.scalar.insert(idx, (name.clone(), 0));
                    idx
                }
            };
            with(&mut self.scalar[idx].1, *amount);
        }
    }
}

impl AddAssign<&Self> for Resources {
    fn add_assign(&mut self, other: &Self) {
        self.combine(other, |sum, it| *sum = sum.saturating_add(it));
    }
}

impl SubAssign<&Self> for Resources {
    fn sub_assign(&mut self, other: &Self) {
        self.combine(other, |sum, it| *sum = sum.saturating_sub(it));
    }
}

impl ResourceList {
    pub fn get(&self, name: &str) -> Option<&Quantity> {
        self.0.as_ref()?.get(name)
    }

    /// Zero where nothing is stated.
    pub fn amount(&self, name: &str) -> Quantity {
        self.get(name).copied().unwrap_or_default()
    }

    /// Adds what `other` has, resource by resource.
    pub fn add(&mut self, other: &Self) {
        for (name, quantity) in other.iter() {
            *self.entry(name.clone()).or_default() += *quantity;
        }
    }

    /// The greater amount of each resource.
    pub(crate) fn raise_to(&mut self, other: &Self) {
        for (name, quantity) in other.iter() {
            if self.get(name).is_none_or(|own| own < quantity) {
                self.insert(name.clone(), *quantity);
            }
        }
    }
}

impl Deref for ResourceList {
    type Target = BTreeMap<Name, Quantity>;

    fn deref(&self) -> &Self::Target {
        self.0.as_deref().unwrap_or(&NO_QUANTITIES)
    }
}

impl DerefMut for ResourceList {
    fn deref_mut(&mut self) -> &mut Self::Target {
        Arc::make_mut(self.0.get_or_insert_default())
    }
}

impl PartialEq for ResourceList {
    fn eq(&self, other: &Self) -> bool {
        let is_shared = self.0.as_ref().zip(other.0.as_ref()).is_some_and(|(a, b)| Arc::ptr_eq(a, b));
        is_shared || **self == **other
    }
}

impl Serialize for ResourceList {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (**self).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for ResourceList {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        BTreeMap::deserialize(deserializer).map(Self::from)
    }
}

impl From<BTreeMap<Name, Quantity>> for ResourceList {
    fn from(quantities: BTreeMap<Name, Quantity>) -> Self {
        Self((!quantities.is_empty()).then(|| Arc::new(quantities)))
    }
}

impl FromIterator<(Name, Quantity)> for ResourceList {
    fn from_iter<I: IntoIterator<Item = (Name, Quantity)>>(items: I) -> Self {
        Self::from(items.into_iter().collect::<BTreeMap<_, _>>())
    }
}

/// What `spec` asks a node for. Upstream: `resource.PodRequests`.
pub(crate) fn pod_requests(spec: &PodSpec) -> Resources {
    Resources::from_list(&pod_request_list(spec))
}

/// What `spec` asks a node for, in the quantities that it states. Upstream: `resource.PodRequests`.
pub fn pod_request_list(spec: &PodSpec) -> ResourceList {
    request_list_with(spec, requests)
}

/// The same, with `of` saying what each container counts with.
pub(crate) fn request_list_with<'a>(
    spec: &'a PodSpec,
    of: impl Fn(&'a Container) -> Cow<'a, ResourceList>,
) -> ResourceList {
    let mut sum = sum_of_containers(spec, of);
    set_pod_level(&mut sum, spec, |it| &it.requests);
    sum.add(&spec.overhead);
    sum
}

/// What the containers of `spec` ask for, and its overhead, without what is stated for the pod as a whole. Each
/// container that states no request of a resource of `missing` asks for that much of it.
/// Upstream: `resource.PodRequests` with `SkipPodLevelResources` and `NonMissingContainerRequests`.
pub fn container_request_list(spec: &PodSpec, missing: &ResourceList) -> ResourceList {
    let mut sum = sum_of_containers(spec, |it| with_missing(requests(it), missing));
    sum.add(&spec.overhead);
    sum
}

/// What `spec` may use at most, of the resources that every container limits or the pod as a whole does.
/// Upstream: `resource.PodLimits`.
pub fn pod_limits(spec: &PodSpec) -> ResourceList {
    let mut sum = container_limits(spec);
    set_pod_level(&mut sum, spec, |it| &it.limits);
    let limited = spec.overhead.iter().filter(|(name, _)| sum.contains_key(name.as_str()));
    let overhead: ResourceList = limited.map(|(name, quantity)| (name.clone(), *quantity)).collect();
    sum.add(&overhead); // It adds to a limit only where there is one.
    sum
}

/// What the containers of `spec` ask for, without what is stated for the pod as a whole.
/// Upstream: `resource.AggregateContainerRequests`.
pub(crate) fn container_requests(spec: &PodSpec) -> ResourceList {
    sum_of_containers(spec, requests)
}

/// The same of their limits. Upstream: `resource.AggregateContainerLimits`.
pub(crate) fn container_limits(spec: &PodSpec) -> ResourceList {
    sum_of_containers(spec, |it| Cow::Borrowed(&it.resources.limits))
}

fn requests(container: &Container) -> Cow<'_, ResourceList> {
    Cow::Borrowed(&container.resources.requests)
}

/// Upstream: `applyNonMissing`.
pub(crate) fn with_missing<'a>(list: Cow<'a, ResourceList>, missing: &ResourceList) -> Cow<'a, ResourceList> {
    let mut absent = missing.iter().filter(|(name, _)| !list.contains_key(name.as_str())).peekable();
    if absent.peek().is_none() {
        return list;
    }
    let absent: Vec<(Name, Quantity)> = absent.map(|(name, quantity)| (name.clone(), *quantity)).collect();
    let mut own = list.into_owned();
    own.extend(absent);
    Cow::Owned(own)
}

/// What is stated for the pod as a whole counts instead of its containers.
fn set_pod_level(sum: &mut ResourceList, spec: &PodSpec, list: fn(&ResourceRequirements) -> &ResourceList) {
    let Some(pod_level) = &spec.resources else { return };
    for (name, quantity) in list(pod_level).iter().filter(|(name, _)| is_pod_level(name)) {
        sum.insert(name.clone(), *quantity);
    }
}

fn sum_of_containers<'a>(
    spec: &'a PodSpec,
    of: impl Fn(&'a Container) -> Cow<'a, ResourceList>,
) -> ResourceList {
    let mut sum = ResourceList::default();
    spec.containers.iter().for_each(|it| sum.add(&of(it)));

    // Sidecars run beside the main containers, and beside the init containers that come after them.
    let (mut sidecars, mut starting) = (ResourceList::default(), ResourceList::default());
    for container in &spec.init_containers {
        let mut at_once = of(container).into_owned();
        if container.is_sidecar() {
            sum.add(&at_once);
            sidecars.add(&at_once);
            at_once = sidecars.clone();
        } else {
            at_once.add(&sidecars);
        }
        starting.raise_to(&at_once);
    }
    sum.raise_to(&starting);
    sum
}

/// Resources that may be stated for a pod as a whole. Upstream: `resource.IsSupportedPodLevelResource`.
pub(crate) fn is_pod_level(name: &str) -> bool {
    matches!(name, "cpu" | "memory") || name.starts_with("hugepages-")
}
