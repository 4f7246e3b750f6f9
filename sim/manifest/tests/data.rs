//! Real manifests and dumps of clusters, where there are any: what loads, and what is refused and why.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use manifest::{Limits, load};

#[expect(
    clippy::disallowed_methods,
    reason = "says where the outside data is; the tests are skipped without"
)]
fn data() -> Option<PathBuf> {
    let folder = std::env::var("WAVETANK_DATA").ok().map(PathBuf::from);
    if folder.is_none() {
        println!("skipped: WAVETANK_DATA is not set");
    }
    folder
}

#[expect(clippy::disallowed_methods, reason = "sorted right here")]
fn folders(path: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(path).expect("the data has this folder");
    let mut folders: Vec<PathBuf> = entries.map(|it| it.expect("can be listed").path()).collect();
    folders.sort();
    folders
}

#[test]
fn real_manifests_load() {
    let Some(data) = data() else { return };
    let mut story = String::new();
    for area in ["manifests", "snapshots"] {
        for folder in folders(&data.join(area)) {
            let loaded = load(&[&folder], &Limits::default());
            let name = folder.file_name().unwrap_or_default().to_string_lossy();
            let (objects, custom) = (loaded.objects.len(), loaded.custom.values().sum::<usize>());
            let (skipped, errors) = (loaded.skipped.len(), loaded.diagnostics.count());
            writeln!(
                story,
                "{area}/{name}: {objects} objects, {custom} custom, {skipped} skipped, {errors} errors"
            )
            .unwrap();
            for it in &loaded.diagnostics {
                let file = it.file.strip_prefix(&*data.to_string_lossy()).unwrap_or(&it.file);
                let position = it.position.unwrap_or_default();
                writeln!(story, "    {}:{position}: {}", file.trim_start_matches('/'), it.message).unwrap();
            }
        }
    }
    println!("{story}");
}
