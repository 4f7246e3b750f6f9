//! The start of a container: its life is decided here, from what its scenario says and its luck.

use std::collections::BTreeSet;
use std::sync::Arc;

use api::{Container, ContainerStatus, ContainerTerminated, Labels, Pod, ResourceRequirements, Uid};
use base::{Digest, Luck, Name, Time};
use workload::{Behaviours, Conduct, Place, StartError, Subject, Usage};

use super::app::{App, Served};
use super::instance::{By, End, Instance};
use super::processor::{Claim, quota};
use super::resize::allocated_before;
use super::sandbox::{Sandbox, draw_of, entity_of};
use super::{Lucks, Runtime};
use crate::images::Reference;
use crate::setup::Setup;
use crate::text::{hex64, join};

/// What a container sees of its node.
#[derive(Clone, Debug)]
pub(super) struct Site {
    name: Name,
    labels: Labels,
    cores: f64,
    /// The period of the quota by which limits of processor time are enforced, in seconds; `None` where they are not.
    quota_period: Option<f64>,
}

impl Site {
    /// A node of which nothing else is known yet.
    pub(super) fn new(name: &str) -> Self {
        Self { name: Name::new(name), labels: Labels::EMPTY, cores: f64::INFINITY, quota_period: Some(0.1) }
    }

    /// What a container does that starts `now`; `None` where it is about its image only. Notes the rule that it is by.
    pub(super) fn conduct<'a>(
        &self,
        behaviours: &'a Behaviours,
        used: &mut BTreeSet<usize>,
        now: Option<Time>,
        pod: &Pod,
        container: usize,
    ) -> Conduct<'a> {
        let subject = Subject {
            pod,
            container: container_of(pod, container),
            is_init: container < pod.spec.init_containers.len(),
        };
        let at = now.map(|it| it.since(behaviours.start()));
        let place = Place { node: Some((&self.name, &self.labels)), at };
        let rule = behaviours.rule_of(&subject, &place);
        used.extend(rule);
        behaviours.by(rule, &subject)
    }

    /// What a container's limit and the node leave it. Upstream: `cpu.max` of its cgroup.
    pub(super) fn cores(&self, resources: &ResourceRequirements) -> f64 {
        let limit = limit(resources, "cpu").filter(|it| 0.0 < *it).zip(self.quota_period); // Zero is none.
        limit.map_or(self.cores, |(limit, period)| quota(limit, period).min(self.cores))
    }

    pub(super) fn cores_of_node(&self) -> f64 {
        self.cores
    }
}

impl Runtime {
    /// Tells the runtime what node it is on.
    pub fn on(mut self, setup: &Setup) -> Self {
        let cores = setup.capacity.get("cpu").map_or(f64::INFINITY, |it| it.approximate_f64());
        let configuration = &setup.configuration;
        let period = configuration.cpu_cfs_quota_period.span_or_zero().as_secs_f64();
        self.site = Site {
            name: setup.name.clone(),
            labels: setup.labels.clone(),
            cores,
            quota_period: Some(period).filter(|_| configuration.cpu_cfs_quota),
        };
        self
    }

    /// Takes in a pod from before the simulation, whose containers run or have run as its status says. They exit
    /// when they are told to, and not by themselves.
    pub fn adopt(&mut self, pod: &Pod) {
        let mut sandbox = Sandbox::new(pod, entity_of(&pod.meta.namespace, &pod.meta.name));
        (sandbox.ip, sandbox.up_until) = (pod.status.pod_ip.clone(), Time::MAX);
        sandbox.created = pod.status.start_time.unwrap_or_default().time();
        sandbox.holds_address = self.addresses.claim(&sandbox.ip);
        sandbox.allocated = allocated_before(pod);
        let mut states_usage = false;
        let statuses = || pod.status.init_container_statuses.iter().chain(&pod.status.container_statuses);
        for (idx, container) in pod.spec.all_containers().enumerate() {
            let Some(status) = statuses().find(|it| it.name == container.name) else { continue };
            self.adopt_image(pod, idx);
            sandbox.cells[idx].runs = u32::try_from(status.restart_count).unwrap_or(0);
            if let Some(mut instance) = adopted(status, &container.image) {
                let (used, started) = (&mut self.used, Some(instance.started));
                let conduct = self.site.conduct(&self.behaviours, used, started, pod, idx);
                let rank = self.luck.stop.unit(sandbox.entity, draw_of(idx, instance.attempt));
                (instance.usage, instance.on_term) = (conduct.usage(), conduct.stop(rank));
                let had = status.resources.as_ref().unwrap_or_else(|| pod.spec.resources_of(idx));
                instance.claim = Claim::of(&self.site, &conduct, had);
                instance.app = self.app(&conduct, had, sandbox.entity, &instance, None);
                instance.resources = Arc::clone(had);
                states_usage |= states_any_usage(&instance);
                sandbox.cells[idx].start(instance);
            }
        }
        if states_usage {
            self.begin_usage();
        }
        self.pods.insert(pod.meta.uid, sandbox);
    }

    /// Why the container cannot be made now, if that is so.
    pub(crate) fn create_error(&mut self, now: Time, pod: &Pod, container: usize) -> Option<Name> {
        if self.behaviours.rules().iter().all(|it| it.start_error.is_none()) {
            return None; // As nearly always, and quicker than to find the rule.
        }
        let conduct = self.site.conduct(&self.behaviours, &mut self.used, Some(now), pod, container);
        let error = conduct.start_error().filter(|it| matches!(it, StartError::Create(_)))?;
        Some(error.message(container_of(pod, container)))
    }

    /// Starts a container of this image in its pod's sandbox, and decides its life. Returns how many ran before it, or why its process
    /// did not come up.
    pub(crate) fn start(
        &mut self,
        now: Time,
        pod: &Pod,
        container: usize,
        image: Option<&Reference>,
    ) -> Result<u32, Name> {
        let conduct = self.site.conduct(&self.behaviours, &mut self.used, Some(now), pod, container);
        let sandbox = self.pods.get(&pod.meta.uid).expect("containers start in a sandbox");
        let (entity, attempt) = (sandbox.entity, sandbox.cells[container].runs);
        let mut instance = self.luck.instance(&conduct, now, entity, draw_of(container, attempt));
        let found = image.and_then(|it| self.images.get(it));
        let image = &container_of(pod, container).image;
        instance.id = join(["containerd://", &hex64(id_of(pod.meta.uid, container, attempt))]);
        instance.image = image.clone();
        instance.image_reference = found.map_or_else(|| image.clone(), |it| it.reference.full().clone());
        instance.image_id = found.map(|it| it.id.clone()).unwrap_or_default();
        instance.attempt = attempt;
        instance.resources = Arc::clone(pod.spec.resources_of(container));
        instance.begin(Claim::of(&self.site, &conduct, &instance.resources));
        let refusal = conduct.start_error().map(|it| it.message(container_of(pod, container)));
        instance.app = self.app(&conduct, &instance.resources, entity, &instance, refusal.clone());
        if let Some(limit) = memory_limit(&instance.resources) {
            instance.limit_memory(now, limit);
        }
        if refusal.is_some() {
            (instance.end, instance.claim) = (Some(End::no_start(now)), None);
        }
        if states_any_usage(&instance) {
            self.begin_usage();
        } else {
            self.touch();
        }
        let sandbox = self.pods.get_mut(&pod.meta.uid).expect("containers start in a sandbox");
        let sharing = sandbox.sharing;
        sandbox.cells[container].start(instance);
        if let Some(instance) = sandbox.cells[container].current_mut().filter(|_| 0 < sharing) {
            instance.share(now, sharing);
        }
        refusal.map_or(Ok(attempt), Err)
    }

    /// From now on so many pods share the load that comes to this one and its like; 0 means that none comes to it.
    /// Whether that is new.
    pub fn share_load(&mut self, now: Time, uid: Uid, sharing: u32) -> bool {
        let Some(sandbox) = self.pods.get_mut(&uid).filter(|it| it.sharing != sharing) else { return false };
        sandbox.sharing = sharing;
        sandbox.instances_mut().for_each(|it| it.share(now, sharing));
        self.touch();
        true
    }

    /// What is to be said of the application in a container, if anything.
    fn app(
        &self,
        conduct: &Conduct<'_>,
        resources: &ResourceRequirements,
        entity: u64,
        instance: &Instance,
        refusal: Option<Name>,
    ) -> Option<Box<App>> {
        let (health, load, words) = (conduct.health(), conduct.load(), conduct.last_words());
        if health.is_none() && load.is_none() && words.is_none() && refusal.is_none() {
            return None;
        }
        let served = load.map(|load| Served {
            load: Arc::clone(load),
            cores: self.site.cores(resources),
            warm_up: conduct.warm_up(),
            healthy: instance.healthy,
            begin: self.behaviours.start(),
            sharing: 0,
            memory_max: memory_limit(resources),
            natural: instance.end,
        });
        let health = health.cloned().unwrap_or_default();
        let errors = (self.luck.errors, entity);
        Some(Box::new(App { health, served, errors, words: words.map(Box::new), refusal }))
    }
}

impl Lucks {
    /// A run as luck has it, with nothing said of its image.
    fn instance(&self, conduct: &Conduct<'_>, now: Time, entity: u64, draw: u64) -> Instance {
        let rank = |luck: Luck| luck.unit(entity, draw);
        Instance {
            id: Name::EMPTY,
            image: Name::EMPTY,
            image_reference: Name::EMPTY,
            image_id: Name::EMPTY,
            attempt: 0,
            started: now,
            healthy: now + conduct.startup(rank(self.startup)),
            end: conduct.exit(rank(self.exit)).map(|it| End::exit(now + it.after, it.code)),
            resources: Arc::default(),
            usage: conduct.usage(),
            natural: None,
            app: None,
            claim: None,
            on_term: conduct.stop(rank(self.stop)),
        }
    }
}

fn states_any_usage(instance: &Instance) -> bool {
    *instance.usage != Usage::NONE || instance.is_served()
}

fn container_of(pod: &Pod, position: usize) -> &Container {
    pod.spec.all_containers().nth(position).expect("the position comes from this spec")
}

/// In bytes, if there is one.
pub(super) fn memory_limit(resources: &ResourceRequirements) -> Option<f64> {
    limit(resources, "memory")
}

fn limit(resources: &ResourceRequirements, resource: &str) -> Option<f64> {
    resources.limits.get(resource).map(|it| it.approximate_f64())
}

fn id_of(uid: Uid, container: usize, attempt: u32) -> u64 {
    let mut digest = Digest::default();
    digest.bytes(&uid.0.to_le_bytes());
    digest.word(draw_of(container, attempt));
    digest.value()
}

/// A container that runs or has run, as its status says; one that runs has long been well.
fn adopted(status: &ContainerStatus, image: &Name) -> Option<Instance> {
    let (running, ended) = (status.state.running.as_ref(), status.state.terminated.as_ref());
    let started = running.and_then(|it| it.started_at).or(ended.and_then(|it| it.started_at))?.time();
    let end = |it: &ContainerTerminated| End::exit(it.finished_at.unwrap_or_default().time(), it.exit_code);
    let end = ended.map(|it| end(it).by(By::Force));
    Some(Instance {
        id: status.container_id.clone(),
        image: image.clone(),
        image_reference: status.image.clone(),
        image_id: status.image_id.clone(),
        attempt: u32::try_from(status.restart_count).unwrap_or(0),
        started,
        healthy: started,
        end,
        natural: None,
        resources: Arc::default(),
        usage: Arc::default(),
        app: None,
        claim: None,
        on_term: None,
    })
}
