//! What conditions can ask of the cluster: `deployment("web")`, `pods("app=web")`, `rolledOut("web")` …
//!
//! CEL's functions cannot borrow the cluster; its variables can. So a call `f(a, b)` is compiled to `@f[[a, b]]`, and
//! `@f` is a value that answers when it is indexed.

use api::{Key, Kind, Node, Object, Pod, Selector};
use base::Name;
use cel::ExecutionError;
use cel::common::traits::Indexer;
use cel::common::types::{CelBool, CelList, CelString, DYN_TYPE, Type};
use cel::common::value::{CowVal, Val};
use cel::context::VariableResolver;

use crate::expect::rollout;
use crate::expect::tables::Tables;
use crate::expect::value::ObjectVal;

/// A function over the cluster.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Function {
    pub(crate) name: &'static str,
    pub(crate) answer: Answer,
    /// The least and the greatest number of arguments.
    pub(crate) arguments: (usize, usize),
    /// As shown to people.
    pub(crate) usage: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The object of that kind with a name.
    One(Kind),
    /// The objects of that kind that a selector matches.
    List(Kind),
    /// The Kubernetes events, all or those with a reason.
    Events,
    /// Any object, by kind and name.
    Any,
    /// Whether a rollout is complete.
    RolledOut,
    /// Whether a pod or node is ready.
    Ready,
}

const fn one(name: &'static str, kind: Kind, usage: &'static str) -> Function {
    Function { name, answer: Answer::One(kind), arguments: (1, 1), usage }
}

const fn list(name: &'static str, kind: Kind, usage: &'static str) -> Function {
    Function { name, answer: Answer::List(kind), arguments: (0, 2), usage }
}

pub(crate) static FUNCTIONS: [Function; 23] = [
    one("cronjob", Kind::CronJob, "cronjob(\"name\")"),
    one("daemonset", Kind::DaemonSet, "daemonset(\"name\")"),
    list("daemonsets", Kind::DaemonSet, "daemonsets(\"selector\")"),
    one("deployment", Kind::Deployment, "deployment(\"name\") or deployment(\"namespace/name\")"),
    list("deployments", Kind::Deployment, "deployments(\"selector\")"),
    Function { name: "events", answer: Answer::Events, arguments: (0, 1), usage: "events(\"reason\")" },
    list("endpointslices", Kind::EndpointSlice, "endpointslices(\"kubernetes.io/service-name=web\")"),
    one("hpa", Kind::HorizontalPodAutoscaler, "hpa(\"name\")"),
    one("job", Kind::Job, "job(\"name\")"),
    list("jobs", Kind::Job, "jobs(\"selector\")"),
    one("node", Kind::Node, "node(\"name\")"),
    list("nodes", Kind::Node, "nodes(\"selector\")"),
    Function { name: "object", answer: Answer::Any, arguments: (2, 2), usage: "object(\"kind\", \"name\")" },
    one("pdb", Kind::PodDisruptionBudget, "pdb(\"name\")"),
    one("pod", Kind::Pod, "pod(\"name\") or pod(\"namespace/name\")"),
    list("pods", Kind::Pod, "pods(\"selector\") or pods(\"selector\", \"namespace\")"),
    one("pvc", Kind::PersistentVolumeClaim, "pvc(\"name\")"),
    Function { name: "ready", answer: Answer::Ready, arguments: (1, 1), usage: "ready(pod)" },
    one("replicaset", Kind::ReplicaSet, "replicaset(\"name\")"),
    list("replicasets", Kind::ReplicaSet, "replicasets(\"selector\")"),
    Function { name: "rolledOut", answer: Answer::RolledOut, arguments: (1, 1), usage: "rolledOut(\"web\")" },
    one("service", Kind::Service, "service(\"name\")"),
    one("statefulset", Kind::StatefulSet, "statefulset(\"name\")"),
];

impl Function {
    pub(crate) fn find(name: &str) -> Option<&'static Self> {
        FUNCTIONS.iter().find(|it| it.name == name)
    }
}

/// The name of an object: `web` or `shop/web`. Without a namespace it is in `default`, or in none.
pub(crate) fn read_name(kind: &Kind, text: &str) -> Result<Key, String> {
    let (namespace, name) = match text.split_once('/') {
        Some((namespace, name)) => (namespace, name),
        None => (if kind.is_namespaced() { "default" } else { "" }, text),
    };
    let singular = kind.singular();
    if !kind.is_namespaced() && !namespace.is_empty() {
        return Err(format!("a {singular} is in no namespace; write its name alone, `{name}`"));
    }
    if name.is_empty() || name.contains('/') || (kind.is_namespaced() && namespace.is_empty()) {
        return Err(format!("`{text}` names no {singular}; write `name` or `namespace/name`"));
    }
    Ok(Key::new(kind.clone(), namespace, name))
}

/// The kind that a condition means by `word`.
pub(crate) fn read_kind(word: &str) -> Result<Kind, String> {
    Kind::from_word(word).ok_or_else(|| {
        let names: Vec<Name> = Kind::ALL.iter().map(Kind::name).collect();
        match api::nearest(word, names.iter().map(|it| it.as_str())) {
            Some(meant) => format!("unknown kind `{word}`; did you mean `{meant}`?"),
            None => format!("unknown kind `{word}`"),
        }
    })
}

pub(crate) fn read_selector(text: &str) -> Result<Selector, String> {
    Selector::parse(text).map_err(|error| error.to_string())
}

/// The cluster as conditions see it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scope<'a> {
    pub(crate) tables: &'a Tables,
}

impl VariableResolver for Scope<'_> {
    fn resolve<'b>(&'b self, variable: &str) -> Option<CowVal<'b, 'b>> {
        let function = Function::find(variable.strip_prefix('@')?)?;
        Some(CowVal::owned(Callable { function, tables: self.tables }))
    }
}

/// A function that waits for its arguments.
#[derive(Clone, Copy, Debug)]
struct Callable<'a> {
    function: &'static Function,
    tables: &'a Tables,
}

impl Callable<'_> {
    fn call<'v>(&self, arguments: &[Box<dyn Val + '_>]) -> Result<Box<dyn Val + 'v>, String> {
        let text = |n: usize| match arguments.get(n) {
            Some(it) => text_of(it.as_ref()).map(Some),
            None => Ok(None),
        };
        let required = |n: usize| text(n)?.ok_or_else(|| format!("write {}", self.function.usage));
        match &self.function.answer {
            Answer::One(kind) => self.one(&read_name(kind, required(0)?)?),
            Answer::Any => self.one(&read_name(&read_kind(required(0)?)?, required(1)?)?),
            Answer::List(kind) => {
                let selector = read_selector(text(0)?.unwrap_or_default())?;
                let namespace = text(1)?.filter(|it| !it.is_empty()).map(Name::new);
                Ok(to_list(self.tables.select(kind, namespace.as_ref(), &selector)))
            }
            Answer::Events => {
                let reason = text(0)?.unwrap_or_default();
                let events = self.tables.table(&Kind::Event).iter();
                Ok(to_list(events.filter(|it| reason.is_empty() || has_reason(it.object(), reason))))
            }
            Answer::RolledOut => {
                let progress = rollout::progress(required(0)?, self.tables)?;
                Ok(Box::new(CelBool::from(progress.is_done())))
            }
            Answer::Ready => {
                let it = arguments.first().and_then(|it| it.downcast_ref::<ObjectVal>());
                let is_ready = it.and_then(|it| is_ready(it.object()));
                let is_ready = is_ready.ok_or("it is asked of a pod or a node")?;
                Ok(Box::new(CelBool::from(is_ready)))
            }
        }
    }

    fn one<'v>(&self, key: &Key) -> Result<Box<dyn Val + 'v>, String> {
        match self.tables.find(&key.kind, &key.namespace, &key.name) {
            Some(it) => Ok(Box::new(it.clone())),
            None => Err(absent(key)),
        }
    }
}

/// That an object is not there: `there is no deployment default/web`.
pub(crate) fn absent(key: &Key) -> String {
    let kind = key.kind.singular();
    if key.namespace.is_empty() {
        format!("there is no {kind} {}", key.name)
    } else {
        format!("there is no {kind} {}/{}", key.namespace, key.name)
    }
}

fn text_of<'a>(value: &'a (dyn Val + '_)) -> Result<&'a str, String> {
    match value.downcast_ref::<CelString<'_>>() {
        Some(text) => Ok(text.inner()),
        None => Err(format!("expected text, found {}", value.get_type().name())),
    }
}

fn to_list<'a, 'v>(found: impl Iterator<Item = &'a ObjectVal>) -> Box<dyn Val + 'v> {
    let items: Vec<Box<dyn Val>> = found.map(|it| Box::new(it.clone()) as Box<dyn Val>).collect();
    Box::new(CelList::from(items))
}

fn has_reason(object: &Object, reason: &str) -> bool {
    object.get::<api::Event>().is_some_and(|it| it.reason == reason)
}

/// `None` for what is never ready.
fn is_ready(object: &Object) -> Option<bool> {
    object.get::<Pod>().map(|it| it.is_ready()).or_else(|| object.get::<Node>().map(|it| it.is_ready()))
}

impl Indexer for Callable<'_> {
    fn get<'b, 'v>(&'b self, arguments: &dyn Val) -> Result<CowVal<'b, 'v>, ExecutionError>
    where
        Self: 'v,
    {
        let list =
            arguments.downcast_ref::<CelList<'_>>().expect("calls are compiled with a list of arguments");
        let answer = self.call(list.inner());
        answer.map(CowVal::Owned).map_err(|error| ExecutionError::function_error(self.function.name, error))
    }

    fn steal<'v>(self: Box<Self>, arguments: &dyn Val) -> Result<Box<dyn Val + 'v>, ExecutionError>
    where
        Self: 'v,
    {
        self.get(arguments).map(CowVal::into_owned)
    }
}

impl Val for Callable<'_> {
    fn get_type(&self) -> &Type {
        <Self as Val>::cel_type()
    }

    fn cel_type() -> &'static Type {
        &DYN_TYPE
    }

    fn as_indexer<'b, 'v>(&'b self) -> Option<&'b (dyn Indexer + 'v)>
    where
        Self: 'v,
    {
        Some(self)
    }

    fn clone_as_boxed<'v>(&self) -> Box<dyn Val + 'v>
    where
        Self: 'v,
    {
        Box::new(*self)
    }
}
