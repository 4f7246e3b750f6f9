//! One document: an object, a list of objects, or something else.

use std::sync::Arc;

use api::{CustomKind, Kind, Object};
use serde_json::{Map, Value};

use crate::convert;
use crate::decode::{Finding, Help};
use crate::diagnostic::Diagnostic;
use crate::document::{Origin, Text};
use crate::identity::{Identity, identify, linked_kind};
use crate::load::LoadedObject;
use crate::path::Path;
use crate::schema::{self, Row};
use crate::scope;
use crate::unmodelled::unmodelled;

/// How deep lists may lie in lists.
const LISTS_MAX: usize = 4;

/// Takes one document apart.
pub(crate) struct Reader<'a> {
    text: &'a Text,
    document: usize,
    /// Whether the document must be an object, since someone named its file.
    is_named: bool,
    objects: Vec<LoadedObject>,
    findings: Vec<Finding>,
    warnings: Vec<Finding>,
    skipped: Vec<String>,
}

/// What a document held.
pub(crate) struct Found {
    pub(crate) objects: Vec<LoadedObject>,
    pub(crate) errors: Vec<Diagnostic>,
    pub(crate) warnings: Vec<Diagnostic>,
    /// Why what was left out was left out.
    pub(crate) skipped: Vec<String>,
}

/// The `apiVersion` and `kind` of a list's items that state none.
type ItemKind = Option<(String, String)>;

impl<'a> Reader<'a> {
    pub(crate) fn new(text: &'a Text, document: usize, is_named: bool) -> Self {
        Self {
            text,
            document,
            is_named,
            objects: Vec::new(),
            findings: Vec::new(),
            warnings: Vec::new(),
            skipped: Vec::new(),
        }
    }

    pub(crate) fn take(&mut self, document: Value) {
        match document {
            Value::Null => (),
            Value::Object(map) => self.take_map(map, Path::default(), &None, 0),
            // A bare array of objects, as some tools dump them.
            Value::Array(items) if !items.is_empty() && items.iter().all(has_kind) => {
                self.take_items(items, &Path::default(), &None, 0);
            }
            Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                self.skip("it is not a mapping");
            }
        }
    }

    pub(crate) fn finish(self) -> Found {
        let at_their_places = |findings: Vec<Finding>| {
            findings.into_iter().map(|it| self.text.diagnostic(self.document, it)).collect()
        };
        let (errors, warnings) = (at_their_places(self.findings), at_their_places(self.warnings));
        Found { objects: self.objects, errors, warnings, skipped: self.skipped }
    }

    fn take_map(&mut self, mut map: Map<String, Value>, at: Path, item: &ItemKind, lists: usize) {
        if let Some((api_version, kind)) = item {
            map.entry("apiVersion").or_insert_with(|| api_version.as_str().into());
            map.entry("kind").or_insert_with(|| kind.as_str().into());
        }
        if !map.contains_key("apiVersion") && !map.contains_key("kind") {
            add_linked_kind(&mut map);
        }
        if at.is_empty() && !map.contains_key("apiVersion") && !map.contains_key("kind") {
            return self.skip("it has no `apiVersion` and no `kind`");
        }
        let (api_version, kind) = (self.word(&map, &at, "apiVersion"), self.word(&map, &at, "kind"));
        let (Some(api_version), Some(kind)) = (api_version, kind) else { return };
        match identify(&api_version, &kind) {
            Identity::BuiltIn(row, kind) => self.take_built_in(row, &kind, map, at),
            Identity::Custom(kind) => self.take_custom(kind, map, at),
            Identity::List { of } => self.take_list(map, &at, &of, lists),
            Identity::Settings => self.skip(&format!("`{api_version}` {kind} holds settings of a program")),
            Identity::Wrong { message, is_kind, help } => {
                let path = at.key(if is_kind { "kind" } else { "apiVersion" });
                self.findings.push(Finding { path, is_key: false, message, help: help.map(Help::Say) });
            }
        }
    }

    fn take_list(&mut self, mut map: Map<String, Value>, at: &Path, of: &ItemKind, lists: usize) {
        let path = at.clone().key("items");
        match map.remove("items") {
            None | Some(Value::Null) => (),
            Some(Value::Array(items)) if lists < LISTS_MAX => self.take_items(items, &path, of, lists),
            Some(Value::Array(_)) => self.wrong(path, "lists are nested too deep"),
            Some(_) => self.wrong(path, "expected a list of objects"),
        }
    }

    fn take_items(&mut self, items: Vec<Value>, at: &Path, of: &ItemKind, lists: usize) {
        for (idx, item) in items.into_iter().enumerate() {
            let path = at.clone().index(idx);
            match item {
                Value::Object(map) => self.take_map(map, path, of, lists + 1),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                    self.wrong(path, "expected an object");
                }
            }
        }
    }

    fn take_built_in(&mut self, row: &Row, kind: &Kind, map: Map<String, Value>, at: Path) {
        let value = Value::Object(map);
        let is_right = self.found((row.check)(&value), &at);
        let is_named = self.check_name(&value, &at);
        let Value::Object(mut map) = value else { unreachable!("it was made above") };
        if is_right && is_named {
            convert::to_stored(row.api_version, row.kind, &mut map);
            self.add(kind, map, at);
        }
    }

    fn take_custom(&mut self, kind: CustomKind, map: Map<String, Value>, at: Path) {
        let value = Value::Object(map);
        let metadata = value.get("metadata").unwrap_or(&Value::Null);
        let is_right = self.found(schema::check_metadata(metadata), &at.clone().key("metadata"));
        let is_named = self.check_name(&value, &at);
        let Value::Object(map) = value else { unreachable!("it was made above") };
        if is_right && is_named {
            self.add(&Kind::Custom(Arc::new(kind)), map, at);
        }
    }

    fn add(&mut self, kind: &Kind, map: Map<String, Value>, at: Path) {
        let mut object = match Object::from_json(kind, Value::Object(map)) {
            Ok(object) => object,
            Err(error) => return self.wrong(at, format!("this {} cannot be read: {error}", kind.name())),
        };
        let unmodelled = unmodelled(&object);
        // Where a custom resource belongs is known, and it is checked, when everything has been read.
        if let Some(info) = kind.info() {
            scope::set_namespace(&mut object, info.namespaced);
            api::defaults::apply(&mut object);
            self.found(refusals(&object), &at);
            self.warnings.extend(warnings(&object).map(|it| Finding { path: at.join(&it.path), ..it }));
        }
        let origin = Origin::new(self.text, self.document, at);
        self.objects.push(LoadedObject { object, origin, unmodelled });
    }

    /// The text in one of the two fields that say what the object is.
    fn word(&mut self, map: &Map<String, Value>, at: &Path, field: &str) -> Option<String> {
        match map.get(field) {
            Some(Value::String(word)) if !word.is_empty() => Some(word.clone()),
            None | Some(Value::Null) => {
                self.wrong(at.clone(), format!("`{field}` is missing"));
                None
            }
            Some(_) => {
                self.wrong(at.clone().key(field), format!("`{field}` must be a text"));
                None
            }
        }
    }

    /// Upstream: `rest.BeforeCreate`.
    fn check_name(&mut self, object: &Value, at: &Path) -> bool {
        let metadata = object.get("metadata");
        let has =
            |field: &str| metadata.and_then(|it| it.get(field)).is_some_and(|it| *it != "" && !it.is_null());
        let is_named = has("name") || has("generateName");
        if !is_named {
            self.wrong(at.clone().key("metadata").key("name"), "`metadata.name` is missing");
        }
        is_named
    }

    /// Adds what is wrong with the object at `at`. Whether there was nothing.
    fn found(&mut self, findings: Vec<Finding>, at: &Path) -> bool {
        let is_right = findings.is_empty();
        self.findings.extend(findings.into_iter().map(|it| Finding { path: at.join(&it.path), ..it }));
        is_right
    }

    fn wrong(&mut self, path: Path, message: impl Into<String>) {
        self.findings.push(Finding::new(path, message));
    }

    /// Leaves out what cannot be an object; where it should have been one, that is an error.
    fn skip(&mut self, reason: &str) {
        if self.is_named {
            self.wrong(Path::default(), format!("not a Kubernetes object: {reason}"));
        } else {
            self.skipped.push(reason.into());
        }
    }
}

/// Why the API server would not take the object. What bears a uid was taken by one before, and is not asked again.
pub(crate) fn refusals(object: &Object) -> Vec<Finding> {
    if !object.meta().uid.is_unset() {
        return Vec::new();
    }
    let mut errors = api::validation::validate(object);
    if object.meta().name.is_empty() {
        errors.retain(|it| it.field != "metadata.name"); // It will be made from `generateName`.
    }
    errors.iter().map(|it| Finding::new(Path::parse(&it.field), it.to_string())).collect()
}

/// What the API server would have to say although it takes the object. It has said so of what bears a uid.
fn warnings(object: &Object) -> impl Iterator<Item = Finding> {
    let is_new = object.meta().uid.is_unset();
    let found = if is_new { api::validation::warnings(object) } else { Vec::new() };
    found.into_iter().map(|it| Finding::new(Path::parse(&it.field), it.to_string()))
}

/// Old dumps of single objects have no kind, but a link to themselves that tells it.
fn add_linked_kind(map: &mut Map<String, Value>) {
    let link = map.get("metadata").and_then(|it| it.get("selfLink")).and_then(Value::as_str);
    if let Some((api_version, kind)) = link.and_then(linked_kind) {
        map.insert("apiVersion".into(), api_version.into());
        map.insert("kind".into(), kind.into());
    }
}

fn has_kind(value: &Value) -> bool {
    value.get("kind").is_some_and(Value::is_string) && value.get("apiVersion").is_some_and(Value::is_string)
}
