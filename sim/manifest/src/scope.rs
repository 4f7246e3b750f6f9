//! Whether custom resources belong to a namespace, and what they are called, once their definitions are known.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::{CustomKind, Kind, Object};
use base::Name;
use serde_json::Value;

/// The namespace of objects that state none. Upstream: `metav1.NamespaceDefault`.
pub(crate) const DEFAULT_NAMESPACE: Name = Name::from_static("default");

/// Gives each custom resource the scope and plural of its definition, if that is among the objects, and a namespace
/// if it needs one. Without a definition it is taken to be namespaced.
pub(crate) fn settle<'a>(objects: impl Iterator<Item = &'a mut Object>) {
    let mut objects: Vec<&mut Object> = objects.collect();
    let definitions: BTreeMap<(Name, Name), Definition> =
        objects.iter().filter_map(|it| Definition::of(it)).collect();
    for object in &mut objects {
        if let Object::Raw(raw) = object
            && let Kind::Custom(kind) = &raw.kind
        {
            let kind = match definitions.get(&(kind.group.clone(), kind.name.clone())) {
                Some(found) => found.applied_to(kind),
                None => kind.as_ref().clone(),
            };
            let is_namespaced = kind.namespaced;
            Arc::make_mut(raw).kind = Kind::Custom(Arc::new(kind));
            set_namespace(object, is_namespaced);
        }
    }
}

/// As the API server does: an object of a namespaced kind is in one, an object of the cluster in none.
pub(crate) fn set_namespace(object: &mut Object, is_namespaced: bool) {
    let namespace = &object.meta().namespace;
    if is_namespaced && namespace.is_empty() {
        object.meta_mut().namespace = DEFAULT_NAMESPACE;
    } else if !is_namespaced && !namespace.is_empty() {
        object.meta_mut().namespace = Name::EMPTY;
    }
}

/// What a CustomResourceDefinition says of its kind.
struct Definition {
    plural: Name,
    namespaced: bool,
}

impl Definition {
    /// With the group and kind that it defines.
    fn of(object: &Object) -> Option<((Name, Name), Self)> {
        let Object::Raw(raw) = object else { return None };
        let spec = raw.body.get("spec").filter(|_| raw.kind == Kind::CustomResourceDefinition)?;
        let text = |value: Option<&Value>| value.and_then(Value::as_str).map(Name::new);
        let names = spec.get("names")?;
        let key = (text(spec.get("group"))?, text(names.get("kind"))?);
        let namespaced = spec.get("scope").and_then(Value::as_str) != Some("Cluster");
        Some((key, Self { plural: text(names.get("plural"))?, namespaced }))
    }

    fn applied_to(&self, kind: &CustomKind) -> CustomKind {
        CustomKind { plural: self.plural.clone(), namespaced: self.namespaced, ..kind.clone() }
    }
}
