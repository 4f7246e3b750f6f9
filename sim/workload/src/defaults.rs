//! What is assumed where a scenario says nothing. These are guesses at the order of magnitude, not measurements;
//! each can be overruled by a behaviour.

use std::sync::Arc;

use base::{Distribution, Span};

use crate::lasting::Lasting;
use crate::usage::Usage;

#[derive(Clone, Debug, PartialEq)]
pub struct Defaults {
    /// From the start of a process until it passes its probes: a median of 1 s, one in a hundred beyond 5 s.
    pub startup: Lasting,
    /// From SIGTERM to the exit of a process that handles it: a median of 300 ms, one in a hundred beyond 2 s.
    pub stop: Lasting,
    /// How long an init container runs: a median of 1 s, one in a hundred beyond 5 s.
    pub init_run: Lasting,
    /// How long a container of a Job runs: a median of 10 s, one in a hundred beyond 60 s.
    pub batch_run: Lasting,
    /// Of a container that no rule matches: nothing.
    pub usage: Arc<Usage>,
    /// Of an image, compressed, in bytes: a median of 80 MB, one in a hundred beyond 1 GB.
    pub image_bytes: Distribution,
    /// The part of a pull that does not depend on the size (resolving, authorizing, unpacking): a median of 500 ms.
    pub pull_overhead: Lasting,
    /// How fast layers come and are unpacked: 40 MB/s.
    pub pull_bytes_per_second: f64,
    /// To set up the sandbox of a pod and its network: a median of 200 ms, one in a hundred beyond 800 ms.
    pub sandbox: Lasting,
    /// To create and start a container: a median of 120 ms, one in a hundred beyond 500 ms.
    pub create: Lasting,
    /// Asking the registry whether a cached image is still the one that the tag means: a median of 250 ms.
    pub recheck: Lasting,
}

impl Default for Defaults {
    fn default() -> Self {
        let lognormal = |median, p99| Lasting::lognormal(Span::millis(median), Span::millis(p99));
        Self {
            startup: lognormal(1_000, 5_000),
            stop: lognormal(300, 2_000),
            init_run: lognormal(1_000, 5_000),
            batch_run: lognormal(10_000, 60_000),
            usage: Arc::default(),
            image_bytes: Distribution::lognormal(80e6, 1e9).expect("the median is below the 99th percentile"),
            pull_overhead: lognormal(500, 2_000),
            pull_bytes_per_second: 40e6,
            sandbox: lognormal(200, 800),
            create: lognormal(120, 500),
            recheck: lognormal(250, 1_000),
        }
    }
}

impl Defaults {
    /// The compressed size of an image, in bytes.
    #[expect(clippy::cast_possible_truncation, reason = "`as` saturates, which is meant")]
    pub fn image_size(&self, rank: f64) -> i64 {
        self.image_bytes.quantile(rank) as i64
    }
}
