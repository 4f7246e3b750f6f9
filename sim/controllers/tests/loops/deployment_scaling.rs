//! Deployments that are scaled in the middle of a rollout, and pause.

use api::annotation::{DESIRED_REPLICAS, MAX_REPLICAS};
use api::{Object, ReplicaSet, Request};
use client::Plan;
use controllers::DeploymentController;

use crate::fixtures::{deployment, events, reconcile, scaled_for, set, sizes, view, writes};

/// Facts of `TestScale`: size and surge of the deployment before and after, the sizes of the new set and of two old ones,
/// the younger first, before and after; `-` where there is no such set.
const TABLE: &str = "
    # size     surge  |  before       after
      10 12     0 0     10  -  -     12  -  -
      10  5     0 0     10  -  -      5  -  -
       5 10     0 0      2  3  -      4  6  -
       5  3     0 0      2  3  -      1  2  -
       9  4     0 0      8  1  -      4  0  -
       7 10     0 0      2  3  2      3  4  3
      13  8     0 0      2  8  3      1  5  2
      10  0     0 0      5  5  -      0  0  -
    # What rounding leaves over goes to the newer, or comes from the older, of the largest sets.
       3  4     0 0      1  1  1      2  1  1
       3  2     0 0      1  1  1      1  1  0
    # Without a new set.
       4  5     0 0      -  2  2      -  3  2
       5  4     0 0      -  3  2      -  2  2
      10 14     0 0      -  7  3      - 10  4
    # With a surge, that stays or changes too.
      10 20     2 2      6  6  -     11 11  -
      10 50     3 6      5  8  -     22 34  -
    # A single set that is active takes it all, as does the latest one if none is.
       4  6     1 1      0  4  -      0  6  -
       4  6     1 1      0  0  5      0  0  6
";

#[test]
fn sets_share_a_change_of_size_in_proportion() {
    for row in TABLE.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let columns: Vec<Option<i32>> = row.split_whitespace().map(|word| word.parse().ok()).collect();
        let number = |column: usize| columns[column].expect("a number");
        let (size_before, size, surge_before, surge) = (number(0), number(1), number(2), number(3));
        let deployment = deployment(size, &surge.to_string(), "1");
        let made_before = |set: ReplicaSet| scaled_for(set, size_before, size_before + surge_before);
        let sets = [2, 1, 0].into_iter().zip(&columns[4..7]).filter_map(|(version, size)| {
            size.map(|size| Object::new(made_before(set(version, size, size))))
        });
        let view = view(sets.chain([Object::new(deployment.clone())]));
        let next = sizes(&reconcile(&DeploymentController::default(), &view, &deployment));
        let after = [2, 1, 0]
            .into_iter()
            .zip(&columns[4..7])
            .map(|(version, size)| next.get(format!("web-{version}").as_str()).copied().or(*size));
        assert_eq!(after.collect::<Vec<_>>(), columns[7..10], "{row}");
    }
}

#[test]
fn sets_note_the_size_for_which_they_were_scaled() {
    let deployment = deployment(10, "25%", "25%");
    let sets = [set(2, 2, 2), set(1, 3, 3)].map(|set| Object::new(scaled_for(set, 4, 5)));
    let plan = reconcile(
        &DeploymentController::default(),
        &view(sets.into_iter().chain([Object::new(deployment.clone())])),
        &deployment,
    );
    for set in updated_sets(&plan) {
        assert_eq!(set.meta.annotation(&DESIRED_REPLICAS).map(|it| it.as_str()), Some("10"));
        assert_eq!(set.meta.annotation(&MAX_REPLICAS).map(|it| it.as_str()), Some("13"));
    }
    let expected = [
        "ScalingReplicaSet: Scaled up replica set web-1 from 3 to 8",
        "ScalingReplicaSet: Scaled up replica set web-2 from 2 to 5",
    ];
    assert_eq!(events(&plan), expected);
}

/// The new set is what is wanted by now; an old one was last scaled for another size.
#[test]
fn old_sets_go_once_the_new_one_is_saturated() {
    let deployment = deployment(5, "1", "1");
    let sets =
        [scaled_for(set(2, 5, 5), 5, 6), scaled_for(set(1, 2, 2), 4, 5), scaled_for(set(0, 1, 0), 4, 5)];
    let objects = sets.map(Object::new).into_iter().chain([Object::new(deployment.clone())]);
    let plan = reconcile(&DeploymentController::default(), &view(objects), &deployment);
    let sizes: Vec<_> = sizes(&plan).into_iter().collect();
    assert_eq!(sizes, [("web-0".into(), 0), ("web-1".into(), 0)]);
}

#[test]
fn a_paused_deployment_is_scaled_but_not_rolled() {
    let mut deployment = deployment(6, "1", "1");
    deployment.spec.paused = true;
    deployment.spec.template = crate::fixtures::template("web:3").into();
    let old = Object::new(scaled_for(set(2, 4, 4), 4, 5));
    let plan = reconcile(
        &DeploymentController::default(),
        &view([old, Object::new(deployment.clone())]),
        &deployment,
    );
    assert_eq!(sizes(&plan).into_iter().collect::<Vec<_>>(), [("web-2".into(), 6)]);
    assert!(!writes(&plan).iter().any(|write| matches!(write.request, Request::Create { .. })));
}

fn updated_sets(plan: &Plan) -> Vec<ReplicaSet> {
    let set = |request: &Request| match request {
        Request::Update { object, .. } => object.get::<ReplicaSet>().map(|it| ReplicaSet::clone(it)),
        _ => None,
    };
    writes(plan).iter().filter_map(|write| set(&write.request)).collect()
}
