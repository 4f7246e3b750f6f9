//! `kubectl drain`: which pods go, and how they are asked until they are gone.
//!
//! Upstream: `staging/src/k8s.io/kubectl/pkg/drain/{drain,filters}.go`.

use std::collections::BTreeMap;

use api::{
    DeleteOptions, GoDuration, Key, Object, Pod, Preconditions, Reason, Request, Resource as _, Selector, Uid,
};
use base::{Name, Span, Time};

use crate::command;

/// Between an eviction that a disruption budget refused and the next try.
const RETRY: Span = Span::secs(5);
/// Between two looks whether an evicted pod is gone.
const POLL: Span = Span::secs(1);

/// The pods of one node on their way.
#[derive(Clone, Debug, Default)]
pub(crate) struct Drain {
    pods: BTreeMap<Key, Leaving>,
}

#[derive(Clone, Debug)]
struct Leaving {
    uid: Uid,
    evicted: bool,
    /// When to ask next; `None` while an answer is awaited.
    next: Option<Time>,
}

pub(crate) fn timeout(text: &str) -> Result<Span, String> {
    let duration: GoDuration = text.parse().map_err(|error| format!("{error}"))?;
    Ok(duration.span_or_zero())
}

/// The pods of the node that must go, or why the drain cannot be. Upstream: `GetPodsForDeletion`.
pub(crate) fn victims(
    node: &Name,
    pods: &[Object],
    words: &command::Drain,
) -> Result<Vec<(Key, Uid)>, Vec<String>> {
    let selector = words.pod_selector.as_deref().and_then(|it| Selector::parse(it).ok());
    let here = pods.iter().filter_map(Object::get::<Pod>).filter(|pod| pod.node == *node);
    let here = here.filter(|pod| selector.as_ref().is_none_or(|it| it.matches(&pod.meta.labels)));
    let (mut victims, mut refusals) = (Vec::new(), BTreeMap::<&str, Vec<String>>::new());
    for pod in here {
        match judge(pod, words) {
            Judgement::Stays => (),
            Judgement::Goes => victims.push((pod.key(), pod.meta.uid)),
            Judgement::Refuses(why) => {
                refusals.entry(why).or_default().push(format!("{}/{}", pod.meta.namespace, pod.meta.name));
            }
        }
    }
    if refusals.is_empty() {
        return Ok(victims);
    }
    Err(refusals.into_iter().map(|(why, pods)| format!("cannot delete {why}: {}", pods.join(", "))).collect())
}

enum Judgement {
    Stays,
    Goes,
    Refuses(&'static str),
}

fn judge(pod: &Pod, words: &command::Drain) -> Judgement {
    let controller = pod.meta.controller();
    if pod.meta.annotations.contains_key("kubernetes.io/config.mirror") {
        return Judgement::Stays;
    }
    if controller.is_some_and(|it| it.kind == "DaemonSet") && !pod.is_finished() {
        return match (words.ignore_daemonsets, words.force) {
            (true, _) => Judgement::Stays,
            (false, _) => Judgement::Refuses("DaemonSet-managed Pods (use --ignore-daemonsets to ignore)"),
        };
    }
    let has_local_data = pod.spec.volumes.iter().any(|it| it.rest.get("emptyDir").is_some());
    if has_local_data && !pod.is_finished() && !words.delete_emptydir_data {
        return Judgement::Refuses("Pods with local storage (use --delete-emptydir-data to override)");
    }
    if controller.is_none() && !pod.is_finished() && !words.force {
        return Judgement::Refuses("Pods that declare no controller (use --force to override)");
    }
    Judgement::Goes
}

impl Drain {
    pub(crate) fn new(victims: Vec<(Key, Uid)>, now: Time) -> Self {
        let leaving = |uid| Leaving { uid, evicted: false, next: Some(now) };
        Self { pods: victims.into_iter().map(|(key, uid)| (key, leaving(uid))).collect() }
    }

    pub(crate) fn is_done(&self) -> bool {
        self.pods.is_empty()
    }

    pub(crate) fn next_due(&self) -> Option<Time> {
        self.pods.values().filter_map(|it| it.next).min()
    }

    /// What to ask now: an eviction, or whether the pod is gone.
    pub(crate) fn due(&mut self, now: Time, words: &command::Drain) -> Vec<Request> {
        let mut requests = Vec::new();
        for (key, pod) in &mut self.pods {
            if pod.next.is_none_or(|next| now < next) {
                continue;
            }
            pod.next = None;
            requests.push(if pod.evicted { Request::Get { key: key.clone() } } else { evict(key, words) });
        }
        requests
    }

    /// Takes in an answer about a pod; what is said of it, if anything.
    pub(crate) fn answer(&mut self, now: Time, key: &Key, response: &api::Response) -> Option<String> {
        let pod = self.pods.get_mut(key)?;
        let object = response.as_ref().ok().and_then(|it| it.object());
        match response {
            Ok(_) if !pod.evicted => {
                (pod.evicted, pod.next) = (true, Some(now + POLL));
                None
            }
            Ok(_) if object.is_some_and(|it| it.meta().uid == pod.uid) => {
                pod.next = Some(now + POLL);
                None
            }
            Ok(_) => self.gone(key),
            Err(status) if status.reason == Reason::NotFound => self.gone(key),
            Err(status) if status.reason == Reason::TooManyRequests => {
                pod.next = Some(now + RETRY);
                let (name, namespace) = (&key.name, &key.namespace);
                Some(format!(
                    "error when evicting pods/\"{name}\" -n \"{namespace}\" (will retry after 5s): {status}"
                ))
            }
            Err(status) => {
                let text =
                    format!("error when evicting pods/\"{}\" -n \"{}\": {status}", key.name, key.namespace);
                self.pods.remove(key);
                Some(text)
            }
        }
    }

    fn gone(&mut self, key: &Key) -> Option<String> {
        self.pods.remove(key);
        Some(format!("pod/{} evicted", key.name))
    }
}

fn evict(key: &Key, words: &command::Drain) -> Request {
    let options = DeleteOptions {
        grace_period_seconds: Some(words.grace_period).filter(|it| *it >= 0),
        propagation: None,
        preconditions: Preconditions::default(),
    };
    if words.disable_eviction {
        Request::Delete { key: key.clone(), options }
    } else {
        Request::Evict { pod: key.clone(), options }
    }
}
