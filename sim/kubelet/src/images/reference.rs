//! Names of images: whether they are well-formed, and what short ones stand for.
//!
//! Upstream: `github.com/distribution/reference`, `pkg/util/parsers/parsers.go`.

use std::fmt;

use base::Name;

/// The full name of an image: `docker.io/library/web:v1`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reference {
    full: Name,
    /// How much of it is the registry's name.
    host: usize,
    /// How much of it is the repository's name, that of the registry included.
    repository: usize,
}

/// Why a text names no image, in upstream's words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidName {
    #[error("invalid repository name ({0}), cannot specify 64-byte hexadecimal strings")]
    Hexadecimal(Name),
    #[error("invalid reference format: repository name ({0}) must be lowercase")]
    Uppercase(Name),
    #[error("repository name must not be more than 255 characters")]
    Length,
    #[error("invalid reference format")]
    Format,
}

const DEFAULT_HOST: &str = "docker.io";
/// What answers for it. Upstream: `containerd`, `core/remotes/docker/registry.go`.
const DEFAULT_SERVER: &str = "registry-1.docker.io";
const REPOSITORY_MAX: usize = 255;
const TAG_MAX: usize = 128;
/// Of the hash in a digest, in hexadecimal digits.
const HASH_LEN: usize = 64;

impl Reference {
    /// The image that a container asks for. What names neither tag nor digest means `:latest`.
    pub fn parse(name: &str) -> Result<Self, InvalidName> {
        if name.len() == HASH_LEN && name.bytes().all(|it| it.is_ascii_digit() || (b'a'..=b'f').contains(&it))
        {
            return Err(InvalidName::Hexadecimal(Name::new(name)));
        }
        let (host, path) = split_host(name);
        let plain = !path.contains('/') && host == DEFAULT_HOST;
        let library = if plain { "library/" } else { "" };
        let remote = path.split(':').next().unwrap_or(path);
        if remote.bytes().any(|it| it.is_ascii_uppercase()) {
            return Err(InvalidName::Uppercase(Name::from(format_args!("{library}{remote}"))));
        }
        let (rest, digest) = split_last(path, '@');
        let (repository, tag) = split_last(rest, ':');
        let is_well_formed = is_host(host)
            && repository.split('/').all(is_component)
            && tag.is_none_or(is_tag)
            && digest.is_none_or(is_digest);
        if !is_well_formed {
            return Err(InvalidName::Format);
        }
        let repository_len = host.len() + 1 + library.len() + repository.len();
        if REPOSITORY_MAX < library.len() + repository.len() {
            return Err(InvalidName::Length);
        }
        // Of a tag and a digest, the digest says more.
        let full = match (digest, tag) {
            (Some(digest), _) => Name::from(format_args!("{host}/{library}{repository}@{digest}")),
            (None, tag) => {
                Name::from(format_args!("{host}/{library}{repository}:{}", tag.unwrap_or("latest")))
            }
        };
        Ok(Self { full, host: host.len(), repository: repository_len })
    }

    pub fn full(&self) -> &Name {
        &self.full
    }

    /// Of the registry: `docker.io`.
    pub fn host(&self) -> &str {
        &self.full[..self.host]
    }

    /// Without tag and digest: `docker.io/library/web`.
    pub fn repository(&self) -> &str {
        &self.full[..self.repository]
    }

    /// As people write it: `web:v1`, and without a tag for the latest.
    pub(crate) fn familiar(&self) -> &str {
        let short = self.full.strip_prefix("docker.io/").unwrap_or(&self.full);
        let short = short.strip_prefix("library/").unwrap_or(short);
        short.strip_suffix(":latest").unwrap_or(short)
    }

    /// Where its registry keeps what belongs to it: `https://registry-1.docker.io/v2/library/web`.
    pub(crate) fn url(&self) -> String {
        let server = if self.host() == DEFAULT_HOST { DEFAULT_SERVER } else { self.host() };
        format!("https://{server}/v2{}", &self.full[self.host..self.repository])
    }

    /// The tag, or the digest where it is named by one.
    pub(crate) fn version(&self) -> &str {
        &self.full[self.repository + 1..]
    }

    pub(crate) fn is_by_digest(&self) -> bool {
        self.full[self.repository..].starts_with('@')
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.full)
    }
}

/// The registry's name and what follows it. Upstream: `splitDockerDomain`.
fn split_host(name: &str) -> (&str, &str) {
    match name.split_once('/') {
        Some(("index.docker.io", path)) => (DEFAULT_HOST, path),
        Some((first, path)) if is_meant_as_host(first) => (first, path),
        Some(_) | None => (DEFAULT_HOST, name),
    }
}

fn is_meant_as_host(first: &str) -> bool {
    first.contains(['.', ':']) || first == "localhost" || first.bytes().any(|it| it.is_ascii_uppercase())
}

/// What is before and behind the last `mark`.
fn split_last(text: &str, mark: char) -> (&str, Option<&str>) {
    text.rsplit_once(mark).map_or((text, None), |(before, behind)| (before, Some(behind)))
}

fn is_host(text: &str) -> bool {
    let (name, port) = split_last(text, ':');
    let is_label = |it: &str| {
        let inner = |it: u8| it.is_ascii_alphanumeric() || it == b'-';
        it.bytes().all(inner) && !it.is_empty() && !it.starts_with('-') && !it.ends_with('-')
    };
    let is_port = |it: &str| !it.is_empty() && it.bytes().all(|it| it.is_ascii_digit());
    name.split('.').all(is_label) && port.is_none_or(is_port)
}

/// One part of a repository's name: words of letters and digits, between them `.`, `_`, `__` or dashes.
fn is_component(text: &str) -> bool {
    let is_word = |it: char| it.is_ascii_lowercase() || it.is_ascii_digit();
    let is_separator = |it: &str| matches!(it, "" | "." | "_" | "__") || it.bytes().all(|it| it == b'-');
    text.starts_with(is_word) && text.ends_with(is_word) && text.split(is_word).all(is_separator)
}

fn is_tag(text: &str) -> bool {
    let is_word = |it: char| it.is_ascii_alphanumeric() || it == '_';
    text.starts_with(is_word)
        && text.len() <= TAG_MAX
        && text.chars().all(|it| is_word(it) || it == '.' || it == '-')
}

fn is_digest(text: &str) -> bool {
    let Some((algorithm, hash)) = text.split_once(':') else { return false };
    algorithm.starts_with(|it: char| it.is_ascii_alphabetic())
        && algorithm.bytes().all(|it| it.is_ascii_alphanumeric() || b"+._-".contains(&it))
        && hash.bytes().all(|it| it.is_ascii_hexdigit())
        && (if algorithm == "sha256" { hash.len() == HASH_LEN } else { HASH_LEN / 2 <= hash.len() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_names_are_completed() {
        let hash = "0123456789abcdef".repeat(4);
        let by_digest = format!("web:v1@sha256:{hash}");
        let full_digest = format!("docker.io/library/web@sha256:{hash}");
        for (name, full, host, repository) in [
            ("web", "docker.io/library/web:latest", "docker.io", "docker.io/library/web"),
            ("shop/web:v1", "docker.io/shop/web:v1", "docker.io", "docker.io/shop/web"),
            ("index.docker.io/web", "docker.io/library/web:latest", "docker.io", "docker.io/library/web"),
            (
                "registry.k8s.io/pause:3.10",
                "registry.k8s.io/pause:3.10",
                "registry.k8s.io",
                "registry.k8s.io/pause",
            ),
            ("localhost:5000/web", "localhost:5000/web:latest", "localhost:5000", "localhost:5000/web"),
            (by_digest.as_str(), full_digest.as_str(), "docker.io", "docker.io/library/web"),
        ] {
            let it = Reference::parse(name).unwrap();
            assert_eq!((it.full().as_str(), it.host(), it.repository()), (full, host, repository));
        }
        let web = Reference::parse("web:v1").unwrap();
        assert_eq!(
            (web.url().as_str(), web.version()),
            ("https://registry-1.docker.io/v2/library/web", "v1")
        );
    }

    #[test]
    fn what_is_no_name_is_told_in_upstreams_words() {
        let long = format!("a/{}", "b".repeat(254));
        let hexadecimal = "0123456789abcdef".repeat(4);
        for (name, why) in [
            ("Web:v1", "invalid reference format: repository name (library/Web) must be lowercase"),
            ("shop/Web:v1", "invalid reference format: repository name (shop/Web) must be lowercase"),
            ("", "invalid reference format"),
            ("web:", "invalid reference format"),
            ("web:-v1", "invalid reference format"),
            ("web v1", "invalid reference format"),
            ("shop//web", "invalid reference format"),
            ("shop/web-", "invalid reference format"),
            ("a..b/web", "invalid reference format"),
            ("a___b", "invalid reference format"),
            ("web@sha256:abc", "invalid reference format"),
            (long.as_str(), "repository name must not be more than 255 characters"),
            (
                hexadecimal.as_str(),
                "invalid repository name (0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef), \
                 cannot specify 64-byte hexadecimal strings",
            ),
        ] {
            assert_eq!(Reference::parse(name).unwrap_err().to_string(), why, "{name}");
        }
    }
}
