//! What depends on the machine: wall time and memory. The only place that asks for them.

use report::Host;

/// Measures a run from outside.
#[derive(Debug)]
pub(crate) struct Stopwatch {
    #[expect(
        clippy::disallowed_types,
        reason = "figures about the host are kept apart from those of the run"
    )]
    started: std::time::Instant,
}

impl Stopwatch {
    #[expect(
        clippy::disallowed_types,
        clippy::disallowed_methods,
        reason = "figures about the host are kept apart from those of the run"
    )]
    pub(crate) fn start() -> Self {
        Self { started: std::time::Instant::now() }
    }

    pub(crate) fn host(&self, events: u64) -> Host {
        let wall_seconds = self.started.elapsed().as_secs_f64();
        Host {
            wall_seconds,
            peak_rss_bytes: peak_rss_bytes(),
            events_per_second: events as f64 / wall_seconds,
        }
    }
}

/// The most memory that the process has held; 0 where the system does not tell.
fn peak_rss_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|it| it.strip_prefix("VmHWM:"));
    let kibibytes = line.and_then(|it| it.trim().trim_end_matches("kB").trim().parse::<u64>().ok());
    kibibytes.unwrap_or(0) * 1024
}
