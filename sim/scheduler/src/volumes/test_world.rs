//! A small cluster for tests of one plugin, from objects as the API server would hand them out.

use std::sync::Arc;

use api::{Node, Object, Pod, Resource};
use base::Name;
use client::Change;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::cycle::Core;
use crate::framework::{Cycle, Plugin};
use crate::pod_info::PodInfo;
use crate::profile::Profile;
use crate::select::Ties;
use crate::trace::{PreFilterTrace, Trace};

pub(crate) struct World {
    pub(crate) core: Core,
}

impl World {
    pub(crate) fn new(plugin: impl Plugin + 'static) -> Self {
        let profile = Profile::new(Name::from_static("test"), vec![(Box::new(plugin), 1)]);
        Self { core: Core::new(vec![profile], Ties::FirstName) }
    }

    pub(crate) fn with_node(mut self, node: Value) -> Self {
        self.core.cluster.set_node(&Arc::new(from_json::<Node>(node)));
        self
    }

    pub(crate) fn with<T: Resource + DeserializeOwned>(
        mut self,
        objects: impl IntoIterator<Item = Value>,
    ) -> Self {
        objects.into_iter().for_each(|it| self.hear::<T>(it));
        self
    }

    /// A pod on the node that its spec names.
    pub(crate) fn with_pod(mut self, pod: Value) -> Self {
        self.core.cluster.set_pod(&Arc::new(from_json::<Pod>(pod)));
        self
    }

    pub(crate) fn hear<T: Resource + DeserializeOwned>(&mut self, new: Value) {
        self.core.cluster.objects.hear(&Change::Set { old: None, new: object::<T>(new) });
    }

    pub(crate) fn lose<T: Resource + DeserializeOwned>(&mut self, old: Value) {
        self.core.cluster.objects.hear(&Change::Gone(object::<T>(old)));
    }

    pub(crate) fn pod(&mut self, pod: Value) -> PodInfo {
        self.core.cluster.pod_info(&Arc::new(from_json::<Pod>(pod)))
    }

    pub(crate) fn cycle<'a>(&'a self, pod: &'a PodInfo) -> Cycle<'a> {
        Cycle { pod, cluster: &self.core.cluster }
    }

    /// What is said of each node, by name; or what is said before any is looked at.
    pub(crate) fn verdicts(&mut self, pod: &PodInfo) -> Vec<String> {
        let mut trace = Trace::default();
        drop(self.core.schedule(0, pod, 1, Some(&mut trace)));
        if let PreFilterTrace::Rejected { refusal, .. } = trace.pre_filter {
            return vec![format!("{:?}: {}", refusal.rejection.code, refusal.rejection.message())];
        }
        let mut verdicts: Vec<String> = trace
            .verdicts
            .iter()
            .map(|(node, verdict)| match verdict {
                Some(it) => format!("{node}: {:?}: {}", it.rejection.code, it.rejection.message()),
                None => format!("{node} would do"),
            })
            .collect();
        verdicts.sort();
        verdicts
    }

    /// What of other objects is taken for granted once the pod is on the node.
    pub(crate) fn reserve(&mut self, pod: &PodInfo, node: &str) -> Vec<Object> {
        let reserved = self.core.reserve(0, pod, &Name::new(node)).expect("the node would do");
        reserved.objects().cloned().collect()
    }
}

pub(crate) fn object<T: Resource + DeserializeOwned>(value: Value) -> Object {
    Arc::new(from_json::<T>(value)).into_object()
}

pub(crate) fn from_json<T: DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).expect("written as the API server would")
}
