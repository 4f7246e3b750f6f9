//! Where volumes are, by the labels of regions and zones.
//!
//! Upstream: `staging/src/k8s.io/csi-translation-lib/plugins/in_tree_volume.go`,
//! `staging/src/k8s.io/cloud-provider/volume/helpers/zones.go`.

use std::collections::BTreeSet;

use api::{NodeSelectorOperator, NodeSelectorRequirement, NodeSelectorTerm, PersistentVolume};
use base::Name;

pub(super) const ZONE: &str = "topology.kubernetes.io/zone";
pub(super) const BETA_ZONE: &str = "failure-domain.beta.kubernetes.io/zone";
const REGION: &str = "topology.kubernetes.io/region";
const BETA_REGION: &str = "failure-domain.beta.kubernetes.io/region";

/// The labels by which a volume says where it is.
pub(crate) const TOPOLOGY_LABELS: [&str; 4] = [BETA_ZONE, BETA_REGION, ZONE, REGION];

/// What a label is called since it is no longer beta. Upstream: `translateToGALabel`.
pub(crate) fn ga_label(label: &'static str) -> &'static str {
    match label {
        BETA_ZONE => ZONE,
        BETA_REGION => REGION,
        _ => label,
    }
}

/// The zones that a label of a volume lists: `a__b`. `None` if one of them is empty. Upstream: `LabelZonesToSet`.
pub(crate) fn zones_of(label: &str) -> Option<BTreeSet<Name>> {
    let zones = label.split("__").map(str::trim);
    zones.map(|it| (!it.is_empty()).then(|| Name::new(it))).collect()
}

/// The node affinity of a volume once its zone goes by another label, `key`: that of the driver that took it over.
/// Upstream: `translateTopologyFromInTreeToCSI`.
pub(super) fn translate(volume: &PersistentVolume, key: &'static str) -> Option<Vec<NodeSelectorTerm>> {
    let required = volume.spec.node_affinity.as_ref().and_then(|it| it.required.as_ref());
    let mut terms = required.map(|it| it.node_selector_terms.clone());
    let is_beta = is_beta(volume, terms.as_deref().unwrap_or_default());
    let zone = if is_beta { BETA_ZONE } else { ZONE };
    if has_values(&terms, zone) {
        rename(&mut terms, zone, key);
    } else if let Some(label) = volume.meta.label(zone) {
        require(&mut terms, key, label);
    }
    if is_beta && has_values(&terms, BETA_REGION) {
        rename(&mut terms, BETA_REGION, REGION);
    }
    terms
}

/// Which labels the volume goes by; the newer ones unless only the older are there. Upstream: `getTopologyLabel`.
fn is_beta(volume: &PersistentVolume, terms: &[NodeSelectorTerm]) -> bool {
    let is_stated = |key: &str| terms.iter().flat_map(|it| &it.match_expressions).any(|it| it.key == *key);
    let is_label = |key: &str| volume.meta.label(key).is_some();
    !is_stated(ZONE) && (is_stated(BETA_ZONE) || (!is_label(ZONE) && is_label(BETA_ZONE)))
}

fn has_values(terms: &Option<Vec<NodeSelectorTerm>>, key: &str) -> bool {
    let requirements = terms.iter().flatten().flat_map(|it| &it.match_expressions);
    requirements.filter(|it| it.key == *key).any(|it| !it.values.is_empty())
}

fn rename(terms: &mut Option<Vec<NodeSelectorTerm>>, old: &str, new: &'static str) {
    let requirements = terms.iter_mut().flatten().flat_map(|it| &mut it.match_expressions);
    requirements.filter(|it| it.key == *old).for_each(|it| it.key = Name::from_static(new));
}

/// Each term asks for one of the zones that `label` lists, besides. Upstream: `addTopology`.
fn require(terms: &mut Option<Vec<NodeSelectorTerm>>, key: &'static str, label: &str) {
    let zones = label.split("__").map(str::trim).filter(|it| !it.is_empty());
    let zones: BTreeSet<Name> = zones.map(Name::new).collect();
    if zones.is_empty() {
        return;
    }
    let requirement = NodeSelectorRequirement {
        key: Name::from_static(key),
        operator: NodeSelectorOperator::In,
        values: zones.into_iter().collect(),
        ..NodeSelectorRequirement::default()
    };
    let terms = terms.get_or_insert_default();
    if terms.is_empty() {
        terms.push(NodeSelectorTerm::default());
    }
    terms.iter_mut().for_each(|it| it.match_expressions.push(requirement.clone()));
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_label_lists_zones() {
        let set = |zones: &[&str]| Some(zones.iter().map(Name::new).collect());
        assert_eq!(zones_of("a"), set(&["a"]));
        assert_eq!(zones_of("a__b"), set(&["a", "b"]));
        assert_eq!(zones_of("b__ a __b"), set(&["a", "b"]));
        assert_eq!(zones_of(""), None);
        assert_eq!(zones_of("a__"), None);
    }

    #[test]
    fn zones_go_by_the_label_of_the_driver() {
        let term = |key: &str, values: &[&str]| json!({"matchExpressions": [{"key": key, "operator": "In", "values": values}]});
        let table: [(Value, Value, Value); 6] = [
            (json!({}), json!([term(ZONE, &["a"])]), json!([term("new", &["a"])])),
            (json!({}), json!([term(BETA_ZONE, &["a"])]), json!([term("new", &["a"])])),
            (
                json!({ZONE: "b__a"}),
                json!([term("rack", &["r"])]),
                json!([{"matchExpressions": [
                    {"key": "rack", "operator": "In", "values": ["r"]},
                    {"key": "new", "operator": "In", "values": ["a", "b"]},
                ]}]),
            ),
            (json!({ZONE: "b"}), json!([term(ZONE, &["a"])]), json!([term("new", &["a"])])),
            (
                json!({BETA_ZONE: "b"}),
                json!([term(BETA_REGION, &["r"])]),
                json!([{"matchExpressions": [
                    {"key": REGION, "operator": "In", "values": ["r"]},
                    {"key": "new", "operator": "In", "values": ["b"]},
                ]}]),
            ),
            (json!({}), json!([term("rack", &["r"])]), json!([term("rack", &["r"])])),
        ];
        for (labels, terms, expected) in table {
            let volume = serde_json::from_value(json!({
                "metadata": {"labels": labels},
                "spec": {"nodeAffinity": {"required": {"nodeSelectorTerms": terms}}},
            }))
            .unwrap();
            let translated = serde_json::to_value(translate(&volume, "new")).unwrap();
            assert_eq!(translated, expected, "{labels} {terms}");
        }
    }
}
