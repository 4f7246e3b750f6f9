//! A server to try things on, with a clock that the test moves.

use api::{
    Answer, Deployment, Edit, Key, Kind, Object, Patch, Pod, PodSpec, PodTemplate, Preconditions, Request,
    Resource, Response, Revision, Status, Subresource,
};
use apiserver::{ApiServer, Commit, Plugin, Settings};
use base::{Luck, Name, Span, Time};
use serde_json::{Value, json};

pub(crate) const START: Time = Time::from_secs(1_767_225_600); // 2026-01-01T00:00:00Z

#[derive(Clone)]
pub(crate) struct Lab {
    pub(crate) server: ApiServer,
    pub(crate) now: Time,
    /// Everything since the start of the test.
    pub(crate) commits: Vec<Commit>,
}

impl Lab {
    pub(crate) fn new() -> Self {
        Self::with(Settings::default())
    }

    pub(crate) fn without(plugins: impl IntoIterator<Item = Plugin>) -> Self {
        Self::with(Settings { disabled: plugins.into_iter().collect(), ..Settings::default() })
    }

    pub(crate) fn with(settings: Settings) -> Self {
        let server = ApiServer::new(START, settings, Luck::new(42, "test"));
        Self { server, now: START, commits: Vec::new() }
    }

    pub(crate) fn sleep(&mut self, span: Span) {
        self.now += span;
    }

    pub(crate) fn ask(&mut self, request: Request) -> Response {
        self.server.handle(self.now, &"tester".into(), request, &mut self.commits)
    }

    /// The object that the answer shows.
    pub(crate) fn get(&mut self, request: Request) -> Object {
        match self.ask(request) {
            Ok(Answer::Object(object)) => object,
            other => panic!("no object but {other:?}"),
        }
    }

    pub(crate) fn refusal(&mut self, request: Request) -> Status {
        let before = self.server.revision();
        let refusal = self.ask(request).expect_err("a refusal was expected");
        assert_eq!(self.server.revision(), before, "a refused request changes nothing");
        refusal
    }

    pub(crate) fn message(&mut self, request: Request) -> String {
        self.refusal(request).message.to_string()
    }

    pub(crate) fn create(&mut self, object: Object) -> Object {
        self.get(Request::Create { object })
    }

    pub(crate) fn update(&mut self, object: Object) -> Object {
        self.get(Request::Update { object, sub: Subresource::Main })
    }

    pub(crate) fn update_status(&mut self, object: Object) -> Object {
        self.get(Request::Update { object, sub: Subresource::Status })
    }

    pub(crate) fn patch(&mut self, key: Key, patch: Patch) -> Object {
        self.get(patch_of(key, patch))
    }

    pub(crate) fn edit(&mut self, key: Key, sub: Subresource, edit: Edit) -> Object {
        let patch = Patch::Apply(vec![edit]);
        self.get(Request::Patch { key, sub, patch, preconditions: Preconditions::default() })
    }

    pub(crate) fn read(&self, key: &Key) -> Option<&Object> {
        self.server.read(key)
    }

    pub(crate) fn find<T: Resource>(&self, namespace: &str, name: &str) -> &T {
        let key = Key::new(T::KIND, namespace, name);
        T::of(self.read(&key).expect("it is there")).expect("it is of its kind")
    }

    /// How many commits there were since the last time this was asked.
    pub(crate) fn fresh_commits(&mut self) -> Vec<Commit> {
        std::mem::take(&mut self.commits)
    }
}

pub(crate) fn patch_of(key: Key, patch: Patch) -> Request {
    Request::Patch { key, sub: Subresource::Main, patch, preconditions: Preconditions::default() }
}

pub(crate) fn object(kind: Kind, value: Value) -> Object {
    Object::from_json(&kind, value).expect("tests write objects that can be read")
}

pub(crate) fn pod(name: &str) -> Object {
    object(
        Kind::Pod,
        json!({
            "metadata": {"name": name, "namespace": "default", "labels": {"app": "web"}},
            "spec": {
                "terminationGracePeriodSeconds": 30,
                "restartPolicy": "Always",
                "containers": [{"name": "main", "image": "web:v1"}],
            },
        }),
    )
}

pub(crate) fn pod_key(name: &str) -> Key {
    Key::new(Kind::Pod, "default", name)
}

pub(crate) fn deployment(name: &str) -> Object {
    object(
        Kind::Deployment,
        json!({
            "metadata": {"name": name, "namespace": "default"},
            "spec": {
                "replicas": 3,
                "selector": {"matchLabels": {"app": name}},
                "template": {
                    "metadata": {"labels": {"app": name}},
                    "spec": {"containers": [{"name": "main", "image": "web:v1"}]},
                },
            },
        }),
    )
}

pub(crate) fn revision_of(object: &Object) -> Revision {
    object.meta().resource_version
}

/// A pod as a replica set makes it.
pub(crate) fn pod_of(template: &PodTemplate, prefix: &str, namespace: &str) -> Object {
    let mut pod = Pod { spec: template.spec.clone(), ..Pod::default() };
    pod.meta.labels = template.meta.labels.clone();
    pod.meta.generate_name = Name::new(prefix);
    pod.meta.namespace = Name::new(namespace);
    Object::new(pod)
}

pub(crate) fn spec_of(object: &Object) -> &std::sync::Arc<PodSpec> {
    &object.get::<Pod>().expect("it is a pod").spec
}

pub(crate) fn template_of(object: &Object) -> &PodTemplate {
    &object.get::<Deployment>().expect("it is a deployment").spec.template
}
