//! The faults, as a scenario states them. What each does is told in `docs/faults.md`.

use api::GoDuration;
use base::Name;
use serde::Deserialize;

use crate::target::{NodeTarget, PodTarget};

/// Something that breaks.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Fault {
    /// The machines lose their power: kubelet, containers and all. They boot after `for`, or never.
    NodeCrash(Outage),
    /// The same, but they boot by themselves: after a minute, unless `for` says otherwise.
    NodeReboot(Outage),
    /// The machines are told to shut down; kubelets whose configuration says so first end their pods in good order.
    /// The machines boot `for` after their power has gone, or never.
    NodeShutdown(Outage),
    /// Nothing on the machines makes any progress for so long, but nothing is lost.
    NodeFreeze(Outage),
    /// The kubelets stop, their containers live on and keep serving. They start again after `for`, or never.
    KubeletStop(Outage),
    /// Nothing gets from the nodes to the API server, or back. Kubelets and containers live on.
    NetworkLoss(Outage),
    /// The file systems of the nodes are full: no sandbox can be made, no container and no image.
    DiskFull(Outage),
    /// The network plugins of the nodes fail: no new pod gets an address. Those that have one keep it.
    CniFailure(Outage),
    /// What the nodes' disks are waited for takes `factor` times as long.
    SlowDisk(Slowdown),
    /// The nodes' clocks are wrong by `by`, which may be negative.
    ClockSkew(Skew),
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

/// Whom a fault of nodes hits, and how long it lasts: for good, if that is left out.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Outage {
    pub nodes: NodeTarget,
    #[serde(rename = "for", default)]
    pub lasting: Option<GoDuration>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Slowdown {
    pub nodes: NodeTarget,
    #[serde(rename = "for", default)]
    pub lasting: Option<GoDuration>,
    /// At least 1, and finite.
    pub factor: f64,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Skew {
    pub nodes: NodeTarget,
    #[serde(rename = "for", default)]
    pub lasting: Option<GoDuration>,
    /// What the clocks show minus what they should.
    pub by: GoDuration,
}

/// How long a reboot takes that does not say.
const REBOOT: GoDuration = GoDuration::from_nanos(60_000_000_000);

impl Fault {
    /// As in scenario files and records: `nodeCrash`.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::NodeCrash(_) => "nodeCrash",
            Self::NodeReboot(_) => "nodeReboot",
            Self::NodeShutdown(_) => "nodeShutdown",
            Self::NodeFreeze(_) => "nodeFreeze",
            Self::KubeletStop(_) => "kubeletStop",
            Self::NetworkLoss(_) => "networkLoss",
            Self::DiskFull(_) => "diskFull",
            Self::CniFailure(_) => "cniFailure",
            Self::SlowDisk(_) => "slowDisk",
            Self::ClockSkew(_) => "clockSkew",
            Self::PodKill { .. } => "podKill",
            Self::Registry { .. } => "registry",
            Self::ImageMissing { .. } => "imageMissing",
        }
    }

    /// The nodes that it is aimed at; `None` if it is aimed at something else.
    pub const fn nodes(&self) -> Option<&NodeTarget> {
        match self {
            Self::NodeCrash(it)
            | Self::NodeReboot(it)
            | Self::NodeShutdown(it)
            | Self::NodeFreeze(it)
            | Self::KubeletStop(it)
            | Self::NetworkLoss(it)
            | Self::DiskFull(it)
            | Self::CniFailure(it) => Some(&it.nodes),
            Self::SlowDisk(it) => Some(&it.nodes),
            Self::ClockSkew(it) => Some(&it.nodes),
            Self::PodKill { .. } | Self::Registry { .. } | Self::ImageMissing { .. } => None,
        }
    }

    /// How long it lasts; `None` means for good.
    pub const fn lasting(&self) -> Option<GoDuration> {
        match self {
            Self::NodeCrash(it)
            | Self::NodeShutdown(it)
            | Self::NodeFreeze(it)
            | Self::KubeletStop(it)
            | Self::NetworkLoss(it)
            | Self::DiskFull(it)
            | Self::CniFailure(it) => it.lasting,
            Self::NodeReboot(it) => match it.lasting {
                Some(lasting) => Some(lasting),
                None => Some(REBOOT),
            },
            Self::SlowDisk(it) => it.lasting,
            Self::ClockSkew(it) => it.lasting,
            Self::Registry { lasting, .. } | Self::ImageMissing { lasting, .. } => *lasting,
            Self::PodKill { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test says what is wrong by failing")]

    use serde_json::json;

    use super::*;

    fn read(value: serde_json::Value) -> serde_json::Result<Fault> {
        serde_json::from_value(value)
    }

    #[test]
    fn a_fault_is_read_as_it_is_named() {
        for (value, name, secs) in [
            (json!({"nodeCrash": {"nodes": {}, "for": "5m"}}), "nodeCrash", Some(300)),
            (json!({"nodeReboot": {"nodes": {}}}), "nodeReboot", Some(60)),
            (json!({"nodeReboot": {"nodes": {}, "for": "90s"}}), "nodeReboot", Some(90)),
            (json!({"nodeShutdown": {"nodes": {}}}), "nodeShutdown", None),
            (json!({"cniFailure": {"nodes": {}, "for": "40s"}}), "cniFailure", Some(40)),
            (json!({"slowDisk": {"nodes": {}, "factor": 10}}), "slowDisk", None),
            (json!({"clockSkew": {"nodes": {}, "by": "-30s"}}), "clockSkew", None),
        ] {
            let fault = read(value).unwrap();
            let lasting = fault.lasting().map(|it| it.nanos() / 1_000_000_000);
            assert_eq!((fault.name(), lasting), (name, secs));
            assert!(fault.nodes().is_some());
        }
        assert!(read(json!({"podKill": {"pods": {}}})).unwrap().nodes().is_none());
    }

    #[test]
    fn what_a_fault_needs_must_be_there() {
        for value in [
            json!({"nodeCrash": {"for": "5m"}}),
            json!({"slowDisk": {"nodes": {}}}),
            json!({"clockSkew": {"nodes": {}}}),
            json!({"nodeFreeze": {"nodes": {}, "by": "5m"}}),
        ] {
            assert!(read(value.clone()).is_err(), "{value}");
        }
    }
}
