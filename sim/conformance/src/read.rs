//! From files to cases, one at a time.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;

use crate::case::{Case, CaseError};

/// How a gzip file begins.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Why a recording cannot be replayed.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error("{file}: {source}")]
    Open { file: String, source: io::Error },
    #[error("{file}: it is a folder; name the files in it")]
    Folder { file: String },
    #[error("{file}:{line}: {source}")]
    Read { file: String, line: usize, source: io::Error },
    #[error("{file}:{line}: {source}")]
    Case { file: String, line: usize, source: Box<CaseError> },
    #[error("{file}: it holds no case; expected one JSON object in each line")]
    Empty { file: String },
}

/// Calls `see` with each case of a file, which may be compressed with gzip.
pub(crate) fn each_case(path: &Path, see: impl FnMut(Case)) -> Result<(), ReadError> {
    let name = path.display().to_string();
    let open = |source| ReadError::Open { file: name.clone(), source };
    if path.is_dir() {
        return Err(ReadError::Folder { file: name });
    }
    let mut file = BufReader::new(File::open(path).map_err(open)?);
    if file.fill_buf().map_err(open)?.starts_with(&GZIP) {
        each_case_of(&name, BufReader::new(MultiGzDecoder::new(file)), see)
    } else {
        each_case_of(&name, file, see)
    }
}

/// The same of what `reader` gives; `file` is its name in errors.
pub(crate) fn each_case_of(
    file: &str,
    reader: impl BufRead,
    mut see: impl FnMut(Case),
) -> Result<(), ReadError> {
    let mut is_empty = true;
    for (idx, text) in reader.lines().enumerate() {
        let line = idx + 1;
        let text = text.map_err(|source| ReadError::Read { file: file.into(), line, source })?;
        if text.trim().is_empty() {
            continue;
        }
        let case = Case::parse(&text).map_err(|source| ReadError::Case {
            file: file.into(),
            line,
            source: Box::new(source),
        })?;
        see(case);
        is_empty = false;
    }
    if is_empty { Err(ReadError::Empty { file: file.into() }) } else { Ok(()) }
}
