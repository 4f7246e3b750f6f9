//! Kinds of volumes that are on their way out.

use super::Warnings;
use crate::validation::json::Fields;
use crate::validation::path::Path;
use crate::volume::Volume;

const OLD: [(&str, &str); 9] = [
    ("photonPersistentDisk", "deprecated in v1.11, non-functional in v1.16+"),
    ("gitRepo", "deprecated in v1.11"),
    ("scaleIO", "deprecated in v1.16, non-functional in v1.22+"),
    ("flocker", "deprecated in v1.22, non-functional in v1.25+"),
    ("storageos", "deprecated in v1.22, non-functional in v1.25+"),
    ("quobyte", "deprecated in v1.22, non-functional in v1.25+"),
    ("glusterfs", "deprecated in v1.25, non-functional in v1.26+"),
    ("cephfs", "deprecated in v1.28, non-functional in v1.31+"),
    (RBD, "deprecated in v1.28, non-functional in v1.31+"),
];
const RBD: &str = "rbd";

pub(super) fn check(volumes: &[Volume], path: &Path<'_>, warnings: &mut Warnings) {
    for (idx, volume) in volumes.iter().enumerate() {
        let has = |kind: &str| volume.rest.field(kind).is_some() || (kind == RBD && volume.rbd.is_some());
        for (kind, text) in OLD.into_iter().filter(|it| has(it.0)) {
            // Upstream names this one by its Go field.
            let shown = if kind == "storageos" { "storageOS" } else { kind };
            warnings.add(&path.index(idx).child(shown), text);
        }
    }
}
