//! How far a run has come: a bar on a terminal, plain lines elsewhere.

use std::io::IsTerminal as _;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use scenario::Progress;

use crate::exit::tell;

/// Shows progress on standard error.
#[derive(Debug)]
pub(crate) struct Show {
    bar: Option<ProgressBar>,
    /// Elsewhere than on a terminal: the tenths of the run that have been told.
    told: u64,
    quiet: bool,
}

impl Show {
    pub(crate) fn new(name: &str, quiet: bool) -> Self {
        let bar = (!quiet && std::io::stderr().is_terminal()).then(|| {
            let style = ProgressStyle::with_template("{prefix} [{bar:40}] {msg} (left: {eta})")
                .expect("it is a template");
            let bar = ProgressBar::with_draw_target(Some(1_000), ProgressDrawTarget::stderr());
            bar.with_style(style).with_prefix(name.to_string())
        });
        Self { bar, told: 0, quiet }
    }

    pub(crate) fn see(&mut self, progress: Progress) {
        let thousandths = progress.now.nanos() / (progress.end.nanos() / 1_000).max(1);
        let message = format!(
            "{:.0} s of {:.0} s, {} events",
            progress.now.as_secs_f64(),
            progress.end.as_secs_f64(),
            progress.events
        );
        if let Some(bar) = &self.bar {
            bar.set_message(message);
            bar.set_position(thousandths);
        } else if !self.quiet && self.told < thousandths / 100 && thousandths < 1_000 {
            self.told = thousandths / 100;
            tell(&message);
        }
    }

    pub(crate) fn done(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
