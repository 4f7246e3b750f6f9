//! The faults.

use api::GoDuration;
use base::Name;
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
    /// A registry fails, for `for` or for good.
    Registry {
        /// As images name it: `docker.io`.
        host: Name,
        fails: RegistryFailure,
        #[serde(rename = "for", default)]
        lasting: Option<GoDuration>,
    },
    /// An image is not in its registry, for `for` or for good. Nodes that have it keep it.
    ImageMissing {
        image: Name,
        #[serde(rename = "for", default)]
        lasting: Option<GoDuration>,
    },
}

/// How a registry fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum RegistryFailure {
    /// It answers every request with 503, and what it was sending breaks off.
    Outage,
    /// It answers every request with 429, and goes on sending what it sends.
    Throttle,
}

impl Fault {
    /// As in scenario files and records: `nodeCrash`.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::NodeCrash { .. } => "nodeCrash",
            Self::KubeletStop { .. } => "kubeletStop",
            Self::PodKill { .. } => "podKill",
            Self::Registry { .. } => "registry",
            Self::ImageMissing { .. } => "imageMissing",
        }
    }
}
