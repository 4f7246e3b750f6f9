//! The scenario file as it is written. Everything may be left out here, so that one mistake hides no other; what
//! must be there is checked when the parts are put together.

use std::collections::BTreeMap;

use api::{GoDuration, Labels, Quantity, ResourceList, TaintEffect, Timestamp};
use base::Name;
use chaos::Fault;
use serde::{Deserialize, Deserializer, de};
use workload::Rule;

pub(crate) const API_VERSION: &str = "wavetank.dev/v1";
pub(crate) const KIND: &str = "Scenario";

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct File {
    #[serde(rename = "apiVersion")]
    pub(crate) _api_version: Option<String>,
    #[serde(rename = "kind")]
    pub(crate) _kind: Option<String>,
    pub(crate) metadata: Metadata,
    pub(crate) spec: Spec,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Metadata {
    pub(crate) name: Option<Name>,
    #[serde(rename = "labels")]
    pub(crate) _labels: BTreeMap<String, String>,
    #[serde(rename = "annotations")]
    pub(crate) _annotations: BTreeMap<String, String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Spec {
    pub(crate) seed: Option<u64>,
    pub(crate) duration: Option<GoDuration>,
    pub(crate) start_time: Option<Timestamp>,
    pub(crate) one_by_one: bool,
    pub(crate) cluster: Cluster,
    pub(crate) manifests: Vec<String>,
    pub(crate) behaviours: Vec<Rule>,
    pub(crate) timeline: Vec<Step>,
    pub(crate) expect: Vec<Expect>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Cluster {
    pub(crate) node_pools: Vec<NodePool>,
    pub(crate) snapshots: Vec<String>,
    /// Unset means yes.
    pub(crate) default_storage_class: Option<bool>,
    pub(crate) scheduler_config: Option<String>,
    pub(crate) scheduler_cost: Option<String>,
    pub(crate) extender_latency: Option<GoDuration>,
    pub(crate) images: Vec<Image>,
    pub(crate) image_base_share: Option<f64>,
    pub(crate) registries: Vec<Registry>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct NodePool {
    pub(crate) name: Option<Name>,
    pub(crate) count: Option<u32>,
    pub(crate) zones: Vec<Name>,
    #[serde(deserialize_with = "amounts")]
    pub(crate) capacity: ResourceList,
    #[serde(deserialize_with = "amounts")]
    pub(crate) reserved: ResourceList,
    pub(crate) labels: Labels,
    pub(crate) taints: Vec<Taint>,
    pub(crate) price_per_hour: Option<f64>,
    pub(crate) kubelet: kubelet::Configuration,
    pub(crate) static_pods: Vec<String>,
    pub(crate) network: Network,
    pub(crate) images: Vec<Name>,
}

/// What a node's network carries.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Network {
    pub(crate) pull: Option<Quantity>,
}

/// An image in its registry.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Image {
    pub(crate) name: Option<Name>,
    pub(crate) size: Option<Quantity>,
    pub(crate) layers: Vec<Layer>,
    pub(crate) missing: bool,
    pub(crate) private: bool,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Layer {
    pub(crate) digest: Option<Name>,
    pub(crate) size: Option<Quantity>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Registry {
    pub(crate) host: Option<Name>,
    pub(crate) bandwidth: Option<Quantity>,
    pub(crate) private: bool,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Taint {
    pub(crate) key: Name,
    pub(crate) value: Name,
    #[serde(deserialize_with = "effect")]
    pub(crate) effect: TaintEffect,
}

/// Something that happens at a time: one of the last three.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Step {
    pub(crate) at: Option<GoDuration>,
    pub(crate) kubectl: Option<String>,
    #[serde(deserialize_with = "one_or_more")]
    pub(crate) apply: Vec<String>,
    pub(crate) fault: Option<Fault>,
}

/// Something that must be so: one of the first three.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Expect {
    pub(crate) always: Option<String>,
    pub(crate) eventually: Option<String>,
    pub(crate) never: Option<String>,
    pub(crate) name: Option<Name>,
    pub(crate) after: Option<GoDuration>,
    pub(crate) within: Option<GoDuration>,
}

/// Quantities that are not negative.
fn amounts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ResourceList, D::Error> {
    let list = ResourceList::deserialize(deserializer)?;
    match list.iter().find(|(_, quantity)| quantity.sign() < 0) {
        Some((name, quantity)) => {
            Err(de::Error::custom(format_args!("`{name}: {quantity}` is negative; it must be 0 or more")))
        }
        None => Ok(list),
    }
}

fn effect<'de, D: Deserializer<'de>>(deserializer: D) -> Result<TaintEffect, D::Error> {
    let word = String::deserialize(deserializer)?;
    let effect = TaintEffect::from(word.as_str());
    if TaintEffect::ALL.contains(&effect) || effect.is_unset() {
        return Ok(effect);
    }
    let words = TaintEffect::ALL.iter().map(TaintEffect::as_str);
    Err(de::Error::custom(match api::nearest(&word, words.clone()) {
        Some(meant) => format!("unknown effect `{word}`; did you mean `{meant}`?"),
        None => format!("unknown effect `{word}`; write {}", words.collect::<Vec<_>>().join(", ")),
    }))
}

/// One path, or a list of them.
fn one_or_more<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    struct Visitor;
    impl<'de> de::Visitor<'de> for Visitor {
        type Value = Vec<String>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("a path or a list of paths")
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<Vec<String>, E> {
            Ok(vec![text.into()])
        }

        fn visit_unit<E: de::Error>(self) -> Result<Vec<String>, E> {
            Ok(Vec::new())
        }

        fn visit_seq<A: de::SeqAccess<'de>>(self, mut items: A) -> Result<Vec<String>, A::Error> {
            let mut paths = Vec::new();
            while let Some(path) = items.next_element()? {
                paths.push(path);
            }
            Ok(paths)
        }
    }
    deserializer.deserialize_any(Visitor)
}

/// The size of nodes whose pool does not say otherwise: `cpu: "4"`, `memory: 16Gi`, `pods: "110"`,
/// `ephemeral-storage: 100Gi`. 110 pods is the kubelet's own default.
pub(crate) fn default_capacity() -> ResourceList {
    let amounts = [("cpu", "4"), ("memory", "16Gi"), ("pods", "110"), ("ephemeral-storage", "100Gi")];
    let quantity = |text: &str| text.parse::<Quantity>().expect("these are quantities");
    amounts.into_iter().map(|(name, amount)| (Name::from_static(name), quantity(amount))).collect()
}
