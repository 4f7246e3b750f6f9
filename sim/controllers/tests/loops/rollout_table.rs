//! The arithmetic of rolling updates, against a table worked out by hand from upstream's rules.
//!
//! With R replicas, a surge of S (rounded up) and U unavailable (rounded down; 1 if both are 0; at most R), and old and
//! new sets of which some pods are available, one sync does the first of these that changes anything:
//!
//! 1. A new set that is larger than R shrinks to R.
//! 2. The new set grows by R + S − old − new, if that is positive, but not beyond R.
//! 3. Old sets shrink. At most by old + new − (R − U) − unavailable new ones: first by unavailable old ones up to that
//!    number, then by all available ones beyond R − U. Nothing shrinks that reports more available pods than it should
//!    have.
//!
//! A new set that is missing (`-`) is created by the second rule, and the third one follows in the same sync.

use api::Object;
use controllers::DeploymentController;

use crate::fixtures::{deployment, reconcile, scaled_for, set, sizes, view};

/// Replicas, surge, unavailable; old and new set as `size/available`; the sizes of the two after the sync.
const TABLE: &str = "
    # R surge unavailable |  old    new   |  old new

    # The default, 4 replicas: S 1, U 1, so at most 5 and at least 3 available. From start to end:
      4   25%  25%           4/4    -        3   1
      4   25%  25%           3/3    1/0      3   2
      4   25%  25%           3/3    2/0      3   2
      4   25%  25%           3/3    2/1      2   2
      4   25%  25%           2/2    2/1      2   3
      4   25%  25%           2/2    3/2      1   3
      4   25%  25%           1/1    3/3      1   4
      4   25%  25%           1/1    4/3      0   4
      4   25%  25%           0/0    4/4      0   4
    # … with old pods that are not available.
      4   25%  25%           3/2    1/0      3   2
      4   25%  25%           3/2    2/0      3   2
      4   25%  25%           3/2    2/1      2   2
      4   25%  25%           3/0    2/2      1   2
      4   25%  25%           1/0    4/2      1   4
      4   25%  25%           2/0    3/3      0   3

    # The default, 10 replicas: S 3, U 2; at most 13, at least 8.
     10   25%  25%          10/10   -        8   3
     10   25%  25%           8/8    3/0      8   5
     10   25%  25%           8/8    5/0      8   5
     10   25%  25%           8/8    5/3      5   5
     10   25%  25%           5/5    5/3      5   8
     10   25%  25%           5/5    8/8      0   8
     10   25%  25%           0/0    8/8      0  10
     10   25%  25%          10/6    3/0      8   3
     10   25%  25%          10/9    3/1      7   3
     10   25%  25%          10/10   3/3      5   3

    # One more, none less: S 1, U 0; at most 4, at least 3.
      3   1    0             3/3    -        3   1
      3   1    0             3/3    1/0      3   1
      3   1    0             3/3    1/1      2   1
      3   1    0             2/2    1/1      2   2
      3   1    0             2/2    2/2      1   2
      3   1    0             1/1    2/2      1   3
      3   1    0             1/1    3/2      1   3
      3   1    0             1/1    3/3      0   3
    # … where broken old pods have to wait for new ones.
      3   1    0             3/1    1/0      3   1
      3   1    0             3/1    1/1      2   1

    # None more, one less: S 0, U 1; at most 3, at least 2.
      3   0    1             3/3    -        2   0
      3   0    1             2/2    0/0      2   1
      3   0    1             2/2    1/0      2   1
      3   0    1             2/2    1/1      1   1
      3   0    1             1/1    1/1      1   2
      3   0    1             1/1    2/2      0   2
      3   0    1             0/0    2/2      0   3
      3   0    1             3/2    0/0      2   0
      3   0    1             3/0    0/0      2   0

    # Both come to zero: one may be unavailable.
      2   0    0             2/2    -        1   0
      2   0%   0%            1/1    0/0      1   1
      5   0    10%           5/5    -        4   0
      5   10%  0             5/5    -        5   1

    # All at once, beside the old ones: S 5, U 0.
      5   100% 0             5/5    -        5   5
      5   100% 0             5/5    5/2      3   5
      5   100% 0             5/5    5/5      0   5
    # … instead of the old ones: S 0, U 5.
      5   0    100%          5/5    -        0   0
      5   0    100%          0/0    0/0      0   5
    # … both: S 5, U 5.
      5   100% 100%          5/5    -        0   5
    # More than all cannot be unavailable: S 2, U 5.
      5   2    8             5/5    -        0   2
      5   2    8             0/0    2/0      0   5

    # A single replica: S 1, U 0.
      1   25%  25%           1/1    -        1   1
      1   25%  25%           1/1    1/0      1   1
      1   25%  25%           1/1    1/1      0   1
      1   25%  25%           1/0    -        1   1
      1   25%  25%           1/0    1/1      0   1
    # None at all: S 0, U 0.
      0   25%  25%           0/0    -        0   0
      0   25%  25%           2/2    0/0      0   0

    # Many: S 30, U 20; at most 130, at least 80.
    100   30%  20%         100/100  -       80  30
    100   30%  20%          80/80  30/0     80  50
    100   30%  20%          80/80  50/25    55  50
    100   30%  20%          80/70  50/25    55  50
    100   30%  20%          80/50  50/25    55  50
    100   30%  20%          55/50  75/75     5  75

    # Rounding: 2.1 is 3 or 2; 0.7 is 1 or 0; 1.02 is 2 or 1.
      7   30%  30%           7/7    -        5   3
      7   10%  10%           7/7    -        7   1
      3   34%  34%           3/3    -        2   2
      6   1    50%           6/6    -        3   1
      6   1    50%           3/3    1/0      3   4

    # More pods than there may be, since the surge was lowered; a new set beyond the number of replicas.
      4   0    1             4/4    2/0      3   2
      4   1    1             1/1    6/6      1   4
    # An old set whose report is out of date.
      4   25%  25%           3/4    2/1      3   2
";

#[test]
fn one_sync_goes_one_step_of_a_rolling_update() {
    let rows = rows();
    assert!(60 <= rows.len(), "{}", rows.len());
    for row in rows {
        assert_eq!(row.next(), row.expected, "{}", row.text);
    }
}

struct Row {
    text: &'static str,
    replicas: i32,
    surge: &'static str,
    unavailable: &'static str,
    /// Size, and how many are available.
    old: (i32, i32),
    new: Option<(i32, i32)>,
    /// Sizes of the old and the new set.
    expected: (i32, i32),
}

fn rows() -> Vec<Row> {
    let lines = TABLE.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with(['#', '…']));
    lines.map(Row::parse).collect()
}

impl Row {
    fn parse(text: &'static str) -> Self {
        let words: Vec<&str> = text.split_whitespace().collect();
        let [replicas, surge, unavailable, old, new, old_after, new_after] = words[..] else {
            panic!("a row has seven columns: {text}")
        };
        let number = |text: &str| text.parse().expect("a number");
        let state =
            |text: &str| text.split_once('/').map(|(size, available)| (number(size), number(available)));
        Self {
            text,
            replicas: number(replicas),
            surge,
            unavailable,
            old: state(old).expect("an old set"),
            new: state(new),
            expected: (number(old_after), number(new_after)),
        }
    }

    fn next(&self) -> (i32, i32) {
        let deployment = deployment(self.replicas, self.surge, self.unavailable);
        let set = |version, (size, available)| {
            Object::new(scaled_for(set(version, size, available), self.replicas, self.replicas))
        };
        let sets = [Some(set(1, self.old)), self.new.map(|state| set(2, state))].into_iter().flatten();
        let view = view(sets.chain([Object::new(deployment.clone())]));
        let sizes = sizes(&reconcile(&DeploymentController::default(), &view, &deployment));
        let is_old = |name: &str| name == "web-1";
        let old = sizes.iter().find(|(name, _)| is_old(name)).map_or(self.old.0, |it| *it.1);
        let unchanged = self.new.map(|state| state.0);
        let new = sizes.iter().find(|(name, _)| !is_old(name)).map(|it| *it.1).or(unchanged);
        (old, new.expect("a new set is created if it is missing"))
    }
}
