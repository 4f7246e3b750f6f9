//! `wavetank run`.

use std::fmt::Display;
use std::ops::ControlFlow;
use std::path::PathBuf;

use base::Span;
use manifest::{Diagnostic, Diagnostics};
use report::Summary;
use scenario::{Ended, Finished, Options, Scenario};

use crate::args::{self, Common, Format};
use crate::exit::{Exit, say, tell};
use crate::host::Stopwatch;
use crate::input::{Input, Wrong};
use crate::progress::Show;

pub(crate) fn run(args: &args::Run, common: &Common) -> Exit {
    let input = Input::new(args, common);
    let scenario = match input.load() {
        Ok(scenario) => scenario,
        Err(Wrong::Files(diagnostics)) => return wrong(&diagnostics, common.format),
        Err(Wrong::Flags(problem)) => return refuse(&problem),
    };
    let options = input.options();
    notice(&scenario, common);
    let stopwatch = Stopwatch::start();
    let mut show = Show::new(&scenario.name, common.quiet);
    let finished = scenario::run(&scenario, &options, |progress| {
        show.see(progress);
        ControlFlow::Continue(())
    });
    show.done();
    match finished {
        Err(error) => refuse(&error),
        Ok(finished) => {
            let exit = conclude(&input, &scenario, &finished, &stopwatch, common);
            // The program ends here. To take a large cluster apart first is a twentieth of the whole run.
            std::mem::forget(finished);
            exit
        }
    }
}

/// Wrong input, with everything that is wrong about it.
pub(crate) fn wrong(diagnostics: &Diagnostics, format: Format) -> Exit {
    match format {
        Format::Text => tell(&diagnostics.to_string()),
        Format::Json => say(&serde_json::json!({"errors": diagnostics}).to_string()),
    }
    Exit::WrongInput
}

/// What is right, but probably not meant. As JSON it is part of the result.
pub(crate) fn warn(warnings: &Diagnostics, format: Format) {
    match format {
        Format::Text => warnings.iter().for_each(|it| tell(&format!("warning: {it}"))),
        Format::Json => (),
    }
}

fn refuse(error: &impl Display) -> Exit {
    tell(&format!("error: {error}"));
    Exit::WrongInput
}

/// What of the input has no effect.
fn notice(scenario: &Scenario, common: &Common) {
    if common.quiet {
        return;
    }
    let inputs = &scenario.inputs;
    for skipped in &inputs.skipped {
        tell(&format!("note: skipped {}: {}", skipped.file, skipped.reason));
    }
    for (kind, count) in &inputs.custom {
        tell(&format!("note: {count} {kind} kept without effect: no controller for them is simulated"));
    }
    if common.verbose {
        for (field, count) in &inputs.unmodelled {
            tell(&format!("note: {field} has no effect ({count} objects)"));
        }
    }
}

fn conclude(
    input: &Input,
    scenario: &Scenario,
    finished: &Finished,
    stopwatch: &Stopwatch,
    common: &Common,
) -> Exit {
    let options = &input.options();
    if finished.ended == Ended::TimeStoodStill {
        tell(&format!("bug: virtual time stood still; run again with --seed {}", scenario.seed(options)));
        return Exit::Broken;
    }
    if common.check_determinism {
        match scenario::compare(scenario, options, &finished.run) {
            Err(error) => return refuse(&error),
            Ok(Some(difference)) => {
                tell(&format!("the same run came out otherwise the second time:\n{difference}"));
                return Exit::Diverged;
            }
            Ok(None) if !common.quiet => tell("ran twice: equal digests"),
            Ok(None) => (),
        }
    }
    let cluster = &finished.run.world;
    let mut warnings = scenario.inputs.warnings.clone();
    warnings.append(scenario.unused_behaviours(options, cluster));
    let mut summary = Summary::new(facts(scenario, options, finished, &warnings), cluster);
    summary.host = Some(stopwatch.host(finished.run.events()));
    let out = common.out.clone().unwrap_or_else(|| folder(&summary));
    if let Err(error) = report::write(&out, &summary, cluster).and_then(|()| input.write(&out)) {
        tell(&format!("error: {}: {error}", out.display()));
        return Exit::WrongInput;
    }
    if !common.quiet {
        warn(&warnings, common.format);
    }
    match common.format {
        Format::Json => say(&serde_json::to_string(&summary).expect("a summary can be written")),
        Format::Text if common.quiet => (),
        Format::Text => {
            say(&report::text(&summary, cluster, common.colours()));
            say(&format!("wrote {}", out.display()));
        }
    }
    if summary.outcome == "passed" { Exit::Well } else { Exit::Failed }
}

fn facts(scenario: &Scenario, options: &Options, finished: &Finished, warnings: &Diagnostics) -> report::Run {
    let expectations = finished.verdicts.iter().map(|it| report::Expectation {
        name: it.name.to_string(),
        ok: it.ok,
        at: it.at.map(Span::as_secs_f64),
        detail: it.detail.clone(),
    });
    report::Run {
        scenario: scenario.name.to_string(),
        seed: scenario.seed(options),
        end: finished.run.now(),
        digest: finished.run.digest.value(),
        events: finished.run.events(),
        expectations: expectations.collect(),
        outsiders: scenario.extenders().map(ToString::to_string).collect(),
        warnings: warnings.iter().map(warning).collect(),
    }
}

fn warning(it: &Diagnostic) -> report::Warning {
    let (line, column) = it.position.map_or((1, 1), |it| (it.line, it.column));
    let (path, message) = (it.path.clone(), it.message.clone());
    report::Warning { file: it.file.to_string(), line, column, path, message }
}

fn folder(summary: &Summary) -> PathBuf {
    PathBuf::from("reports").join(format!("{}-{}", summary.scenario, summary.seed))
}
