//! How the kernel divides processor time among cgroups that want more than there is.
//!
//! Upstream: `Documentation/admin-guide/cgroup-v2.rst` of Linux, "Weights"; `kernel/sched/fair.c`.

/// A cgroup, or at the bottom what runs in one.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Group {
    /// Among its siblings; above zero.
    pub(super) weight: f64,
    /// The cores that it may use; without members, those that it wants.
    pub(super) most: f64,
    pub(super) members: Vec<Self>,
}

impl Group {
    pub(super) fn single(weight: f64, wanted: f64) -> Self {
        Self { weight, most: wanted, members: Vec::new() }
    }

    /// The cores that it would use if nobody else wanted any.
    pub(super) fn wanted(&self) -> f64 {
        if self.members.is_empty() {
            return self.most;
        }
        self.members.iter().map(Self::wanted).sum::<f64>().min(self.most)
    }

    /// Whether it wants less than its members do.
    pub(super) fn is_tight(&self) -> bool {
        let inside = || self.members.iter().map(Self::wanted).sum::<f64>();
        !self.members.is_empty()
            && (self.most + super::TOLERANCE < inside() || self.members.iter().any(Self::is_tight))
    }
}

/// Gives `cores` to `groups`, and to those in them, and so on: to each in proportion to its weight, but what one does
/// not want goes to the others. Returns what comes to those at the bottom, in their order.
pub(super) fn divide(cores: f64, groups: &[Group]) -> Vec<f64> {
    let mut out = Vec::new();
    hand_out(cores, groups, &mut out);
    out
}

fn hand_out(cores: f64, groups: &[Group], out: &mut Vec<f64>) {
    for (group, part) in groups.iter().zip(parts(cores, groups)) {
        if group.members.is_empty() {
            out.push(part);
        } else {
            hand_out(part, &group.members, out);
        }
    }
}

/// Those that want least for their weight are served first: what they leave raises the level for the others.
fn parts(cores: f64, groups: &[Group]) -> Vec<f64> {
    let wanted: Vec<f64> = groups.iter().map(Group::wanted).collect();
    let mut order: Vec<usize> = (0..groups.len()).collect();
    order.sort_by(|&a, &b| (wanted[a] / groups[a].weight).total_cmp(&(wanted[b] / groups[b].weight)));
    let mut left = cores;
    let mut weights: f64 = groups.iter().map(|it| it.weight).sum();
    let mut parts = vec![0.0; groups.len()];
    for n in order {
        let part = wanted[n].min(left * groups[n].weight / weights);
        parts[n] = part;
        left = (left - part).max(0.0);
        weights -= groups[n].weight; // Whole numbers: nothing is rounded.
    }
    parts
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn group(weight: f64, most: f64, members: Vec<Group>) -> Group {
        Group { weight, most, members }
    }

    #[test]
    fn what_one_does_not_want_goes_to_the_others_by_weight() {
        let groups = [Group::single(1.0, 9.0), Group::single(3.0, 9.0), Group::single(4.0, 0.5)];
        assert_eq!(divide(4.5, &groups), [1.0, 3.0, 0.5]);
        assert_eq!(divide(20.0, &groups), [9.0, 9.0, 0.5], "there is enough");
    }

    #[test]
    fn a_group_shares_what_comes_to_it() {
        let inner = vec![Group::single(1.0, 9.0), Group::single(1.0, 9.0)];
        let groups = [group(1.0, f64::INFINITY, inner.clone()), Group::single(1.0, 9.0)];
        assert_eq!(divide(4.0, &groups), [1.0, 1.0, 2.0]);
        assert_eq!(divide(4.0, &[group(1.0, 1.0, inner), Group::single(1.0, 9.0)]), [0.5, 0.5, 3.0]);
    }

    /// The model: a little time is handed out again and again, by weight, to all that still want some.
    fn by_slices(cores: f64, wants: &[(f64, f64)]) -> Vec<f64> {
        let (mut left, mut has) = (cores, vec![0.0; wants.len()]);
        while 1e-12 < left {
            let hungry: Vec<usize> = (0..wants.len()).filter(|&n| has[n] < wants[n].1).collect();
            let weights: f64 = hungry.iter().map(|&n| wants[n].0).sum();
            if hungry.is_empty() {
                break;
            }
            // As much as fills up the first.
            let slice =
                hungry.iter().map(|&n| (wants[n].1 - has[n]) / wants[n].0).fold(left / weights, f64::min);
            for n in hungry {
                let full = wants[n].1 - has[n] <= slice * wants[n].0 * (1.0 + 1e-12);
                has[n] = if full { wants[n].1 } else { has[n] + slice * wants[n].0 };
            }
            left -= slice * weights;
        }
        has
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn parts_are_what_slice_after_slice_comes_to(
            wants in prop::collection::vec((1_u32..100, 0_u32..50), 1..12), cores in 1_u32..100,
        ) {
            let cores = f64::from(cores) / 10.0;
            let wants: Vec<(f64, f64)> =
                wants.into_iter().map(|(weight, most)| (f64::from(weight), f64::from(most) / 10.0)).collect();
            let groups: Vec<Group> = wants.iter().map(|it| Group::single(it.0, it.1)).collect();
            for (part, expected) in divide(cores, &groups).into_iter().zip(by_slices(cores, &wants)) {
                prop_assert!((part - expected).abs() < 1e-6, "{part} for {expected}");
            }
        }
    }
}
