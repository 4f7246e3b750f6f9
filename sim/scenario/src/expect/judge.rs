//! Watches a run, and says of each expectation whether it was met.

use std::collections::BTreeSet;
use std::sync::Arc;

use api::{Key, Kind};
use base::{Name, Span};
use cel::{Context, Env};
use cluster::Cluster;

use crate::expect::describe;
use crate::expect::functions::Scope;
use crate::expect::tables::Tables;
use crate::expect::{Claim, Condition, Expectation};

/// What came of an expectation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    pub name: Name,
    pub ok: bool,
    /// When it was first violated, or when it was fulfilled, since the start of the run.
    pub at: Option<Span>,
    /// The values that decided it.
    pub detail: String,
}

/// All expectations of a run, and what of the cluster they look at.
pub(crate) struct Jury<'a> {
    judges: Vec<Judge<'a>>,
    tables: Tables,
    env: Arc<Env>,
}

struct Judge<'a> {
    expectation: &'a Expectation,
    verdict: Option<Verdict>,
    /// Something that it looks at has been written since it last looked.
    is_stirred: bool,
    /// What went wrong in the last evaluation, if none so far has come to a result.
    failed: Option<String>,
    has_result: bool,
}

/// The outcome of one evaluation.
struct Finding {
    is_true: bool,
    /// Whether the condition could be evaluated at all.
    error: Option<String>,
}

impl<'a> Jury<'a> {
    pub(crate) fn new(expectations: &'a [Expectation]) -> Self {
        let judge = |expectation| Judge {
            expectation,
            verdict: None,
            is_stirred: true,
            failed: None,
            has_result: false,
        };
        Self {
            judges: expectations.iter().map(judge).collect(),
            tables: Tables::default(),
            env: Arc::new(Env::stdlib()),
        }
    }

    /// The moments at which they must be asked, whatever happens.
    pub(crate) fn moments(&self) -> BTreeSet<Span> {
        let of = |it: &Judge<'_>| {
            let by = if let Claim::Eventually { by } = it.expectation.claim { by } else { None };
            [Some(it.expectation.after), by]
        };
        self.judges.iter().flat_map(of).flatten().collect()
    }

    /// Takes note of what was written. Whether anyone must look at the end of this instant.
    pub(crate) fn note_writes(&mut self, written: Vec<Key>, now: Span) -> bool {
        let mut is_waiting = false;
        for key in written {
            let reads = |it: &&mut Judge<'_>| it.expectation.condition.reads().contains(&key.kind);
            for judge in self.judges.iter_mut().filter(reads) {
                judge.is_stirred = true;
                is_waiting |= judge.verdict.is_none() && judge.expectation.after <= now;
            }
            self.tables.note_write(key);
        }
        is_waiting
    }

    /// The kinds that the expectations look at.
    pub(crate) fn reads(&self) -> BTreeSet<Kind> {
        self.judges.iter().flat_map(|it| it.expectation.condition.reads()).cloned().collect()
    }

    /// The end of an instant in which something was written.
    pub(crate) fn look(&mut self, now: Span, cluster: &Cluster) {
        let Self { judges, tables, env } = self;
        for judge in judges {
            if judge.is_stirred && judge.verdict.is_none() && judge.expectation.after <= now {
                judge.look(now, cluster, tables, env);
            }
        }
    }

    /// The end of one of the [`Self::moments`].
    pub(crate) fn look_at_moment(&mut self, now: Span, cluster: &Cluster) {
        self.look(now, cluster);
        for judge in self.judges.iter_mut().filter(|it| it.verdict.is_none()) {
            if judge.expectation.claim == (Claim::Eventually { by: Some(now) }) {
                judge.give_up(now, cluster, &mut self.tables, &self.env);
            }
        }
    }

    /// The run ended at `now`.
    pub(crate) fn finish(mut self, now: Span, cluster: &Cluster) -> Vec<Verdict> {
        self.look(now, cluster);
        for judge in self.judges.iter_mut().filter(|it| it.verdict.is_none()) {
            judge.give_up(now, cluster, &mut self.tables, &self.env);
        }
        self.judges.into_iter().filter_map(|it| it.verdict).collect()
    }
}

impl Judge<'_> {
    fn look(&mut self, now: Span, cluster: &Cluster, tables: &mut Tables, env: &Arc<Env>) {
        self.is_stirred = false;
        let finding = self.evaluate(cluster, tables, env);
        let is_decided = match self.expectation.claim {
            Claim::Always => !finding.is_true,
            Claim::Eventually { .. } | Claim::Never => finding.is_true,
        };
        match &finding.error {
            Some(error) => self.failed = Some(error.clone()),
            None => self.has_result = true,
        }
        if is_decided {
            let ok = matches!(self.expectation.claim, Claim::Eventually { .. });
            let detail = finding.error.unwrap_or_else(|| self.facts(tables, env));
            self.decide(ok, Some(now), detail);
        }
    }

    /// Nothing has decided it by the end of its time.
    fn give_up(&mut self, now: Span, cluster: &Cluster, tables: &mut Tables, env: &Arc<Env>) {
        let after = api::GoDuration::from(self.expectation.after);
        if now < self.expectation.after {
            let detail =
                format!("the run ended at {}, before it counts at {after}", api::GoDuration::from(now));
            return self.decide(true, None, detail);
        }
        match self.expectation.claim {
            Claim::Always => self.decide(true, None, format!("held from {after} to the end")),
            Claim::Never if self.has_result => {
                self.decide(true, None, format!("was so at no time from {after} to the end"));
            }
            Claim::Never => {
                let error = self.failed.take().unwrap_or_default();
                self.decide(false, Some(now), format!("could never be evaluated: {error}"));
            }
            Claim::Eventually { by } => {
                let finding = self.evaluate(cluster, tables, env);
                let detail = finding.error.unwrap_or_else(|| self.facts(tables, env));
                let is_early = by.is_some_and(|by| now < by);
                let early = if is_early { "the run ended before its time was up; " } else { "" };
                self.decide(false, Some(now), format!("{early}{detail}"));
            }
        }
    }

    fn decide(&mut self, ok: bool, at: Option<Span>, detail: String) {
        self.verdict = Some(Verdict { name: self.expectation.name.clone(), ok, at, detail });
    }

    fn evaluate(&self, cluster: &Cluster, tables: &mut Tables, env: &Arc<Env>) -> Finding {
        let condition = &self.expectation.condition;
        for kind in condition.reads() {
            tables.look(kind, cluster.server());
        }
        let result = condition.is_true(tables, env);
        Finding { is_true: result == Ok(true), error: result.err() }
    }

    fn facts(&self, tables: &Tables, env: &Arc<Env>) -> String {
        self.expectation.condition.facts(tables, env)
    }
}

impl Condition {
    /// Whether it is true of the objects in `tables`, or why that cannot be told.
    pub(crate) fn is_true(&self, tables: &Tables, env: &Arc<Env>) -> Result<bool, String> {
        let scope = Scope { tables };
        describe::evaluate(self.expr(), &context(&scope, env)).map_err(|it| describe::error(&it))
    }

    /// The values that it comes from.
    pub(crate) fn facts(&self, tables: &Tables, env: &Arc<Env>) -> String {
        let scope = Scope { tables };
        describe::facts(self.expr(), &context(&scope, env), tables)
    }
}

fn context<'a>(scope: &'a Scope<'a>, env: &Arc<Env>) -> Context<'a, 'a> {
    let mut context = Context::with_env(Arc::clone(env));
    context.set_variable_resolver(scope);
    context
}
