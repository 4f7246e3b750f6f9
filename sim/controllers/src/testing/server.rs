//! A server that is obviously right in what the tests need, and no more.

use std::collections::BTreeMap;

use api::{
    Answer, DeleteOptions, Edit, Key, Kind, Namespace, Object, Patch, Preconditions, Propagation, Reason,
    Request, Response, Revision, Status, Subresource, Uid,
};
use base::{Luck, Name, Time};
use client::Change;

#[derive(Clone, Debug)]
pub(crate) struct Server {
    objects: BTreeMap<Key, Object>,
    revision: u64,
}

type Outcome = (Response, Vec<Change>);

const ORPHAN: Name = Name::from_static("orphan");
const FOREGROUND: Name = Name::from_static("foregroundDeletion");

impl Server {
    pub(crate) fn new() -> Self {
        Self { objects: BTreeMap::new(), revision: 100 }
    }

    pub(crate) fn get(&self, key: &Key) -> Option<&Object> {
        self.objects.get(key)
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Object> {
        self.objects.values()
    }

    pub(crate) fn of_kind(&self, kind: &Kind) -> impl Iterator<Item = &Object> {
        self.objects.values().filter(move |it| it.kind() == *kind)
    }

    pub(crate) fn handle(&mut self, now: Time, request: Request) -> Outcome {
        match request {
            Request::Get { key } => (self.read(&key).map(|it| Answer::Object(it.clone())), Vec::new()),
            Request::List { kind, namespace, .. } => {
                (Ok(Answer::List(self.list(&kind, namespace.as_ref()), Revision(self.revision))), Vec::new())
            }
            Request::Create { object } => self.create(now, object),
            Request::Update { object, sub } => self.update(object, sub),
            Request::Patch { key, patch, preconditions, .. } => self.patch(&key, patch, preconditions),
            Request::Delete { key, options } => self.delete(now, &key, &options),
            Request::DeleteCollection { kind, namespace, options, .. } => {
                let keys = self.list(&kind, namespace.as_ref()).into_iter().map(|it| it.key());
                let changes = keys.flat_map(|key| self.delete(now, &key, &options).1).collect();
                (Ok(Answer::Done), changes)
            }
            Request::Evict { .. } | Request::Bind { .. } | Request::Scale { .. } => {
                unreachable!("no controller here asks for {request:?}")
            }
        }
    }

    fn read(&self, key: &Key) -> Result<&Object, Status> {
        self.objects.get(key).ok_or_else(|| Status::not_found(key))
    }

    fn list(&self, kind: &Kind, namespace: Option<&Name>) -> Vec<Object> {
        let wanted =
            |it: &&Object| it.kind() == *kind && namespace.is_none_or(|ns| it.meta().namespace == *ns);
        self.objects.values().filter(wanted).cloned().collect()
    }

    fn create(&mut self, now: Time, mut object: Object) -> Outcome {
        if let Some(namespace) =
            self.objects.get(&Key::cluster(Kind::Namespace, object.meta().namespace.clone()))
            && namespace.meta().is_deleting()
        {
            return (Err(Status::new(Reason::NamespaceTerminating, "it is being terminated")), Vec::new());
        }
        let meta = object.meta_mut();
        if meta.name.is_empty() {
            meta.name = Name::from(format_args!("{}{:05}", meta.generate_name, self.revision));
        }
        let key = object.key();
        if self.objects.contains_key(&key) {
            return (Err(Status::already_exists(&key)), Vec::new());
        }
        let meta = object.meta_mut();
        if meta.uid.is_unset() {
            let luck = Luck::new(1, "uid");
            meta.uid = Uid::random(luck.draw(0, self.revision), luck.draw(1, self.revision));
        }
        meta.creation_timestamp = Some(now.into());
        meta.generation = 1;
        let change = self.put(None, object.clone());
        (Ok(Answer::Object(self.objects[&key].clone())), vec![change])
    }

    fn update(&mut self, mut new: Object, sub: Subresource) -> Outcome {
        let key = new.key();
        let old = match self.read(&key) {
            Ok(old) => old.clone(),
            Err(status) => return (Err(status), Vec::new()),
        };
        let (was, meta) = (old.meta(), new.meta_mut());
        if meta.resource_version.0 != 0 && meta.resource_version != was.resource_version
            || !meta.uid.is_unset() && meta.uid != was.uid
        {
            return (Err(Status::conflict(&key, "it has been modified")), Vec::new());
        }
        if sub == Subresource::Status {
            new = with_status_of(&old, &new);
        }
        let meta = new.meta_mut();
        (meta.uid, meta.generation) = (was.uid, was.generation);
        meta.creation_timestamp = was.creation_timestamp;
        if sub == Subresource::Main && !is_same_spec(&old, &new) {
            new.meta_mut().generation += 1;
        }
        self.settle(old, new)
    }

    fn patch(&mut self, key: &Key, patch: Patch, preconditions: Preconditions) -> Outcome {
        let old = match self.checked(key, preconditions) {
            Ok(old) => old,
            Err(status) => return (Err(status), Vec::new()),
        };
        let mut new = old.clone();
        match patch {
            Patch::Apply(edits) => edits.into_iter().for_each(|edit| apply(&mut new, edit)),
            Patch::Merge(patch) => new = merge(&old, &patch),
            Patch::Json(_) => unreachable!("no controller here sends JSON patches"),
        }
        self.settle(old, new)
    }

    fn delete(&mut self, now: Time, key: &Key, options: &DeleteOptions) -> Outcome {
        let old = match self.checked(key, options.preconditions) {
            Ok(old) => old,
            Err(status) => return (Err(status), Vec::new()),
        };
        let mut new = old.clone();
        let meta = new.meta_mut();
        if let Some(propagation) = options.propagation {
            meta.finalizers.retain(|it| *it != ORPHAN && *it != FOREGROUND);
            match propagation {
                Propagation::Orphan => meta.finalizers.push(ORPHAN),
                Propagation::Foreground => meta.finalizers.push(FOREGROUND),
                Propagation::Background => (),
            }
        }
        meta.deletion_timestamp.get_or_insert(now.into());
        self.settle(old, new)
    }

    fn checked(&self, key: &Key, preconditions: Preconditions) -> Result<Object, Status> {
        let object = self.read(key)?;
        let meta = object.meta();
        if preconditions.uid.is_some_and(|it| it != meta.uid)
            || preconditions.resource_version.is_some_and(|it| it != meta.resource_version)
        {
            return Err(Status::conflict(key, "a precondition failed"));
        }
        Ok(object.clone())
    }

    /// Stores what became of an object, or lets it go.
    fn settle(&mut self, old: Object, new: Object) -> Outcome {
        let key = new.key();
        let is_held = new.get::<Namespace>().is_some_and(|it| !it.spec.finalizers.is_empty());
        if new.meta().is_deleting() && new.meta().finalizers.is_empty() && !is_held {
            self.objects.remove(&key);
            self.revision += 1;
            return (Ok(Answer::Object(new.clone())), vec![Change::Gone(new)]);
        }
        if new == old {
            return (Ok(Answer::Object(new)), Vec::new());
        }
        let change = self.put(Some(old), new);
        (Ok(Answer::Object(self.objects[&key].clone())), vec![change])
    }

    fn put(&mut self, old: Option<Object>, mut new: Object) -> Change {
        self.revision += 1;
        new.meta_mut().resource_version = Revision(self.revision);
        self.objects.insert(new.key(), new.clone());
        Change::Set { old, new }
    }
}

fn with_status_of(old: &Object, new: &Object) -> Object {
    let mut json = old.to_json();
    json["status"] = new.to_json()["status"].take();
    Object::from_json(&old.kind(), json).expect("both are of this kind")
}

fn is_same_spec(old: &Object, new: &Object) -> bool {
    let spec = |object: &Object| {
        let mut json = object.to_json();
        let fields = json.as_object_mut().expect("an object is a map");
        fields.remove("metadata");
        fields.remove("status");
        json
    };
    spec(old) == spec(new)
}

fn apply(object: &mut Object, edit: Edit) {
    let meta = object.meta_mut();
    if let Edit::PodCondition { condition, phase, .. } = edit {
        let status = &mut object.get_mut::<api::Pod>().expect("pods have such conditions").status;
        status.conditions.push(condition);
        status.phase = phase.unwrap_or(status.phase.clone());
        return;
    }
    if let Edit::RemoveOwner(uid) = edit {
        meta.owner_references.retain(|it| it.uid != uid);
    } else if let Edit::RemoveFinalizer(finalizer) = edit {
        meta.finalizers.retain(|it| *it != finalizer);
        if let Some(namespace) = object.get_mut::<Namespace>() {
            namespace.spec.finalizers.retain(|it| *it != finalizer);
        }
    } else if let Edit::VolumeAttached { volume, is_attached } = edit {
        let attached =
            &mut object.get_mut::<api::Node>().expect("nodes have volumes").status.volumes_attached;
        attached.retain(|it| it.name != volume);
        attached.extend(is_attached.then(|| api::AttachedVolume { name: volume, ..Default::default() }));
    } else {
        unreachable!("no controller here edits {edit:?}")
    }
}

fn merge(object: &Object, patch: &serde_json::Value) -> Object {
    let mut json = object.to_json();
    merge_value(&mut json, patch);
    Object::from_json(&object.kind(), json).expect("the patch fits the object")
}

/// RFC 7386.
fn merge_value(target: &mut serde_json::Value, patch: &serde_json::Value) {
    let Some(fields) = patch.as_object() else {
        *target = patch.clone();
        return;
    };
    for (field, value) in fields {
        merge_value(&mut target[field], value);
    }
}
