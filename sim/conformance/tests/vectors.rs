//! Every recorded decision of upstream is ours, one family of recordings after the other.

use std::path::Path;

#[track_caller]
fn check(family: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scheduler");
    let report = conformance::check(&[folder.join(format!("{family}.jsonl.gz"))]).expect("it can be read");
    assert!(
        report.failed == 0 && report.passed == report.files[0].attempts,
        "{}",
        conformance::text(&report)
    );
}

macro_rules! families {
    ($($family:ident)*) => { $(
        #[test]
        fn $family() {
            check(stringify!($family));
        }
    )* };
}

families! {
    fit
    gates
    images
    interpod
    mixed_sequence
    node_affinity
    ports
    preemption
    scoring
    spread
    taints
    volumes
}
