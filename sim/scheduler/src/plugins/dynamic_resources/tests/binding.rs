//! What is written about claims, and what counts in the meantime.

use api::{Object, Resource, ResourceClaim, Revision};
use base::Name;
use client::Change;
use serde_json::json;

use crate::framework::{Cycle, PreBind, Progress, Reservation};
use crate::plugins::dynamic_resources::binding::pre_bind;
use crate::plugins::dynamic_resources::tests::{World, exactly};
use crate::pod_info::PodInfo;

/// The API server hears of what PreBind writes, and the scheduler hears of that.
fn write_all(world: &mut World, pod: &PodInfo, reservation: &Reservation) -> Vec<String> {
    let mut written = Vec::new();
    for _ in 0..10 {
        let cluster = &world.core.cluster;
        let cycle = Cycle { pod, cluster };
        let progress = Progress { reservation, written: written.len(), waited: base::Span::ZERO };
        match pre_bind(&cycle, &progress) {
            PreBind::Done => return written,
            PreBind::Write(requests) => {
                for request in requests {
                    written.push(format!("{} {}", request.verb(), request.subresource()));
                    let api::Request::Update { mut object, .. } = request else { panic!("{request:?}") };
                    world.revision += 1;
                    object.get_mut::<ResourceClaim>().unwrap().meta.resource_version =
                        Revision(world.revision);
                    world.core.cluster.objects.hear(&Change::Set { old: None, new: object });
                }
            }
            other @ (PreBind::Wait(_) | PreBind::Failed(_)) => panic!("{other:?}"),
        }
    }
    panic!("it never ends: {written:?}")
}

#[test]
fn a_claim_is_shared_once_its_allocation_is_written() {
    let mut world = World::new(&["a", "b"]);
    world.slice("b", 1);
    world.claim("c", &json!({"requests": [exactly("r", 1)]}));
    let (first, second) = (world.pod("p", &["c"]), world.pod("q", &["c"]));
    assert_eq!(world.schedule(&first), Ok("b".into()));
    let busy = "resource claim default/c is in the process of being allocated";
    let expected = format!("0/2 nodes are available: {busy}. no new claims to deallocate");
    assert_eq!(world.refusal(&second), expected);
    let reservation = Reservation { assumed: vec![Object::ResourceClaim(world.find("c"))] };
    assert_eq!(write_all(&mut world, &first, &reservation), ["update ", "update status"]);
    assert_eq!(world.schedule(&second), Ok("b".into()), "where its devices are");
    assert_eq!(write_all(&mut world, &second, &Reservation::default()), ["update status"]);
    let users: Vec<Name> = world.find("c").status.reserved_for.iter().map(|it| it.name.clone()).collect();
    assert_eq!(users, ["p", "q"]);
}

#[test]
fn between_its_two_writes_a_claim_keeps_its_devices() {
    let mut world = World::new(&["a"]);
    world.slice("a", 1);
    world.claim("c", &json!({"requests": [exactly("r", 1)]}));
    world.claim("d", &json!({"requests": [exactly("r", 1)]}));
    let (first, second) = (world.pod("p", &["c"]), world.pod("q", &["d"]));
    assert_eq!(world.schedule(&first), Ok("a".into()));
    world.claim("c", &json!({"requests": [exactly("r", 1)]})); // As the server has it, with the finalizer.
    assert!(world.refusal(&second).contains("cannot allocate all claims"));
    assert_eq!(world.allocated("c"), ["r=a/gpu-0"]);
    world.core.cluster.objects.restore(&world.find("c").key());
    assert_eq!(world.allocated("c"), Vec::<String>::new());
    assert_eq!(world.schedule(&second), Ok("a".into()));
}
