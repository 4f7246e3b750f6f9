//! From a file to text: within bounds, in any encoding that YAML allows, and not anything else.

use std::fs;
use std::io::{self, Read};
use std::path::Path;

use crate::diagnostic::Diagnostic;
use crate::files;
use crate::limits::Limits;
use crate::pieces::pieces;
use crate::source::{Mark, Source};

/// The text of a file. Never reads more than `limits` allow.
pub fn read(path: &Path, limits: &Limits) -> Result<Source, Diagnostic> {
    let name = files::shown(path);
    let bytes = bounded(path, limits.bytes_max).map_err(|error| files::unreadable(path, &error))?;
    if bytes.len() as u64 > limits.bytes_max {
        let message = format!("larger than {} MiB", limits.bytes_max >> 20);
        return Err(Diagnostic::of_file(name, message).with_help("split it into several files"));
    }
    let source = decode(name, bytes)?;
    if pieces(source.text().as_bytes()) > limits.pieces_max {
        let message = format!("more than {} lines and commas", limits.pieces_max);
        let error = Diagnostic::of_file(source.name().clone(), message);
        return Err(error.with_help("split it into several files"));
    }
    Ok(source)
}

fn bounded(path: &Path, bytes_max: u64) -> io::Result<Vec<u8>> {
    let file = fs::File::open(path)?;
    if file.metadata()?.is_dir() {
        return Err(io::Error::other("it is a folder"));
    }
    let mut bytes = Vec::new();
    file.take(bytes_max + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// UTF-8, or UTF-16 with a byte order mark.
pub(crate) fn decode(name: String, bytes: Vec<u8>) -> Result<Source, Diagnostic> {
    let text = match bytes.as_slice() {
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        _ => return utf8(name, bytes),
    };
    match text {
        Some(text) => utf8(name, text.into_bytes()),
        None => Err(Diagnostic::of_file(name, "starts as UTF-16 but is not").with_help("save it as UTF-8")),
    }
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Option<String> {
    let pairs = bytes.chunks_exact(2);
    let is_whole = pairs.remainder().is_empty();
    let units: Vec<u16> = pairs.map(|pair| unit([pair[0], pair[1]])).collect();
    is_whole.then(|| String::from_utf16(&units).ok()).flatten()
}

fn utf8(name: String, bytes: Vec<u8>) -> Result<Source, Diagnostic> {
    if bytes.contains(&0) {
        return Err(Diagnostic::of_file(name, "a binary file, not a manifest"));
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Source::new(name, text)),
        Err(error) => Err(not_utf8(name, &error)),
    }
}

/// Shows the first byte that is not part of a text.
fn not_utf8(name: String, error: &std::string::FromUtf8Error) -> Diagnostic {
    let at = error.utf8_error().valid_up_to();
    let byte = error.as_bytes()[at];
    let before = String::from_utf8_lossy(&error.as_bytes()[..at]).into_owned();
    let line = u32::try_from(before.matches('\n').count() + 1).unwrap_or(u32::MAX);
    let column = before.rsplit('\n').next().map_or(0, |it| it.chars().count()) + 1;
    let source = Source::new(name, format!("{before}\u{fffd}"));
    let mark = Mark::new(line, u32::try_from(column).unwrap_or(u32::MAX), 1);
    Diagnostic::new(&source, mark, format!("byte 0x{byte:02x} is not part of a UTF-8 text"))
        .with_help("save it as UTF-8")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_bytes(bytes: &[u8]) -> Result<String, String> {
        decode("it".into(), bytes.into()).map(|it| it.text().into()).map_err(|it| it.message)
    }

    #[test]
    fn encodings_are_told_by_their_mark() {
        assert_eq!(read_bytes(b"\xef\xbb\xbfa: 1"), Ok("a: 1".into()));
        assert_eq!(read_bytes(b"\xff\xfea\0:\0"), Ok("a:".into()));
        assert_eq!(read_bytes(b"\xfe\xff\0a\0:"), Ok("a:".into()));
        assert_eq!(read_bytes(b"\xff\xfea"), Err("starts as UTF-16 but is not".into()));
        assert_eq!(read_bytes(b"\x7fELF\0"), Err("a binary file, not a manifest".into()));
        assert_eq!(read_bytes(b"a: \xe4"), Err("byte 0xe4 is not part of a UTF-8 text".into()));
    }

    #[test]
    fn what_is_cut_up_too_finely_is_refused_unread() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let limits = Limits { pieces_max: 3, ..Limits::default() };
        let message = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::write(&path, text).expect("can be written");
            read(&path, &limits).map(|it| it.text().len()).map_err(|it| it.message)
        };
        assert_eq!(message("a.yaml", "- 1\n- 2\n- 3\n"), Ok(12));
        assert_eq!(message("b.yaml", "- 1\n- 2\n- 3\n\n"), Err("more than 3 lines and commas".into()));
        assert_eq!(message("c.json", "[1,2,3]"), Err("more than 3 lines and commas".into()));
    }

    #[test]
    fn no_more_is_read_than_allowed() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("large.yaml");
        fs::write(&path, "a".repeat(2 << 20)).expect("can be written");
        let limits = Limits { bytes_max: 1 << 20, ..Limits::default() };
        assert_eq!(
            read(&path, &limits).map(|_| ()).map_err(|it| it.message),
            Err("larger than 1 MiB".into())
        );
    }
}
