//! Doing many things of a kind: first one, then ever more at once.

use std::iter;

/// How many to do at once: 1, 2, 4 …, so that a controller whose requests are refused finds out cheaply.
///
/// Upstream: `slowStartBatch` in `pkg/controller/replicaset/replica_set.go`.
pub(crate) fn slow_start_batches(count: usize) -> impl Iterator<Item = usize> {
    let first = (1.min(count), count);
    let batches = iter::successors(Some(first), |&(batch, remaining)| {
        let remaining = remaining - batch;
        Some(((2 * batch).min(remaining), remaining))
    });
    batches.map(|(batch, _)| batch).take_while(|batch| 0 < *batch)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Facts of `TestSlowStartBatch`.
    #[test]
    fn batches_double_until_nothing_is_left() {
        let table: [(usize, &[usize]); 6] =
            [(0, &[]), (1, &[1]), (2, &[1, 1]), (3, &[1, 2]), (10, &[1, 2, 4, 3]), (15, &[1, 2, 4, 8])];
        for (count, batches) in table {
            assert_eq!(slow_start_batches(count).collect::<Vec<_>>(), batches, "{count}");
        }
    }
}
