//! What the nodes have in common when they pull images: the registries, which may have a limit, and may fail.

use std::sync::Arc;

use base::{Cause, Digest, Name};
use chaos::{Fault, RegistryFailure};
use engine::Queue;
use kubelet::{Conditions, Demand, Failing, Input, Reference};
use record::{FaultPhase, What};

use crate::cluster::Cluster;
use crate::event::{Event, NodeIdx};

impl Cluster {
    /// A node wants more or less of what registries with a limit send, or nothing any more: each node whose part
    /// changes by that is told.
    pub(crate) fn share_registries(
        &mut self,
        node: NodeIdx,
        demand: Option<Demand>,
        digest: &mut Digest,
        queue: &mut Queue<Event>,
    ) {
        let name = self.machines[node.0 as usize].name.clone();
        for (name, allowance) in self.registries.set(&name, demand) {
            if let Some(&idx) = self.by_name.get(&name) {
                self.kubelet(idx, Input::Allowed(allowance), digest, queue);
            }
        }
    }

    /// The fault of step `n` begins.
    pub(crate) fn disturb_registries(
        &mut self,
        n: u16,
        fault: &Fault,
        digest: &mut Digest,
        queue: &mut Queue<Event>,
    ) {
        self.disturbed.insert(n, fault.clone());
        self.tell_of_registries(digest, queue);
    }

    /// The fault of step `n` is over; others may go on.
    pub(crate) fn calm_registries(&mut self, n: u16, digest: &mut Digest, queue: &mut Queue<Event>) {
        let Some(fault) = self.disturbed.remove(&n) else { return };
        let detail = self.timeline[usize::from(n)].text.clone();
        let name = Name::from_static(fault.name());
        let what = What::Fault { name, phase: FaultPhase::Ends, object: None, detail };
        self.log.push(queue.now(), &Name::from_static("fault"), Cause::NONE, what);
        self.tell_of_registries(digest, queue);
    }

    fn tell_of_registries(&mut self, digest: &mut Digest, queue: &mut Queue<Event>) {
        let conditions = Arc::new(conditions(self.disturbed.values()));
        for n in 0..self.machines.len() {
            let node = NodeIdx(u32::try_from(n).expect("their number was checked"));
            let mut effects = Vec::new();
            self.machines[n].set_registries(queue.now(), &conditions, &mut effects);
            self.carry_out_all(node, &mut effects, digest, queue);
        }
    }
}

/// What is wrong with registries while these faults go on. An outage is worse than being asked too often.
fn conditions<'a>(faults: impl Iterator<Item = &'a Fault>) -> Conditions {
    let mut conditions = Conditions::default();
    for fault in faults {
        match fault {
            Fault::Registry { host, fails, .. } => {
                let failing = match fails {
                    RegistryFailure::Outage => Failing::Outage,
                    RegistryFailure::Throttle => Failing::Throttle,
                };
                let worst = conditions.failing.entry(host.clone()).or_insert(failing);
                *worst = failing.max(*worst);
            }
            Fault::ImageMissing { image, .. } => {
                let image = Reference::parse(image).expect("a scenario's images are checked when it is read");
                conditions.missing.insert(image.full().clone());
            }
            Fault::NodeCrash(_)
            | Fault::NodeReboot(_)
            | Fault::NodeShutdown(_)
            | Fault::NodeFreeze(_)
            | Fault::KubeletStop(_)
            | Fault::NetworkLoss(_)
            | Fault::DiskFull(_)
            | Fault::CniFailure(_)
            | Fault::SlowDisk(_)
            | Fault::ClockSkew(_)
            | Fault::PodKill { .. } => (),
        }
    }
    conditions
}
