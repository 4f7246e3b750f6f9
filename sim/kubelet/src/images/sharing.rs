//! How a link is shared among those that use it at once: max-min fairly, so that nobody could have more without
//! taking it from somebody who has less.

/// The rates of flows over a link of `capacity`, in the order of their `caps`: what each could use at most.
///
/// All in bytes per second; `f64::INFINITY` is no cap.
pub(crate) fn fair_shares(capacity: f64, caps: &[f64]) -> Vec<f64> {
    let mut by_cap: Vec<usize> = (0..caps.len()).collect();
    by_cap.sort_by(|a, b| caps[*a].total_cmp(&caps[*b]));
    let (mut shares, mut left) = (caps.to_vec(), capacity);
    for (n, idx) in by_cap.iter().enumerate() {
        let fair = left / (caps.len() - n) as f64;
        if fair <= caps[*idx] {
            // Whoever is left could use more than that.
            by_cap[n..].iter().for_each(|it| shares[*it] = fair);
            break;
        }
        left -= caps[*idx];
    }
    shares
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn who_can_use_less_leaves_more_to_the_others() {
        let open = f64::INFINITY;
        assert_eq!(fair_shares(90.0, &[open, open, open]), [30.0, 30.0, 30.0]);
        assert_eq!(fair_shares(90.0, &[open, 10.0, open]), [40.0, 10.0, 40.0]);
        assert_eq!(fair_shares(90.0, &[10.0, 20.0]), [10.0, 20.0]);
        assert!(fair_shares(90.0, &[]).is_empty());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// The link is never exceeded, nobody gets more than it can use, and whoever gets less than it could use
        /// gets at least as much as anybody else.
        #[test]
        fn shares_are_max_min_fair(capacity in 1.0_f64..1e9, caps in prop::collection::vec(1.0_f64..1e9, 1..20)) {
            let shares = fair_shares(capacity, &caps);
            let sum: f64 = shares.iter().sum();
            prop_assert!(sum <= capacity * (1.0 + 1e-12));
            for (share, cap) in shares.iter().zip(&caps) {
                prop_assert!(share <= cap);
                prop_assert!(cap <= share || shares.iter().all(|it| it <= share));
            }
        }
    }
}
