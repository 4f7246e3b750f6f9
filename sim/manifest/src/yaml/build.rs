//! From the parser's events to documents of nodes: aliases expanded, words resolved, bounds kept.

use std::borrow::Cow;
use std::collections::BTreeMap;

use saphyr_parser::{Event, ScalarStyle, Span, Tag};

use crate::diagnostic::Diagnostic;
use crate::limits::Limits;
use crate::source::{Mark, Source};

use super::frame::{Body, Frame, Key};
use super::node::{Content, Node};
use super::repair::Shifts;
use super::scalar;

/// An error after which nothing more is read.
type Fatal = Diagnostic;

pub(super) struct Builder<'a> {
    pub(super) documents: Vec<Node>,
    pub(super) errors: Vec<Diagnostic>,
    source: &'a Source,
    shifts: &'a Shifts,
    limits: &'a Limits,
    open: Vec<Frame>,
    /// What aliases of this document may refer to.
    anchors: BTreeMap<usize, Node>,
    values: usize,
    copied_bytes: usize,
}

impl<'a> Builder<'a> {
    pub(super) fn new(source: &'a Source, shifts: &'a Shifts, limits: &'a Limits) -> Self {
        Self {
            documents: Vec::new(),
            errors: Vec::new(),
            source,
            shifts,
            limits,
            open: Vec::new(),
            anchors: BTreeMap::new(),
            values: 0,
            copied_bytes: 0,
        }
    }

    pub(super) fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Fatal> {
        let mark = self.mark_of(span);
        match event {
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
            Event::DocumentStart(_) => {
                self.anchors.clear();
                Ok(())
            }
            Event::Scalar(text, style, anchor, tag) => {
                let is_merge = text == "<<" && style == ScalarStyle::Plain && self.awaits_key();
                let content = self.scalar(text, style, tag.as_deref(), mark);
                self.finish(Node::new(mark, content), anchor, is_merge)
            }
            Event::SequenceStart(anchor, _) => self.start(Frame { mark, anchor, body: Body::LIST }),
            Event::MappingStart(anchor, _) => self.start(Frame { mark, anchor, body: Body::MAP }),
            Event::SequenceEnd | Event::MappingEnd => self.end(),
            Event::Alias(anchor) => self.alias(anchor, mark),
        }
    }

    fn start(&mut self, frame: Frame) -> Result<(), Fatal> {
        if self.open.len() >= self.limits.depth_max {
            let message = format!("values are nested more than {} deep", self.limits.depth_max);
            return Err(self.error(frame.mark, message));
        }
        self.open.push(frame);
        Ok(())
    }

    fn end(&mut self) -> Result<(), Fatal> {
        let frame = self.open.pop().expect("the parser ends only what it has started");
        let anchor = frame.anchor;
        let (node, doubles) = frame.finish();
        for (first, entry) in doubles {
            let message = format!("key `{}` is here a second time", entry.key);
            let help =
                format!("the first one is in line {}; a mapping has each key once", first.position.line);
            let error = self.error(entry.mark, message).with_help(help);
            self.errors.push(error);
        }
        self.finish(node, anchor, false)
    }

    /// A copy of what was called by this name before. Its values keep their places there.
    fn alias(&mut self, anchor: usize, mark: Mark) -> Result<(), Fatal> {
        let Some(node) = self.anchors.get(&anchor) else {
            let is_inside = self.open.iter().any(|it| it.anchor == anchor);
            let message =
                if is_inside { "alias refers to what it is part of" } else { "alias to an unknown anchor" };
            return Err(self
                .error(mark, message)
                .with_help("an anchor comes before its aliases, in the same document"));
        };
        let mut node = node.clone();
        self.count_copy(&node, mark)?;
        let depth = self.open.len() + depth_of(&node);
        if depth > self.limits.depth_max {
            let message =
                format!("with this alias values are nested more than {} deep", self.limits.depth_max);
            return Err(self.error(mark, message));
        }
        if self.awaits_key() {
            node.mark = mark;
        }
        self.finish(node, 0, false)
    }

    fn count_copy(&mut self, node: &Node, mark: Mark) -> Result<(), Fatal> {
        self.copied_bytes += bytes_of(node);
        if self.copied_bytes <= self.limits.copied_bytes_max {
            return Ok(());
        }
        let mebibytes = self.limits.copied_bytes_max >> 20;
        let error = self.error(mark, format!("aliases expand to more than {mebibytes} MiB"));
        Err(error.with_help("write out what is meant, or split the file"))
    }

    /// Puts a finished value where it belongs.
    fn finish(&mut self, node: Node, anchor: usize, is_merge: bool) -> Result<(), Fatal> {
        self.values += 1;
        if self.values > self.limits.values_max {
            let message = format!("the file has more than {} values", self.limits.values_max);
            return Err(self.error(node.mark, message).with_help("split it into several files"));
        }
        if anchor != 0 {
            self.count_copy(&node, node.mark)?;
            self.anchors.insert(anchor, node.clone());
        }
        match self.open.last_mut().map(|it| &mut it.body) {
            None => self.documents.push(node),
            Some(Body::List(items)) => items.push(node),
            Some(Body::Map { key: key @ None, .. }) => match key_text(&node.content) {
                Ok(text) => *key = Some(Key { text, mark: node.mark, is_merge }),
                Err(problem) => return Err(self.error(node.mark, problem)),
            },
            Some(Body::Map { entries, key, merged }) => {
                let key = key.take().expect("the arm before takes a mapping without a key");
                if key.is_merge {
                    let mark = node.mark;
                    if !add_merged(merged, node) {
                        return Err(self.error(mark, "`<<` takes a mapping, or a list of mappings"));
                    }
                } else {
                    entries.push(super::Entry { key: key.text, mark: key.mark, value: node });
                }
            }
        }
        Ok(())
    }

    fn awaits_key(&self) -> bool {
        matches!(self.open.last(), Some(Frame { body: Body::Map { key: None, .. }, .. }))
    }

    /// Quoted words and blocks are text; others are what they look like, unless a tag says otherwise.
    fn scalar(&mut self, text: Cow<'_, str>, style: ScalarStyle, tag: Option<&Tag>, mark: Mark) -> Content {
        let resolved = match tag {
            None if style != ScalarStyle::Plain => return Content::Text(text.into_owned()),
            None => scalar::resolve(&text),
            Some(tag) if tag.is_yaml_core_schema() => match tag.suffix.as_str() {
                "int" | "float" | "bool" | "null" => return self.tagged(&text, &tag.suffix, mark),
                _ => return Content::Text(text.into_owned()),
            },
            Some(_) => return Content::Text(text.into_owned()),
        };
        resolved.unwrap_or_else(|problem| {
            let error = self.error(mark, format!("`{text}` is {problem}, which Kubernetes cannot store"));
            self.errors.push(error.with_help(format!("quote it if it is text: \"{text}\"")));
            Content::Null
        })
    }

    fn tagged(&mut self, text: &str, tag: &str, mark: Mark) -> Content {
        let content = scalar::resolve(text).unwrap_or(Content::Null);
        let fits = match &content {
            Content::Null => tag == "null",
            Content::Bool(_) => tag == "bool",
            Content::Number(number) => tag == "float" || (tag == "int" && !number.is_f64()),
            Content::Text(_) | Content::List(_) | Content::Map(_) => false,
        };
        if !fits {
            let error = self.error(mark, format!("`{text}` is not what its tag `!!{tag}` says"));
            self.errors.push(error);
        }
        content
    }

    fn mark_of(&self, span: Span) -> Mark {
        let small = |it: usize| u32::try_from(it).unwrap_or(u32::MAX); // Files are far smaller.
        let (line, column) = (span.start.line(), span.start.col());
        let is_one_line = line == span.end.line();
        let width = if is_one_line { span.end.col().saturating_sub(column).max(1) } else { 1 };
        Mark::new(small(line), small(self.shifts.undo(line, column) + 1), small(width))
    }

    fn error(&self, mark: Mark, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(self.source, mark, message)
    }
}

/// Keys become text as Go's JSON conversion makes them.
fn key_text(content: &Content) -> Result<String, &'static str> {
    match content {
        Content::Text(text) => Ok(text.clone()),
        Content::Bool(it) => Ok(it.to_string()),
        Content::Number(it) => Ok(it.to_string()),
        Content::Null => Err("a key cannot be null"),
        Content::List(_) | Content::Map(_) => Err("a key must be a word, not a list or a mapping"),
    }
}

/// Whether `node` is something that can be merged.
fn add_merged(merged: &mut Vec<Node>, node: Node) -> bool {
    let is_map = |it: &Node| matches!(it.content, Content::Map(_));
    if is_map(&node) {
        merged.push(node);
        return true;
    }
    let Content::List(items) = node.content else { return false };
    let are_maps = items.iter().all(is_map);
    merged.extend(items);
    are_maps
}

/// About what a copy of `node` costs in memory.
fn bytes_of(node: &Node) -> usize {
    let inside: usize = match &node.content {
        Content::Null | Content::Bool(_) | Content::Number(_) => 0,
        Content::Text(text) => text.len(),
        Content::List(items) => items.iter().map(bytes_of).sum(),
        Content::Map(entries) => {
            entries.iter().map(|it| it.key.len() + size_of_val(it) + bytes_of(&it.value)).sum()
        }
    };
    size_of::<Node>() + inside
}

/// Collections inside collections.
fn depth_of(node: &Node) -> usize {
    match &node.content {
        Content::Null | Content::Bool(_) | Content::Number(_) | Content::Text(_) => 0,
        Content::List(items) => 1 + items.iter().map(depth_of).max().unwrap_or(0),
        Content::Map(entries) => 1 + entries.iter().map(|it| depth_of(&it.value)).max().unwrap_or(0),
    }
}
