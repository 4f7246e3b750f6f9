//! The core of the scheduler: from a pod to a node, one at a time, on its own picture of the cluster.
//!
//! Upstream: `pkg/scheduler/schedule_one.go`.

use base::Name;
use client::Recent;

use crate::cluster::Cluster;
use crate::diagnosis::{Diagnosis, Refusal};
use crate::extender::Extenders;
use crate::framework::{Cycle, Plugin, Reservation};
use crate::memo::Memo;
use crate::pod_info::{PodInfo, ShapeId};
use crate::profile::{PluginIdx, Profile};
use crate::search::{Scratch, Search};
use crate::select::Ties;
use crate::trace::Trace;

/// Where a pod goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placement {
    pub node: Name,
    /// How many nodes were looked at, and how many would have done.
    pub evaluated: usize,
    pub feasible: usize,
}

/// Schedules pods one at a time, on its own picture of the cluster.
pub struct Core {
    pub cluster: Cluster,
    pub profiles: Vec<Profile>,
    pub(crate) extenders: Extenders,
    ties: Ties,
    /// By profile and template.
    memos: Recent<(usize, ShapeId), Box<Memo>>,
    /// Where the next cycle starts to look at nodes.
    start: usize,
    scratch: Scratch,
}

/// What plugins have reserved for a pod.
#[derive(Clone, Debug, Default)]
pub struct Reserved {
    by_plugin: Vec<(PluginIdx, Reservation)>,
}

impl Reserved {
    /// What one plugin has reserved.
    pub(crate) fn of(&self, plugin: PluginIdx) -> &Reservation {
        static NOTHING: Reservation = Reservation { assumed: Vec::new() };
        self.by_plugin.iter().find(|it| it.0 == plugin).map_or(&NOTHING, |it| &it.1)
    }

    /// As they will be once all is written.
    pub fn objects(&self) -> impl Iterator<Item = &api::Object> {
        self.by_plugin.iter().flat_map(|(_, it)| &it.assumed)
    }
}

impl Core {
    /// What was worked out for this many templates is kept.
    const MEMOS_MAX: usize = 64;

    pub fn new(profiles: Vec<Profile>, ties: Ties) -> Self {
        let mut cluster = Cluster::default();
        let keys = profiles.iter().flat_map(Profile::plugins).flat_map(Plugin::topology_keys);
        keys.for_each(|key| cluster.nodes.mention(&key));
        Self {
            cluster,
            profiles,
            extenders: Extenders::default(),
            ties,
            memos: Recent::new(Self::MEMOS_MAX),
            start: 0,
            scratch: Scratch::default(),
        }
    }

    /// Asks these, too, from now on.
    pub fn with_extenders(mut self, extenders: Extenders) -> Self {
        if !extenders.is_empty() {
            self.profiles.iter_mut().for_each(Profile::listen_for_extenders);
        }
        Self { extenders, ..self }
    }

    /// Finds the best node for `pod`. `attempt` counts how often the pod has been tried, this time included.
    /// Upstream: `schedulePod`, and the PostFilter part of `schedulingCycle`.
    pub fn schedule(
        &mut self,
        profile: usize,
        pod: &PodInfo,
        attempt: u32,
        mut trace: Option<&mut Trace>,
    ) -> Result<Placement, Box<Diagnosis>> {
        let nodes = self.cluster.nodes.len();
        if nodes == 0 {
            return Err(Box::default());
        }
        self.cluster.nodes.put_in_order();
        let mut memo = self.take_memo(profile, pod);
        let mut search = Search {
            cycle: Cycle { pod, cluster: &self.cluster },
            profile: &self.profiles[profile],
            extenders: &self.extenders,
            memo: &mut memo,
            ties: self.ties,
            attempt,
            start: self.start,
            scratch: &mut self.scratch,
        };
        let outcome = search.run(&mut trace);
        self.start = search.start;
        self.memos.put(&(profile, pod.shape.id), memo);
        outcome
    }

    /// The pod takes its place on `node`, and plugins reserve what it needs there. When one of them refuses, all is
    /// given up again. Upstream: `assume`, `RunReservePluginsReserve`.
    pub fn reserve(&mut self, profile: usize, pod: &PodInfo, node: &Name) -> Result<Reserved, Refusal> {
        let mut reserved = Reserved::default();
        for &plugin in &self.profiles[profile].points.reserve {
            let plugin_ref = self.profiles[profile].plugin(plugin);
            let cycle = Cycle { pod, cluster: &self.cluster };
            let Some(info) = self.cluster.nodes.find(node) else { continue };
            match plugin_ref.reserve(&cycle, info) {
                Ok(reservation) => {
                    reservation.assumed.iter().for_each(|it| self.cluster.objects.assume(it));
                    reserved.by_plugin.push((plugin, reservation));
                }
                Err(rejection) => {
                    let refusal = Refusal { plugin: plugin_ref.name(), rejection };
                    self.unreserve(&reserved);
                    return Err(refusal);
                }
            }
        }
        self.cluster.nominated.remove(pod.uid());
        self.cluster.assume(&pod.pod, node);
        Ok(reserved)
    }

    /// Gives up what was reserved. Upstream: `RunReservePluginsUnreserve`.
    pub fn unreserve(&mut self, reserved: &Reserved) {
        for object in reserved.by_plugin.iter().rev().flat_map(|(_, it)| &it.assumed) {
            self.cluster.objects.restore(&object.key());
        }
    }

    fn take_memo(&mut self, profile: usize, pod: &PodInfo) -> Box<Memo> {
        let cycle = Cycle { pod, cluster: &self.cluster };
        if let Some(mut memo) = self.memos.take(&(profile, pod.shape.id))
            && memo.catch_up(&cycle)
        {
            return memo;
        }
        Box::new(Memo::new(&self.profiles[profile], &cycle))
    }
}

/// A copy knows the same, and starts to remember anew.
impl Clone for Core {
    fn clone(&self) -> Self {
        let (cluster, profiles) = (self.cluster.clone(), self.profiles.clone());
        Self {
            cluster,
            start: self.start,
            extenders: self.extenders.clone(),
            ..Self::new(profiles, self.ties)
        }
    }
}

impl std::fmt::Display for Placement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} of {} nodes would do", self.feasible, self.evaluated)
    }
}

impl std::fmt::Debug for Core {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Core").field("profiles", &self.profiles).finish_non_exhaustive()
    }
}
