//! What comes between a pod's choice of a node and its binding.

use api::{Request, Subresource};

use super::*;
use crate::framework::Reservation;

/// A pod on node `a` that has `c` bound to the volume `v`, and `d` made.
struct Binding {
    world: World,
    pod: PodInfo,
    reservation: Reservation,
}

impl Binding {
    fn new() -> Self {
        let mut world = world()
            .with::<PersistentVolumeClaim>([claim("c", "static"), claim("d", "later")])
            .with::<PersistentVolume>([volume("v", "static", "a")]);
        let pod = world.pod(pod(&["c", "d"]));
        let assumed = world.reserve(&pod, "a");
        Self { world, pod, reservation: Reservation { assumed } }
    }

    fn step(&self, written: usize, waited: Span) -> PreBind {
        let cycle = self.world.cycle(&self.pod);
        let node = cycle.cluster.nodes.find("a").unwrap();
        let progress = Progress { reservation: &self.reservation, written, waited };
        VolumeBinding::default().pre_bind(&cycle, node, &progress)
    }

    /// What the look after 3 s finds.
    fn look(&self) -> String {
        match self.step(2, Span::secs(3)) {
            PreBind::Failed(rejection) => rejection.message().to_string(),
            other => format!("{other:?}"),
        }
    }

    /// The writes have come back.
    fn with_writes_heard(mut self) -> Self {
        self.world.hear::<PersistentVolume>(given_volume());
        self.world.hear::<PersistentVolumeClaim>(pinned_claim());
        self
    }
}

fn given_volume() -> Value {
    let mut given = volume("v", "static", "a");
    given["metadata"]["resourceVersion"] = "2".into();
    given["metadata"]["annotations"] = json!({"pv.kubernetes.io/bound-by-controller": "yes"});
    given["spec"]["claimRef"] = json!({"namespace": "ns", "name": "c", "uid": "c"});
    given
}

fn pinned_claim() -> Value {
    let mut pinned = claim("d", "later");
    pinned["metadata"]["resourceVersion"] = "2".into();
    pinned["metadata"]["annotations"] = json!({"volume.kubernetes.io/selected-node": "a"});
    pinned
}

fn bound(mut claim: Value, volume: &str) -> Value {
    claim["metadata"]["resourceVersion"] = "3".into();
    claim["metadata"]["annotations"][BOUND] = "yes".into();
    claim["spec"]["volumeName"] = volume.into();
    claim
}

#[test]
fn volumes_and_claims_are_written_and_then_looked_at_every_second() {
    let mut binding = Binding::new();
    let PreBind::Write(requests) = binding.step(0, Span::ZERO) else { panic!("it writes first") };
    let expected: Vec<Request> = binding
        .reservation
        .assumed
        .iter()
        .map(|it| Request::Update { object: it.clone(), sub: Subresource::Main })
        .collect();
    assert_eq!(requests, expected);
    assert_eq!(binding.step(2, Span::millis(30)), PreBind::Wait(Span::millis(970)));
    assert_eq!(binding.step(2, Span::secs(1)), PreBind::Wait(Span::secs(1)), "nothing has come back");
    binding = binding.with_writes_heard();
    assert_eq!(binding.step(2, Span::secs(2)), PreBind::Wait(Span::secs(1)), "neither claim is bound");
    binding.world.hear::<PersistentVolumeClaim>(bound(claim("c", "static"), "v"));
    binding.world.hear::<PersistentVolumeClaim>(bound(pinned_claim(), "made"));
    assert_eq!(binding.step(2, Span::secs(3)), PreBind::Wait(Span::secs(1)), "the new volume is not known");
    binding.world.hear::<PersistentVolume>(volume("made", "later", "a"));
    assert_eq!(binding.step(2, Span::millis(3500)), PreBind::Wait(Span::millis(500)), "between two looks");
    assert_eq!(binding.step(2, Span::secs(4)), PreBind::Done);
}

#[test]
fn waiting_has_an_end() {
    let binding = Binding::new().with_writes_heard();
    let expected = PreBind::Failed(error("binding volumes: context deadline exceeded"));
    assert_eq!(binding.step(2, Span::secs(599)), PreBind::Wait(Span::secs(1)));
    assert_eq!(binding.step(2, Span::secs(600)), expected);
}

#[test]
fn a_pod_whose_claims_are_bound_has_nothing_to_wait_for() {
    let mut world = world()
        .with::<PersistentVolumeClaim>([bound_claim("c", "v")])
        .with::<PersistentVolume>([volume("v", "now", "a")]);
    let pod = world.pod(pod(&["c"]));
    let reservation = Reservation { assumed: world.reserve(&pod, "a") };
    let binding = Binding { world, pod, reservation };
    assert_eq!(binding.step(0, Span::ZERO), PreBind::Done);
}

#[test]
fn what_is_undone_meanwhile_fails_the_binding() {
    let mut reset = given_volume();
    reset["spec"].as_object_mut().unwrap().remove("claimRef");
    let mut moved = given_volume();
    moved["spec"]["nodeAffinity"] = volume("v", "static", "b")["spec"]["nodeAffinity"].clone();
    let volumes = [
        (reset, "binding volumes: ClaimRef got reset for pv \"v\""),
        (
            moved,
            "binding volumes: pv \"v\" node affinity doesn't match node \"a\": no matching NodeSelectorTerms",
        ),
    ];
    for (volume, expected) in volumes {
        let mut binding = Binding::new();
        binding.world.hear::<PersistentVolume>(volume);
        assert_eq!(binding.look(), expected);
    }
    let mut bare = pinned_claim();
    bare["metadata"].as_object_mut().unwrap().remove("annotations");
    let mut other = pinned_claim();
    other["metadata"]["annotations"] = json!({"note": "x"});
    let claims = [
        (bare, "binding volumes: selectedNode annotation reset for PVC \"d\""),
        (other, "binding volumes: provisioning failed for PVC \"d\""),
    ];
    for (claim_d, expected) in claims {
        let mut binding = Binding::new().with_writes_heard();
        binding.world.hear::<PersistentVolumeClaim>(bound(claim("c", "static"), "v"));
        binding.world.hear::<PersistentVolumeClaim>({
            let mut later = claim_d;
            later["metadata"]["resourceVersion"] = "4".into();
            later
        });
        assert_eq!(binding.look(), expected);
    }
}

#[test]
fn what_goes_away_meanwhile_fails_the_binding() {
    let mut binding = Binding::new();
    binding.world.lose::<PersistentVolume>(volume("v", "static", "a"));
    let expected = "binding volumes: failed to check binding: could not find v1.PersistentVolume \"v\"";
    assert_eq!(binding.look(), expected);

    let mut binding = Binding::new();
    binding.world.lose::<PersistentVolumeClaim>(claim("c", "static"));
    let expected =
        "binding volumes: failed to check binding: could not find v1.PersistentVolumeClaim \"ns/c\"";
    assert_eq!(binding.look(), expected);

    let mut binding = Binding::new();
    binding.world.core.cluster.remove_pod(binding.pod.uid());
    assert_eq!(binding.look(), "binding volumes: pod does not exist any more: pod \"p\" not found");
}

#[test]
fn giving_up_frees_the_volumes() {
    let mut world = world()
        .with::<PersistentVolumeClaim>([claim("c", "static"), claim("d", "static")])
        .with::<PersistentVolume>([volume("v", "static", "a")]);
    let first = world.pod(pod(&["c"]));
    let reserved = world.core.reserve(0, &first, &Name::new("a")).unwrap();
    world.core.unreserve(&reserved);
    world.core.cluster.forget(first.uid());
    let second = world.pod(pod(&["d"]));
    assert_eq!(given(&mut world, &second, "a"), ["d gets v"]);
}
