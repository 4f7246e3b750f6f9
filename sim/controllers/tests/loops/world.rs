//! A cluster without delays: whatever a plan asks for has happened before the next plan is made.

use std::collections::VecDeque;
use std::sync::Arc;

use api::{
    Condition, ConditionStatus, Deployment, Edit, Key, Object, Patch, Pod, PodPhase, ReplicaSet, Request,
    Resource, Revision, Status, Subresource, Uid, condition,
};
use base::{Name, Span, Time};
use client::{Append, Context, Controller, Note, OnFailure, Plan, Step, View, Write};
use controllers::{DeploymentController, ReplicaSetController};

use crate::fixtures::{NAMESPACE, NOW};

#[derive(Debug)]
pub(crate) struct World {
    pub(crate) view: View,
    pub(crate) now: Time,
    /// Why no pod, or no replica set, can be created.
    pub(crate) refusal: Option<(&'static str, &'static str)>,
    pub(crate) events: Vec<String>,
    /// Counts writes; gives uids and names.
    revision: u64,
}

impl World {
    pub(crate) fn new(deployment: Deployment) -> Self {
        let mut world =
            Self { view: View::default(), now: NOW, refusal: None, events: Vec::new(), revision: 0 };
        world.store(Object::new(deployment));
        world
    }

    pub(crate) fn deployment(&self) -> &Arc<Deployment> {
        self.view.find(&NAMESPACE, &"web".into()).expect("it is never deleted")
    }

    pub(crate) fn edit_deployment(&mut self, edit: impl FnOnce(&mut Deployment)) {
        let mut deployment = Deployment::clone(self.deployment());
        edit(&mut deployment);
        deployment.meta.generation += 1;
        self.store(Object::new(deployment));
    }

    /// Oldest first.
    pub(crate) fn sets(&self) -> Vec<Arc<ReplicaSet>> {
        self.view.list::<ReplicaSet>().cloned().collect()
    }

    pub(crate) fn active_pods(&self) -> Vec<Arc<Pod>> {
        self.view.list::<Pod>().filter(|pod| pod.is_active()).cloned().collect()
    }

    pub(crate) fn edit_pod(&mut self, pod: &Pod, edit: impl FnOnce(&mut Pod)) {
        let mut pod = pod.clone();
        edit(&mut pod);
        self.store(Object::new(pod));
    }

    pub(crate) fn set_ready(&mut self, pod: &Pod, is_ready: bool) {
        let since = Some(self.now.into());
        let status = if is_ready { ConditionStatus::True } else { ConditionStatus::False };
        let kind = condition::READY;
        let ready = Condition { kind, status, last_transition_time: since, ..Condition::default() };
        self.edit_pod(pod, |pod| {
            pod.node = "node".into();
            pod.status.phase = PodPhase::Running;
            pod.status.conditions = vec![ready];
        });
    }

    pub(crate) fn remove(&mut self, key: &Key) {
        self.view.remove(key);
    }

    /// The Deployment controller has a look.
    pub(crate) fn sync_deployment(&mut self) -> Result<(), Status> {
        let key = self.deployment().key();
        self.sync(&DeploymentController::default(), &key)
    }

    /// The ReplicaSet controller has a look at every set, until it has nothing more to do.
    pub(crate) fn sync_sets(&mut self) -> Result<(), Status> {
        for _ in 0..20 {
            let revision = self.revision;
            for set in self.sets() {
                self.sync(&ReplicaSetController::default(), &set.key())?;
            }
            if self.revision == revision {
                return Ok(());
            }
        }
        panic!("replica sets do not come to rest");
    }

    fn sync(&mut self, controller: &dyn Controller, key: &Key) -> Result<(), Status> {
        let context = Context { now: self.now, view: &self.view, settled: true };
        let plan = controller.reconcile(&context, key);
        self.now += Span::secs(1);
        self.carry_out(controller, plan)
    }

    /// As a control loop does, but at once. Returns the first failure.
    fn carry_out(&mut self, controller: &dyn Controller, plan: Plan) -> Result<(), Status> {
        let mut steps: VecDeque<Step> = plan.steps.into();
        let mut failure: Option<(Status, OnFailure)> = None;
        while let Some(mut step) = steps.pop_front() {
            for write in due(&mut step, failure.as_ref().map(|it| it.1)) {
                let answer = self.send(write.request.clone());
                self.record(&write, &answer);
                let Err(status) = answer else { continue };
                if failure.is_none() {
                    controller.revise(&status, &write.request, steps.make_contiguous());
                    failure = Some((status, step.on_failure));
                }
            }
        }
        failure.map_or(Ok(()), |(status, _)| Err(status))
    }

    fn record(&mut self, write: &Write, answer: &Result<Name, Status>) {
        let note = if answer.is_ok() { &write.note } else { &write.note_failure };
        let Some(Note { reason, message, append, .. }) = note else { return };
        let appended = match (append, answer) {
            (Append::ObjectName, Ok(name)) => name.to_string(),
            (Append::Error, Err(status)) => status.to_string(),
            (Append::Nothing | Append::ObjectName | Append::Error, _) => String::new(),
        };
        self.events.push(format!("{reason}: {message}{appended}"));
    }

    /// Returns the name of the object.
    fn send(&mut self, request: Request) -> Result<Name, Status> {
        let key = request.key();
        match request {
            Request::Create { object } => return self.create(object),
            Request::Update { object, sub } => self.update(&key, &object, sub)?,
            Request::Patch { patch: Patch::Apply(edits), .. } => self.patch(&key, &edits)?,
            Request::Delete { .. } => self.delete(&key)?,
            other => panic!("no controller here asks for {other:?}"),
        }
        Ok(key.name)
    }

    fn create(&mut self, mut object: Object) -> Result<Name, Status> {
        let key = object.key();
        match self.refusal {
            Some((kind, why)) if key.kind.name() == kind => return Err(Status::forbidden(&key, why)),
            _ if self.view.get(&key).is_some() => return Err(Status::already_exists(&key)),
            _ => (),
        }
        let number = self.revision;
        let meta = object.meta_mut();
        if meta.name.is_empty() {
            meta.name = Name::from(format_args!("{}{number}", meta.generate_name));
        }
        meta.uid = Uid(1_000_000 + u128::from(number));
        meta.generation = 1;
        meta.creation_timestamp = Some(self.now.into());
        let name = meta.name.clone();
        if let Some(pod) = object.get_mut::<Pod>() {
            pod.status.phase = PodPhase::Pending;
        }
        self.store(object);
        Ok(name)
    }

    fn update(&mut self, key: &Key, object: &Object, sub: Subresource) -> Result<(), Status> {
        let stored = self.view.get(key).ok_or_else(|| Status::not_found(key))?;
        let expected = object.meta().resource_version;
        if expected != Revision::default() && expected != stored.meta().resource_version {
            return Err(Status::conflict(key, "the object has been modified"));
        }
        let next = merged(stored, object, sub);
        if next != *stored {
            self.store(next);
        }
        Ok(())
    }

    fn patch(&mut self, key: &Key, edits: &[Edit]) -> Result<(), Status> {
        let mut object = self.view.get(key).ok_or_else(|| Status::not_found(key))?.clone();
        let owners = &mut object.meta_mut().owner_references;
        for edit in edits {
            match edit {
                Edit::AddOwner(owner) => owners.push(owner.clone()),
                Edit::RemoveOwner(uid) => owners.retain(|owner| owner.uid != *uid),
                other => panic!("no controller here asks for {other:?}"),
            }
        }
        self.store(object);
        Ok(())
    }

    /// Pods take their time to stop; other things go at once.
    fn delete(&mut self, key: &Key) -> Result<(), Status> {
        let Some(pod) = self.view.at::<Pod>(key).cloned() else {
            return self.view.remove(key).map(|_| self.revision += 1).ok_or_else(|| Status::not_found(key));
        };
        let now = self.now;
        self.edit_pod(&pod, |pod| pod.meta.deletion_timestamp = Some(now.into()));
        Ok(())
    }

    fn store(&mut self, mut object: Object) {
        self.revision += 1;
        object.meta_mut().resource_version = Revision(self.revision);
        self.view.set(object);
    }
}

/// The writes of a step after what has happened before it.
fn due(step: &mut Step, failure: Option<OnFailure>) -> Vec<Write> {
    let writes = std::mem::take(&mut step.writes);
    let Some(failure) = failure else { return writes };
    match (step.otherwise.take(), failure) {
        (Some(otherwise), _) => otherwise,
        (None, OnFailure::Stop) => Vec::new(),
        (None, OnFailure::SkipCreates) => {
            writes.into_iter().filter(|write| !matches!(write.request, Request::Create { .. })).collect()
        }
    }
}

/// The stored object with the part that the request may change. Annotations of a deployment change with its status,
/// as upstream's strategy has it.
fn merged(stored: &Object, new: &Object, sub: Subresource) -> Object {
    let mut next = stored.clone();
    if let (Some(next), Some(new)) = (next.get_mut::<ReplicaSet>(), new.get::<ReplicaSet>()) {
        match sub {
            Subresource::Status => next.status = new.status.clone(),
            Subresource::Resize => panic!("only pods have a size"),
            Subresource::Main => {
                next.meta.generation += i64::from(next.spec != new.spec);
                next.spec = new.spec.clone();
                next.meta.annotations = new.meta.annotations.clone();
            }
        }
    }
    if let (Some(next), Some(new)) = (next.get_mut::<Deployment>(), new.get::<Deployment>()) {
        assert_eq!(sub, Subresource::Status, "the controller leaves the spec alone");
        next.status = new.status.clone();
        next.meta.annotations = new.meta.annotations.clone();
    }
    next
}
