//! Real manifests and dumps of clusters, where there are any: what loads, and what is refused and why.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use manifest::{Diagnostic, Limits, Loaded, load};

/// Part of a file's path, part of the message, and why a real API server refuses it too.
type Refusal = (&'static str, &'static str, &'static str);

#[rustfmt::skip]
const EXPECTED: &[Refusal] = &[
    ("manifests/", "is no longer served since", "old group versions"),
    ("deathstarbench-media/mms-client.yaml", "restartPolicy: Forbidden", "stands in the container instead of the pod; mended by v1.34 for init containers only"),
    ("kubernetes-examples/_archived/openshift-origin/", "key `selector` is here a second time", "strict field validation"),
    ("kubernetes-examples/_archived/volumes/aws_ebs/", "protocol: Unsupported value: \"tcp\"", "protocols are upper case"),
    ("open-simulator-apps/open_local/sts-nginx.yaml", "volumeMounts[0].name: Not found", "the volume is called otherwise"),
    ("open-simulator-apps/simple/rs-calico.yaml", "spec.selector: Required value", "no selector"),
    ("open-simulator-apps/simple/rs-calico.yaml", "`selector` does not match template", "no selector"),
    ("kwok-lifecycle/", "`apiVersion` is missing", "expected outputs of a test, not objects"),
    ("kwok-lifecycle/", "`<Now>` is not a time", "a placeholder"),
    ("netpol-analyzer-live/", "Required value", "reduced by hand to what a network policy needs"),
    ("openshift-insights/", "is no longer served since", "old group version"),
    ("popeye-lint/apps/", "", "fixtures that leave out most of an object"),
    ("popeye-lint/batch/", "", "jobs without the uid that their labels name"),
    ("popeye-lint/core/pod/", "", "pods without containers or volumes; a resource called `mem`"),
    ("popeye-lint/core/svc/", "", "an ExternalName service with addresses"),
    ("popeye-lint/net/np/d.yaml", "unknown field `podSelector`", "stands one level too deep"),
];

fn is_expected(row: &Refusal, error: &Diagnostic) -> bool {
    error.file.contains(row.0) && error.message.contains(row.1)
}

#[expect(
    clippy::disallowed_methods,
    reason = "says where the outside data is; the tests are skipped without"
)]
fn data() -> Option<PathBuf> {
    std::env::var("WAVETANK_DATA").ok().map(PathBuf::from)
}

#[expect(clippy::disallowed_methods, reason = "sorted right here")]
fn folders(path: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(path).expect("the data has this folder");
    let mut folders: Vec<PathBuf> = entries.map(|it| it.expect("can be listed").path()).collect();
    folders.sort();
    folders
}

fn tell(story: &mut String, folder: &Path, loaded: &Loaded) {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let (objects, custom) = (loaded.objects.len(), loaded.custom.values().sum::<usize>());
    let (skipped, errors) = (loaded.skipped.len(), loaded.diagnostics.count());
    writeln!(story, "{name}: {objects} objects ({custom} custom), {skipped} skipped, {errors} errors")
        .expect("writing to memory cannot fail");
}

#[test]
fn real_manifests_load() {
    let Some(data) = data() else {
        println!("skipped: WAVETANK_DATA is not set");
        return;
    };
    let (mut story, mut surprises) = (String::new(), String::new());
    let mut seen = BTreeSet::new();
    for folder in ["manifests", "snapshots"].iter().flat_map(|area| folders(&data.join(area))) {
        let loaded = load(&[&folder], &Limits::default());
        tell(&mut story, &folder, &loaded);
        for error in &loaded.diagnostics {
            match EXPECTED.iter().position(|row| is_expected(row, error)) {
                Some(idx) => drop(seen.insert(idx)),
                None => writeln!(surprises, "{error}").unwrap(),
            }
        }
    }
    println!("{story}");
    assert_eq!(surprises, "");
    let unseen: Vec<_> =
        (0..EXPECTED.len()).filter(|idx| !seen.contains(idx)).map(|idx| EXPECTED[idx]).collect();
    assert_eq!(unseen, [], "these are not refused any more");
}
