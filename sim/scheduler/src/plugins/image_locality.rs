//! Prefers nodes that have the pod's images already.
//!
//! Upstream: `pkg/scheduler/framework/plugins/imagelocality/image_locality.go`.

use base::Name;

use crate::framework::{Cycle, MAX_NODE_SCORE, Plugin, Scope, Score};
use crate::node_info::NodeInfo;
use crate::nodes::ImageState;

/// Images that add up to less than this do not count, in bytes.
const MIN_THRESHOLD: i64 = 23 * 1024 * 1024;
/// Per container; more than this counts as this, in bytes.
const MAX_CONTAINER_THRESHOLD: i64 = 1000 * 1024 * 1024;

#[derive(Clone, Copy, Debug)]
pub struct ImageLocality;

struct Local {
    /// One for each container, with full names.
    images: Vec<Name>,
    containers: i64,
}

impl Plugin for ImageLocality {
    fn name(&self) -> &'static str {
        "ImageLocality"
    }

    fn pre_score(&self, cycle: &Cycle<'_>) -> Option<Box<dyn Score>> {
        let images: Vec<Name> =
            cycle.pod.pod.spec.all_containers().map(|it| normalized_image_name(&it.image)).collect();
        let containers = i64::try_from(images.len()).unwrap_or(i64::MAX);
        let images = images.into_iter().filter(|it| cycle.cluster.nodes.image(it).is_some()).collect();
        Some(Box::new(Local { images, containers }))
    }
}

impl Score for Local {
    /// The bytes that need not be pulled, each image's scaled down by how rare it is among nodes: else all pods of an
    /// image would crowd where it is.
    fn score(&self, cycle: &Cycle<'_>, node: &NodeInfo) -> i64 {
        if self.images.is_empty() {
            return 0; // No node has any of them.
        }
        let nodes = &cycle.cluster.nodes;
        let here = self.images.iter().filter(|it| node.has_image(it)).filter_map(|it| nodes.image(it));
        let scaled = |image: &ImageState| {
            let spread = image.nodes() as f64 / nodes.len() as f64;
            #[expect(clippy::cast_possible_truncation, reason = "rounded down as upstream does")]
            let scaled = (image.size_bytes as f64 * spread) as i64;
            scaled
        };
        let sum = here.map(scaled).fold(0, i64::saturating_add);
        let max_threshold = MAX_CONTAINER_THRESHOLD * self.containers;
        let sum = if sum < MIN_THRESHOLD { MIN_THRESHOLD } else { sum.min(max_threshold) };
        MAX_NODE_SCORE * (sum - MIN_THRESHOLD) / (max_threshold - MIN_THRESHOLD)
    }

    fn scope(&self) -> Scope {
        Scope::Node
    }
}

/// With a tag: `latest` where none is stated. Upstream: `normalizedImageName`.
fn normalized_image_name(name: &Name) -> Name {
    let after_slash = name.rfind('/').map_or(0, |idx| idx + 1);
    if name[after_slash..].contains(':') { name.clone() } else { Name::from(format_args!("{name}:latest")) }
}
