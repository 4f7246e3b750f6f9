//! How often a client may ask: a bucket of tokens that refills at a steady rate.
//!
//! Upstream: `golang.org/x/time/rate`, used by `staging/src/k8s.io/client-go/util/flowcontrol/throttle.go`.

use base::{Span, Time};

/// One token every `interval`, and at most `burst` saved up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    pub interval: Span,
    pub burst: u32,
}

/// A client's own limit on its requests: all of them together, reads, writes and events.
///
/// Exact, since the only state is the moment at which the bucket will be full again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenBucket {
    rate: Rate,
    full_at: Time,
}

impl Rate {
    /// Each controller of kube-controller-manager. Upstream: `--kube-api-qps`, `--kube-api-burst`.
    pub const CONTROLLER: Self = Self::per_sec(20, 30);
    /// Upstream: `KubeSchedulerConfiguration.clientConnection`.
    pub const SCHEDULER: Self = Self::per_sec(50, 100);
    /// Upstream: `KubeletConfiguration.kubeAPIQPS`, `kubeAPIBurst`.
    pub const KUBELET: Self = Self::per_sec(50, 100);

    /// `qps` is at least 1.
    pub const fn per_sec(qps: u64, burst: u32) -> Self {
        Self { interval: Span::from_nanos(1_000_000_000 / qps), burst }
    }
}

impl TokenBucket {
    /// A full bucket.
    pub const fn new(rate: Rate) -> Self {
        Self { rate, full_at: Time::ZERO }
    }

    /// Takes a token, if need be one of the future: the time from which on it may be used, `now` or later.
    /// Upstream: `Limiter.Reserve`.
    pub fn reserve(&mut self, now: Time) -> Time {
        self.full_at = self.full_at.max(now) + self.rate.interval;
        now.max(self.full_at.before(self.capacity()))
    }

    /// Takes a token if there is one at `now`. Upstream: `Limiter.Allow`.
    pub fn allow(&mut self, now: Time) -> bool {
        let full_at = self.full_at.max(now) + self.rate.interval;
        let allowed = full_at.before(self.capacity()) <= now;
        if allowed {
            self.full_at = full_at;
        }
        allowed
    }

    /// How long an empty bucket takes to fill.
    fn capacity(&self) -> Span {
        self.rate.interval * u64::from(self.rate.burst)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const START: Time = Time::from_secs(1_000_000);

    #[test]
    fn a_burst_passes_at_once_and_the_rest_at_the_rate() {
        let mut bucket = TokenBucket::new(Rate::per_sec(20, 3));
        let waits = [(); 6].map(|()| bucket.reserve(START).since(START).as_millis());
        assert_eq!(waits, [0, 0, 0, 50, 100, 150]);
        // 200 ms later, one token has come for which nobody waits.
        let later = START + Span::millis(200);
        assert_eq!([(); 2].map(|()| bucket.reserve(later).since(later).as_millis()), [0, 50]);
    }

    #[test]
    fn nothing_is_taken_when_nothing_is_allowed() {
        let mut bucket = TokenBucket::new(Rate { interval: Span::secs(300), burst: 2 });
        assert_eq!([(); 4].map(|()| bucket.allow(START)), [true, true, false, false]);
        assert!(bucket.allow(START + Span::secs(300)));
        assert!(!bucket.allow(START + Span::secs(599)));
    }

    /// The token count of upstream's limiter, in whole nanoseconds' worth of tokens.
    struct Model {
        interval: i128,
        burst: i128,
        tokens: i128,
        last: i128,
    }

    impl Model {
        fn reserve(&mut self, now: i128) -> i128 {
            self.tokens = (self.tokens + now - self.last).min(self.burst * self.interval) - self.interval;
            self.last = now;
            now + (-self.tokens).max(0)
        }
    }

    proptest! {
        /// It answers as a bucket whose tokens are counted.
        #[test]
        fn behaves_as_counted_tokens(
            burst in 1_u32..5,
            interval in 1_u64..10,
            gaps in prop::collection::vec(0_u64..30, 1..100),
        ) {
            let mut bucket = TokenBucket::new(Rate { interval: Span::from_nanos(interval), burst });
            let (wide, mut now) = (i128::from(interval), START.nanos());
            let last = i128::from(now);
            let mut model = Model { interval: wide, burst: burst.into(), tokens: wide * i128::from(burst), last };
            for gap in gaps {
                now += gap;
                let expected = model.reserve(now.into());
                prop_assert_eq!(i128::from(bucket.reserve(Time::from_nanos(now)).nanos()), expected);
            }
        }
    }
}
