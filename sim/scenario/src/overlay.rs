//! What the command line changes in a scenario: `--set PATH=VALUE`.

use std::str::FromStr;
use std::sync::Arc;

use manifest::source::{Mark, Source};
use manifest::yaml::{Content, Entry, Node, parse};
use manifest::{Diagnostic, Limits, Path, Segment};

/// One value of the command line.
///
/// The path goes through mappings by key and through lists by position or by the name of an item:
/// `spec.cluster.nodePools.general.count=12`, `spec.cluster.nodePools[0].count=12`. The value is YAML.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Override {
    path: String,
    value: String,
}

/// What is not `PATH=VALUE`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not PATH=VALUE; write for example spec.seed=7")]
pub struct OverrideError {
    text: String,
}

impl Override {
    pub fn new(path: impl Into<String>, value: impl Into<String>) -> Self {
        Self { path: path.into(), value: value.into() }
    }

    pub fn path(&self) -> &str {
        &self.path
    }

    pub fn value(&self) -> &str {
        &self.value
    }

    /// The argument as a text that errors can point into.
    fn source(&self) -> Source {
        Source::new(Arc::from("--set"), format!("{}={}", self.path, self.value))
    }

    fn path_mark(&self) -> Mark {
        Mark::new(1, 1, width(&self.path))
    }

    fn value_mark(&self) -> Mark {
        Mark::new(1, width(&self.path).saturating_add(2), width(&self.value).max(1))
    }
}

impl FromStr for Override {
    type Err = OverrideError;

    fn from_str(text: &str) -> Result<Self, OverrideError> {
        match text.split_once('=') {
            Some((path, value)) if !path.trim().is_empty() => Ok(Self::new(path.trim(), value)),
            _ => Err(OverrideError { text: text.into() }),
        }
    }
}

fn width(text: &str) -> u32 {
    u32::try_from(text.chars().count()).unwrap_or(u32::MAX)
}

/// Puts the value into the tree. Returns its path there, and where errors about it are shown.
pub(crate) fn apply(root: &mut Node, it: &Override) -> Result<(Path, Source, Mark), Diagnostic> {
    let source = it.source();
    let value = read_value(it, &source)?;
    let asked = Path::parse(&it.path);
    let wrong = |message: String| Diagnostic::new(&source, it.path_mark(), message);
    let part = asked.segments().first();
    if ![Segment::Key("spec".into()), Segment::Key("metadata".into())].iter().any(|it| Some(it) == part) {
        return Err(wrong(format!(
            "`{}` is not in `spec` or `metadata`; write for example spec.seed",
            it.path
        )));
    }
    let mut found = Path::default();
    let mut place = root;
    for segment in asked.segments() {
        let (segment, next) = enter(place, segment).map_err(&wrong)?;
        found = match segment {
            Segment::Key(key) => found.key(key),
            Segment::Index(idx) => found.index(idx),
        };
        place = next;
    }
    *place = Node::new(place.mark, value.content);
    let mark = it.value_mark();
    Ok((found, source, mark))
}

fn read_value(it: &Override, source: &Source) -> Result<Node, Diagnostic> {
    let mut parsed = parse(&Source::new("--set", it.value.as_str()), &Limits::default());
    match (parsed.errors.pop(), parsed.documents.pop()) {
        (None, Some(node)) => Ok(node),
        (None, None) => Ok(Node::new(Mark::default(), Content::Null)),
        (Some(error), _) => Err(Diagnostic::new(source, it.value_mark(), error.message)),
    }
}

/// The part of `node` that `segment` names; an empty one is made where a mapping has none.
fn enter<'a>(node: &'a mut Node, segment: &Segment) -> Result<(Segment, &'a mut Node), String> {
    if node.is_null() {
        node.content = Content::Map(Vec::new());
    }
    let mark = node.mark;
    match &mut node.content {
        Content::Map(entries) => {
            let key = match segment {
                Segment::Key(key) => key.clone(),
                Segment::Index(idx) => idx.to_string(),
            };
            let idx = entries.iter().position(|it| it.key == key).unwrap_or_else(|| {
                let value = Node::new(mark, Content::Null);
                entries.push(Entry { key: key.clone(), mark, value });
                entries.len() - 1
            });
            Ok((Segment::Key(key), &mut entries[idx].value))
        }
        Content::List(items) => {
            let idx = match segment {
                Segment::Index(idx) if *idx < items.len() => *idx,
                Segment::Index(idx) => {
                    return Err(format!("there is no item {idx}: the list has {}", items.len()));
                }
                Segment::Key(name) => position_of(items, name)?,
            };
            Ok((Segment::Index(idx), &mut items[idx]))
        }
        other @ (Content::Null | Content::Bool(_) | Content::Number(_) | Content::Text(_)) => {
            let step: Path = std::iter::once(segment.clone()).collect();
            Err(format!("`{step}` leads into {}", other.describe()))
        }
    }
}

fn position_of(items: &[Node], name: &str) -> Result<usize, String> {
    let name_of = |it: &'_ Node| it.get("name").and_then(Node::as_text).map(str::to_owned);
    let names: Vec<String> = items.iter().filter_map(name_of).collect();
    match items.iter().position(|it| name_of(it).as_deref() == Some(name)) {
        Some(idx) => Ok(idx),
        None => Err(match api::nearest(name, names.iter().map(String::as_str)) {
            Some(meant) => format!("no item is named `{name}`; did you mean `{meant}`?"),
            None => format!("no item is named `{name}`; use its position, such as [0]"),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(text: &str) -> Result<String, String> {
        let yaml = "spec:\n  seed: 1\n  pools:\n  - {name: general, count: 3}\n  - {name: spot}\n";
        let mut root = parse(&Source::new("it", yaml), &Limits::default()).documents.remove(0);
        let it: Override = text.parse().map_err(|it: OverrideError| it.to_string())?;
        let (path, ..) = apply(&mut root, &it).map_err(|it| it.message)?;
        Ok(format!("{path} {}", root.at(&path.to_string()).expect("it was set").to_value()))
    }

    #[test]
    fn paths_go_by_key_by_position_and_by_name() {
        let table = [
            ("spec.seed=7", Ok("spec.seed 7")),
            ("spec.duration=20m", Ok("spec.duration \"20m\"")),
            ("spec.pools.general.count=12", Ok("spec.pools[0].count 12")),
            ("spec.pools[1].count=2", Ok("spec.pools[1].count 2")),
            ("spec.cluster.zones=[a, b]", Ok("spec.cluster.zones [\"a\",\"b\"]")),
            ("spec.pools.genral.count=1", Err("no item is named `genral`; did you mean `general`?")),
            ("spec.pools[5].count=1", Err("there is no item 5: the list has 2")),
            ("spec.seed", Err("`spec.seed` is not PATH=VALUE; write for example spec.seed=7")),
            ("spec.seed.x=1", Err("`x` leads into a number")),
        ];
        for (text, expected) in table {
            let expected = expected.map(str::to_owned).map_err(str::to_owned);
            assert_eq!(set(text), expected, "{text}");
        }
    }
}
