//! Kubernetes objects as values of CEL: read like maps, turned into CEL's own values when someone looks inside.

use std::any::Any;
use std::sync::{Arc, OnceLock};

use api::{Kind, Object};
use cel::ExecutionError;
use cel::common::traits::{Container, Indexer, Iterable, Iterator as ValIterator, Sizer};
use cel::common::types::{CelBool, CelDouble, CelInt, CelList, CelNull, CelString, MAP_TYPE, Type};
use cel::common::value::{CowVal, StaticVal, Val};
use serde_json::{Map, Value};

/// An object. Cloning shares it, and what has been read of it.
#[derive(Clone, Debug)]
pub(crate) struct ObjectVal(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    object: Object,
    fields: OnceLock<Fields>,
}

/// A mapping whose keys have an order, unlike those of CEL's own. Cloning shares it.
#[derive(Clone, Debug)]
pub(crate) struct Fields(Arc<[(CelString<'static>, Box<dyn Val>)]>);

impl ObjectVal {
    pub(crate) fn new(object: Object) -> Self {
        Self(Arc::new(Inner { object, fields: OnceLock::new() }))
    }

    pub(crate) fn object(&self) -> &Object {
        &self.0.object
    }

    fn fields(&self) -> &Fields {
        self.0.fields.get_or_init(|| {
            let mut value = self.0.object.to_json();
            fill_in(&self.0.object.kind(), &mut value);
            let Value::Object(map) = value else { unreachable!("an object is written as a mapping") };
            Fields::from(map)
        })
    }
}

/// What Kubernetes leaves out where it is zero, empty or false, and conditions are written about.
const LEFT_OUT: [(&str, &[&str]); 9] = [
    (
        "Deployment",
        &["replicas", "updatedReplicas", "readyReplicas", "availableReplicas", "unavailableReplicas"],
    ),
    ("ReplicaSet", &["replicas", "fullyLabeledReplicas", "readyReplicas", "availableReplicas"]),
    (
        "StatefulSet",
        &["replicas", "readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas"],
    ),
    (
        "DaemonSet",
        &[
            "currentNumberScheduled",
            "desiredNumberScheduled",
            "numberAvailable",
            "numberMisscheduled",
            "numberReady",
            "numberUnavailable",
            "updatedNumberScheduled",
        ],
    ),
    ("Job", &["active", "succeeded", "failed", "ready"]),
    ("PodDisruptionBudget", &["currentHealthy", "desiredHealthy", "disruptionsAllowed", "expectedPods"]),
    ("HorizontalPodAutoscaler", &["currentReplicas", "desiredReplicas"]),
    ("Node", &[]),
    ("Pod", &[]),
];

/// Numbers of `status` that are not there are zero; so are flags, labels and conditions.
fn fill_in(kind: &Kind, object: &mut Value) {
    let kind = kind.name();
    if let Some((_, counts)) = LEFT_OUT.iter().find(|(it, _)| *it == kind.as_str()) {
        counts.iter().for_each(|field| default(object, "status", field, 0.into()));
        default(object, "status", "conditions", Value::Array(Vec::new()));
    }
    default(object, "metadata", "labels", Value::Object(Map::new()));
    default(object, "metadata", "annotations", Value::Object(Map::new()));
    match kind.as_str() {
        "Node" => {
            default(object, "spec", "unschedulable", false.into());
            default(object, "spec", "taints", Value::Array(Vec::new()));
        }
        "Pod" => {
            default(object, "spec", "nodeName", "".into());
            default(object, "status", "containerStatuses", Value::Array(Vec::new()));
        }
        "Deployment" => default(object, "spec", "paused", false.into()),
        _ => (),
    }
}

fn default(object: &mut Value, part: &str, field: &str, value: Value) {
    let Value::Object(map) = object else { return };
    let part = map.entry(part).or_insert_with(|| Value::Object(Map::new()));
    if let Value::Object(part) = part {
        part.entry(field).or_insert(value);
    }
}

impl From<Map<String, Value>> for Fields {
    fn from(map: Map<String, Value>) -> Self {
        let mut fields: Vec<(CelString<'static>, Box<dyn Val>)> =
            map.into_iter().map(|(key, value)| (CelString::from(key), to_val(value))).collect();
        fields.sort_by(|(a, _), (b, _)| a.inner().cmp(b.inner()));
        Self(fields.into())
    }
}

impl Fields {
    fn find(&self, key: &dyn Val) -> Option<&(dyn Val + 'static)> {
        let key = key.downcast_ref::<CelString<'_>>()?.inner();
        let idx = self.0.binary_search_by(|(it, _)| it.inner().cmp(key)).ok()?;
        Some(self.0[idx].1.as_ref())
    }

    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &dyn Val)> {
        self.0.iter().map(|(key, value)| (key.inner(), value.as_ref()))
    }
}

fn to_val(value: Value) -> Box<dyn Val> {
    match value {
        Value::Null => Box::new(CelNull),
        Value::Bool(it) => Box::new(CelBool::from(it)),
        Value::Number(it) => match it.as_i64() {
            Some(it) => Box::new(CelInt::from(it)),
            None => Box::new(CelDouble::from(it.as_f64().unwrap_or(f64::INFINITY))),
        },
        Value::String(it) => Box::new(CelString::from(it)),
        Value::Array(items) => {
            let items: Vec<Box<dyn Val>> = items.into_iter().map(to_val).collect();
            Box::new(CelList::from(items))
        }
        Value::Object(map) => Box::new(Fields::from(map)),
    }
}

fn missing(key: &dyn Val) -> ExecutionError {
    match key.downcast_ref::<CelString<'_>>() {
        Some(key) => ExecutionError::no_such_key(key.inner()),
        None => {
            let (got, want) = (key.get_type().name().to_owned(), "string".to_owned());
            ExecutionError::UnexpectedType { got, want }
        }
    }
}

macro_rules! like_a_map {
    ($type:ty, $self:ident => $fields:expr) => {
        impl Indexer for $type {
            fn get<'b, 'v>(&'b $self, key: &dyn Val) -> Result<CowVal<'b, 'v>, ExecutionError>
            where
                Self: 'v,
            {
                $fields.find(key).map(CowVal::Borrowed).ok_or_else(|| missing(key))
            }

            fn steal<'v>(self: Box<Self>, key: &dyn Val) -> Result<Box<dyn Val + 'v>, ExecutionError>
            where
                Self: 'v,
            {
                self.get(key).map(CowVal::into_owned)
            }
        }

        impl Sizer for $type {
            fn size(&$self) -> CelInt {
                CelInt::from(i64::try_from($fields.0.len()).unwrap_or(i64::MAX))
            }
        }

        impl Container for $type {
            fn contains(&$self, key: &dyn Val) -> Result<bool, ExecutionError> {
                Ok($fields.find(key).is_some())
            }
        }

        impl Iterable for $type {
            fn iter<'b, 'v>(&'b $self) -> Box<dyn ValIterator<'b, 'v> + 'b>
            where
                Self: 'v,
            {
                Box::new(Keys { fields: $fields, next: 0 })
            }
        }

        impl StaticVal for $type {}
    };
}

like_a_map!(ObjectVal, self => self.fields());
like_a_map!(Fields, self => self);

/// The keys of a mapping, in order.
struct Keys<'b> {
    fields: &'b Fields,
    next: usize,
}

impl<'b, 'v> ValIterator<'b, 'v> for Keys<'b> {
    fn next(&mut self) -> Option<&'b (dyn Val + 'v)> {
        let (key, _) = self.fields.0.get(self.next)?;
        self.next += 1;
        Some(key)
    }
}

macro_rules! map_accessors {
    () => {
        fn get_type(&self) -> &Type {
            <Self as Val>::cel_type()
        }

        fn cel_type() -> &'static Type {
            &MAP_TYPE
        }

        fn as_indexer<'b, 'v>(&'b self) -> Option<&'b (dyn Indexer + 'v)>
        where
            Self: 'v,
        {
            Some(self)
        }

        fn as_iterable<'b, 'v>(&'b self) -> Option<&'b (dyn Iterable + 'v)>
        where
            Self: 'v,
        {
            Some(self)
        }

        fn as_sizer(&self) -> Option<&dyn Sizer> {
            Some(self)
        }

        fn as_container(&self) -> Option<&dyn Container> {
            Some(self)
        }

        fn clone_as_boxed<'v>(&self) -> Box<dyn Val + 'v>
        where
            Self: 'v,
        {
            Box::new(self.clone())
        }

        fn as_any(&self) -> Option<&dyn Any> {
            Some(self)
        }
    };
}

impl Val for ObjectVal {
    map_accessors!();

    /// The same version of the same object.
    fn equals(&self, other: &dyn Val) -> bool {
        other.downcast_ref::<Self>().is_some_and(|other| self.object() == other.object())
    }
}

impl Val for Fields {
    map_accessors!();

    fn equals(&self, other: &dyn Val) -> bool {
        other.downcast_ref::<Self>().is_some_and(|other| {
            let pairs = self.0.iter().zip(other.0.iter());
            self.0.len() == other.0.len()
                && pairs.into_iter().all(|((a, x), (b, y))| a.inner() == b.inner() && x.equals(y.as_ref()))
        })
    }
}
