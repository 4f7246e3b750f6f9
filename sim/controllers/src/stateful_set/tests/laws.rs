//! What holds whatever happens to pods.

use std::sync::Arc;

use api::{Key, Kind, Object, Pod, PodPhase, Request, StatefulSet};
use base::Span;
use client::{ControlLoop, Rate};
use proptest::prelude::*;

use super::{ready, set};
use crate::stateful_set::{StatefulSetController, identity};
use crate::testing::World;

/// Something happens to a pod.
#[derive(Clone, Debug)]
enum Blow {
    Fails(i32),
    Unready(i32),
    IsDeleted(i32),
    Scaled(i32),
}

fn blow() -> impl Strategy<Value = Blow> {
    prop_oneof![
        (0..4).prop_map(Blow::Fails),
        (0..4).prop_map(Blow::Unready),
        (0..4).prop_map(Blow::IsDeleted),
        (0..5).prop_map(Blow::Scaled),
    ]
}

type Cluster = World<ControlLoop<Arc<StatefulSetController>>>;

fn key(ordinal: i32) -> Key {
    Key::new(Kind::Pod, "shop", format!("web-{ordinal}").as_str())
}

fn strike(world: &mut Cluster, blow: &Blow) {
    match blow {
        Blow::Scaled(replicas) => {
            world.change::<StatefulSet>(&Key::new(Kind::StatefulSet, "shop", "web"), |set| {
                set.spec.replicas = Some(*replicas);
            });
        }
        Blow::Fails(n) if world.server.get(&key(*n)).is_some() => {
            world.change::<Pod>(&key(*n), |pod| pod.status.phase = PodPhase::Failed);
        }
        Blow::Unready(n) if world.server.get(&key(*n)).is_some() => {
            world.change::<Pod>(&key(*n), |pod| pod.status.conditions.clear());
        }
        Blow::IsDeleted(n) => {
            drop(world.ask(Request::Delete { key: key(*n), options: api::DeleteOptions::default() }));
        }
        Blow::Fails(_) | Blow::Unready(_) => (),
    }
}

/// The kubelet: every pod that has not finished becomes ready.
fn make_ready(world: &mut Cluster) {
    let pods: Vec<Key> = world.server.of_kind(&Kind::Pod).map(Object::key).collect();
    for key in pods {
        let now = world.now;
        world.change::<Pod>(&key, |pod| {
            if pod.status.phase != PodPhase::Failed && !pod.is_ready() {
                pod.status.phase = PodPhase::Running;
                pod.status.conditions = vec![ready(now.into())];
            }
        });
    }
}

/// The ordinals of the pods that there are.
fn places(world: &Cluster) -> Vec<(i32, bool)> {
    let pods = world.server.of_kind(&Kind::Pod).filter_map(Object::get::<Pod>);
    let mut places: Vec<_> =
        pods.map(|pod| (identity::ordinal(pod).unwrap(), pod.is_ready() && pod.is_active())).collect();
    places.sort_unstable();
    places
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// In order, a pod is only created when all before it are there and ready; and in the end there are all and no
    /// others, whatever happened to them and however slow the ways are.
    #[test]
    fn pods_keep_their_order_whatever_happens(blows in prop::collection::vec(blow(), 1..12), seed: u64) {
        let controller = Arc::new(StatefulSetController::default());
        let mut world = World::new(ControlLoop::new(controller, Rate::CONTROLLER), seed);
        world.create(set(3));
        let mut wanted = 3;
        for blow in &blows {
            if let Blow::Scaled(replicas) = blow {
                wanted = *replicas;
            }
            strike(&mut world, blow);
            for _ in 0..12 {
                // Long enough for the news to come and one plan to be carried out, too short for two.
                let before = places(&world);
                world.run_for(Span::millis(20));
                for (ordinal, _) in places(&world) {
                    let is_new = before.iter().all(|it| it.0 != ordinal);
                    let below = before.iter().filter(|it| it.0 < ordinal);
                    prop_assert!(!is_new || below.clone().count() == usize::try_from(ordinal).unwrap());
                    prop_assert!(!is_new || below.clone().all(|it| it.1), "{ordinal} of {before:?}");
                }
                world.run_for(Span::secs(2));
                make_ready(&mut world);
            }
        }
        for _ in 0..20 {
            world.run_for(Span::secs(60));
            make_ready(&mut world);
        }
        let expected: Vec<(i32, bool)> = (0..wanted).map(|ordinal| (ordinal, true)).collect();
        prop_assert_eq!(places(&world), expected);
    }
}
