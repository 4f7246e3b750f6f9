//! A container runtime with nothing in its containers. It outlives the kubelet, and is asked, not run: what a
//! container does is decided when it starts, so that its state is a function of time.

mod address;
mod images;
mod instance;
mod pressure;
mod pulls;
mod sandbox;
mod usage;

use std::collections::BTreeMap;
use std::sync::Arc;

use api::{ContainerStatus, Pod, Uid};
use base::{Digest, Luck, Name, Span, Time};
use workload::{Behaviours, Subject};

use self::address::Addresses;
pub use self::address::{CidrError, PodCidr};
use self::images::Images;
pub(crate) use self::images::Order;
pub use self::instance::{End, Instance};
pub use self::sandbox::Sandbox;
pub(crate) use self::sandbox::{draw_of, entity_of};
use crate::images::Reference;
use crate::text::hex64;

/// The runtime of one node.
#[derive(Clone, Debug)]
pub struct Runtime {
    behaviours: Arc<Behaviours>,
    pods: BTreeMap<Uid, Sandbox>,
    addresses: Addresses,
    pub(crate) images: Images,
    luck: Lucks,
    /// When the machine went down, while it is.
    down_since: Option<Time>,
}

#[derive(Clone, Copy, Debug)]
struct Lucks {
    startup: Luck,
    exit: Luck,
    stop: Luck,
    sandbox: Luck,
    create: Luck,
}

/// All addresses of the node are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NoAddress;

impl Runtime {
    /// An empty runtime on the node `name`; its luck is that of the run.
    pub fn new(name: &str, cidr: PodCidr, behaviours: Arc<Behaviours>, luck: Luck) -> Self {
        Self {
            images: Images::new(name, luck, &behaviours),
            behaviours,
            pods: BTreeMap::new(),
            addresses: Addresses::new(cidr),
            luck: Lucks {
                startup: luck.narrow("container.startup"),
                exit: luck.narrow("container.exit"),
                stop: luck.narrow("container.stop"),
                sandbox: luck.narrow("sandbox.create"),
                create: luck.narrow("container.create"),
            },
            down_since: None,
        }
    }

    pub fn pod(&self, uid: Uid) -> Option<&Sandbox> {
        self.pods.get(&uid)
    }

    /// By uid.
    pub fn pods(&self) -> impl Iterator<Item = (Uid, &Sandbox)> {
        self.pods.iter().map(|(uid, it)| (*uid, it))
    }

    /// Takes in a pod from before the simulation, whose containers run or have run as its status says.
    pub fn adopt(&mut self, pod: &Pod) {
        let mut sandbox = self.new_sandbox(pod);
        (sandbox.ip, sandbox.up_until) = (pod.status.pod_ip.clone(), Time::MAX);
        sandbox.created = pod.status.start_time.unwrap_or_default().time();
        sandbox.holds_address = self.addresses.claim(&sandbox.ip);
        let statuses = || pod.status.init_container_statuses.iter().chain(&pod.status.container_statuses);
        for (idx, container) in pod.spec.all_containers().enumerate() {
            let Some(status) = statuses().find(|it| it.name == container.name) else { continue };
            self.adopt_image(pod, idx);
            sandbox.cells[idx].runs = u32::try_from(status.restart_count).unwrap_or(0);
            if let Some(instance) = adopted(status, &container.image) {
                let conduct = self.conduct(pod, idx);
                let rank = self.luck.stop.unit(sandbox.entity, draw_of(idx, instance.attempt));
                let (usage, on_term) = (conduct.usage(), conduct.stop(rank));
                sandbox.cells[idx].start(Instance { usage, on_term, ..instance });
            }
        }
        self.pods.insert(pod.meta.uid, sandbox);
    }

    /// The kubelet is gone: what it was pulling stops. Containers live on.
    pub fn kubelet_gone(&mut self) {
        self.images.abandon_pulls();
    }

    /// The machine goes down, and all containers with it.
    pub fn power_off(&mut self, now: Time) {
        self.images.abandon_pulls();
        self.down_since = Some(now);
        for sandbox in self.pods.values_mut() {
            sandbox.up_until = sandbox.up_until.min(now);
            sandbox.instances_mut().for_each(|it| it.cut(End::lost(now)));
        }
    }

    /// The machine comes up again. The runtime finds its containers dead, and says that they ended now.
    pub fn power_on(&mut self, now: Time) {
        let Some(down) = self.down_since.take() else { return };
        for instance in self.pods.values_mut().flat_map(Sandbox::instances_mut) {
            if let Some(end) = instance.end.as_mut().filter(|it| it.at == down) {
                *end = End { reported: now, ..End::lost(down) };
            }
        }
    }

    /// Kills the processes of a pod's running containers from outside. Returns whether there were any.
    pub fn kill(&mut self, uid: Uid, now: Time, code: i32) -> bool {
        let Some(sandbox) = self.pods.get_mut(&uid) else { return false };
        let mut any = false;
        for instance in sandbox.instances_mut().filter(|it| it.is_running(now)) {
            instance.cut(End::exit(now, code));
            any = true;
        }
        any
    }

    fn new_sandbox(&self, pod: &Pod) -> Sandbox {
        let entity = entity_of(&pod.meta.namespace, &pod.meta.name);
        let containers = pod.spec.init_containers.len() + pod.spec.containers.len();
        Sandbox::new(pod.meta.namespace.clone(), pod.meta.name.clone(), containers, entity)
    }

    fn conduct(&self, pod: &Pod, container: usize) -> workload::Conduct<'_> {
        conduct(&self.behaviours, pod, container)
    }
}

/// What the kubelet asks for.
impl Runtime {
    /// How long it will take to set up the sandbox of `pod`.
    pub(crate) fn sandbox_time(&self, pod: &Pod, entity: u64) -> Span {
        let attempt = self.pods.get(&pod.meta.uid).map_or(0, |it| it.attempt + 1);
        self.behaviours.defaults().sandbox.draw(self.luck.sandbox.unit(entity, u64::from(attempt)))
    }

    /// Sets up the sandbox of a pod, or sets it up again with new init containers to come.
    pub(crate) fn create_sandbox(&mut self, now: Time, pod: &Pod) -> Result<Name, NoAddress> {
        let ip = if pod.spec.host_network { Name::EMPTY } else { self.addresses.take().ok_or(NoAddress)? };
        let mut sandbox = match self.pods.remove(&pod.meta.uid) {
            Some(old) => Sandbox { attempt: old.attempt + 1, ..old },
            None => self.new_sandbox(pod),
        };
        release(&mut self.addresses, &mut sandbox);
        let init = pod.spec.init_containers.len();
        sandbox.cells.iter_mut().take(init).for_each(sandbox::Cell::purge);
        (sandbox.created, sandbox.up_until) = (now, Time::MAX);
        (sandbox.ip, sandbox.holds_address) = (ip.clone(), !ip.is_empty());
        self.pods.insert(pod.meta.uid, sandbox);
        Ok(ip)
    }

    /// How long it will take to create and start a container.
    pub(crate) fn create_time(&self, uid: Uid, container: usize) -> Span {
        let Some(sandbox) = self.pods.get(&uid) else { return Span::ZERO };
        let draw = draw_of(container, sandbox.cells[container].runs);
        self.behaviours.defaults().create.draw(self.luck.create.unit(sandbox.entity, draw))
    }

    /// Starts a container in its pod's sandbox, and decides its life. Returns how many ran before it.
    pub(crate) fn start(&mut self, now: Time, pod: &Pod, container: usize, image: &Name) -> u32 {
        let conduct = conduct(&self.behaviours, pod, container);
        let sandbox = self.pods.get_mut(&pod.meta.uid).expect("containers start in a sandbox");
        let (entity, cell) = (sandbox.entity, &mut sandbox.cells[container]);
        let attempt = cell.runs;
        let rank = |luck: Luck| luck.unit(entity, draw_of(container, attempt));
        let exit = conduct.exit(rank(self.luck.exit));
        let found = Reference::parse(image).ok().and_then(|it| self.images.get(&it));
        cell.start(Instance {
            id: Name::from("containerd://".to_owned() + &hex64(id_of(pod.meta.uid, container, attempt))),
            image: image.clone(),
            image_reference: found.map_or_else(|| image.clone(), |it| it.reference.full().clone()),
            image_id: found.map(|it| it.id.clone()).unwrap_or_default(),
            attempt,
            started: now,
            healthy: now + conduct.startup(rank(self.luck.startup)),
            end: exit.map(|it| End::exit(now + it.after, it.code)),
            usage: conduct.usage(),
            on_term: conduct.stop(rank(self.luck.stop)),
        });
        attempt
    }

    /// SIGTERM now, SIGKILL after `grace`. Returns when the container has stopped.
    pub(crate) fn stop(&mut self, now: Time, uid: Uid, container: usize, grace: Span) -> Time {
        let cell = self.pods.get_mut(&uid).and_then(|it| it.cells.get_mut(container));
        cell.and_then(sandbox::Cell::current_mut)
            .filter(|it| it.is_running(now))
            .map_or(now, |it| it.stop(now, grace))
    }

    /// Takes down the network of a pod.
    pub(crate) fn stop_sandbox(&mut self, now: Time, uid: Uid) {
        if let Some(sandbox) = self.pods.get_mut(&uid) {
            sandbox.up_until = sandbox.up_until.min(now);
            release(&mut self.addresses, sandbox);
        }
    }

    /// Forgets a pod and what ran in it.
    pub(crate) fn remove(&mut self, uid: Uid) {
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

fn id_of(uid: Uid, container: usize, attempt: u32) -> u64 {
    let mut digest = Digest::default();
    digest.bytes(&uid.0.to_le_bytes());
    digest.word(draw_of(container, attempt));
    digest.value()
}

fn conduct<'a>(behaviours: &'a Behaviours, pod: &Pod, container: usize) -> workload::Conduct<'a> {
    let init = pod.spec.init_containers.len();
    let found = pod.spec.all_containers().nth(container).expect("the position comes from this spec");
    behaviours.of(&Subject { pod, container: found, is_init: container < init })
}

/// A container that runs or has run, as its status says; one that runs has long been well.
fn adopted(status: &ContainerStatus, image: &Name) -> Option<Instance> {
    let (running, ended) = (status.state.running.as_ref(), status.state.terminated.as_ref());
    let started = running.and_then(|it| it.started_at).or(ended.and_then(|it| it.started_at))?.time();
    let end = ended.map(|it| End::exit(it.finished_at.unwrap_or_default().time(), it.exit_code));
    Some(Instance {
        id: status.container_id.clone(),
        image: image.clone(),
        image_reference: status.image.clone(),
        image_id: status.image_id.clone(),
        attempt: u32::try_from(status.restart_count).unwrap_or(0),
        started,
        healthy: started,
        end,
        usage: Arc::default(),
        on_term: None,
    })
}
