//! Files of Kubernetes objects: read, checked against the schema, defaulted, validated, turned into our types.

use std::collections::BTreeMap;
use std::path::Path as FilePath;

use api::{Kind, Object};
use base::Name;

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::document::{Origin, Text};
use crate::files::{self, File};
use crate::limits::Limits;
use crate::object::{self, Reader};
use crate::path::Path;
use crate::read::read;
use crate::scope;
use crate::source::Source;

/// What was found in a number of files.
#[derive(Debug, Default)]
pub struct Loaded {
    /// In the order of the files, and of the documents in them.
    pub objects: Vec<LoadedObject>,
    /// What was left out, because it lay in a folder and is no Kubernetes object.
    pub skipped: Vec<Skipped>,
    /// Custom resources, which are kept without effect: how many of each `kind.group`.
    pub custom: BTreeMap<Name, usize>,
    /// Everything that is wrong. Where there is anything, nothing should be run.
    pub diagnostics: Diagnostics,
    /// What the API server takes in with a warning.
    pub warnings: Diagnostics,
}

/// An object that could be read. It passed all checks if nothing is wrong with any file.
#[derive(Clone, Debug)]
pub struct LoadedObject {
    pub object: Object,
    pub origin: Origin,
    /// Fields that Kubernetes knows and the simulation has no use for.
    pub unmodelled: Vec<Path>,
}

/// A document that is no Kubernetes object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    pub file: String,
    pub reason: String,
}

/// Loads every object of `paths`: files, or folders with everything below them.
pub fn load<P: AsRef<FilePath>>(paths: &[P], limits: &Limits) -> Loaded {
    let mut loaded = Loaded::default();
    for path in paths {
        match files::expand(path.as_ref()) {
            Ok(files) => files.iter().for_each(|file| loaded.add_file(file, limits)),
            Err(error) => loaded.diagnostics.add(vec![error]),
        }
    }
    loaded.finish()
}

/// Loads every object of a text that was named, and so must be one.
pub fn load_source(source: Source, limits: &Limits) -> Loaded {
    let mut loaded = Loaded::default();
    loaded.add_source(source, true, limits);
    loaded.finish()
}

/// After so many errors in a file, its other documents are not looked at.
const ERRORS_MAX: usize = 1_000;

impl Loaded {
    fn add_file(&mut self, file: &File, limits: &Limits) {
        match read(&file.path, limits) {
            Ok(source) => self.add_source(source, file.is_named, limits),
            Err(error) => self.diagnostics.add(vec![error]),
        }
    }

    fn add_source(&mut self, source: Source, is_named: bool, limits: &Limits) {
        let name = source.name().clone();
        let (text, documents, mut errors) = Text::read(source, *limits);
        let mut warnings = Vec::new();
        let is_empty = documents.iter().all(serde_json::Value::is_null) && errors.is_empty();
        if is_empty && is_named {
            errors.push(Diagnostic::of_file(name.clone(), "there is no object in this file"));
        }
        for (idx, document) in documents.into_iter().enumerate() {
            let mut reader = Reader::new(&text, idx, is_named);
            reader.take(document);
            let found = reader.finish();
            self.objects.extend(found.objects);
            errors.extend(found.errors);
            warnings.extend(found.warnings);
            let skipped = found.skipped.into_iter().map(|reason| Skipped { file: name.to_string(), reason });
            self.skipped.extend(skipped);
            if errors.len() > ERRORS_MAX {
                break;
            }
        }
        self.diagnostics.add(errors);
        self.warnings.add(warnings);
    }

    /// What can only be known once everything has been read.
    fn finish(mut self) -> Self {
        scope::settle(self.objects.iter_mut().map(|it| &mut it.object));
        for it in &self.objects {
            if let Kind::Custom(kind) = it.object.kind() {
                let refusals = object::refusals(&it.object);
                self.diagnostics
                    .add(refusals.into_iter().map(|found| it.origin.diagnostic_of(found)).collect());
                let name = Name::from(format_args!("{}.{}", kind.name, kind.group));
                *self.custom.entry(name).or_default() += 1;
            }
        }
        self
    }
}
