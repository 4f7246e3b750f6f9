//! One machine: its kubelet, which may be down, and its container runtime, which lives on.

use std::sync::Arc;

use api::{Lease, Pod};
use base::{Luck, Name, Time};
use kubelet::{CidrError, Conditions, Effect, Input, Kubelet, Runtime, Setup, Start};
use workload::Behaviours;

#[derive(Clone, Debug)]
pub(crate) struct Machine {
    pub(crate) name: Name,
    /// As it appears in audit logs and records.
    pub(crate) actor: Name,
    setup: Arc<Setup>,
    kubelet: Option<Kubelet>,
    runtime: Runtime,
    one_by_one: bool,
    /// How often a kubelet has started here.
    runs: u16,
    luck: Luck,
}

impl Machine {
    /// A machine that is up, with nothing running on it yet.
    pub(crate) fn new(setup: Setup, behaviours: &Arc<Behaviours>, luck: Luck) -> Result<Self, CidrError> {
        let cidr = setup.pod_cidr.parse()?;
        Ok(Self {
            name: setup.name.clone(),
            actor: Name::from(format_args!("kubelet/{}", setup.name)),
            runtime: Runtime::new(&setup.name, cidr, Arc::clone(behaviours), luck)
                .with_images(Arc::clone(&setup.images))
                .on(&setup),
            setup: Arc::new(setup),
            kubelet: None,
            one_by_one: false,
            runs: 0,
            luck,
        })
    }

    /// The same, with kubelets that compute nothing.
    pub(crate) fn one_by_one(self, one_by_one: bool) -> Self {
        Self { one_by_one, ..self }
    }

    /// Whether its kubelet is at work.
    pub(crate) fn is_watched(&self) -> bool {
        self.kubelet.is_some()
    }

    /// A pod that has been running here from before.
    pub(crate) fn adopt(&mut self, pod: &Pod) {
        self.runtime.adopt(pod);
    }

    /// Starts a kubelet, which finds these pods bound to its node.
    pub(crate) fn start(&mut self, now: Time, start: Start, pods: Vec<Arc<Pod>>, effects: &mut Vec<Effect>) {
        let kubelet = Kubelet::new(Arc::clone(&self.setup), self.runs, self.luck);
        let kubelet = if self.one_by_one { kubelet.one_by_one() } else { kubelet };
        self.runs = self.runs.wrapping_add(1);
        self.kubelet = Some(kubelet);
        self.handle(now, Input::Started(start), effects);
        for pod in pods {
            self.handle(now, Input::PodSet(pod, base::Cause::NONE), effects);
        }
        self.handle(now, Input::Listed, effects);
    }

    /// What comes while the kubelet is down is lost.
    pub(crate) fn handle(&mut self, now: Time, input: Input, effects: &mut Vec<Effect>) {
        if let Some(kubelet) = &mut self.kubelet {
            kubelet.handle(now, input, &mut self.runtime, effects);
        }
    }

    /// The kubelet dies. Its lease is left as it renewed it last.
    pub(crate) fn stop_kubelet(&mut self, now: Time) -> Option<Lease> {
        let kubelet = self.kubelet.take()?;
        self.runtime.kubelet_gone();
        kubelet.last_lease(now)
    }

    /// The machine goes down, and the kubelet and all containers with it.
    pub(crate) fn power_off(&mut self, now: Time) -> Option<Lease> {
        let lease = self.stop_kubelet(now);
        self.runtime.power_off(now);
        lease
    }

    /// The load that comes to a pod is shared by so many from now on; 0 means that none comes to it.
    pub(crate) fn share_load(&mut self, now: Time, uid: api::Uid, sharing: u32, effects: &mut Vec<Effect>) {
        if self.runtime.share_load(now, uid, sharing) {
            self.handle(now, Input::LoadChanged(uid), effects);
        }
    }

    /// Registries fail, or work again.
    pub(crate) fn set_registries(
        &mut self,
        now: Time,
        conditions: &Arc<Conditions>,
        effects: &mut Vec<Effect>,
    ) {
        self.runtime.set_registries(now, Arc::clone(conditions));
        self.handle(now, Input::RegistriesChanged, effects);
    }

    pub(crate) fn power_on(&mut self, now: Time) {
        self.runtime.power_on(now);
    }

    /// Kills the containers of a pod, and tells the kubelet's look-out if there is one.
    pub(crate) fn kill(&mut self, now: Time, uid: api::Uid, effects: &mut Vec<Effect>) -> bool {
        const SIGKILL: i32 = 137;
        let killed = self.runtime.kill(uid, now, SIGKILL);
        if killed {
            self.handle(now, Input::Disturbed(uid), effects);
        }
        killed
    }
}
