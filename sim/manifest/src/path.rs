//! Ways to a value inside a document, as Kubernetes writes them: `spec.containers[0].image`,
//! `metadata.labels[app.kubernetes.io/name]`.

use std::fmt;

/// A way to a value; empty at the document itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Path(Vec<Segment>);

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Segment {
    Key(String),
    Index(usize),
}

impl Path {
    pub fn segments(&self) -> &[Segment] {
        &self.0
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    #[must_use]
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.0.push(Segment::Key(key.into()));
        self
    }

    #[must_use]
    pub fn index(mut self, idx: usize) -> Self {
        self.0.push(Segment::Index(idx));
        self
    }

    /// This way, and on from there.
    #[must_use]
    pub fn join(&self, other: &Self) -> Self {
        Self([self.segments(), other.segments()].concat())
    }

    /// The value before the last step.
    pub fn parent(&self) -> Self {
        Self(self.0[..self.0.len().saturating_sub(1)].to_vec())
    }

    /// Reads what [`Path`] writes, and what upstream's validation writes. Never fails: a bracket that is not
    /// closed ends with the text.
    pub fn parse(text: &str) -> Self {
        let mut path = Self::default();
        let mut rest = text;
        while !rest.is_empty() {
            rest = match rest.strip_prefix('[') {
                Some(inside) => {
                    let (key, after) = inside.split_once(']').unwrap_or((inside, ""));
                    path = match key.parse() {
                        Ok(idx) => path.index(idx),
                        Err(_) => path.key(key.trim_matches('"')),
                    };
                    after
                }
                None => {
                    let end = rest.find(['.', '[']).unwrap_or(rest.len());
                    if end > 0 {
                        path = path.key(&rest[..end]);
                    }
                    rest[end..].strip_prefix('.').unwrap_or(&rest[end..])
                }
            };
        }
        path
    }
}

impl FromIterator<Segment> for Path {
    fn from_iter<I: IntoIterator<Item = Segment>>(segments: I) -> Self {
        Self(segments.into_iter().collect())
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (idx, segment) in self.0.iter().enumerate() {
            match segment {
                Segment::Index(at) => write!(f, "[{at}]")?,
                Segment::Key(key) if !is_plain(key) => write!(f, "[{key}]")?,
                Segment::Key(key) if idx == 0 => f.write_str(key)?,
                Segment::Key(key) => write!(f, ".{key}")?,
            }
        }
        Ok(())
    }
}

fn is_plain(key: &str) -> bool {
    !key.is_empty() && key.chars().all(|it| it.is_alphanumeric() || it == '-' || it == '_' || it == '$')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_read_what_they_write() {
        let texts = [
            "",
            "spec.containers[0].image",
            "metadata.labels[app.kubernetes.io/name]",
            "[3].kind",
            "a-b.c_d",
        ];
        for text in texts {
            assert_eq!(Path::parse(text).to_string(), text);
        }
        assert_eq!(Path::parse("a[1"), Path::default().key("a").index(1));
        assert_eq!(Path::parse("spec.x").parent(), Path::parse("spec"));
        assert_eq!(Path::parse("spec").join(&Path::parse("[0].x")).to_string(), "spec[0].x");
    }
}
