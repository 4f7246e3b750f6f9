//! Requests, until there is traffic: how many come is a curve over the time of the run, and what they do to a
//! container follows from what each costs.
//!
//! Upstream: `Documentation/scheduler/sched-bwc.rst` of Linux, for what a CPU limit allows.

use api::{GoDuration, Quantity};
use base::Span;
use serde::{Deserialize, Deserializer, de};

use crate::curve::Curve;

/// The requests to all ready pods of one owner together, evenly shared among them.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Load {
    /// Requests per second, from the start of the run on.
    pub rps: Curve,
    /// What one request takes of one core's time. Above zero.
    #[serde(deserialize_with = "cost")]
    cost_cpu: Span,
    /// What one request waits for beside that: disks, databases, other services.
    #[serde(default, deserialize_with = "span")]
    wait: Span,
    /// How many requests are worked on at once; the others wait in line. No limit where it is left out. At least 1.
    #[serde(default, deserialize_with = "at_least_one")]
    concurrency: Option<u32>,
    /// What a request takes while it is worked on, in bytes.
    #[serde(default, deserialize_with = "bytes")]
    memory_per_request: f64,
}

/// What a container has to serve requests with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Means {
    /// Above zero.
    pub cores: f64,
    /// How many times its usual work a request takes; at least 1.
    pub effort: f64,
}

impl Load {
    /// The response time without any other request: a fraction of a core stretches the work, as the quota of a limit
    /// runs out in every period.
    pub fn alone(&self, means: Means) -> Span {
        self.wait + self.work(means)
    }

    /// The requests per second beyond which the line grows for ever.
    pub fn capacity(&self, means: Means) -> f64 {
        let by_cpu = means.cores / self.cost(means);
        let by_slots = self.concurrency.map(|it| f64::from(it) / self.alone(means).as_secs_f64());
        by_slots.map_or(by_cpu, |it| it.min(by_cpu))
    }

    /// The requests per second from which on the mean response takes `timeout` or longer.
    ///
    /// A request waits for those before it: with the share ρ of the capacity in use, its work takes 1/(1 − ρ) times
    /// as long as alone.
    pub fn limit(&self, means: Means, timeout: Span) -> f64 {
        let left = timeout.saturating_sub(self.wait).as_secs_f64();
        let free = self.work(means).as_secs_f64() / left;
        if free < 1.0 { (1.0 - free) * self.capacity(means) } else { 0.0 }
    }

    /// The mean response time at so many requests per second; `None` from the capacity on.
    pub fn response(&self, means: Means, rps: f64) -> Option<Span> {
        let free = 1.0 - rps / self.capacity(means);
        (0.0 < free).then(|| self.wait + Span::from_secs_f64(self.work(means).as_secs_f64() / free))
    }

    /// The cores that each request per second wants.
    pub fn cpu_per_rps(&self, effort: f64) -> f64 {
        self.cost_cpu.as_secs_f64() * effort
    }

    /// The bytes that each request per second holds: those worked on, as if none had to wait in line.
    pub fn memory_per_rps(&self, means: Means) -> f64 {
        self.memory_per_request * self.alone(means).as_secs_f64()
    }

    fn work(&self, means: Means) -> Span {
        Span::from_secs_f64(self.cost(means) / means.cores.min(1.0))
    }

    /// The processor time of a request, in seconds.
    fn cost(&self, means: Means) -> f64 {
        self.cpu_per_rps(means.effort)
    }
}

fn span<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Span, D::Error> {
    GoDuration::deserialize(deserializer)?.try_into().map_err(de::Error::custom)
}

fn cost<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Span, D::Error> {
    match span(deserializer)? {
        Span::ZERO => Err(de::Error::custom("a request must cost more than 0s")),
        cost => Ok(cost),
    }
}

fn at_least_one<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    match u32::deserialize(deserializer)? {
        0 => Err(de::Error::custom("`concurrency` is at least 1")),
        count => Ok(Some(count)),
    }
}

fn bytes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    let quantity = Quantity::deserialize(deserializer)?;
    if quantity.is_negative() {
        return Err(de::Error::custom(format_args!("`{quantity}` is negative; it must be 0 or more")));
    }
    Ok(quantity.approximate_f64())
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "these figures are exact")]
mod tests {
    use serde_json::json;

    use super::*;

    fn load(more: &serde_json::Value) -> Load {
        let mut form = json!({"rps": 100, "costCpu": "20ms"});
        form.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        serde_json::from_value(form).unwrap()
    }

    const fn cores(cores: f64) -> Means {
        Means { cores, effort: 1.0 }
    }

    /// 20 ms of work: one core does 50 a second, half a core 25, and takes 40 ms for each.
    #[test]
    fn a_limit_caps_what_can_be_served() {
        let load = load(&json!({}));
        assert_eq!([1.0, 0.5].map(|it| load.capacity(cores(it)).round()), [50.0, 25.0]);
        assert_eq!([1.0, 0.5].map(|it| load.alone(cores(it)).as_millis()), [20, 40]);
    }

    /// Four times the work: 80 ms alone, a quarter of the capacity, and four times the cores.
    #[test]
    fn effort_costs_capacity() {
        let (load, cold) = (load(&json!({})), Means { cores: 1.0, effort: 4.0 });
        assert_eq!((load.alone(cold), load.capacity(cold)), (Span::millis(80), 12.5));
        assert_eq!(load.cpu_per_rps(cold.effort), 0.08);
    }

    /// At ρ = 0.8 the work takes five times as long: 100 ms; at 0.98, a second; at 1 it never ends.
    #[test]
    fn the_line_grows_towards_the_capacity() {
        let load = load(&json!({}));
        let at = |rps| load.response(cores(1.0), rps).map(Span::as_millis);
        assert_eq!([at(0.0), at(40.0), at(50.0), at(80.0)], [Some(20), Some(100), None, None]);
        assert!((load.limit(cores(1.0), Span::secs(1)) - 49.0).abs() < 1e-9);
        assert!(load.limit(cores(1.0), Span::millis(20)) == 0.0, "too slow even alone");
    }

    #[test]
    fn slots_cap_it_too() {
        let load = load(&json!({"wait": "80ms", "concurrency": 2, "memoryPerRequest": "1M"}));
        assert_eq!(load.capacity(cores(1.0)).round(), 20.0);
        assert_eq!(load.memory_per_rps(cores(1.0)).round(), 100_000.0);
    }

    #[test]
    fn errors_say_what_would_be_right() {
        let error = |form| serde_json::from_value::<Load>(form).unwrap_err().to_string();
        assert_eq!(error(json!({"rps": 1, "costCpu": "0s"})), "a request must cost more than 0s");
        assert_eq!(
            error(json!({"rps": 1, "costCpu": "1s", "concurrency": 0})),
            "`concurrency` is at least 1"
        );
    }
}
