//! How storage comes about: classes of it, and what is attached where.
//!
//! Upstream: `staging/src/k8s.io/api/storage/v1/types.go`.

use std::collections::BTreeMap;

use base::Name;

use crate::meta::Meta;
use crate::persistent_volume::ReclaimPolicy;
use crate::wire::{wire, words};

/// The annotations that make a class the one of claims that name none. Upstream: `pkg/volume/util/storageclass.go`.
const IS_DEFAULT: [&str; 2] =
    ["storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class"];

wire! {
    pub struct StorageClass {
        #[serde(rename = "metadata")]
        pub meta: Meta,
        pub provisioner: Name,
        pub parameters: BTreeMap<Name, Name>,
        pub reclaim_policy: ReclaimPolicy,
        pub allow_volume_expansion: Option<bool>,
        pub volume_binding_mode: VolumeBindingMode,
        /// Where volumes may be made; unset means anywhere.
        pub allowed_topologies: Vec<TopologySelectorTerm>,
    }
}

words! {
    /// When a claim gets its volume.
    pub enum VolumeBindingMode {
        Immediate = "Immediate",
        /// Once a pod that uses it is placed.
        WaitForFirstConsumer = "WaitForFirstConsumer",
    }
}

wire! {
    /// Matches labels that meet all its requirements; none at all match anything.
    pub struct TopologySelectorTerm {
        pub match_label_expressions: Vec<TopologySelectorLabelRequirement>,
    }
}

wire! {
    /// Matches if the label has one of the values.
    pub struct TopologySelectorLabelRequirement {
        pub key: Name,
        pub values: Vec<Name>,
    }
}

wire! {
    /// The wish that a volume be attached to a node.
    pub struct VolumeAttachment {
        #[serde(rename = "metadata")]
        pub meta: Meta,
        pub spec: VolumeAttachmentSpec,
        pub status: VolumeAttachmentStatus,
    }
}

wire! {
    pub struct VolumeAttachmentSpec {
        /// The driver that is to do it.
        pub attacher: Name,
        pub source: VolumeAttachmentSource,
        pub node_name: Name,
    }
}

wire! {
    pub struct VolumeAttachmentSource {
        pub persistent_volume_name: Option<Name>,
    }
}

wire! {
    pub struct VolumeAttachmentStatus {
        pub attached: Option<bool>,
    }
}

impl StorageClass {
    pub fn is_default(&self) -> bool {
        IS_DEFAULT.iter().any(|it| self.meta.annotation(it).is_some_and(|it| it == "true"))
    }

    pub fn waits_for_consumer(&self) -> bool {
        self.volume_binding_mode == VolumeBindingMode::WaitForFirstConsumer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn either_annotation_makes_a_class_the_default() {
        let table = [
            (IS_DEFAULT[0], "true", true),
            (IS_DEFAULT[1], "true", true),
            (IS_DEFAULT[0], "false", false),
            (IS_DEFAULT[0], "True", false),
            ("is-default-class", "true", false),
        ];
        for (annotation, value, expected) in table {
            let mut class = StorageClass::default();
            class.meta.annotations.insert(annotation, value);
            assert_eq!(class.is_default(), expected, "{annotation}: {value}");
        }
    }
}
