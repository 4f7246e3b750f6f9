//! The layers of the workspace: as `docs/architecture.md` states them, and as the manifests have them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// One row of the table in `docs/architecture.md`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    pub layer: u32,
    pub name: String,
    /// `None` means everything in lower layers.
    pub imports: Option<BTreeSet<String>>,
}

/// The top folder of the repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the top folder").into()
}

/// The table of `docs/architecture.md`.
pub fn table() -> Vec<Row> {
    let text = fs::read_to_string(root().join("docs/architecture.md")).expect("the document is there");
    text.lines().filter_map(row).collect()
}

fn row(line: &str) -> Option<Row> {
    let cells: Vec<&str> = line.split('|').map(str::trim).collect();
    let [_, layer, name, imports, ..] = cells[..] else { return None };
    let imports = match imports {
        "…" => None,
        "–" => Some(BTreeSet::new()),
        list => Some(list.split_whitespace().map(Into::into).collect()),
    };
    Some(Row { layer: layer.parse().ok()?, name: name.trim_matches('`').into(), imports })
}

/// The crates of `sim/` by package name, with the crates of the workspace that each depends on when it is built
/// (tests may reach further).
#[expect(clippy::disallowed_methods, reason = "sorted below; this is no part of a run")]
pub fn imports() -> BTreeMap<String, Vec<String>> {
    let folders = fs::read_dir(root().join("sim")).expect("the folder is there");
    let manifests = folders.map(|it| it.expect("readable").path().join("Cargo.toml"));
    let texts: Vec<String> = manifests.filter_map(|it| fs::read_to_string(it).ok()).collect();
    let names: BTreeSet<&str> = texts.iter().filter_map(|it| package_name(it)).collect();
    let imports = |text: &str| dependencies(text).filter(|it| names.contains(it)).map(Into::into).collect();
    texts.iter().filter_map(|it| Some((package_name(it)?.into(), imports(it)))).collect()
}

fn package_name(manifest: &str) -> Option<&str> {
    manifest.lines().find_map(|it| it.strip_prefix("name = \"")?.strip_suffix('"'))
}

fn dependencies(manifest: &str) -> impl Iterator<Item = &str> {
    let section = manifest.lines().skip_while(|it| *it != "[dependencies]").skip(1);
    let section = section.take_while(|it| !it.starts_with('['));
    section.filter_map(|it| it.split(['.', ' ', '=']).next()).filter(|it| !it.is_empty())
}
