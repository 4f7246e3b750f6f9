//! Node pools: many nodes of one make.

use std::sync::Arc;

use api::{Labels, Object, Pod, Quantity, QuantityFormat, ResourceList, Taint, defaults, naming};
use base::Name;
use chaos::POOL_LABEL;
use kubelet::Catalog;
use manifest::Path;

use crate::document::Problems;
use crate::file::{self, NodePool};
use crate::images;

/// The label that says in which zone a node is.
pub(crate) const ZONE_LABEL: &str = "topology.kubernetes.io/zone";

/// As many nodes as any pool may have, and all pools together. Their pods' addresses must fit in 10.128.0.0/9.
pub(crate) const NODES_MAX: u32 = 30_000;

/// A pool as it is used: checked, with defaults filled in.
#[derive(Clone, Debug, PartialEq)]
pub struct Pool {
    pub name: Name,
    pub count: u32,
    /// Dealt round-robin to the nodes; none if empty.
    pub zones: Vec<Name>,
    pub capacity: ResourceList,
    pub allocatable: ResourceList,
    pub labels: Labels,
    pub taints: Vec<Taint>,
    /// Of one node. No currency is implied.
    pub price_per_hour: Option<f64>,
    pub kubelet: Arc<kubelet::Configuration>,
    /// What every node of it runs from files of its own.
    pub static_pods: Vec<Arc<Pod>>,
    /// How its nodes come to images, and which they have from the start.
    pub images: Arc<kubelet::ImageSettings>,
}

impl Pool {
    /// `count` nodes of the default size.
    pub(crate) fn of_default_size(name: Name, count: u32) -> Self {
        let capacity = file::default_capacity();
        Self {
            name,
            count,
            zones: Vec::new(),
            allocatable: capacity.clone(),
            capacity,
            labels: Labels::EMPTY,
            taints: Vec::new(),
            price_per_hour: None,
            kubelet: Arc::default(),
            static_pods: Vec::new(),
            images: Arc::default(),
        }
    }

    /// The pool that a scenario describes at `path`. What is wrong with it goes to `problems`.
    pub(crate) fn read(it: &NodePool, catalog: &Arc<Catalog>, path: &Path, problems: &mut Problems) -> Self {
        let name = read_name(it, path, problems);
        let count = it.count.unwrap_or(1);
        if NODES_MAX < count {
            problems.add(&path.clone().key("count"), format!("a pool has at most {NODES_MAX} nodes"));
        }
        for (idx, zone) in it.zones.iter().enumerate() {
            let reasons =
                if zone.is_empty() { vec!["it is empty".into()] } else { naming::label_value(zone) };
            if let Some(reason) = reasons.first() {
                let path = path.clone().key("zones").index(idx);
                problems.add(&path, format!("`{zone}` cannot be a zone: {reason}"));
            }
        }
        check_labels(&it.labels, &path.clone().key("labels"), problems);
        check_taints(&it.taints, &path.clone().key("taints"), problems);
        if it.price_per_hour.is_some_and(|price| price < 0.0 || !price.is_finite()) {
            problems.add(&path.clone().key("pricePerHour"), "a price must be 0 or more");
        }
        let mut capacity = file::default_capacity();
        capacity.extend(it.capacity.iter().map(|(name, quantity)| (name.clone(), *quantity)));
        let kubelet_path = path.clone().key("kubelet");
        check_kubelet(&it.kubelet, &kubelet_path, problems);
        limit_pods(it, &mut capacity, &kubelet_path, problems);
        let mut allocatable = allocatable(&capacity, &it.reserved, &path.clone().key("reserved"), problems);
        reserve(&it.kubelet, &capacity, &mut allocatable, &kubelet_path, problems);
        let taints =
            it.taints.iter().map(|it| Taint::new(it.key.clone(), it.value.clone(), it.effect.clone()));
        Self {
            name,
            count: count.min(NODES_MAX),
            zones: it.zones.clone(),
            capacity,
            allocatable,
            labels: it.labels.clone(),
            taints: taints.collect(),
            price_per_hour: it.price_per_hour,
            kubelet: Arc::new(it.kubelet.clone()),
            static_pods: Vec::new(),
            images: Arc::new(images::of_pool(it, catalog, path, problems)),
        }
    }

    /// Takes in the objects of the pool's `staticPods`, which are at `path`.
    pub(crate) fn set_static_pods(&mut self, objects: Vec<Object>, path: &Path, problems: &mut Problems) {
        for mut object in objects {
            defaults::apply(&mut object);
            match object.get::<Pod>() {
                Some(pod) => self.static_pods.push(Arc::clone(pod)),
                None => {
                    let (kind, name) = (object.kind().name(), &object.meta().name);
                    problems.add(
                        path,
                        format!("a kubelet runs nothing but pods from files; found {kind} `{name}`"),
                    );
                }
            }
        }
    }

    /// The name of the node with this number.
    pub(crate) fn node_name(&self, n: u32) -> Name {
        Name::from(format_args!("{}-{n}", self.name))
    }

    /// The labels of the node with this number, beside those that its kubelet adds.
    pub(crate) fn node_labels(&self, n: u32) -> Labels {
        let mut labels = self.labels.clone();
        labels.insert(Name::from_static(POOL_LABEL), self.name.clone());
        if !self.zones.is_empty() {
            let zone = &self.zones[n as usize % self.zones.len()];
            labels.insert(Name::from_static(ZONE_LABEL), zone.clone());
        }
        labels
    }
}

fn read_name(it: &NodePool, path: &Path, problems: &mut Problems) -> Name {
    let Some(name) = &it.name else {
        problems.add_with_help(path, "this node pool has no name", "add `name: general`");
        return Name::EMPTY;
    };
    // Nodes are called `<pool>-<number>`, and are hosts; their pool's name is also a label.
    let last = NODES_MAX.saturating_sub(1);
    if let Some(reason) = naming::dns1123_label(&format!("{name}-{last}")).first() {
        problems
            .add(&path.clone().key("name"), format!("`{name}` cannot start the names of nodes: {reason}"));
    }
    name.clone()
}

fn check_labels(labels: &Labels, path: &Path, problems: &mut Problems) {
    for (key, value) in labels.iter() {
        let here = path.clone().key(key.as_str());
        if let Some(reason) = naming::qualified_name(key).first() {
            problems.add(&here, format!("`{key}` cannot be a label: {reason}"));
        }
        if let Some(reason) = naming::label_value(value).first() {
            problems.add(&here, format!("`{value}` cannot be the value of a label: {reason}"));
        }
    }
}

fn check_taints(taints: &[file::Taint], path: &Path, problems: &mut Problems) {
    for (idx, taint) in taints.iter().enumerate() {
        let here = path.clone().index(idx);
        if let Some(reason) = naming::qualified_name(&taint.key).first() {
            problems.add(&here, format!("`{}` cannot be the key of a taint: {reason}", taint.key));
        }
        if let Some(reason) = naming::label_value(&taint.value).first() {
            problems.add(&here, format!("`{}` cannot be the value of a taint: {reason}", taint.value));
        }
        if taint.effect.is_unset() {
            problems.add_with_help(
                &here,
                "this taint has no effect",
                "add `effect: NoSchedule`, `PreferNoSchedule` or `NoExecute`",
            );
        }
    }
}

fn check_kubelet(it: &kubelet::Configuration, path: &Path, problems: &mut Problems) {
    it.problems().into_iter().for_each(|problem| add_kubelet_problem(problem, path, problems));
}

fn add_kubelet_problem(problem: kubelet::Problem, path: &Path, problems: &mut Problems) {
    let here = problem.field.split('.').fold(path.clone(), |path, field| path.key(field));
    let here = match problem.entry {
        Some(entry) => here.key(entry.as_str()),
        None => here,
    };
    problems.add(&here, problem.message);
}

/// Takes from what is left for pods what the kubelet itself keeps.
fn reserve(
    it: &kubelet::Configuration,
    capacity: &ResourceList,
    left: &mut ResourceList,
    path: &Path,
    problems: &mut Problems,
) {
    let too_much = it.reservation_problems(capacity);
    if !too_much.is_empty() {
        return too_much.into_iter().for_each(|problem| add_kubelet_problem(problem, path, problems));
    }
    for (name, amount) in it.reservation(capacity).iter() {
        match left.get_mut(name) {
            Some(quantity) if *quantity < *amount => {
                let message = format!(
                    "more is reserved than the pool's `reserved` leaves: {amount} of {quantity} {name}"
                );
                problems.add(path, message);
            }
            Some(quantity) => *quantity -= *amount,
            None => (),
        }
    }
}

/// `maxPods` is the other name of the pods in a node's capacity.
fn limit_pods(it: &NodePool, capacity: &mut ResourceList, path: &Path, problems: &mut Problems) {
    let Some(max) = it.kubelet.max_pods else { return };
    let pods = Quantity::new(i64::from(max), QuantityFormat::DecimalSi);
    match it.capacity.get(&api::PODS).filter(|stated| **stated != pods) {
        Some(stated) => {
            let message = format!("the capacity of these nodes says {stated} pods, and this {max}");
            problems.add_with_help(&path.clone().key("maxPods"), message, "say it once");
        }
        None => drop(capacity.insert(api::PODS, pods)),
    }
}

/// What is left for pods.
fn allocatable(
    capacity: &ResourceList,
    reserved: &ResourceList,
    path: &Path,
    problems: &mut Problems,
) -> ResourceList {
    let mut left = capacity.clone();
    for (name, amount) in reserved.iter() {
        let here = path.clone().key(name.as_str());
        match left.get_mut(name) {
            None => {
                let known: Vec<&str> = capacity.keys().map(|it| it.as_str()).collect();
                let meant = api::nearest(name, known.iter().copied());
                let hint = meant.map_or(String::new(), |it| format!("; did you mean `{it}`?"));
                problems.add(&here, format!("the capacity has no `{name}` to reserve{hint}"));
            }
            Some(quantity) if *quantity < *amount => {
                problems.add(&here, format!("more is reserved than there is: {amount} of {quantity}"));
            }
            Some(quantity) => *quantity -= *amount,
        }
    }
    left
}
