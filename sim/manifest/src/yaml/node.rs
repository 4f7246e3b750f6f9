//! Values as they stand in a text: each with its place.

use serde_json::{Map, Number, Value};

use crate::path::{Path, Segment};
use crate::source::Mark;

/// A value and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    pub mark: Mark,
    pub content: Content,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    List(Vec<Node>),
    /// In the order of the text; no key twice.
    Map(Vec<Entry>),
}

/// A key with its value.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    pub key: String,
    pub mark: Mark,
    pub value: Node,
}

impl Node {
    pub fn new(mark: Mark, content: Content) -> Self {
        Self { mark, content }
    }

    pub fn is_null(&self) -> bool {
        self.content == Content::Null
    }

    pub fn as_text(&self) -> Option<&str> {
        if let Content::Text(text) = &self.content { Some(text) } else { None }
    }

    /// Of a list; nothing of anything else.
    pub fn items(&self) -> &[Self] {
        if let Content::List(items) = &self.content { items } else { &[] }
    }

    /// Of a map; nothing of anything else.
    pub fn entries(&self) -> &[Entry] {
        if let Content::Map(entries) = &self.content { entries } else { &[] }
    }

    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().find(|it| it.key == key)
    }

    /// The value of `key`, if this is a map that has it.
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.entry(key).map(|it| &it.value)
    }

    /// The value at `path`, such as `spec.containers[0].image`.
    pub fn at(&self, path: &str) -> Option<&Self> {
        let path = Path::parse(path);
        path.segments().iter().try_fold(self, |node, step| node.step(step).map(|(_, value)| value))
    }

    /// Where `path` stands, or the last step towards it that is there: a missing field is shown at its parent.
    pub fn mark_of(&self, path: &Path) -> Mark {
        let (mut node, mut mark) = (self, self.mark);
        for step in path.segments() {
            let Some((key, value)) = node.step(step) else { break };
            node = value;
            // A block below its key is shown at the key.
            let is_below = key.is_some_and(|it| it.position.line != value.mark.position.line);
            mark = if is_below || value.is_empty_text() { key.unwrap_or(value.mark) } else { value.mark };
        }
        mark
    }

    /// Where the key that `path` ends with stands.
    pub fn mark_of_key(&self, path: &Path) -> Mark {
        let Some((last, before)) = path.segments().split_last() else { return self.mark };
        let parent = before.iter().try_fold(self, |node, step| node.step(step).map(|(_, value)| value));
        match parent.and_then(|it| it.step(last)) {
            Some((key, value)) => key.unwrap_or(value.mark),
            None => self.mark_of(path),
        }
    }

    fn step(&self, step: &Segment) -> Option<(Option<Mark>, &Self)> {
        match step {
            Segment::Key(key) => self.entry(key).map(|it| (Some(it.mark), &it.value)),
            Segment::Index(idx) => match self.items().get(*idx) {
                Some(item) => Some((None, item)),
                None => self.entry(&idx.to_string()).map(|it| (Some(it.mark), &it.value)),
            },
        }
    }

    fn is_empty_text(&self) -> bool {
        self.is_null() && self.mark.width <= 1
    }

    /// The plain value, without places.
    pub fn into_value(self) -> Value {
        match self.content {
            Content::Null => Value::Null,
            Content::Bool(it) => Value::Bool(it),
            Content::Number(it) => Value::Number(it),
            Content::Text(it) => Value::String(it),
            Content::List(items) => Value::Array(items.into_iter().map(Self::into_value).collect()),
            Content::Map(entries) => Value::Object(Map::from_iter(
                entries.into_iter().map(|Entry { key, value, .. }| (key, value.into_value())),
            )),
        }
    }

    /// The plain value, leaving this one as it is.
    pub fn to_value(&self) -> Value {
        self.clone().into_value()
    }
}

impl Content {
    /// In words, for messages: `a list`.
    pub fn describe(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool(_) => "true or false",
            Self::Number(_) => "a number",
            Self::Text(_) => "text",
            Self::List(_) => "a list",
            Self::Map(_) => "a mapping",
        }
    }
}
