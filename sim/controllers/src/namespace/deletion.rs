//! One pass over a namespace that is to go.
//!
//! Upstream: `pkg/controller/namespace/deletion/namespaced_resources_deleter.go`.

use std::sync::Arc;

use api::{
    Answer, DeleteOptions, Edit, Key, Kind, Namespace, Object, Patch, Pod, Preconditions, Propagation,
    Reason, Request, Response, Status, Subresource,
};
use base::{Name, Span, Time};

use super::conditions;
use super::content::Content;

/// A pass that waits for an answer.
#[derive(Clone, Debug)]
pub(super) struct Deletion {
    namespace: Name,
    /// As it was read last.
    object: Option<Arc<Namespace>>,
    /// The kinds that are still to be looked at; the first is under way.
    kinds: std::collections::VecDeque<Kind>,
    content: Content,
    stage: Stage,
}

/// What was asked last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Read,
    MarkTerminating,
    /// The pods, for how long they may take.
    Estimate,
    Delete,
    Count,
    Report,
    Finalize,
}

/// What a pass wants next.
#[derive(Clone, Debug)]
pub(super) enum Next {
    Ask(Box<(Request, Deletion)>),
    /// The namespace has gone, or will now.
    Done,
    /// Something failed: again after a back-off.
    Again,
    /// Something is still there that should go in time.
    Later(Span),
}

/// Upstream: `v1.FinalizerKubernetes`.
const KUBERNETES: Name = Name::from_static("kubernetes");
const TERMINATING: Name = Name::from_static("Terminating");

impl Deletion {
    pub(super) fn begin(namespace: Name, kinds: Vec<Kind>) -> Next {
        // Pods go before all else. Upstream: `OrderedNamespaceDeletion`.
        let rest = kinds.into_iter().filter(|kind| *kind != Kind::Pod);
        let kinds = std::iter::once(Kind::Pod).chain(rest).collect();
        let new = Self { namespace, object: None, kinds, content: Content::default(), stage: Stage::Read };
        new.read()
    }

    pub(super) const fn namespace(&self) -> &Name {
        &self.namespace
    }

    pub(super) fn proceed(self, now: Time, response: &Response) -> Next {
        match self.stage {
            Stage::Read => self.on_read(response),
            Stage::MarkTerminating => self.on_marked(response),
            Stage::Estimate => self.on_estimated(now, response),
            Stage::Delete => self.on_deleted(now, response),
            Stage::Count => self.on_counted(now, response),
            Stage::Report => self.conclude(), // What could not be reported is reported next time.
            Stage::Finalize => match response {
                Ok(_) => Next::Done,
                Err(status) if status.reason == Reason::NotFound => Next::Done,
                Err(_) => Next::Again,
            },
        }
    }

    fn ask(mut self, stage: Stage, request: Request) -> Next {
        self.stage = stage;
        Next::Ask(Box::new((request, self)))
    }

    fn read(self) -> Next {
        let key = Key::cluster(Kind::Namespace, self.namespace.clone());
        self.ask(Stage::Read, Request::Get { key })
    }

    fn on_read(mut self, response: &Response) -> Next {
        let namespace = match response {
            Err(status) if status.reason == Reason::NotFound => return Next::Done,
            Err(_) => return Next::Again,
            Ok(answer) => answer.object().and_then(|it| it.get::<Namespace>()),
        };
        let namespace = namespace.expect("a get is answered with the object");
        self.object = Some(Arc::clone(namespace));
        if !namespace.meta.is_deleting() {
            return Next::Done;
        }
        if namespace.status.phase == TERMINATING {
            return self.empty();
        }
        let mut marked = namespace.as_ref().clone();
        marked.status.phase = TERMINATING;
        let request = Request::Update { object: Object::new(marked), sub: Subresource::Status };
        self.ask(Stage::MarkTerminating, request)
    }

    /// Upstream: `retryOnConflictError`.
    fn on_marked(mut self, response: &Response) -> Next {
        match response {
            Err(status) if status.reason == Reason::Conflict => self.read(),
            Err(status) if status.reason == Reason::NotFound => Next::Done,
            Err(_) => Next::Again,
            Ok(answer) => {
                self.object = answer.object().and_then(|it| it.get::<Namespace>()).cloned().or(self.object);
                self.empty()
            }
        }
    }

    /// Upstream: `deleteAllContent`.
    fn empty(self) -> Next {
        if self.object().spec.finalizers.is_empty() {
            return Next::Done;
        }
        let list = self.list(Kind::Pod);
        self.ask(Stage::Estimate, list)
    }

    /// Upstream: `estimateGracefulTermination`.
    fn on_estimated(mut self, now: Time, response: &Response) -> Next {
        match items(response) {
            Err(status) => {
                self.content.fail(status.message.as_str());
                self.next_kind(now)
            }
            Ok(pods) => {
                let pods = pods.iter().filter_map(|it| it.get::<Pod>()).filter(|pod| !pod.is_finished());
                let grace = pods.filter_map(|pod| pod.spec.termination_grace_period_seconds).max();
                let elapsed = self.object().meta.deletion_timestamp.map_or(Span::ZERO, |it| it.elapsed(now));
                let grace = Span::from_api_secs(grace.unwrap_or(0));
                self.content.grace = if elapsed < grace { grace } else { Span::ZERO };
                self.delete_kind()
            }
        }
    }

    fn delete_kind(self) -> Next {
        let options =
            DeleteOptions { propagation: Some(Propagation::Background), ..DeleteOptions::default() };
        let kind = self.kind().clone();
        let namespace = Some(self.namespace.clone());
        let request = Request::DeleteCollection { kind, namespace, selector: None, options };
        self.ask(Stage::Delete, request)
    }

    fn on_deleted(mut self, now: Time, response: &Response) -> Next {
        if let Err(status) = response {
            self.content.fail(status.message.as_str());
            return self.next_kind(now);
        }
        let list = self.list(self.kind().clone());
        self.ask(Stage::Count, list)
    }

    fn on_counted(mut self, now: Time, response: &Response) -> Next {
        match items(response) {
            Err(status) => self.content.fail(status.message.as_str()),
            Ok(items) => {
                let kind = self.kind().clone();
                self.content.count(&self.namespace, &kind, items);
            }
        }
        self.next_kind(now)
    }

    /// While there are pods, nothing else is deleted.
    fn next_kind(mut self, now: Time) -> Next {
        let done = self.kinds.pop_front();
        self.content.grace = Span::ZERO;
        if self.kinds.is_empty() || (done == Some(Kind::Pod) && self.content.has(&Kind::Pod)) {
            return self.report(now);
        }
        self.delete_kind()
    }

    fn report(self, now: Time) -> Next {
        let are_pods_left = self.content.has(&Kind::Pod);
        let found = if are_pods_left { self.content.failures_only() } else { self.content.clone() };
        let mut namespace = self.object().as_ref().clone();
        if !conditions::update(&mut namespace.status, &found, now) {
            return self.conclude();
        }
        let request = Request::Update { object: Object::new(namespace), sub: Subresource::Status };
        self.ask(Stage::Report, request)
    }

    fn conclude(self) -> Next {
        if self.content.has_failed() {
            return Next::Again;
        }
        if let Some(estimate) = self.content.estimate() {
            return Next::Later(Span::secs(estimate.as_secs() / 2 + 1));
        }
        let request = Request::Patch {
            key: Key::cluster(Kind::Namespace, self.namespace.clone()),
            sub: Subresource::Main,
            patch: Patch::Apply(vec![Edit::RemoveFinalizer(KUBERNETES)]),
            preconditions: Preconditions::default(),
        };
        self.ask(Stage::Finalize, request)
    }

    fn list(&self, kind: Kind) -> Request {
        Request::List { kind, namespace: Some(self.namespace.clone()), selector: None }
    }

    fn kind(&self) -> &Kind {
        self.kinds.front().expect("a kind is under way")
    }

    fn object(&self) -> &Arc<Namespace> {
        self.object.as_ref().expect("the namespace was read first")
    }
}

fn items(response: &Response) -> Result<&[Object], &Status> {
    match response {
        Ok(Answer::List(items, _)) => Ok(items),
        Ok(Answer::Object(_) | Answer::Done) => unreachable!("a list is answered with a list"),
        Err(status) => Err(status),
    }
}
