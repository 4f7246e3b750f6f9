//! One machine: its kubelet, which may be down, and its container runtime, which lives on.

use std::collections::BTreeSet;
use std::sync::Arc;

use api::{Key, Kind, Labels, Lease, Pod, Revision, Uid};
use apiserver::Commit;
use base::{Cause, Handle, Luck, Name, Time};
use kubelet::{CidrError, Conditions, Effect, Input, Kubelet, Runtime, Setup, Start, Token};
use workload::{Behaviours, Resource};

use crate::plight::{Afflictions, Plight};
use crate::wire::Flight;

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
    pub(crate) faults: Afflictions,
    /// What came of them when they last changed.
    plight: Plight,
    /// It has come up since a kubelet last started.
    has_booted: bool,
    /// What came while the machine was frozen, in this order.
    held: Vec<Held>,
    /// Messages that got lost, and when.
    pub(crate) lost: Vec<(Time, Handle<Flight>)>,
    /// The pods of which changes were missed.
    pub(crate) missed: BTreeSet<Key>,
    /// As of when the kubelet last listed its pods.
    pub(crate) listed: Revision,
}

#[derive(Clone, Debug)]
enum Held {
    Input(Input),
    /// The processes of a pod are to be killed.
    Kill(Uid),
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
            faults: Afflictions::default(),
            plight: Plight::default(),
            has_booted: false,
            held: Vec::new(),
            lost: Vec::new(),
            missed: BTreeSet::new(),
            listed: Revision(0),
        })
    }

    /// The same, with kubelets that compute nothing.
    pub(crate) fn one_by_one(self, one_by_one: bool) -> Self {
        Self { one_by_one, ..self }
    }

    /// Those that its kubelet was told to give its node.
    pub(crate) fn labels(&self) -> &Labels {
        &self.setup.labels
    }

    /// The rules of the behaviours that any container here has been by.
    pub(crate) fn used_rules(&self) -> &BTreeSet<usize> {
        self.runtime.used_rules()
    }

    /// Counts what may change what the containers here use; 0 while nobody says that they use anything.
    pub(crate) fn usage_version(&self) -> u32 {
        self.runtime.usage_version()
    }

    /// The thousandths of a core and the bytes of memory that all containers here use.
    #[expect(clippy::cast_possible_truncation, reason = "`as` cuts off and saturates, which is meant")]
    pub(crate) fn usage(&self, at: Time) -> [i64; 2] {
        let cpu = (self.runtime.usage(Resource::Cpu, at) * 1_000.0).round() as i64;
        [cpu, self.runtime.usage(Resource::Memory, at) as i64]
    }

    /// Until when that is so; `at` where it changes all the time, and [`Time::MAX`] for good.
    pub(crate) fn usage_steady_until(&self, at: Time) -> Time {
        self.runtime.usage_steady_until(at)
    }

    /// Whether a kubelet runs here, frozen or not.
    pub(crate) fn has_kubelet(&self) -> bool {
        self.kubelet.is_some()
    }

    /// Whether nothing gets from here to the API server, nor back.
    pub(crate) fn is_cut_off(&self) -> bool {
        self.plight.is_cut_off
    }

    /// A pod that has been running here from before.
    pub(crate) fn adopt(&mut self, pod: &Pod) {
        self.runtime.adopt(pod);
    }

    /// Starts a kubelet, which finds these pods bound to its node, or finds nobody to ask.
    pub(crate) fn start(
        &mut self,
        now: Time,
        start: Start,
        pods: Option<Vec<Arc<Pod>>>,
        effects: &mut Vec<Effect>,
    ) {
        let kubelet = Kubelet::new(Arc::clone(&self.setup), self.runs, self.luck);
        let kubelet = if self.one_by_one { kubelet.one_by_one() } else { kubelet };
        self.runs = self.runs.wrapping_add(1);
        self.kubelet = Some(kubelet);
        self.handle(now, Input::Started(start), effects);
        let Some(pods) = pods else { return };
        for pod in pods {
            self.handle(now, Input::PodSet(pod, Cause::NONE), effects);
        }
        self.handle(now, Input::Listed, effects);
    }

    /// What comes while the kubelet is down is lost; while it is frozen, it waits.
    pub(crate) fn handle(&mut self, now: Time, input: Input, effects: &mut Vec<Effect>) {
        let Some(kubelet) = &mut self.kubelet else { return };
        if self.plight.is_frozen {
            self.held.push(Held::Input(input));
        } else {
            kubelet.handle(now, input, &mut self.runtime, effects);
        }
    }

    /// Takes in a timer if nothing but another one comes of it, see [`Kubelet::repeat`].
    pub(crate) fn repeat(&mut self, now: Time, token: Token) -> Option<Time> {
        let kubelet = self.kubelet.as_mut().filter(|_| !self.plight.is_frozen)?;
        kubelet.repeat(now, token, &self.runtime)
    }

    /// Whether the kubelet does not hear of a commit: it cannot, or has listed its pods since.
    pub(crate) fn misses(&mut self, commit: &Commit) -> bool {
        let can_hear = self.kubelet.is_some() && self.plight.is_heard();
        if !can_hear && commit.key.kind == Kind::Pod {
            self.missed.insert(commit.key.clone());
        }
        !can_hear || commit.revision <= self.listed
    }

    /// The load that comes to a pod is shared by so many from now on; 0 means that none comes to it.
    pub(crate) fn share_load(&mut self, now: Time, uid: Uid, sharing: u32, effects: &mut Vec<Effect>) {
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

    /// Kills the containers of a pod, and tells the kubelet's look-out if there is one.
    pub(crate) fn kill(&mut self, now: Time, uid: Uid, effects: &mut Vec<Effect>) {
        const SIGKILL: i32 = 137;
        if self.plight.is_frozen {
            return self.held.push(Held::Kill(uid));
        }
        if self.runtime.kill(uid, now, SIGKILL) {
            self.handle(now, Input::Disturbed(uid), effects);
        }
    }
}

/// How it fares with its faults.
impl Machine {
    /// Works out what its faults amount to: before their last change, and now.
    pub(crate) fn take_plight(&mut self) -> (Plight, Plight) {
        let is = self.faults.plight();
        (std::mem::replace(&mut self.plight, is), is)
    }

    /// Whether the kubelet that starts next is the first since the machine came up.
    pub(crate) fn take_booted(&mut self) -> bool {
        std::mem::take(&mut self.has_booted)
    }

    /// The lease as the kubelet leaves it that falls silent now.
    pub(crate) fn last_lease(&self, now: Time) -> Option<Lease> {
        self.kubelet.as_ref()?.last_lease(now)
    }

    /// What stops when the faults change, and what goes on by itself.
    pub(crate) fn suffer(&mut self, now: Time, was: Plight, is: Plight) {
        if is.is_frozen {
            self.runtime.freeze(now);
        } else {
            self.runtime.thaw(now);
        }
        if !is.can_run() && self.kubelet.take().is_some() {
            self.runtime.kubelet_gone();
            self.held.retain(|it| matches!(it, Held::Kill(_)));
        }
        if is.is_off && !was.is_off {
            self.runtime.power_off(now);
            self.held.clear();
        }
        if was.is_off && !is.is_off {
            self.runtime.power_on(now);
            self.has_booted = true;
        }
        self.runtime.set_disk(now, is.disk);
        self.runtime.set_network_plugin(is.has_no_plugin);
        self.runtime.set_clock(is.clock);
    }

    /// Takes in what came while the machine was frozen.
    pub(crate) fn catch_up(&mut self, now: Time, effects: &mut Vec<Effect>) {
        for held in std::mem::take(&mut self.held) {
            match held {
                Held::Input(input) => self.handle(now, input, effects),
                Held::Kill(uid) => self.kill(now, uid, effects),
            }
        }
    }
}
