//! What one container does, with every default filled in.

use std::sync::Arc;

use base::Span;

use crate::defaults::Defaults;
use crate::exit::{Exit, ExitAfter, Stop};
use crate::guess::{Sleep, only_sleeps};
use crate::health::Health;
use crate::last_words::{LastWords, Words};
use crate::lasting::Lasting;
use crate::load::Load;
use crate::matching::{Role, Subject};
use crate::rule::Rule;
use crate::start_error::StartError;
use crate::usage::Usage;
use crate::warm_up::WarmUp;

/// How a process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ending {
    /// From its start, or from the signal that it reacts to.
    pub after: Span,
    pub code: i32,
}

/// The behaviour of one container. Every question takes a rank: luck, evenly from 0 to 1.
#[derive(Clone, Copy, Debug)]
pub struct Conduct<'a> {
    rule: Option<&'a Rule>,
    /// What is guessed from the image, where the rule says nothing.
    guess: Option<&'a Rule>,
    defaults: &'a Defaults,
    role: Role,
    sleeps: Option<Sleep>,
}

impl<'a> Conduct<'a> {
    pub(crate) fn new(
        subject: &Subject<'_>,
        rule: Option<&'a Rule>,
        guess: Option<&'a Rule>,
        defaults: &'a Defaults,
    ) -> Self {
        Self { rule, guess, defaults, role: subject.role(), sleeps: only_sleeps(subject.container) }
    }

    /// What the rule says, or else what is guessed.
    fn said<T>(&self, field: impl Fn(&'a Rule) -> Option<&'a T>) -> Option<&'a T> {
        self.rule.and_then(&field).or_else(|| self.guess.and_then(field))
    }

    /// From the start of the process until it listens.
    pub fn startup(&self, rank: f64) -> Span {
        self.said(|it| it.startup.as_ref()).unwrap_or(&self.defaults.startup).draw(rank)
    }

    /// Why the runtime cannot start it, if that is so.
    pub fn start_error(&self) -> Option<&'a StartError> {
        self.rule?.start_error.as_ref()
    }

    /// What it says when it ends; `None` for nothing.
    pub fn last_words(&self) -> Option<LastWords> {
        let rule = self.rule?;
        let words = |said: &ExitAfter| Words { message: said.message.clone(), log: said.log.clone() };
        let exit = match &rule.exit {
            Some(Exit::After(said)) => words(said),
            Some(Exit::Never) | None => Words::default(),
        };
        let stop = match &rule.stop {
            Some(Stop::After(said)) => words(said),
            Some(Stop::Never) | None => Words::default(),
        };
        Some(LastWords { exit, stop }).filter(|it| !it.is_empty())
    }

    /// When and how the process ends by itself; `None` means never.
    pub fn exit(&self, rank: f64) -> Option<Ending> {
        match (self.said(|it| it.exit.as_ref()), self.sleeps, self.role) {
            (Some(Exit::Never), _, _) | (None, Some(Sleep::Forever), _) | (None, None, Role::Service) => None,
            (Some(Exit::After(said)), _, _) => Some(said.ending(rank)),
            (None, Some(Sleep::For(after)), _) => Some(Ending { after, code: 0 }),
            (None, None, Role::Init) => Some(done(&self.defaults.init_run, rank)),
            (None, None, Role::Batch) => Some(done(&self.defaults.batch_run, rank)),
        }
    }

    /// How long after SIGTERM it ends, and how; `None` means that only SIGKILL ends it.
    pub fn stop(&self, rank: f64) -> Option<Ending> {
        match (self.said(|it| it.stop.as_ref()), self.sleeps) {
            (Some(Stop::Never), _) | (None, Some(_)) => None,
            (Some(Stop::After(said)), _) => Some(said.ending(rank)),
            (None, None) => Some(done(&self.defaults.stop, rank)),
        }
    }

    /// What it uses while it runs; shared by all containers of the rule, as a rule.
    pub fn usage(&self) -> Arc<Usage> {
        let guess = self.guess.map_or(&self.defaults.usage, |it| &it.usage);
        self.rule.map_or_else(|| Arc::clone(guess), |it| it.usage.over(guess))
    }

    /// What its probes find; `None` for nothing but well.
    pub fn health(&self) -> Option<&'a Arc<Health>> {
        self.rule?.health.as_ref()
    }

    /// The requests that come to it and its like.
    pub fn load(&self) -> Option<&'a Arc<Load>> {
        self.rule?.load.as_ref()
    }

    /// How much more work its requests are at first.
    pub fn warm_up(&self) -> Option<WarmUp> {
        self.said(|it| it.warm_up.as_ref()).copied()
    }

    /// The compressed size of its image, in bytes.
    pub fn image_bytes(&self, rank: f64) -> i64 {
        match self.rule.and_then(|it| it.pull.as_ref()).and_then(|it| it.size) {
            Some(size) => size.value(),
            None => self.defaults.image_size(rank),
        }
    }

    /// How long all of a pull takes on a node that has none of its image, where the behaviour says so. Otherwise it
    /// follows from the size.
    pub fn pull_time(&self, rank: f64) -> Option<Span> {
        let said = self.rule.and_then(|it| it.pull.as_ref()).and_then(|it| it.time.as_ref());
        said.map(|it| it.draw(rank))
    }

    /// What a pull takes beside the transfer.
    pub fn pull_overhead(&self, rank: f64) -> Span {
        self.defaults.pull_overhead.draw(rank)
    }

    /// How long a pull takes on a node that has the image already.
    pub fn recheck_time(&self, rank: f64) -> Span {
        self.defaults.recheck.draw(rank)
    }
}

fn done(after: &Lasting, rank: f64) -> Ending {
    Ending { after: after.draw(rank), code: 0 }
}

impl ExitAfter {
    fn ending(&self, rank: f64) -> Ending {
        Ending { after: self.after.draw(rank), code: self.code }
    }
}
