//! How long messages and commits take. One place, so that one can read what a run assumes.
//!
//! Origins are listed in `docs/fidelity.md`.

use base::{Draw, Luck, Span, Time};

/// The delays of the control plane's own traffic.
#[derive(Clone, Copy, Debug)]
pub struct Latency {
    /// From a client to the API server, or back: half a round trip inside a data centre.
    pub one_way: Span,
    /// What the API server needs for a request, apart from etcd.
    pub handling: Span,
    /// An etcd commit: the median of the write-ahead log's fsync on SSDs. The 99th percentile is five times that.
    pub commit: Span,
    /// From a commit to a watcher, through the watch cache.
    pub watch: Span,
    lucks: Lucks,
}

/// The luck of each of these delays.
#[derive(Clone, Copy, Debug)]
struct Lucks {
    message: Luck,
    commit: Luck,
    watch: Luck,
}

impl Latency {
    pub fn new(seed: u64) -> Self {
        let luck = Luck::new(seed, "latency");
        let [message, commit, watch] = ["message", "commit", "watch"].map(|it| luck.narrow(it));
        Self {
            one_way: Span::micros(250),
            handling: Span::micros(500),
            commit: Span::millis(2),
            watch: Span::millis(1),
            lucks: Lucks { message, commit, watch },
        }
    }

    /// One way for a message about `entity` (a digest of its name) sent at `now`.
    pub fn message(&self, entity: u64, now: Time) -> Span {
        jitter(self.one_way, self.lucks.message, entity, now)
    }

    /// From the arrival of a write of `entity` to its commit.
    pub fn commit(&self, entity: u64, now: Time) -> Span {
        self.handling + jitter(self.commit, self.lucks.commit, entity, now)
    }

    /// From the commit of a write of `entity` to the ears of one watcher.
    pub fn watch(&self, entity: u64, watcher: u64, now: Time) -> Span {
        jitter(self.watch, self.lucks.watch, entity ^ watcher.rotate_left(32), now)
    }
}

/// At least half of `typical`, exponential above: mean `typical`, 99th percentile 2.8 times that.
fn jitter(typical: Span, luck: Luck, entity: u64, now: Time) -> Span {
    let mut draws = luck.draws(entity, now.nanos());
    let half = typical.scale(0.5);
    half + half.scale(-base::math::ln(draws.unit()))
}
