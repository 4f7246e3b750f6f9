//! The pod that a controller makes from its template.

use api::naming::{dns1123_subdomain, mask_trailing_dash};
use api::{Meta, OwnerReference, Pod, PodSpec, PodTemplate, Resource};
use base::Name;

/// What is created; its spec and labels are the template's own, shared by all pods of it.
///
/// Upstream: `GetPodFromTemplate` in `pkg/controller/controller_utils.go`.
pub(crate) fn pod_from_template<O: Resource>(owner: &O, template: &PodTemplate) -> Pod {
    let meta = owner.meta();
    let meta = Meta {
        generate_name: pods_prefix(&meta.name),
        namespace: meta.namespace.clone(),
        labels: template.meta.labels.clone(),
        annotations: template.meta.annotations.clone(),
        finalizers: template.meta.finalizers.clone(),
        owner_references: [OwnerReference::controller(&O::KIND, &meta.name, meta.uid)].into(),
        ..Meta::default()
    };
    let mut pod = Pod { meta, spec: template.spec.clone(), ..Pod::default() };
    if let Some(node) = template.spec.rest.get("nodeName") {
        pod.node = node.as_str().map_or(Name::EMPTY, Name::new); // Nobody schedules it.
        PodSpec::edit(&mut pod.spec, |spec| drop(spec.rest.remove("nodeName")));
    }
    pod
}

/// The owner's name and a dash, unless no pod could bear such a name.
///
/// Upstream: `getPodsPrefix`.
fn pods_prefix(owner: &Name) -> Name {
    let prefix = Name::from(format_args!("{owner}-"));
    if dns1123_subdomain(&mask_trailing_dash(&prefix)).is_empty() { prefix } else { owner.clone() }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use api::{Labels, ReplicaSet, Uid};

    use super::*;

    #[test]
    fn pods_share_the_spec_and_labels_of_their_template() {
        let labels = Labels::from([("app", "web"), ("pod-template-hash", "abc")]);
        let meta = Meta {
            labels: labels.clone(),
            annotations: Labels::from([("note", "yes")]),
            finalizers: ["example.com/wait".into()].into(),
            ..Meta::default()
        };
        let template =
            Arc::new(PodTemplate { meta, spec: Arc::new(PodSpec::default()), ..PodTemplate::default() });
        let meta = Meta { name: "web".into(), namespace: "shop".into(), uid: Uid(9), ..Meta::default() };
        let pod = pod_from_template(&ReplicaSet { meta, ..ReplicaSet::default() }, &template);

        assert!(Arc::ptr_eq(&pod.spec, &template.spec));
        assert_eq!(pod.meta.labels, labels);
        assert_eq!(pod.meta.annotations, template.meta.annotations);
        assert_eq!(pod.meta.finalizers, template.meta.finalizers);
        assert_eq!((pod.meta.namespace.as_str(), pod.meta.generate_name.as_str()), ("shop", "web-"));
        assert!(pod.meta.name.is_empty() && pod.meta.is_controlled_by(Uid(9)));
    }

    #[test]
    fn a_prefix_that_no_pod_could_bear_loses_its_dash() {
        let longest = "a".repeat(253);
        let table = [("web", "web-"), ("Web", "Web"), (&longest, &format!("{longest}-"))];
        for (set, prefix) in table {
            assert_eq!(pods_prefix(&Name::new(set)), prefix);
        }
    }
}
