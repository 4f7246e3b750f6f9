//! How many pods a rollout may add, and how many it may take away.
//!
//! Upstream: `pkg/controller/deployment/util/deployment_util.go`.

use std::sync::Arc;

use api::{Deployment, DeploymentStrategyType, IntOrString, ReplicaSet, Rounding};

use super::replica_sets::replica_count;

pub(super) fn is_rolling_update(deployment: &Deployment) -> bool {
    deployment.spec.strategy.kind == DeploymentStrategyType::RollingUpdate
}

/// Pods that may be there beyond the desired ones.
pub(super) fn max_surge(deployment: &Deployment) -> i32 {
    if is_rolling_update(deployment) { fenceposts(deployment).surge } else { 0 }
}

/// Desired pods that may be unavailable; at most all.
pub(super) fn max_unavailable(deployment: &Deployment) -> i32 {
    if !is_rolling_update(deployment) || deployment.replicas() == 0 {
        return 0;
    }
    fenceposts(deployment).unavailable.min(deployment.replicas())
}

/// What `maxSurge` and `maxUnavailable` come to, in pods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Fenceposts {
    surge: i32,
    unavailable: i32,
}

fn fenceposts(deployment: &Deployment) -> Fenceposts {
    let update = deployment.spec.strategy.rolling_update.as_ref();
    let surge = update.and_then(|it| it.max_surge.as_ref());
    let unavailable = update.and_then(|it| it.max_unavailable.as_ref());
    resolve_fenceposts(surge, unavailable, deployment.replicas())
}

/// A share is rounded up for the surge, and down for the unavailable ones. Where both come to nothing, as small shares
/// of few pods do, one pod may be unavailable: otherwise nothing would ever move.
fn resolve_fenceposts(
    surge: Option<&IntOrString>,
    unavailable: Option<&IntOrString>,
    desired: i32,
) -> Fenceposts {
    // What cannot be resolved does not pass validation; upstream counts it as zero too.
    let resolve = |value: Option<&IntOrString>, rounding| {
        let pods = value.map_or(Ok(0), |it| it.scaled(desired.into(), rounding));
        saturating_i32(pods.unwrap_or(0))
    };
    let surge = resolve(surge, Rounding::Up);
    let unavailable = resolve(unavailable, Rounding::Down);
    Fenceposts { surge, unavailable: if surge == 0 && unavailable == 0 { 1 } else { unavailable } }
}

/// How many replicas the new set should have, given what `all` sets have by now (the new one included).
pub(super) fn new_rs_new_replicas(deployment: &Deployment, all: &[Arc<ReplicaSet>], new: &ReplicaSet) -> i32 {
    let (desired, current) = (deployment.replicas(), new.replicas());
    if !is_rolling_update(deployment) {
        return desired;
    }
    let room = desired + max_surge(deployment) - replica_count(all);
    if room <= 0 {
        return current;
    }
    current + room.min(desired - current)
}

/// What a set gains (or loses, below zero) of `to_add` when a deployment is scaled in the middle of a rollout, `added`
/// of them being given to others already.
///
/// Upstream: `GetReplicaSetProportion`.
pub(super) fn replica_set_proportion(
    set: &ReplicaSet,
    deployment: &Deployment,
    to_add: i32,
    added: i32,
) -> i32 {
    if set.replicas() == 0 || to_add == 0 || to_add == added {
        return 0;
    }
    let fraction = replica_set_fraction(set, deployment);
    let allowed = to_add - added;
    if 0 < to_add { fraction.min(allowed) } else { fraction.max(allowed) }
}

/// The change of a set's size in proportion to that of the whole, rounded half up.
fn replica_set_fraction(set: &ReplicaSet, deployment: &Deployment) -> i32 {
    if deployment.replicas() == 0 {
        return -set.replicas();
    }
    let size_before = match super::scale::max_replicas_annotation(set) {
        Some(max) if max != 0 => max,
        _ => deployment.status.replicas, // A guess, kept in bounds by the caller.
    };
    if size_before <= 0 {
        return 0;
    }
    let size_before = i64::from(size_before);
    let size = i64::from(deployment.replicas()) + i64::from(max_surge(deployment));
    let share = i64::from(set.replicas()) * size;
    saturating_i32((2 * share + size_before).div_euclid(2 * size_before)) - set.replicas()
}

fn saturating_i32(number: i64) -> i32 {
    i32::try_from(number).unwrap_or(if number < 0 { i32::MIN } else { i32::MAX })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Facts of `TestResolveFenceposts` and of its rule for two zeros.
    #[test]
    fn fenceposts_round_apart_and_are_never_both_zero() {
        let table = [
            ("0%", "0%", 0, 0, 1),
            ("39%", "39%", 10, 4, 3),
            ("25%", "25%", 1, 1, 0),
            ("25%", "25%", 3, 1, 0),
            ("25%", "25%", 4, 1, 1),
            ("25%", "25%", 5, 2, 1),
            ("0", "10%", 9, 0, 1), // 0.9 pods come to none.
            ("0", "0", 9, 0, 1),
            ("100%", "100%", 7, 7, 7),
            ("3", "2", 1, 3, 2),
            ("150%", "0", 4, 6, 0),
            ("oops", "25%", 8, 0, 2),
            ("1", "oops", 8, 1, 0),
        ];
        for (surge, unavailable, desired, pods_more, pods_less) in table {
            let [surge, unavailable] = [surge, unavailable].map(IntOrString::parse);
            let posts = resolve_fenceposts(Some(&surge), Some(&unavailable), desired);
            assert_eq!(
                (posts.surge, posts.unavailable),
                (pods_more, pods_less),
                "{surge} {unavailable} of {desired}"
            );
        }
        let unset = resolve_fenceposts(None, None, 10);
        assert_eq!(unset, Fenceposts { surge: 0, unavailable: 1 });
    }
}
