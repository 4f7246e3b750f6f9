//! The revisions of a stateful set or daemon set: an object for each template that it had.
//!
//! Upstream: `pkg/controller/history/controller_history.go`.

use std::sync::Arc;

use api::{ControllerRevision, Labels, Meta, Object, OwnerReference, PodTemplate, Resource, Selector};
use base::Name;
use client::{View, Write};
use serde_json::{Value, json};

use crate::template_hash::safe_encode;

/// The label with the hash of a revision's data.
const HASH_LABEL: Name = Name::from_static("controller.kubernetes.io/hash");
/// What is left of a set's name in that of its revisions, in bytes.
const PREFIX_MAX: usize = 223;

/// What `owner` controls or may adopt, oldest first.
///
/// Upstream: `ListControllerRevisions`, `SortControllerRevisions`.
pub(crate) fn list_revisions(
    view: &View,
    owner: &impl Resource,
    selector: &Selector,
) -> Vec<Arc<ControllerRevision>> {
    let meta = owner.meta();
    let all = view.owned_by(meta.uid).chain(view.orphans_in::<ControllerRevision>(&meta.namespace));
    let mut found: Vec<_> = all.filter(|it| selector.matches(&it.meta.labels)).cloned().collect();
    found.sort_by(|a, b| {
        let key = |it: &ControllerRevision| (it.revision, it.meta.created());
        key(a).cmp(&key(b)).then_with(|| a.meta.name.cmp(&b.meta.name))
    });
    found
}

/// The number that a new revision gets. Upstream: `nextRevision`.
pub(crate) fn next_revision(sorted: &[Arc<ControllerRevision>]) -> i64 {
    sorted.last().map_or(1, |it| it.revision + 1)
}

/// The patch that puts a template back, as a revision holds it. Upstream: `getPatch`.
pub(crate) fn template_patch(template: &PodTemplate) -> Value {
    let mut json = serde_json::to_value(template).expect("our types have text keys and finite numbers");
    if let Some(fields) = json.as_object_mut() {
        fields.entry("metadata").or_insert_with(|| json!({}));
        fields.insert("$patch".into(), "replace".into());
    }
    for list in ["/spec/initContainers", "/spec/containers"] {
        let containers = json.pointer_mut(list).and_then(Value::as_array_mut);
        // Go writes this field of a container even where it is empty.
        for container in containers.into_iter().flatten().filter_map(Value::as_object_mut) {
            container.entry("resources").or_insert_with(|| json!({}));
        }
    }
    json!({"spec": {"template": json}})
}

/// The template that a revision holds; an empty one if it holds none.
pub(crate) fn template_of(revision: &ControllerRevision) -> Arc<PodTemplate> {
    let mut json = revision.data.pointer("/spec/template").cloned().unwrap_or_default();
    if let Some(fields) = json.as_object_mut() {
        fields.remove("$patch");
    }
    Arc::new(serde_json::from_value(json).unwrap_or_default())
}

/// A revision that is to be created, under a name that no other one bears.
///
/// Upstream learns of a collision from the server's refusal; here, from the view, and counts it as upstream does.
///
/// Upstream: `NewControllerRevision`, `CreateControllerRevision`.
pub(crate) fn new_revision<O: Resource>(
    view: &View,
    owner: &O,
    template_labels: &Labels,
    data: Value,
    revision: i64,
    collisions: &mut i32,
) -> ControllerRevision {
    let parent = owner.meta();
    let hash = hash_revision(&data, *collisions);
    let mut name = revision_name(&parent.name, &hash);
    while view.find::<ControllerRevision>(&parent.namespace, &name).is_some_and(|it| *it.data != data) {
        *collisions += 1;
        name = revision_name(&parent.name, &hash_revision(&data, *collisions));
    }
    let meta = Meta {
        name,
        namespace: parent.namespace.clone(),
        labels: template_labels.clone().with(HASH_LABEL, hash),
        annotations: parent.annotations.clone(),
        owner_references: [OwnerReference::controller(&O::KIND, &parent.name, parent.uid)].into(),
        ..Meta::default()
    };
    ControllerRevision { meta, data: Arc::new(data), revision, ..ControllerRevision::default() }
}

/// Gives a revision a new number. Upstream: `UpdateControllerRevision`.
pub(crate) fn renumber(revision: &mut Arc<ControllerRevision>, number: i64) -> Option<Write> {
    if revision.revision == number {
        return None;
    }
    Arc::make_mut(revision).revision = number;
    Some(Write::update(Object::ControllerRevision(revision.clone())))
}

fn revision_name(parent: &Name, hash: &Name) -> Name {
    let mut end = parent.len().min(PREFIX_MAX);
    while !parent.is_char_boundary(end) {
        end -= 1;
    }
    Name::from(format_args!("{}-{hash}", &parent[..end]))
}

/// Upstream: `HashControllerRevision`.
fn hash_revision(data: &Value, collisions: i32) -> Name {
    let hash = fnv_1(go_json(data).as_bytes(), 0x811c_9dc5);
    safe_encode(&fnv_1(collisions.to_string().as_bytes(), hash).to_string())
}

/// FNV-1 of 32 bits: <http://www.isthe.com/chongo/tech/comp/fnv/>.
fn fnv_1(bytes: &[u8], start: u32) -> u32 {
    bytes.iter().fold(start, |hash, byte| hash.wrapping_mul(0x0100_0193) ^ u32::from(*byte))
}

/// JSON as Go writes it: keys sorted, and what might end a script escaped.
fn go_json(data: &Value) -> String {
    let mut text = data.to_string();
    for (plain, escaped) in [("<", "\\u003c"), (">", "\\u003e"), ("&", "\\u0026")] {
        if text.contains(plain) {
            text = text.replace(plain, escaped);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use api::{Container, PodSpec, StatefulSet};

    use super::*;

    fn template(image: &str) -> PodTemplate {
        let containers = vec![Container { name: "web".into(), image: image.into(), ..Container::default() }];
        let meta = Meta { labels: Labels::from([("app", "web")]), ..Meta::default() };
        let spec = Arc::new(PodSpec { containers, ..PodSpec::default() });
        PodTemplate { meta, spec, ..PodTemplate::default() }
    }

    /// The published test vectors of FNV-1.
    #[test]
    fn hashes_as_fnv_1() {
        for (text, expected) in [("", 0x811c_9dc5), ("a", 0x050c_5d7e), ("foobar", 0x31f0_b262)] {
            assert_eq!(fnv_1(text.as_bytes(), 0x811c_9dc5), expected, "{text}");
        }
    }

    #[test]
    fn a_patch_holds_the_template_and_gives_it_back() {
        let patch = template_patch(&template("web:1 <&>"));
        assert_eq!(
            go_json(&patch),
            concat!(
                r#"{"spec":{"template":{"$patch":"replace","metadata":{"labels":{"app":"web"}},"#,
                r#""spec":{"containers":[{"image":"web:1 \u003c\u0026\u003e","name":"web","resources":{}}]}}}}"#
            )
        );
        let revision = ControllerRevision { data: Arc::new(patch), ..ControllerRevision::default() };
        assert_eq!(*template_of(&revision), template("web:1 <&>"));
    }

    #[test]
    fn another_template_of_the_same_name_counts_as_a_collision() {
        let meta = Meta { name: "web".into(), namespace: "shop".into(), ..Meta::default() };
        let set = StatefulSet { meta, ..StatefulSet::default() };
        let mut view = View::default();
        let labels = Labels::from([("app", "web")]);
        let make = |view: &View, image| {
            let mut collisions = 0;
            let data = template_patch(&template(image));
            (new_revision(view, &set, &labels, data, 1, &mut collisions), collisions)
        };
        let (first, _) = make(&view, "web:1");
        let mut other = first.clone();
        view.set(Object::new(first.clone()));
        assert_eq!(make(&view, "web:1"), (first.clone(), 0)); // The same once more is no collision.
        other.data = Arc::new(json!({"spec": {}}));
        view.set(Object::new(other));
        let (again, collisions) = make(&view, "web:1");
        assert_eq!((collisions, again.meta.name == first.meta.name), (1, false));
        assert_eq!(again.meta.label(&HASH_LABEL), first.meta.label(&HASH_LABEL)); // As upstream leaves it.
    }

    #[test]
    fn names_leave_room_for_the_hash() {
        assert_eq!(revision_name(&"web".into(), &"abc".into()), "web-abc");
        assert_eq!(revision_name(&Name::from("w".repeat(250)), &"abc".into()).len(), PREFIX_MAX + 4);
    }
}
