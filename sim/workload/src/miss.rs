//! What in a `match` matches nothing that there is, and what was probably meant.

use std::collections::BTreeSet;

use api::Labels;
use base::Name;

use crate::glob::{self, Glob};
use crate::matching::{Match, NodeMatch, OwnerGlob, POOL_LABEL, Subject, matches_image, top_owner};

/// One demand of a `match` that nothing meets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Miss {
    /// Where it stands, from `match` on.
    pub path: Vec<Name>,
    /// What is demanded: `image`, `owner`, …
    pub what: &'static str,
    /// As it is written.
    pub pattern: Name,
    /// What there is instead.
    pub known: BTreeSet<Name>,
}

impl Miss {
    /// What was probably meant.
    pub fn nearest(&self) -> Option<&str> {
        glob::nearest(&self.pattern, self.known.iter().map(Name::as_str))
    }

    fn new(path: &[&str], what: &'static str, pattern: Name, known: BTreeSet<Name>) -> Self {
        Self { path: path.iter().copied().map(Name::new).collect(), what, pattern, known }
    }
}

impl Match {
    /// The demands that, each by itself, no container meets, in the order of the fields.
    pub fn misses(&self, subjects: &[Subject<'_>]) -> Vec<Miss> {
        let single = [
            miss("image", self.image.as_ref(), subjects, |it| &it.container.image, matches_image),
            miss("namespace", self.namespace.as_ref(), subjects, |it| &it.pod.meta.namespace, Glob::matches),
            miss("container", self.container.as_ref(), subjects, |it| &it.container.name, Glob::matches),
        ];
        let owner = self.owner.as_ref().and_then(|it| owner_miss(it, subjects));
        let labels = self.labels.iter().filter_map(|(key, glob)| {
            let pods = || subjects.iter().map(|it| &it.pod.meta.labels);
            label_miss(&["labels", key], "label", (key, glob), pods)
        });
        single.into_iter().flatten().chain(owner).chain(labels).collect()
    }

    /// The fields, as they are named in `match`, that keep a container from being matched, wherever it is.
    pub fn differences(&self, subject: &Subject<'_>) -> Vec<Name> {
        self.misses(&[*subject]).into_iter().map(|it| it.path[0].clone()).collect()
    }
}

impl NodeMatch {
    /// The demands that, each by itself, no node meets.
    pub fn misses(&self, nodes: &[(&Name, &Labels)]) -> Vec<Miss> {
        let names = || nodes.iter().map(|(name, _)| Name::clone(name)).collect();
        let pools = || nodes.iter().filter_map(|(_, labels)| labels.get(POOL_LABEL).cloned());
        let name = self.name.as_ref().filter(|glob| !nodes.iter().any(|(name, _)| glob.matches(name)));
        let pool = self.pool.as_ref().filter(|glob| !pools().any(|it| glob.matches(&it)));
        let labels = self.labels.iter().filter_map(|(key, glob)| {
            label_miss(&["node", "labels", key], "node label", (key, glob), || {
                nodes.iter().map(|(_, labels)| *labels)
            })
        });
        let name = name.map(|it| Miss::new(&["node"], "node", Name::new(it.as_str()), names()));
        let pool = pool
            .map(|it| Miss::new(&["node", "pool"], "node pool", Name::new(it.as_str()), pools().collect()));
        name.into_iter().chain(pool).chain(labels).collect()
    }
}

fn miss(
    what: &'static str,
    glob: Option<&Glob>,
    subjects: &[Subject<'_>],
    value: impl for<'a> Fn(&Subject<'a>) -> &'a Name,
    matches: impl Fn(&Glob, &str) -> bool,
) -> Option<Miss> {
    let known: BTreeSet<&Name> = subjects.iter().map(value).collect();
    let glob = glob.filter(|glob| !known.iter().any(|it| matches(glob, it)))?;
    Some(Miss::new(&[what], what, Name::new(glob.as_str()), known.into_iter().cloned().collect()))
}

/// Owners are told as the pattern has them: with their kind, or without.
fn owner_miss(owner: &OwnerGlob, subjects: &[Subject<'_>]) -> Option<Miss> {
    if subjects.iter().any(|it| owner.matches(it.pod)) {
        return None;
    }
    let owned = subjects.iter().filter(|it| it.pod.meta.controller().is_some());
    let told = |full: Name| match full.split_once('/') {
        Some((_, name)) if owner.kind.is_none() => Name::new(name),
        _ => full,
    };
    let known = owned.map(|it| told(top_owner(it.pod))).collect();
    Some(Miss::new(&["owner"], "owner", Name::from(owner.to_string()), known))
}

fn label_miss<'a, I: Iterator<Item = &'a Labels>>(
    path: &[&str],
    what: &'static str,
    (key, glob): (&Name, &Glob),
    all: impl Fn() -> I,
) -> Option<Miss> {
    if all().any(|it| it.get(key).is_some_and(|value| glob.matches(value))) {
        return None;
    }
    let told = |(key, value): (&Name, &Name)| Name::from(format_args!("{key}: {value}"));
    let known = all().flat_map(|it| it.iter().map(told).collect::<Vec<_>>()).collect();
    Some(Miss::new(path, what, Name::from(format_args!("{key}: {glob}")), known))
}
