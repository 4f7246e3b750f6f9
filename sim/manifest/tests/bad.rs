//! Wrong files, and what people are told about them. The words beside each file are what they see.

use std::path::{Path, PathBuf};

use expect_test::expect_file;
use manifest::{Limits, Loaded, load, load_source, source::Source};

/// The files of the folder with wrong files, but for the expected words.
#[expect(clippy::disallowed_methods, reason = "sorted right here")]
fn wrong_files() -> Vec<PathBuf> {
    let entries = std::fs::read_dir("tests/bad").expect("the folder is beside this file");
    let mut files: Vec<PathBuf> = entries.map(|it| it.expect("can be listed").path()).collect();
    files.retain(|it| it.extension().is_none_or(|extension| extension != "txt"));
    files.sort();
    files
}

#[test]
fn every_wrong_file_says_what_is_wrong() {
    let files = wrong_files();
    assert!(files.len() >= 40);
    let mut unnoticed = Vec::new();
    for file in files {
        let loaded = load(&[&file], &Limits::default());
        let words = loaded.diagnostics.to_string();
        if words.is_empty() {
            unnoticed.push(file);
            continue;
        }
        let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join(&file).with_added_extension("txt");
        expect_file![beside].assert_eq(&words);
    }
    assert_eq!(unnoticed, [""; 0].map(PathBuf::from));
}

fn first_error(loaded: &Loaded) -> String {
    loaded.diagnostics.iter().next().map_or(String::new(), |it| it.message.clone())
}

#[test]
fn nesting_ends_with_an_error() {
    for (name, unit) in [("deep.json", "{\"a\":["), ("deep.yaml", "[{a: "), ("dashes.yaml", "- ")] {
        let loaded = load_source(Source::new(name, unit.repeat(1_000_000)), &Limits::default());
        assert_eq!(first_error(&loaded), "values are nested more than 100 deep", "{name}");
    }
}

#[test]
fn two_hundred_megabytes_are_not_even_read() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("huge.yaml");
    let file = std::fs::File::create(&path).expect("can be made");
    file.set_len(200 << 20).expect("a hole takes no space");
    assert_eq!(first_error(&load(&[&path], &Limits::default())), "larger than 64 MiB");
}

#[test]
fn what_lies_in_a_folder_may_be_something_else() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let write =
        |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("can be written");
    write("values.yaml", "replicas: 3\n");
    write("kustomization.yaml", "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n");
    write("web.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\n");
    let loaded = load(&[folder.path()], &Limits::default());
    assert!(loaded.diagnostics.is_empty(), "{}", loaded.diagnostics);
    assert_eq!((loaded.objects.len(), loaded.skipped.len()), (1, 2));
}
