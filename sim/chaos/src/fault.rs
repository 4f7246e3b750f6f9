//! The faults.

use api::GoDuration;
use serde::Deserialize;

use crate::target::{NodeTarget, PodTarget};

/// Something that breaks.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Fault {
    /// The machines stop: kubelet, containers and all. They come back after `for`, or never.
    NodeCrash {
        nodes: NodeTarget,
        #[serde(rename = "for", default)]
        lasting: Option<GoDuration>,
    },
    /// The kubelets stop, their containers live on and keep serving. They start again after `for`, or never.
    KubeletStop {
        nodes: NodeTarget,
        #[serde(rename = "for", default)]
        lasting: Option<GoDuration>,
    },
    /// The containers of the pods die at once, as by a `kill -9` of each.
    PodKill { pods: PodTarget },
}

impl Fault {
    /// As in scenario files and records: `nodeCrash`.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::NodeCrash { .. } => "nodeCrash",
            Self::KubeletStop { .. } => "kubeletStop",
            Self::PodKill { .. } => "podKill",
        }
    }
}
