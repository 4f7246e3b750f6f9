//! The objects that a command names, and what it says of them.

use api::{Key, Kind, Selector};
use base::Name;

use crate::command::Targets;

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Target {
    One(Key),
    /// All objects of a kind that the selector matches.
    All {
        kind: Kind,
        namespace: Option<Name>,
        selector: Option<Selector>,
    },
}

/// `key=value`, `key=value:Effect`, or `key-`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    Set(String, String),
    Remove(String),
}

impl Target {
    /// The objects, and the words that are left.
    pub(crate) fn parse(words: &Targets, namespace: &str) -> Result<(Vec<Self>, Vec<String>), String> {
        let mut left = words.targets.iter().peekable();
        let mut targets = Vec::new();
        while let Some((kind, name)) = left.peek().and_then(|it| it.split_once('/')) {
            if kind.contains('=')
                || name.contains('=')
                || Kind::from_word(kind).is_none() && kind.contains('.')
            {
                break; // What is to be set: an image, or a label whose key has a prefix.
            }
            targets.push(Self::One(key(kind, name, namespace)?));
            left.next();
        }
        if targets.is_empty()
            && let Some(kind) = left.next()
        {
            let names: Vec<&String> = std::iter::from_fn(|| left.next_if(|it| !is_change(it))).collect();
            for name in &names {
                targets.push(Self::One(key(kind, name, namespace)?));
            }
            if names.is_empty() && (words.all || words.selector.is_some()) {
                targets.push(Self::all(kind, namespace, words.selector.as_deref())?);
            }
        }
        Ok((targets, left.cloned().collect()))
    }

    pub(crate) fn nodes(names: &[String], selector: Option<&str>) -> Result<Vec<Self>, String> {
        if let Some(selector) = selector {
            return Ok(vec![Self::all("node", "", Some(selector))?]);
        }
        let plain = |name: &String| name.strip_prefix("node/").unwrap_or(name).to_string();
        Ok(names.iter().map(|name| Self::One(Key::cluster(Kind::Node, plain(name)))).collect())
    }

    fn all(kind: &str, namespace: &str, selector: Option<&str>) -> Result<Self, String> {
        let kind = find_kind(kind)?;
        let selector = selector.map(Selector::parse).transpose().map_err(|error| error.to_string())?;
        let namespace = kind.is_namespaced().then(|| Name::new(namespace));
        Ok(Self::All { kind, namespace, selector })
    }
}

fn key(kind: &str, name: &str, namespace: &str) -> Result<Key, String> {
    let kind = find_kind(kind)?;
    let namespace = if kind.is_namespaced() { Name::new(namespace) } else { Name::EMPTY };
    Ok(Key { kind, namespace, name: Name::new(name) })
}

fn find_kind(word: &str) -> Result<Kind, String> {
    if let Some(kind) = Kind::from_word(word) {
        return Ok(kind);
    }
    let known: Vec<&str> = Kind::ALL.iter().filter_map(Kind::info).map(|it| it.plural).collect();
    let hint = api::nearest(word, known.iter().copied()).map(|it| format!("; did you mean `{it}`?"));
    Err(format!("the server doesn't have a resource type \"{word}\"{}", hint.unwrap_or_default()))
}

/// What is set or removed, as opposed to a name, which holds neither `=` nor a final `-`, nor a `:` as taints do.
fn is_change(word: &str) -> bool {
    word.contains('=') || word.contains(':') || word.ends_with('-')
}

pub(crate) fn parse_changes(words: &[String]) -> Result<Vec<Change>, String> {
    let parse = |word: &String| match (word.strip_suffix('-'), word.split_once('=')) {
        (_, Some((key, value))) if !key.is_empty() => Ok(Change::Set(key.into(), value.into())),
        (Some(key), _) if !key.is_empty() => Ok(Change::Remove(key.into())),
        // A taint without a value: `key:Effect`.
        _ if word.contains(':') => Ok(Change::Set(word.clone(), String::new())),
        _ => Err(format!("`{word}` is neither `KEY=VALUE` nor `KEY-`")),
    };
    words.iter().map(parse).collect()
}

pub(crate) fn parse_images(words: &[String]) -> Result<Vec<(String, String)>, String> {
    let parse = |word: &String| match word.split_once('=') {
        Some((container, image)) if !container.is_empty() && !image.is_empty() => {
            Ok((container.to_string(), image.to_string()))
        }
        _ => Err(format!("`{word}` is not `CONTAINER=IMAGE`")),
    };
    words.iter().map(parse).collect()
}
