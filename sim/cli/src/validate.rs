//! `wavetank validate`.

use std::path::Path;

use manifest::{Diagnostics, Limits};
use scenario::Override;

use crate::args::{self, Common, Format};
use crate::exit::{Exit, say, tell};
use crate::run::{warn, wrong};

/// What was found, over all files.
#[derive(Debug, Default)]
struct Found {
    scenarios: usize,
    objects: usize,
    unmodelled: std::collections::BTreeMap<String, usize>,
    wrong: Diagnostics,
    warnings: Diagnostics,
}

pub(crate) fn validate(args: &args::Validate, common: &Common) -> Exit {
    let mut overrides = Vec::new();
    for text in &common.set {
        match text.parse::<Override>() {
            Ok(it) => overrides.push(it),
            Err(error) => {
                tell(&format!("error: {error}"));
                return Exit::WrongInput;
            }
        }
    }
    let mut found = Found::default();
    for file in &args.files {
        found.look_at(file, &overrides);
    }
    if !found.wrong.is_empty() {
        return wrong(&found.wrong, common.format);
    }
    found.tell(common);
    Exit::Well
}

impl Found {
    fn look_at(&mut self, file: &Path, overrides: &[Override]) {
        let limits = Limits::default();
        let is_scenario =
            file.is_file() && manifest::read(file, &limits).is_ok_and(|it| scenario::is_scenario(&it));
        if is_scenario {
            self.scenarios += 1;
            match scenario::load(file, overrides) {
                Ok(scenario) => {
                    self.objects += scenario.inputs.objects;
                    self.warnings.append(scenario.unusable_behaviours());
                    self.warnings.append(scenario.inputs.warnings);
                    self.note(scenario.inputs.unmodelled);
                }
                Err(wrong) => self.wrong.append(wrong),
            }
            return;
        }
        let loaded = manifest::load(&[file], &limits);
        self.objects += loaded.objects.len();
        for it in &loaded.objects {
            let kind = it.object.kind().singular();
            self.note(it.unmodelled.iter().map(|path| (format!("{kind}: {path}"), 1)));
        }
        self.wrong.append(loaded.diagnostics);
        self.warnings.append(loaded.warnings);
    }

    fn note(&mut self, fields: impl IntoIterator<Item = (String, usize)>) {
        for (field, count) in fields {
            *self.unmodelled.entry(field).or_default() += count;
        }
    }

    fn tell(&self, common: &Common) {
        if common.format == Format::Json {
            let Self { scenarios, objects, unmodelled, .. } = self;
            let mut json = serde_json::json!({"scenarios": scenarios, "objects": objects, "unmodelled": unmodelled, "errors": []});
            if !self.warnings.is_empty() {
                json["warnings"] = serde_json::json!(self.warnings);
            }
            return say(&json.to_string());
        }
        if common.quiet {
            return;
        }
        warn(&self.warnings, common.format);
        say(&format!("{} scenarios and {} objects are valid", self.scenarios, self.objects));
        let without_effect = self.unmodelled.len();
        if common.verbose {
            self.unmodelled.iter().for_each(|(field, count)| say(&format!("  no effect: {field} ({count})")));
        } else if without_effect > 0 {
            say(&format!(
                "{without_effect} fields are known to Kubernetes and have no effect here; -v lists them"
            ));
        }
    }
}
