//! A container runtime with nothing in its containers. It outlives the kubelet, and is asked, not run: what a
//! container does is decided when it starts, so that its state is a function of time.

mod address;
mod app;
mod clock;
mod disk;
mod images;
mod instance;
mod message;
mod pressure;
mod processor;
mod pulls;
mod resize;
mod sandbox;
mod start;
mod usage;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use api::{Pod, Uid};
use base::{Luck, Name, Span, Time};
use workload::Behaviours;

use self::address::Addresses;
pub use self::address::{CidrError, PodCidr};
pub use self::app::{Answer, Look};
pub use self::clock::Clock;
pub use self::disk::Disk;
use self::images::Images;
pub(crate) use self::images::Order;
pub use self::instance::{By, End, Instance};
pub use self::sandbox::Sandbox;
pub(crate) use self::sandbox::{draw_of, entity_of};
use self::start::Site;

/// The runtime of one node.
#[derive(Clone, Debug)]
pub struct Runtime {
    behaviours: Arc<Behaviours>,
    /// The rules by which any container has been here, by position. Nothing depends on it but what is said after the run.
    used: BTreeSet<usize>,
    site: Site,
    pods: BTreeMap<Uid, Sandbox>,
    addresses: Addresses,
    pub(crate) images: Images,
    luck: Lucks,
    /// When the machine went down, while it is.
    down_since: Option<Time>,
    /// How often it has come up again.
    boots: u32,
    /// Since when nothing here makes progress, while that is so.
    frozen_since: Option<Time>,
    disk: Disk,
    /// The network plugin fails.
    has_no_plugin: bool,
    clock: Clock,
    /// Counts what may change the life of a container.
    changes: u32,
    /// Counts what may change who uses how much; 0 while nothing here is said to use anything.
    usage_version: u32,
}

#[derive(Clone, Copy, Debug)]
struct Lucks {
    startup: Luck,
    exit: Luck,
    stop: Luck,
    sandbox: Luck,
    create: Luck,
    errors: Luck,
}

/// Why a sandbox has no network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoNetwork {
    /// All addresses of the node are taken.
    NoAddress,
    /// The network plugin of the node fails.
    PluginFails,
}

impl Runtime {
    /// An empty runtime on the node `name`; its luck is that of the run.
    pub fn new(name: &str, cidr: PodCidr, behaviours: Arc<Behaviours>, luck: Luck) -> Self {
        Self {
            images: Images::new(name, luck, &behaviours),
            behaviours,
            used: BTreeSet::new(),
            site: Site::new(name),
            pods: BTreeMap::new(),
            addresses: Addresses::new(cidr),
            luck: Lucks {
                startup: luck.narrow("container.startup"),
                exit: luck.narrow("container.exit"),
                stop: luck.narrow("container.stop"),
                sandbox: luck.narrow("sandbox.create"),
                create: luck.narrow("container.create"),
                errors: luck.narrow("container.errors"),
            },
            down_since: None,
            boots: 0,
            frozen_since: None,
            disk: Disk::default(),
            has_no_plugin: false,
            clock: Clock::default(),
            changes: 0,
            usage_version: 0,
        }
    }

    /// The rules of the behaviours that any container here has been by, by position.
    pub fn used_rules(&self) -> &BTreeSet<usize> {
        &self.used
    }

    pub fn pod(&self, uid: Uid) -> Option<&Sandbox> {
        self.pods.get(&uid)
    }

    /// By uid.
    pub fn pods(&self) -> impl Iterator<Item = (Uid, &Sandbox)> {
        self.pods.iter().map(|(uid, it)| (*uid, it))
    }

    /// The kubelet is gone: what it was pulling stops. Containers live on.
    pub fn kubelet_gone(&mut self) {
        self.images.abandon_pulls();
    }

    /// The machine goes down, and all containers with it.
    pub fn power_off(&mut self, now: Time) {
        self.thaw(now);
        self.images.abandon_pulls();
        self.down_since = Some(now);
        self.touch();
        for sandbox in self.pods.values_mut() {
            sandbox.up_until = sandbox.up_until.min(now);
            sandbox.instances_mut().for_each(|it| it.cut(End::lost(now)));
        }
    }

    /// The machine comes up again. The runtime finds its containers dead, and says that they ended now.
    pub fn power_on(&mut self, now: Time) {
        let Some(down) = self.down_since.take() else { return };
        self.boots += 1;
        self.changes = self.changes.wrapping_add(1);
        for instance in self.pods.values_mut().flat_map(Sandbox::instances_mut) {
            if let Some(end) = instance.end.as_mut().filter(|it| it.at == down) {
                *end = End { reported: now, ..End::lost(down) };
            }
        }
    }

    /// Counts what may change the life of a container.
    pub(crate) fn changes(&self) -> u32 {
        self.changes
    }

    /// How often the machine has come up again.
    pub(crate) fn boots(&self) -> u32 {
        self.boots
    }

    /// From now on nothing here makes progress.
    pub fn freeze(&mut self, now: Time) {
        self.frozen_since.get_or_insert(now);
    }

    /// Everything goes on where it stood: what a container was to do, it does so much later.
    pub fn thaw(&mut self, now: Time) {
        let Some(since) = self.frozen_since.take() else { return };
        let lost = now.since(since);
        self.touch();
        for instance in self.pods.values_mut().flat_map(Sandbox::instances_mut) {
            instance.postpone(since, lost);
        }
    }

    pub fn clock(&self) -> Clock {
        self.clock
    }

    /// Its kubelet, if it runs, is to be told by [`Input::ClockSet`](crate::Input::ClockSet).
    pub fn set_clock(&mut self, clock: Clock) {
        self.clock = clock;
    }

    pub fn disk(&self) -> Disk {
        self.disk
    }

    /// Its kubelet, if it runs, is to be told by [`Input::DiskChanged`](crate::Input::DiskChanged).
    pub fn set_disk(&mut self, now: Time, disk: Disk) {
        if disk.slowness.total_cmp(&self.disk.slowness).is_ne() {
            self.images.set_disk(now, disk.slowness);
        }
        self.disk = disk;
    }

    /// The node's network plugin fails, or works again. Sandboxes that are there keep their network.
    pub fn set_network_plugin(&mut self, fails: bool) {
        self.has_no_plugin = fails;
    }

    /// Kills the processes of a pod's running containers from outside. Returns whether there were any.
    pub fn kill(&mut self, uid: Uid, now: Time, code: i32) -> bool {
        let Some(sandbox) = self.pods.get_mut(&uid) else { return false };
        let mut any = false;
        for instance in sandbox.instances_mut().filter(|it| it.is_running(now)) {
            instance.cut(End::exit(now, code).by(By::Force));
            any = true;
        }
        self.touch();
        any
    }
}

/// What the kubelet asks for.
impl Runtime {
    /// How long it will take to set up the sandbox of `pod`.
    pub(crate) fn sandbox_time(&self, pod: &Pod, entity: u64) -> Span {
        let attempt = self.pods.get(&pod.meta.uid).map_or(0, |it| it.attempt + 1);
        let took =
            self.behaviours.defaults().sandbox.draw(self.luck.sandbox.unit(entity, u64::from(attempt)));
        self.disk.slow(took)
    }

    /// Sets up the sandbox of a pod, or sets it up again with new init containers to come.
    pub(crate) fn create_sandbox(&mut self, now: Time, pod: &Pod, entity: u64) -> Result<Name, NoNetwork> {
        let ip = if pod.spec.host_network { Name::EMPTY } else { self.new_address()? };
        let mut sandbox = match self.pods.remove(&pod.meta.uid) {
            Some(old) => Sandbox { attempt: old.attempt + 1, ..old },
            None => Sandbox::new(pod, entity),
        };
        release(&mut self.addresses, &mut sandbox);
        let init = pod.spec.init_containers.len();
        sandbox.cells.iter_mut().take(init).for_each(sandbox::Cell::purge);
        (sandbox.created, sandbox.up_until) = (now, Time::MAX);
        (sandbox.ip, sandbox.holds_address) = (ip.clone(), !ip.is_empty());
        self.pods.insert(pod.meta.uid, sandbox);
        self.touch();
        Ok(ip)
    }

    fn new_address(&mut self) -> Result<Name, NoNetwork> {
        if self.has_no_plugin {
            return Err(NoNetwork::PluginFails);
        }
        self.addresses.take().ok_or(NoNetwork::NoAddress)
    }

    /// How long it will take to create and start a container.
    pub(crate) fn create_time(&self, uid: Uid, container: usize) -> Span {
        let Some(sandbox) = self.pods.get(&uid) else { return Span::ZERO };
        let draw = draw_of(container, sandbox.cells[container].runs);
        self.disk.slow(self.behaviours.defaults().create.draw(self.luck.create.unit(sandbox.entity, draw)))
    }

    /// SIGTERM now, SIGKILL after `grace`. Returns when the container has stopped.
    pub(crate) fn stop(&mut self, now: Time, uid: Uid, container: usize, grace: Span) -> Time {
        self.touch();
        let cell = self.pods.get_mut(&uid).and_then(|it| it.cells.get_mut(container));
        cell.and_then(sandbox::Cell::current_mut)
            .filter(|it| it.is_running(now))
            .map_or(now, |it| it.stop(now, grace))
    }

    /// Takes down the network of a pod.
    pub(crate) fn stop_sandbox(&mut self, now: Time, uid: Uid) {
        self.touch();
        if let Some(sandbox) = self.pods.get_mut(&uid) {
            sandbox.up_until = sandbox.up_until.min(now);
            release(&mut self.addresses, sandbox);
        }
    }

    /// Forgets a pod and what ran in it.
    pub(crate) fn remove(&mut self, uid: Uid) {
        self.touch();
        if let Some(mut sandbox) = self.pods.remove(&uid) {
            release(&mut self.addresses, &mut sandbox);
            for it in sandbox.instances() {
                self.images.release(&it.image_reference, it.end.map_or(it.started, |end| end.reported));
            }
        }
    }
}

fn release(addresses: &mut Addresses, sandbox: &mut Sandbox) {
    if std::mem::take(&mut sandbox.holds_address) {
        addresses.release(&sandbox.ip);
    }
}
