//! What holds for every rollout, whatever happens to pods and whatever people change meanwhile.

use api::annotation::DESIRED_REPLICAS;
use api::{
    Deployment, DeploymentStrategyType, IntOrString, PodPhase, ReplicaSet, Resource, RollingUpdateDeployment,
    Rounding,
};
use proptest::prelude::*;

use crate::fixtures::{deployment, template};
use crate::world::World;

/// One thing that happens. Numbers choose a pod, around the end of the list.
#[derive(Clone, Debug)]
enum Act {
    GetReady(usize),
    GetUnready(usize),
    Fail(usize),
    /// Somebody deletes a pod.
    Kill(usize),
    /// The pods that are on their way out are gone.
    Sweep,
    SetImage(u32),
    SetReplicas(i32),
    SetLimits(usize, usize),
    SyncSets,
    /// With reports of the replica sets that may be out of date.
    SyncDeployment,
    /// With reports that are up to date; and the sets follow at once.
    Step,
}

const LIMITS: [&str; 6] = ["0", "1", "3", "25%", "50%", "100%"];

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        6 => any::<usize>().prop_map(Act::GetReady),
        1 => any::<usize>().prop_map(Act::GetUnready),
        1 => any::<usize>().prop_map(Act::Fail),
        1 => any::<usize>().prop_map(Act::Kill),
        2 => Just(Act::Sweep),
        1 => (2_u32..6).prop_map(Act::SetImage),
        1 => (0_i32..12).prop_map(Act::SetReplicas),
        1 => (0..LIMITS.len(), 0..LIMITS.len()).prop_map(|(surge, unavailable)| Act::SetLimits(surge, unavailable)),
        2 => Just(Act::SyncSets),
        4 => Just(Act::SyncDeployment),
        6 => Just(Act::Step),
    ]
}

proptest! {
    /// The controllers never ask for more pods than replicas and surge (unless there were more already, since somebody
    /// lowered either), never themselves take an available pod that is needed, and always finish once nothing fails.
    #[test]
    fn rollouts_stay_within_their_limits_and_finish(
        replicas in 0_i32..12,
        limits in (0..LIMITS.len(), 0..LIMITS.len()),
        is_recreate in prop::bool::weighted(0.2),
        acts in prop::collection::vec(act(), 0..120),
    ) {
        let mut start = deployment(replicas, LIMITS[limits.0], LIMITS[limits.1]);
        if is_recreate {
            start.spec.strategy.kind = DeploymentStrategyType::Recreate;
        }
        let mut world = World::new(start);
        for act in acts {
            world.perform(&act);
        }
        world.finish();
    }
}

impl World {
    fn perform(&mut self, act: &Act) {
        match *act {
            Act::GetReady(n) => self.with_pod(n, |world, pod| world.set_ready(pod, true)),
            Act::GetUnready(n) => self.with_pod(n, |world, pod| world.set_ready(pod, false)),
            Act::Fail(n) => {
                self.with_pod(n, |world, pod| world.edit_pod(pod, |pod| pod.status.phase = PodPhase::Failed));
            }
            Act::Kill(n) => self.with_pod(n, |world, pod| world.remove(&pod.key())),
            Act::Sweep => self.sweep(),
            Act::SetImage(version) => self.edit_deployment(|deployment| {
                deployment.spec.template = template(&format!("web:{version}")).into();
            }),
            Act::SetReplicas(replicas) => {
                self.edit_deployment(|deployment| deployment.spec.replicas = Some(replicas));
            }
            Act::SetLimits(surge, unavailable) => self.set_limits(LIMITS[surge], LIMITS[unavailable]),
            Act::SyncSets => self.sync_sets().expect("nothing refuses"),
            Act::SyncDeployment => self.sync_within_size(),
            Act::Step => self.step_within_availability(),
        }
    }

    fn with_pod(&mut self, n: usize, act: impl FnOnce(&mut Self, &api::Pod)) {
        let pods = self.active_pods();
        if !pods.is_empty() {
            act(self, &pods[n % pods.len()]);
        }
    }

    fn sweep(&mut self) {
        let gone: Vec<_> =
            self.view.list::<api::Pod>().filter(|pod| !pod.is_active()).map(|pod| pod.key()).collect();
        gone.iter().for_each(|key| self.remove(key));
    }

    fn set_limits(&mut self, surge: &str, unavailable: &str) {
        let update = RollingUpdateDeployment {
            max_surge: Some(IntOrString::parse(surge)),
            max_unavailable: Some(IntOrString::parse(unavailable)),
            ..RollingUpdateDeployment::default()
        };
        self.edit_deployment(|deployment| deployment.spec.strategy.rolling_update = Some(update));
    }

    /// A sync of the deployment; what all sets ask for together stays within the limit, or does not grow.
    fn sync_within_size(&mut self) {
        let before = self.wanted();
        let _ = self.sync_deployment(); // Conflicts happen; the next sync sees more.
        let limits = Limits::of(self.deployment());
        let (after, most) = (self.wanted(), limits.most);
        assert!(
            after <= before.max(most),
            "{before} pods became {after}, where {most} may be: {:#?}",
            self.sizes()
        );
    }

    /// A sync of the deployment and of all sets; what is available stays so, as far as it is needed.
    fn step_within_availability(&mut self) {
        self.sync_sets().expect("nothing refuses");
        let before = self.available();
        let is_rollout = !self.is_being_scaled() && !self.is_recreate();
        self.sync_within_size();
        self.sync_sets().expect("nothing refuses");
        let (after, least) = (self.available(), Limits::of(self.deployment()).least);
        let needed = before.min(least);
        assert!(
            !is_rollout || needed <= after,
            "{before} available pods became {after}, where {least} must stay"
        );
        self.sets_hold_what_they_ask_for();
    }

    fn sets_hold_what_they_ask_for(&self) {
        for set in self.sets() {
            let pods = self.view.owned_by::<api::Pod>(set.meta.uid).filter(|pod| pod.is_active()).count();
            assert_eq!(i32::try_from(pods), Ok(set.replicas()), "{}", set.meta.name);
        }
    }

    /// Nothing fails any more: the deployment must come to its end.
    fn finish(&mut self) {
        for round in 0..200 {
            let _ = self.sync_deployment();
            self.sync_sets().expect("nothing refuses");
            self.active_pods().iter().filter(|pod| !pod.is_ready()).for_each(|pod| self.set_ready(pod, true));
            self.sync_sets().expect("nothing refuses");
            self.sweep();
            if self.is_finished() {
                return;
            }
            if round % 50 == 49 && self.is_forgotten() {
                self.edit_deployment(|deployment| deployment.spec.replicas = Some(deployment.replicas() + 1));
            }
        }
        panic!("it does not finish: {:#?}\n{:#?}", self.deployment().status, self.sizes());
    }

    fn is_finished(&self) -> bool {
        let deployment = self.deployment();
        let (replicas, status) = (deployment.replicas(), &deployment.status);
        let progressing = deployment.condition("Progressing").map(|it| it.reason.as_str());
        let [counts @ .., unavailable] = [
            status.replicas,
            status.updated_replicas,
            status.ready_replicas,
            status.available_replicas,
            status.unavailable_replicas,
        ];
        counts == [replicas; 4]
            && unavailable == 0
            && self.wanted() == replicas
            && status.observed_generation == deployment.meta.generation
            && progressing == Some("NewReplicaSetAvailable")
    }

    /// Upstream has one state that it never leaves by itself: somebody scales the deployment to just the size that its
    /// only active set has by then, and so nobody notes on that set that it was scaled.
    fn is_forgotten(&self) -> bool {
        let active: Vec<_> = self.sets().into_iter().filter(|set| 0 < set.replicas()).collect();
        matches!(&active[..], [only] if only.replicas() == self.deployment().replicas())
            && self.is_being_scaled()
    }

    fn is_being_scaled(&self) -> bool {
        let replicas = self.deployment().replicas().to_string();
        let is_other =
            |set: &ReplicaSet| set.meta.annotation(&DESIRED_REPLICAS).is_none_or(|it| *it != *replicas);
        self.sets().iter().any(|set| 0 < set.replicas() && is_other(set))
    }

    fn is_recreate(&self) -> bool {
        self.deployment().spec.strategy.kind == DeploymentStrategyType::Recreate
    }

    fn wanted(&self) -> i32 {
        self.sets().iter().map(|set| set.replicas()).sum()
    }

    fn available(&self) -> i32 {
        i32::try_from(self.active_pods().iter().filter(|pod| pod.is_ready()).count()).expect("a few pods")
    }

    fn sizes(&self) -> Vec<(String, i32, i32)> {
        let size =
            |set: &ReplicaSet| (set.meta.name.to_string(), set.replicas(), set.status.available_replicas);
        self.sets().iter().map(|set| size(set)).collect()
    }
}

/// The limits that the author of a deployment asks for.
struct Limits {
    most: i32,
    least: i32,
}

impl Limits {
    fn of(deployment: &Deployment) -> Self {
        let replicas = deployment.replicas();
        if deployment.spec.strategy.kind == DeploymentStrategyType::Recreate {
            return Self { most: replicas, least: 0 };
        }
        let update = deployment.spec.strategy.rolling_update.clone().expect("every test states it");
        let pods = |limit: Option<IntOrString>, rounding| {
            let pods = limit.expect("every test states it").scaled(replicas.into(), rounding);
            i32::try_from(pods.expect("only percentages")).expect("a few pods")
        };
        let surge = pods(update.max_surge, Rounding::Up);
        let unavailable = pods(update.max_unavailable, Rounding::Down);
        let unavailable = if surge + unavailable == 0 { 1 } else { unavailable };
        Self { most: replicas + surge, least: (replicas - unavailable).max(0) }
    }
}
