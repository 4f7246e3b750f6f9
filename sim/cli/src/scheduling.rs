//! `wavetank explain --scheduling`: why a pod went where it went, or nowhere.
//!
//! The outputs of a run do not hold that. But the same scenario and seed give the same run: so it is run again, with an
//! eye on the pod.

use std::fmt::Write as _;
use std::ops::ControlFlow;
use std::path::Path;

use api::Key;
use base::{Name, Time};
use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use scheduler::extender::{Answer, Said};
use scheduler::{PluginScores, PreFilterTrace, Refusal, Trace, TracedAttempt};
use serde_json::{Value, json};

use crate::input::Input;

/// All attempts to schedule one pod.
pub(crate) struct Scheduling {
    pod: Key,
    started: Time,
    attempts: Vec<TracedAttempt>,
}

impl Scheduling {
    /// Runs again what lies in the folder `run`, whose digest was `digest`.
    pub(crate) fn of(run: &Path, digest: &str, pod: Key) -> Result<Self, String> {
        let input = Input::read(run)?;
        let scenario = input.load().map_err(|wrong| wrong.to_string())?;
        let options = input.options();
        let mut begun = scenario.begin(&options).map_err(|error| error.to_string())?;
        begun.world.trace_scheduling(pod.clone());
        let finished = scenario::drive(begun, &scenario, &options, |_| ControlFlow::Continue(()));
        if format!("{:016x}", finished.run.digest.value()) != digest {
            let run = run.display();
            return Err(format!(
                "{run}: it comes out otherwise now: its inputs have changed, or the program has"
            ));
        }
        let world = finished.run.world;
        let attempts = world.traced_scheduling().to_vec();
        if attempts.is_empty() {
            return Err(format!("the scheduler never tried to schedule `{pod}`"));
        }
        Ok(Self { pod, started: world.started(), attempts })
    }

    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        for it in &self.attempts {
            let _ = writeln!(text, "{:>13} s  attempt {}: {}", self.seconds(it), it.attempt, outcome(it));
            tell_pre_filter(&mut text, &it.trace);
            tell_rejections(&mut text, &it.trace);
            if !it.trace.scores.is_empty() {
                let _ = writeln!(text, "{}", table(&it.trace));
            }
            tell_extenders(&mut text, &it.trace);
            tell_tie(&mut text, it);
        }
        text
    }

    pub(crate) fn json(&self) -> Value {
        let attempts: Vec<Value> = self.attempts.iter().map(|it| self.attempt_json(it)).collect();
        json!({"pod": self.pod.to_string(), "attempts": attempts})
    }

    fn attempt_json(&self, it: &TracedAttempt) -> Value {
        let trace = &it.trace;
        let verdict = |(node, refusal): &(Name, Option<Refusal>)| match refusal {
            None => json!({"node": node, "fits": true}),
            Some(refusal) => json!({"node": node, "fits": false, "rejection": refusal_json(refusal)}),
        };
        let scores = trace.feasible.iter().enumerate().map(|(idx, node)| {
            let plugin = |it: &PluginScores| {
                json!({"plugin": it.plugin, "weight": it.weight, "score": it.scores.get(idx)})
            };
            let plugins: Vec<Value> = trace.scores.iter().map(plugin).collect();
            json!({"node": node, "plugins": plugins, "total": trace.totals.get(idx)})
        });
        json!({
            "attempt": it.attempt,
            "seconds": self.seconds(it),
            "node": it.outcome.as_ref().ok().map(|it| &it.node),
            "message": it.outcome.as_ref().err().map(|it| it.message()),
            "preFilter": pre_filter_json(&trace.pre_filter),
            "nominatedFastPath": trace.nominated_fast_path,
            "verdicts": trace.verdicts.iter().map(verdict).collect::<Vec<Value>>(),
            "scores": scores.collect::<Vec<Value>>(),
            "extenders": trace.extenders.iter().map(said_json).collect::<Vec<Value>>(),
            "best": trace.best,
        })
    }

    fn seconds(&self, it: &TracedAttempt) -> String {
        report::seconds(self.started, it.at)
    }
}

fn outcome(it: &TracedAttempt) -> String {
    match &it.outcome {
        Ok(placement) => format!("{} ({placement})", placement.node),
        Err(diagnosis) => diagnosis.message().to_string(),
    }
}

fn tell_pre_filter(text: &mut String, trace: &Trace) {
    let _ = match &trace.pre_filter {
        PreFilterTrace::AllNodes => Ok(()),
        PreFilterTrace::Narrowed { nodes, plugins } => {
            let nodes: Vec<&str> = nodes.iter().map(Name::as_str).collect();
            let plugins: Vec<&str> = plugins.iter().copied().collect();
            writeln!(text, "  only {}, says {}", nodes.join(", "), plugins.join(", "))
        }
        PreFilterTrace::Rejected { refusal, .. } => writeln!(text, "  {}", told(refusal)),
    };
    if trace.nominated_fast_path {
        let _ = writeln!(text, "  it was promised room there, and no other node was looked at");
    }
}

fn tell_rejections(text: &mut String, trace: &Trace) {
    for (node, refusal) in &trace.verdicts {
        if let Some(refusal) = refusal {
            let _ = writeln!(text, "  {node} is rejected by {}", told(refusal));
        }
    }
}

fn told(refusal: &Refusal) -> String {
    let Refusal { plugin, rejection } = refusal;
    let plugin = if plugin.is_empty() { "several plugins" } else { plugin };
    format!("{plugin} ({}): {}", rejection.code.as_str(), rejection.message())
}

/// A row per node: each plugin's score, with its weight in the head, and the weighted sum.
fn table(trace: &Trace) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    let plugins = trace.scores.iter().map(|it| format!("{} x{}", it.plugin, it.weight));
    table.set_header(std::iter::once("node".into()).chain(plugins).chain(["total".into()]));
    for (idx, node) in trace.feasible.iter().enumerate() {
        let scores = trace.scores.iter().map(|it| it.scores[idx].to_string());
        let total = trace.totals[idx].to_string();
        table.add_row(std::iter::once(node.to_string()).chain(scores).chain([total]));
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

fn tell_extenders(text: &mut String, trace: &Trace) {
    for Said { extender, verb, answer, .. } in &trace.extenders {
        let _ = writeln!(text, "  {extender} {}: {}", verb.as_str(), told_answer(answer));
    }
}

fn told_answer(answer: &Answer) -> String {
    let join = |names: &[Name]| names.iter().map(Name::as_str).collect::<Vec<_>>().join(", ");
    match answer {
        Answer::Left { asked, nodes } => format!("leaves {} of {asked} nodes: {}", nodes.len(), join(nodes)),
        Answer::Scores(scores) => {
            let scores = scores.iter().map(|(node, score)| format!("{node} {score:+}"));
            format!("adds {}", scores.collect::<Vec<_>>().join(", "))
        }
        Answer::Victims(victims) => {
            let nodes = victims.iter().map(|(node, pods)| format!("{} from {node}", join(pods)));
            format!("would have go {}", nodes.collect::<Vec<_>>().join("; "))
        }
        Answer::Bound => "binds the pod".into(),
        Answer::Failed { error, is_ignored: true } => format!("failed, which is ignored: {error}"),
        Answer::Failed { error, is_ignored: false } => format!("failed: {error}"),
    }
}

fn said_json(said: &Said) -> Value {
    let answer = match &said.answer {
        Answer::Left { asked, nodes } => json!({"asked": asked, "left": nodes}),
        Answer::Scores(scores) => {
            let score = |(node, score): &(Name, i64)| json!({"node": node, "score": score});
            json!({"scores": scores.iter().map(score).collect::<Vec<Value>>()})
        }
        Answer::Victims(victims) => {
            let victims = victims.iter().map(|(node, pods)| json!({"node": node, "pods": pods}));
            json!({"victims": victims.collect::<Vec<Value>>()})
        }
        Answer::Bound => json!({"bound": true}),
        Answer::Failed { error, is_ignored } => json!({"error": error, "ignored": is_ignored}),
    };
    let seconds = said.took.as_secs_f64();
    json!({"extender": said.extender, "verb": said.verb.as_str(), "seconds": seconds, "answer": answer})
}

fn tell_tie(text: &mut String, it: &TracedAttempt) {
    if let (Ok(placement), [_, _, ..]) = (&it.outcome, it.trace.best.as_slice()) {
        let best: Vec<&str> = it.trace.best.iter().map(Name::as_str).collect();
        let _ = writeln!(text, "  {} are equally good; chance took {}", best.join(", "), placement.node);
    }
}

fn pre_filter_json(trace: &PreFilterTrace) -> Value {
    match trace {
        PreFilterTrace::AllNodes => Value::Null,
        PreFilterTrace::Narrowed { nodes, plugins } => json!({"nodes": nodes, "plugins": plugins}),
        PreFilterTrace::Rejected { refusal, plugins } => {
            json!({"rejection": refusal_json(refusal), "plugins": plugins})
        }
    }
}

fn refusal_json(refusal: &Refusal) -> Value {
    let reasons: Vec<&Name> = refusal.rejection.reasons().collect();
    json!({"plugin": refusal.plugin, "code": refusal.rejection.code.as_str(), "reasons": reasons})
}
