//! Which fields objects can have: a condition on a field that no object ever has would say nothing.

use api::Kind;
use manifest::source::Source;
use manifest::{Limits, Path, Segment};
use serde_json::{Value, json};

/// That `path` is no field of the objects of `kind`, in the words of manifests' errors; `None` if it is.
///
/// An object that has nothing but the field is read as a manifest would be: what is wrong with it otherwise does
/// not matter here.
pub(crate) fn unknown(kind: &Kind, path: &Path) -> Option<(String, Option<String>)> {
    let mut object = nested(path.segments());
    let map = object.as_object_mut()?;
    map.insert("apiVersion".into(), kind.api_version().as_str().into());
    map.insert("kind".into(), kind.name().as_str().into());
    let loaded = manifest::load_source(Source::new("it.json", object.to_string()), &Limits::default());
    let mut found = loaded.diagnostics.into_iter();
    let unknown = found.find(|it| it.message.starts_with("unknown field"))?;
    Some((unknown.message.clone(), unknown.help.clone()))
}

fn nested(path: &[Segment]) -> Value {
    match path.split_first() {
        None => json!({}),
        Some((Segment::Key(key), rest)) => json!({ key: nested(rest) }),
        Some((Segment::Index(_), rest)) => json!([nested(rest)]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_those_of_kubernetes() {
        let table = [
            (Kind::Deployment, "status.availableReplicas", true),
            (Kind::Deployment, "status.availableReplica", false),
            (Kind::Deployment, "spec.template.spec.containers[0].image", true),
            (Kind::Deployment, "spec.template.spec.containers[0].imge", false),
            (Kind::Deployment, "metadata.labels.app", true),
            (Kind::Deployment, "apiVersion", true),
            (Kind::Node, "spec.unschedulable", true),
            (Kind::Node, "status.allocatable.cpu", true),
            (Kind::Pod, "status.conditions[0].type", true),
            (Kind::Pod, "status.hostIP", true),
            (Kind::Pod, "phase", false),
            (Kind::Event, "involvedObject.name", true),
            (Kind::PodDisruptionBudget, "status.disruptionsAllowed", true),
        ];
        for (kind, path, is_known) in table {
            assert_eq!(unknown(&kind, &Path::parse(path)).is_none(), is_known, "{kind:?} {path}");
        }
        let (message, _) =
            unknown(&Kind::Deployment, &Path::parse("status.availableReplica")).expect("unknown");
        assert_eq!(message, "unknown field `availableReplica`; did you mean `availableReplicas`?");
    }
}
