//! Which files a path means, always in the same order.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::diagnostic::Diagnostic;

/// A file to be read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct File {
    pub path: PathBuf,
    /// Whether it was named, as opposed to found in a folder. What was found may turn out to be something else.
    pub is_named: bool,
}

/// How deep folders may lie in folders. Links that lead in circles are noticed before.
const DEPTH_MAX: usize = 64;

/// The files that `path` means: itself, or every `.yaml`, `.yml` and `.json` file below it, sorted by path.
/// Hidden files and folders are left out.
pub fn expand(path: &Path) -> Result<Vec<File>, Diagnostic> {
    let metadata = fs::metadata(path).map_err(|error| unreadable(path, &error))?;
    if !metadata.is_dir() {
        return Ok(vec![File { path: path.into(), is_named: true }]);
    }
    let mut found = Vec::new();
    collect(path, &mut BTreeSet::new(), 0, &mut found)?;
    if found.is_empty() {
        return Err(Diagnostic::of_file(shown(path), "the folder has no .yaml, .yml or .json file"));
    }
    Ok(found)
}

fn collect(
    folder: &Path,
    above: &mut BTreeSet<PathBuf>,
    depth: usize,
    found: &mut Vec<File>,
) -> Result<(), Diagnostic> {
    let real = fs::canonicalize(folder).map_err(|error| unreadable(folder, &error))?;
    if depth > DEPTH_MAX || !above.insert(real.clone()) {
        return Ok(()); // A link to a folder that we are in: its files have been found.
    }
    for path in sorted(folder).map_err(|error| unreadable(folder, &error))? {
        let is_hidden = path.file_name().is_some_and(|it| it.to_string_lossy().starts_with('.'));
        match fs::metadata(&path) {
            _ if is_hidden => (),
            Ok(it) if it.is_dir() => collect(&path, above, depth + 1, found)?,
            _ if is_manifest(&path) => found.push(File { path, is_named: false }),
            _ => (),
        }
    }
    above.remove(&real);
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "sorted right here")]
fn sorted(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = fs::read_dir(folder)?.map(|it| it.map(|it| it.path())).collect::<io::Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}

fn is_manifest(path: &Path) -> bool {
    let extension = path.extension().map(|it| it.to_string_lossy().to_ascii_lowercase());
    extension.is_some_and(|it| matches!(it.as_str(), "yaml" | "yml" | "json"))
}

pub(crate) fn shown(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

pub(crate) fn unreadable(path: &Path, error: &io::Error) -> Diagnostic {
    let message = if error.kind() == io::ErrorKind::NotFound {
        "there is no such file or folder".into()
    } else if error.kind() == io::ErrorKind::PermissionDenied {
        "no permission to read this".into()
    } else {
        format!("cannot be read: {error}")
    };
    Diagnostic::of_file(shown(path), message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn below(folder: &Path) -> Vec<String> {
        let files = expand(folder).expect("the folder is there");
        let relative = files.iter().map(|it| it.path.strip_prefix(folder).expect("it lies below").to_owned());
        relative.map(|it| it.to_string_lossy().replace('\\', "/")).collect()
    }

    #[test]
    fn folders_are_walked_in_order() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let root = folder.path();
        for file in ["b.yaml", "a.yml", "c.json", "d.txt", ".e.yaml", "sub/z.YAML", "sub/.git/x.yaml"] {
            let path = root.join(file);
            fs::create_dir_all(path.parent().expect("it has a parent")).expect("can be made");
            fs::write(path, "").expect("can be written");
        }
        assert_eq!(below(root), ["a.yml", "b.yaml", "c.json", "sub/z.YAML"]);
        let named = expand(&root.join("d.txt")).expect("a named file is taken whatever its name");
        assert!(named[0].is_named);
    }

    #[cfg(unix)]
    #[test]
    fn links_in_circles_end() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let root = folder.path();
        fs::write(root.join("a.yaml"), "").expect("can be written");
        std::os::unix::fs::symlink(root, root.join("again")).expect("can be linked");
        assert_eq!(below(root), ["a.yaml"]);
    }

    #[test]
    fn what_is_not_there_is_an_error() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let message = |path: &Path| expand(path).map_err(|it| it.message);
        assert_eq!(message(&folder.path().join("no")), Err("there is no such file or folder".into()));
        assert_eq!(message(folder.path()), Err("the folder has no .yaml, .yml or .json file".into()));
    }
}
