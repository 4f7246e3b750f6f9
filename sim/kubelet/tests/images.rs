//! How containers come to their images, told by what the API server sees. Times are relative to the start of the run.
//!
//! What `World` fixes, beside what `timelines.rs` says: an image has 60 MB, a node fetches 40 MB/s, and a pull takes
//! 500 ms beside the transfer; asking the registry whether an image is still the same, or to be refused, takes 300 ms.
//! The kubelet looks at pods that wait once a second, at .028 in these runs, 10 s to 15 s after their last failure.

#![allow(clippy::unwrap_used, reason = "what fails here is the test")]

mod world;

use std::sync::Arc;

use expect_test::expect_file;
use kubelet::{Catalog, Conditions, Failing, Layer, Listing, Reference, Registry, Setup};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::world::{World, defaults, images, pod, setup};

fn node(configuration: Value, catalog: Catalog) -> Setup {
    let configuration = Arc::new(serde_json::from_value(configuration).unwrap());
    Setup { configuration, images: images(catalog), ..setup() }
}

fn world(configuration: Value, catalog: Catalog) -> World {
    World::on(node(configuration, catalog), json!([]), defaults(), 7)
}

fn of_image(image: &str) -> Value {
    json!({"containers": [{"name": "main", "image": image}]})
}

fn with_policy(image: &str, policy: &str) -> Value {
    json!({"containers": [{"name": "main", "image": image, "imagePullPolicy": policy}]})
}

/// Images that a scenario lists.
fn listing(images: impl IntoIterator<Item = (&'static str, Listing)>) -> Catalog {
    let full = |name: &str| Reference::parse(name).unwrap().full().clone();
    let images = images.into_iter().map(|(name, it)| (full(name), it)).collect();
    Catalog { images, ..Catalog::default() }
}

fn failing(host: &str, how: Failing) -> Conditions {
    Conditions { failing: [(host.into(), how)].into(), ..Conditions::default() }
}

/// Each pod has an image of its own and comes at the same time.
fn create_at_once(world: &mut World, names: &'static [&'static str]) {
    world.at(10.0, move |it| {
        for name in names {
            it.create(pod(name, of_image(&format!("{name}:v1"))));
        }
    });
}

/// With `Always` the registry is asked each time, which takes 300 ms once the image is there; with `IfNotPresent` the
/// kubelet asks nobody then; with `Never` it never does.
#[test]
fn pull_policies_say_when_the_registry_is_asked() {
    let mut world = world(json!({}), Catalog::default());
    for (at, name, image, policy) in [
        (10.0, "never", "web:v1", "Never"),
        (20.0, "missing", "web:v1", "IfNotPresent"),
        (30.0, "present", "web:v1", "IfNotPresent"),
        (40.0, "always", "web:v1", "Always"),
    ] {
        world.at(at, move |it| it.create(pod(name, with_policy(image, policy))));
    }
    world.run_until(60.0);
    expect_file!["golden/images/policies.txt"].assert_eq(world.story());
}

/// The image is not in its registry: refused after 300 ms, then a back-off of 10 s, 20 s, 40 s, 80 s … from each
/// failure on, looked at every 10 s to 15 s.
#[test]
fn a_missing_image_is_tried_again_less_and_less_often() {
    let missing = Listing { is_missing: true, ..Listing::default() };
    let mut world = world(json!({}), listing([("web:v9", missing)]));
    world.at(10.0, |it| it.create(pod("web", of_image("web:v9"))));
    world.run_until(240.0);
    expect_file!["golden/images/missing.txt"].assert_eq(world.story());
}

/// One after the other: the second waits for the 2 s of the first, the third for 4 s.
#[test]
fn pulls_wait_for_each_other() {
    let mut world = world(json!({}), Catalog::default());
    create_at_once(&mut world, &["a", "b", "c"]);
    world.run_until(60.0);
    expect_file!["golden/images/serial.txt"].assert_eq(world.story());
    assert_eq!(world.pending(), 0, "a node that pulls nothing has nothing to do");
}

/// All three at once: 500 ms, then 60 MB at a third of 40 MB/s, which is 4.5 s.
#[test]
fn parallel_pulls_share_the_link() {
    let mut world = world(json!({"serializeImagePulls": false}), Catalog::default());
    create_at_once(&mut world, &["a", "b", "c"]);
    world.run_until(60.0);
    expect_file!["golden/images/parallel.txt"].assert_eq(world.story());
}

/// Two at once take 500 ms and 3 s; the third begins then, and has the link to itself: 2 s.
#[test]
fn only_so_many_pulls_go_on_at_once() {
    let mut world = world(json!({"maxParallelImagePulls": 2}), Catalog::default());
    create_at_once(&mut world, &["a", "b", "c"]);
    world.run_until(60.0);
    expect_file!["golden/images/parallel-two.txt"].assert_eq(world.story());
}

/// One pull a second and two at once: the first two pass, the others are refused, and each tries again when its 10 s
/// are over and the kubelet looks.
#[test]
fn too_many_pulls_a_second_are_refused() {
    let configuration = json!({"serializeImagePulls": false, "registryPullQPS": 1, "registryBurst": 2});
    let mut world = world(configuration, Catalog::default());
    create_at_once(&mut world, &["a", "b", "c", "d"]);
    world.run_until(60.0);
    expect_file!["golden/images/storm.txt"].assert_eq(world.story());
}

/// Both images are built on the same 40 MB: the second waits for what the first fetches, and its own 20 MB come
/// meanwhile. 60 MB and 20 MB over one link: 20 MB each in 1 s, then the rest of the base in 0.5 s, then the 20 MB that
/// are the first's own in 0.5 s.
#[test]
fn a_layer_of_two_images_is_fetched_once() {
    let image = |own: &str| Listing {
        bytes: Some(60_000_000),
        layers: vec![Layer::new("base", 40_000_000), Layer::new(own, 20_000_000)],
        ..Listing::default()
    };
    let catalog = listing([("a:v1", image("a")), ("b:v1", image("b")), ("c:v1", image("c"))]);
    let mut world = world(json!({"serializeImagePulls": false}), catalog);
    create_at_once(&mut world, &["a", "b"]);
    world.at(20.0, |it| it.create(pod("c", of_image("c:v1"))));
    world.run_until(40.0);
    expect_file!["golden/images/layers.txt"].assert_eq(world.story());
    assert_eq!(world.runtime.images_bytes(world.now), 100_000_000);
}

/// The registry goes down while the second half of the image is still to come, and is back 20 s later: the pull
/// breaks off, is refused once with 503, and passes when the back-off is over.
#[test]
fn an_outage_breaks_off_what_is_on_its_way() {
    let mut world = world(json!({}), Catalog::default());
    world.at(10.0, |it| it.create(pod("web", of_image("web:v1"))));
    world.at(11.5, |it| it.set_registries(failing("docker.io", Failing::Outage)));
    world.at(31.5, |it| it.set_registries(Conditions::default()));
    world.run_until(80.0);
    expect_file!["golden/images/outage.txt"].assert_eq(world.story());
}

/// The registry refuses new pulls; that of the first pod is under way and goes on. Other registries work.
#[test]
fn a_registry_that_throttles_refuses_new_pulls_only() {
    let mut world = world(json!({}), Catalog::default());
    world.at(10.0, |it| it.create(pod("early", of_image("early:v1"))));
    world.at(11.5, |it| it.set_registries(failing("docker.io", Failing::Throttle)));
    world.at(14.0, |it| it.create(pod("late", of_image("late:v1"))));
    world.at(14.0, |it| it.create(pod("other", of_image("quay.io/shop/other:v1"))));
    world.at(20.0, |it| it.set_registries(Conditions::default()));
    world.run_until(60.0);
    expect_file!["golden/images/throttle.txt"].assert_eq(world.story());
}

/// The secret is not there, and the registry shows the image to nobody without one; once somebody has created it,
/// the next pull passes.
#[test]
fn a_private_image_needs_a_pull_secret() {
    let registry = Registry { is_private: true, ..Registry::default() };
    let catalog = Catalog { registries: [("quay.io".into(), registry)].into(), ..Catalog::default() };
    let mut world = world(json!({}), catalog);
    let mut spec = of_image("quay.io/shop/web:v1");
    spec["imagePullSecrets"] = json!([{"name": "quay"}]);
    world.at(10.0, move |it| it.create(pod("web", spec)));
    world.at(30.0, |it| it.create_object("Secret", "quay", &json!({})));
    world.run_until(80.0);
    expect_file!["golden/images/secret.txt"].assert_eq(world.story());
}

#[test]
fn what_is_no_name_of_an_image_is_never_pulled() {
    let mut world = world(json!({}), Catalog::default());
    world.at(10.0, |it| it.create(pod("web", of_image("Web:v1"))));
    world.run_until(30.0);
    expect_file!["golden/images/invalid.txt"].assert_eq(world.story());
}

/// The registry sends each pull only 10 MB/s: 60 MB take 6 s instead of 1.5 s; from 14.7 s on, when 40 MB have come,
/// 20 MB/s: 1 s more.
#[test]
fn a_registry_with_a_limit_slows_pulls_down() {
    let registry = Registry { bandwidth: Some(10e6), ..Registry::default() };
    let catalog = Catalog { registries: [("docker.io".into(), registry)].into(), ..Catalog::default() };
    let mut world = world(json!({}), catalog);
    world.at(10.0, |it| it.create(pod("web", of_image("web:v1"))));
    world.at(10.7025, |it| it.allow("docker.io", 10e6));
    world.at(14.7025, |it| it.allow("docker.io", 20e6));
    world.run_until(30.0);
    expect_file!["golden/images/limit.txt"].assert_eq(world.story());
    let wanted: Vec<u32> = world.demands.iter().map(|(_, it)| it.limited.values().sum()).collect();
    assert_eq!(wanted, [0, 1, 0], "asking, fetching, done");
}

/// A disk of 200 MB. The third image makes it 90 % full, above 85 %; at the next look of the collector (every 5 min, at
/// 171.312 s and 471.312 s here) 20 MB are to go, so that 80 % are left. The first look finds the images, and may not take
/// what it found less than 2 min ago; the second takes the one that came first, as no look saw either of them in use.
/// The node's status lists what there is: made every half minute, written with the next status. Eviction, which by
/// default begins at 85 % too, is turned off.
#[test]
fn images_that_nobody_uses_go_when_the_disk_is_full() {
    let mut node = node(json!({"evictionHard": {}}), Catalog::default());
    node.capacity.insert("ephemeral-storage".into(), "200M".parse().unwrap());
    let mut world = World::on(node, json!([]), defaults(), 7);
    world.tells_images = true;
    for (at, name) in [(10.0, "a"), (40.0, "b"), (70.0, "c")] {
        world.at(at, move |it| it.create(pod(name, of_image(&format!("{name}:v1")))));
    }
    for (at, name) in [(30.0, "a"), (60.0, "b")] {
        world.at(at, move |it| it.delete(name, 5));
    }
    world.run_until(1_000.0);
    expect_file!["golden/images/collection.txt"].assert_eq(world.story());
    assert_eq!(world.runtime.images_bytes(world.now), 120_000_000);
    assert_eq!(world.pending(), 0, "a disk that is not too full is not looked at");
}

/// Age alone is a reason where the configuration says so. The look at 171.312 s saw the image in use; that at 771.312 s is
/// not more than 10 min later, that at 1071.312 s is.
#[test]
fn images_that_nobody_has_used_for_long_go() {
    let mut world = world(json!({"imageMaximumGCAge": "10m"}), Catalog::default());
    world.tells_images = true;
    world.at(10.0, |it| it.create(pod("web", of_image("web:v1"))));
    world.at(200.0, |it| it.delete("web", 5));
    world.run_until(1_500.0);
    expect_file!["golden/images/age.txt"].assert_eq(world.story());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever comes and goes: once the collector has had its looks, the disk is not too full, or nothing is left that
    /// could go; and what was removed leaves no more than the low threshold.
    #[test]
    fn a_disk_is_freed_as_far_as_it_can_be(
        images in prop::collection::vec((20_i64..50, any::<bool>()), 1..7),
    ) {
        prop_assume!(images.iter().map(|it| it.0).sum::<i64>() <= 200, "more than the disk holds");
        let rule = |(n, it): (usize, &(i64, bool))| {
            json!({"match": {"image": format!("i{n}:*")}, "pull": {"size": format!("{}M", it.0)}})
        };
        let rules: Vec<Value> = images.iter().enumerate().map(rule).collect();
        let mut node = node(json!({"evictionHard": {}}), Catalog::default());
        node.capacity.insert("ephemeral-storage".into(), "200M".parse().unwrap());
        let mut world = World::on(node, Value::from(rules), defaults(), 7);
        for (n, (_, stays)) in images.iter().enumerate() {
            let (name, at) = (format!("i{n}"), 10.0 * (n + 1) as f64);
            let spec = of_image(&format!("{name}:v1"));
            let pod = pod(&name, spec);
            world.at(at, move |it| it.create(pod));
            if !stays {
                world.at(at + 8.0, move |it| it.delete(&name, 1));
            }
        }
        world.run_until(1_200.0);
        let sum = |all: &mut dyn Iterator<Item = &(i64, bool)>| all.map(|it| it.0 * 1_000_000).sum::<i64>();
        let (total, in_use) = (sum(&mut images.iter()), sum(&mut images.iter().filter(|it| it.1)));
        let left = world.runtime.images_bytes(world.now);
        let was_full_enough = total <= left && left < 170_000_000;
        prop_assert!(left <= in_use.max(160_000_000) || was_full_enough, "{left} of {total}, {in_use} in use");
        prop_assert!(in_use <= left, "what is in use stays");
    }
}
