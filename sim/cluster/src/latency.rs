//! How long messages and commits take. One place, so that one can read what a run assumes.
//!
//! Origins are listed in `docs/fidelity.md`.

use base::{Draw, Luck, Span, Time};

/// The delays of the control plane's own traffic.
#[derive(Clone, Copy, Debug)]
pub struct Latency {
    /// What the API server needs for a request, apart from etcd.
    pub handling: Span,
    message: Jitter,
    commit: Jitter,
    watch: Jitter,
}

/// From a client to the API server, or back: half a round trip inside a data centre.
const ONE_WAY: Span = Span::micros(250);
/// An etcd commit: the median of the write-ahead log's fsync on SSDs. The 99th percentile is five times that.
const COMMIT: Span = Span::millis(2);
/// From a commit to a watcher, through the watch cache.
const WATCH: Span = Span::millis(1);

impl Latency {
    pub fn new(seed: u64) -> Self {
        let luck = Luck::new(seed, "latency");
        Self {
            handling: Span::micros(500),
            message: Jitter::new(ONE_WAY, luck.narrow("message")),
            commit: Jitter::new(COMMIT, luck.narrow("commit")),
            watch: Jitter::new(WATCH, luck.narrow("watch")),
        }
    }

    /// One way for a message about `entity` (a digest of its name) sent at `now`.
    pub fn message(&self, entity: u64, now: Time) -> Span {
        self.message.draw(entity, now)
    }

    /// From the arrival of a write of `entity` to its commit.
    pub fn commit(&self, entity: u64, now: Time) -> Span {
        self.handling + self.commit.draw(entity, now)
    }

    /// From the commit of a write of `entity` to the ears of one watcher.
    pub fn watch(&self, entity: u64, watcher: u64, now: Time) -> Span {
        self.watch.draw(entity ^ watcher.rotate_left(32), now)
    }
}

/// At least half of what is typical, exponential above: that is the mean, and the 99th percentile is 2.8 times that.
#[derive(Clone, Copy, Debug)]
struct Jitter {
    half: Span,
    luck: Luck,
}

impl Jitter {
    fn new(typical: Span, luck: Luck) -> Self {
        Self { half: typical.scale(0.5), luck }
    }

    fn draw(&self, entity: u64, now: Time) -> Span {
        let mut draws = self.luck.draws(entity, now.nanos());
        self.half + self.half.scale(-base::math::ln(draws.unit()))
    }
}
