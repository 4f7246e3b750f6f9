//! Volumes that must be attached before they can be mounted. `World` and its times are as in `timelines.rs`; the node's
//! status is written at whole tens of seconds, and the volume manager's loop turns at every tenth of a second.

#![allow(clippy::unwrap_used, reason = "what fails here is the test")]

mod world;

use api::Kind;
use expect_test::expect_file;
use kubelet::Start;
use serde_json::{Value, json};

use crate::world::{World, pod};

fn database() -> Value {
    json!({
        "containers": [{"name": "main", "image": "db:v1", "volumeMounts": [{"name": "data", "mountPath": "/data"}]}],
        "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}],
    })
}

fn world() -> World {
    let mut world = World::new(json!([]));
    world.create_claim("data");
    world
}

/// The claim, its volume and the driver are asked for, 2 ms each. That the volume is in use is told at 20 s, which the
/// kubelet knows 2 ms later; its next loop, at 20.1 s, finds the volume attached. The driver takes 0.5 s; the sync,
/// which began at 10.001 s, finds that at its next look, one of every 300 ms, at 20.801 s. When the pod has gone, its
/// volume is unmounted, which is found after two looks of 300 ms, and no more in use from the next status on.
#[test]
fn a_volume_is_mounted_once_it_is_attached() {
    let mut world = world();
    world.at(10.0, |it| it.create(pod("db", database())));
    world.at(13.0, |it| it.attach("data"));
    world.at(33.0, |it| it.delete("db", 30));
    world.run_until(60.0);
    expect_file!["golden/volumes/attached.txt"].assert_eq(world.story());
}

/// The kubelet looks at 20.1 s, and then with pauses of 0.5, 1, 2 and 4 s: the last look, at 27.6 s, finds what has been
/// there since 25 s.
#[test]
fn what_is_attached_late_is_found_later_still() {
    let mut world = world();
    world.at(10.0, |it| it.create(pod("db", database())));
    world.at(25.0, |it| it.attach("data"));
    world.run_until(60.0);
    expect_file!["golden/volumes/late.txt"].assert_eq(world.story());
}

/// A sync gives up after 2 min 3 s and is begun again 10 to 15 s later; nobody is told. The looks go on meanwhile, ever
/// longer apart: at 20.1 s and 0.5, 1.5, 3.5, 7.5, 15.5, 31.5, 63.5, 127.5 s after that, the last at 147.6 s.
#[test]
fn a_pod_whose_volume_is_not_attached_waits_in_silence() {
    let mut world = world();
    world.at(10.0, |it| it.create(pod("db", database())));
    world.at(100.0, |it| it.attach("data"));
    world.run_until(180.0);
    expect_file!["golden/volumes/silence.txt"].assert_eq(world.story());
}

/// Drivers that attach nothing are mounted by the second look, as any simple volume.
#[test]
fn a_driver_may_do_without_attaching() {
    let mut world = world();
    let driver = json!({"metadata": {"name": "disk.example.com"}, "spec": {"attachRequired": false}});
    world.put_object(&Kind::CSIDriver, driver);
    world.at(10.0, |it| it.create(pod("db", database())));
    world.run_until(30.0);
    expect_file!["golden/volumes/not-attached.txt"].assert_eq(world.story());
}

/// A sync that finds a claim without its volume fails at once; the next one follows 10 to 15 s later.
#[test]
fn a_claim_must_be_bound_before_it_is_mounted() {
    let mut world = World::new(json!([]));
    let pending =
        json!({"metadata": {"name": "data", "namespace": "default"}, "status": {"phase": "Pending"}});
    world.at(10.0, |it| it.create(pod("db", database())));
    world.at(15.0, move |it| it.put_object(&Kind::PersistentVolumeClaim, pending));
    world.at(30.0, |it| it.create_claim("data"));
    world.at(35.0, |it| it.attach("data"));
    world.run_until(70.0);
    expect_file!["golden/volumes/unbound.txt"].assert_eq(world.story());
}

/// A new kubelet finds what its predecessor has mounted, and so the volume stays in use; it is not when its pod has gone
/// while no kubelet was there, from the first status after that on.
#[test]
fn a_restarted_kubelet_knows_which_volumes_are_in_use() {
    for (name, is_deleted) in [("kept", false), ("gone", true)] {
        let mut world = world();
        world.at(10.0, |it| it.create(pod("db", database())));
        world.at(13.0, |it| it.attach("data"));
        world.at(33.0, World::stop_kubelet);
        if is_deleted {
            world.at(35.0, |it| it.delete("db", 0));
        }
        world.at(43.0, |it| it.start_kubelet(Start::Restarted));
        world.run_until(80.0);
        expect_file![format!("golden/volumes/restart-{name}.txt")].assert_eq(world.story());
        let in_use = world.node.as_ref().unwrap().status.volumes_in_use.len();
        assert_eq!(in_use, usize::from(!is_deleted), "{name}");
    }
}
