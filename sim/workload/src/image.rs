//! Images: how large they are, and how long they take to come to a node.

use api::{Container, PullPolicy, Quantity};
use serde::Deserialize;

use crate::lasting::Lasting;
use crate::matching::has_tag;
use crate::rule::amount;

/// What a behaviour says of the image of its containers.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Pull {
    /// From the request to the unpacked image, on a node that has none of it. Otherwise it follows from the size.
    pub time: Option<Lasting>,
    /// Compressed, in bytes.
    #[serde(deserialize_with = "amount")]
    pub size: Option<Quantity>,
}

/// The policy of an image that states none: `Always` for `:latest` and for no tag, else `IfNotPresent`.
///
/// Upstream: `pkg/apis/core/v1/defaults.go`, `SetDefaults_Container`.
pub fn default_policy(image: &str) -> PullPolicy {
    if image.ends_with(":latest") || !has_tag(image) { PullPolicy::Always } else { PullPolicy::IfNotPresent }
}

/// The policy of a container, defaulted where the API server did not.
pub fn effective_policy(container: &Container) -> PullPolicy {
    if container.image_pull_policy.is_unset() {
        default_policy(&container.image)
    } else {
        container.image_pull_policy.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_may_change_is_pulled_always() {
        for (image, policy) in [
            ("web", PullPolicy::Always),
            ("web:latest", PullPolicy::Always),
            ("web:v1", PullPolicy::IfNotPresent),
            ("registry:5000/web", PullPolicy::Always),
            ("web@sha256:00", PullPolicy::IfNotPresent),
        ] {
            assert_eq!(default_policy(image), policy, "{image}");
        }
    }
}
