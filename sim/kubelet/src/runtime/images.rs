//! The images of a node, and the queue of pulls: one at a time, as a kubelet does by default.
//!
//! Upstream: `pkg/kubelet/images/{image_manager,puller}.go`.

use std::collections::{BTreeMap, BTreeSet};

use api::PullPolicy;
use base::{Draw as _, Luck, Name, Span, Time};
use workload::Conduct;

use crate::text::digit;

#[derive(Clone, Debug)]
pub(crate) struct Images {
    /// By name, as containers state it. Those being pulled are there already, and count from when they have come.
    cached: BTreeMap<Name, Image>,
    /// When the pulls that were asked for are done.
    idle_from: Time,
    /// How large images are: the same on every node.
    sizes: Luck,
    /// How long this node takes.
    pulls: Luck,
    node: u64,
    pulled: u64,
}

#[derive(Clone, Debug)]
pub(crate) struct Image {
    from: Time,
    pub(crate) bytes: i64,
    /// As the runtime reports it: `docker.io/library/web:v1`.
    pub(crate) reference: Name,
    /// `docker.io/library/web@sha256:…`.
    pub(crate) id: Name,
}

/// How a container gets its image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Supply {
    Present,
    /// It is not there, and may not be pulled.
    Missing,
    /// From `start`, when it is its turn, to `done`.
    Pull {
        start: Time,
        done: Time,
        bytes: i64,
    },
}

impl Images {
    pub(crate) fn new(node: &str, luck: Luck) -> Self {
        Self {
            cached: BTreeMap::new(),
            idle_from: Time::ZERO,
            sizes: luck.narrow("image.size"),
            pulls: luck.narrow("image.pull"),
            node: Luck::of_text(node),
            pulled: 0,
        }
    }

    /// Asks for an image; a pull that it takes joins the queue.
    pub(crate) fn request(
        &mut self,
        now: Time,
        name: &Name,
        policy: &PullPolicy,
        conduct: &Conduct<'_>,
    ) -> Supply {
        let is_here = |at: Time| self.cached.get(name).is_some_and(|it| it.from <= at);
        match policy {
            PullPolicy::IfNotPresent if is_here(now) => return Supply::Present,
            PullPolicy::Never => return if is_here(now) { Supply::Present } else { Supply::Missing },
            PullPolicy::IfNotPresent | PullPolicy::Always | PullPolicy::Other(_) => (),
        }
        let start = now.max(self.idle_from);
        let rank = self.pulls.unit(self.node, self.pulled);
        self.pulled += 1;
        let (bytes, took) = if is_here(start) {
            (self.cached[name].bytes, conduct.recheck_time(rank))
        } else {
            let bytes = conduct.image_bytes(self.sizes.unit(Luck::of_text(name), 0));
            (bytes, conduct.pull_time(bytes, rank))
        };
        let done = start + took;
        self.idle_from = done;
        self.cached.entry(name.clone()).or_insert_with(|| Image::new(name, bytes, done));
        Supply::Pull { start, done, bytes }
    }

    /// What is there takes up so much.
    pub(crate) fn bytes(&self, at: Time) -> i64 {
        self.cached.values().filter(|it| it.from <= at).map(|it| it.bytes).sum()
    }

    /// Deletes all that are there but these.
    pub(crate) fn delete_unused(&mut self, used: &BTreeSet<Name>, now: Time) {
        self.cached.retain(|name, it| now < it.from || used.contains(name));
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Image> {
        self.cached.get(name)
    }

    /// Puts an image on the node that has been there from before.
    pub(crate) fn preload(&mut self, name: &Name, bytes: i64) {
        self.cached.entry(name.clone()).or_insert_with(|| Image::new(name, bytes, Time::ZERO));
    }

    /// Whoever asked for the pulls under way is gone, and they stop.
    pub(crate) fn abandon_pulls(&mut self, now: Time) {
        self.cached.retain(|_, it| it.from <= now);
        self.idle_from = now;
    }
}

impl Image {
    fn new(name: &str, bytes: i64, from: Time) -> Self {
        let reference = normalize(name);
        let repository = reference.split('@').next().unwrap_or(&reference);
        let tag = repository.rfind(':').filter(|at| !repository[*at..].contains('/'));
        let repository = &repository[..tag.unwrap_or(repository.len())];
        let id = match reference.split_once('@') {
            Some(_) => reference.clone(),
            None => format!("{repository}@sha256:{}", hex64(Luck::of_text(&reference))),
        };
        Self { from, bytes, id: Name::from(id), reference: Name::from(reference) }
    }
}

/// The full name that a short one stands for. Upstream: `github.com/distribution/reference`.
fn normalize(name: &str) -> String {
    let first = name.split('/').next().unwrap_or(name);
    let has_registry = name.contains('/') && (first.contains(['.', ':']) || first == "localhost");
    let full = match (has_registry, name.contains('/')) {
        (true, _) => name.to_owned(),
        (false, true) => format!("docker.io/{name}"),
        (false, false) => format!("docker.io/library/{name}"),
    };
    let has_tag = full.rsplit('/').next().is_some_and(|it| it.contains([':', '@']));
    if has_tag { full } else { full + ":latest" }
}

/// 64 hexadecimal digits that stand for what `seed` is of, as a hash would.
pub(crate) fn hex64(seed: u64) -> String {
    let mut draws = Luck::new(0, "hex").draws(seed, 0);
    let mut hex = String::with_capacity(64);
    for bits in (0..4).map(|_| draws.bits()) {
        hex.extend((0..16).map(|n| digit(bits >> (4 * n))));
    }
    hex
}

/// How long a pull took, as the kubelet says it.
pub(crate) fn truncated(span: Span) -> Span {
    Span::millis(span.as_millis())
}

#[cfg(test)]
mod tests {
    use api::{Container, Pod};
    use workload::{Behaviours, Subject};

    use super::*;

    #[test]
    fn short_names_are_completed() {
        for (name, full) in [
            ("web", "docker.io/library/web:latest"),
            ("shop/web:v1", "docker.io/shop/web:v1"),
            ("registry.k8s.io/pause:3.10", "registry.k8s.io/pause:3.10"),
            ("localhost:5000/web", "localhost:5000/web:latest"),
        ] {
            assert_eq!(normalize(name), full);
        }
        assert!(Image::new("shop/web:v1", 1, Time::ZERO).id.starts_with("docker.io/shop/web@sha256:"));
    }

    #[test]
    fn pulls_queue_and_the_second_of_an_image_is_short() {
        let (behaviours, pod, container) = (Behaviours::default(), Pod::default(), Container::default());
        let conduct = behaviours.of(&Subject { pod: &pod, container: &container, is_init: false });
        let mut images = Images::new("node", Luck::new(1, "test"));
        let (now, web) = (Time::from_secs(10), Name::new("web:v1"));
        let policy = PullPolicy::IfNotPresent;
        let Supply::Pull { start, done: first, .. } = images.request(now, &web, &policy, &conduct) else {
            panic!("the image is new here")
        };
        assert_eq!(start, now);
        let Supply::Pull { start, done, .. } = images.request(now, &web, &policy, &conduct) else {
            panic!("the image has not come yet")
        };
        assert_eq!(start, first);
        assert!(done < first + Span::secs(5), "only checked: {}", done - first);
        assert_eq!(images.request(first, &web, &policy, &conduct), Supply::Present);
        assert_eq!(images.request(now, &Name::new("db:v1"), &PullPolicy::Never, &conduct), Supply::Missing);
        images.abandon_pulls(now);
        assert!(images.get("web:v1").is_none());
    }
}
