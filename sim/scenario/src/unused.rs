//! Behaviours that are no container's: what they ask for that there is not, what was probably meant, and which of the
//! others come first.

use std::collections::BTreeSet;
use std::sync::Arc;

use api::{Kind, Object, Pod};
use base::Span;
use cluster::Cluster;
use manifest::{Diagnostic, Diagnostics, Path};
use workload::{Match, Miss, Rule, Subject, top_owner};

use crate::document::Document;
use crate::scenario::{Options, Scenario};
use crate::targets::unknown_near;
use crate::templates;

impl Scenario {
    /// The behaviours that no container can have, as far as the files tell.
    pub fn unusable_behaviours(&self) -> Diagnostics {
        let Some(pods) = templates::pods(self) else { return Diagnostics::default() };
        let all = All::new(self, &pods, self.duration);
        self.warn(|n, rule| if is_for_the_run(&rule.matching) { Vec::new() } else { all.examine(n) })
    }

    /// The behaviours that no container had in a run, which has come to its end.
    pub fn unused_behaviours(&self, options: &Options, cluster: &Cluster) -> Diagnostics {
        let used = cluster.used_rules();
        if used.len() == self.behaviours.rules().len() {
            return Diagnostics::default();
        }
        let there = cluster.server().scan(&Kind::Pod, None).filter_map(Object::get::<Pod>).cloned();
        let there: Vec<Arc<Pod>> = there.collect();
        let also_gone: Vec<Arc<Pod>> =
            templates::pods(self).into_iter().flatten().chain(there.iter().cloned()).collect();
        let end = self.end(options);
        let (there, also_gone) = (All::new(self, &there, end), All::new(self, &also_gone, end));
        self.warn(|n, rule| {
            if used.contains(&n) {
                return Vec::new();
            }
            let found = if is_for_the_run(&rule.matching) { there.examine(n) } else { also_gone.examine(n) };
            if found.is_empty() { vec![(at(n), never_started(&rule.matching).into())] } else { found }
        })
    }

    fn warn(&self, find: impl Fn(usize, &Rule) -> Vec<(Path, String)>) -> Diagnostics {
        let Some(document) = &self.document else { return Diagnostics::default() };
        let rules = self.behaviours.rules().iter().enumerate();
        let found = rules.flat_map(|(n, rule)| find(n, rule));
        let warning = |(path, message): (Path, String)| -> Diagnostic {
            document.at(&path, format!("no container has this behaviour: {message}"))
        };
        found.map(warning).collect::<Vec<_>>().into()
    }
}

/// Whether a rule asks for what only controllers give to pods: hashes, numbers, and owners that are named by these.
fn is_for_the_run(matching: &Match) -> bool {
    const MADE: [&str; 4] = ["pod-template-hash", "controller-revision-hash", "job-name", "controller-uid"];
    let is_made = |kind: &str| ["ReplicaSet", "Job", "Node"].iter().any(|it| it.eq_ignore_ascii_case(kind));
    matching.owner.as_ref().and_then(|it| it.kind.as_ref()).is_some_and(|it| is_made(it))
        || matching.labels.keys().any(|it| MADE.contains(&it.as_str()) || it.contains("kubernetes.io/"))
}

fn never_started(matching: &Match) -> &'static str {
    if matching.has_place() {
        "none that it matches has started where and when it says"
    } else {
        "none that it matches has started"
    }
}

/// What rules could match.
struct All<'a> {
    scenario: &'a Scenario,
    document: Option<&'a Document>,
    subjects: Vec<Subject<'a>>,
    /// Of the run, since its start.
    end: Span,
}

impl<'a> All<'a> {
    fn new(scenario: &'a Scenario, pods: &'a [Arc<Pod>], end: Span) -> Self {
        let subjects = pods.iter().flat_map(|pod| {
            let init = pod.spec.init_containers.len();
            let numbered = pod.spec.all_containers().enumerate();
            numbered.map(move |(idx, container)| Subject { pod, container, is_init: idx < init })
        });
        Self { scenario, document: scenario.document.as_deref(), subjects: subjects.collect(), end }
    }

    /// Why the rule at position `n` can match nothing; empty where it can.
    fn examine(&self, n: usize) -> Vec<(Path, String)> {
        let matching = &self.scenario.behaviours.rules()[n].matching;
        let here = at(n).key("match");
        let misses: Vec<Miss> =
            matching.misses(&self.subjects).into_iter().chain(self.off(matching)).collect();
        if !misses.is_empty() {
            let place = |it: &Miss| it.path.iter().fold(here.clone(), |path, key| path.key(key.as_str()));
            return misses.iter().map(|it| (place(it), told(it))).collect();
        }
        if let Some((field, message)) = self.window(matching) {
            return vec![(here.key(field), message)];
        }
        let matched: Vec<&Subject<'_>> =
            self.subjects.iter().filter(|it| matching.matches_subject(it)).collect();
        let message = if matched.is_empty() { self.all_but(matching) } else { self.taken(n, &matched) };
        message.map(|it| (here, it)).into_iter().collect()
    }

    /// What no node has.
    fn off(&self, matching: &Match) -> Vec<Miss> {
        let nodes: Vec<_> = self.scenario.nodes.iter().map(|it| (&it.name, &it.labels)).collect();
        matching.node.as_ref().map(|it| it.misses(&nodes)).unwrap_or_default()
    }

    /// What is wrong with the time that a rule is for.
    fn window(&self, matching: &Match) -> Option<(&'static str, String)> {
        let from = matching.from.unwrap_or(Span::ZERO);
        if self.end <= from {
            return Some(("from", format!("the run ends at {}", self.end)));
        }
        let until = matching.until.filter(|it| *it <= from)?;
        Some(("until", format!("nothing starts from {from} on and before {until}")))
    }

    /// Each demand is met, but not all by one container.
    fn all_but(&self, matching: &Match) -> Option<String> {
        let (fields, subject) = (self.subjects.iter())
            .map(|it| (matching.differences(it), it))
            .min_by_key(|(fields, _)| fields.len())?;
        let (owner, name) = (top_owner(subject.pod), &subject.container.name);
        let fields: Vec<String> = fields.iter().map(|it| format!("`{it}`")).collect();
        let fields = fields.join(" and ");
        Some(format!("none is all of this; container `{name}` of {owner} would be, but for its {fields}"))
    }

    /// Earlier rules take all that it matches, wherever and whenever it starts.
    fn taken(&self, n: usize, matched: &[&Subject<'_>]) -> Option<String> {
        let earlier = &self.scenario.behaviours.rules()[..n];
        let takes = |it: &Rule, subject: &Subject<'_>| {
            !it.matching.has_place() && it.matching.matches_subject(subject)
        };
        let taker = |subject: &&Subject<'_>| earlier.iter().position(|it| takes(it, subject));
        let takers: BTreeSet<usize> = matched.iter().map(taker).collect::<Option<_>>()?;
        let comes = if takers.len() == 1 { "comes" } else { "come" };
        let told: Vec<String> = takers.into_iter().map(|it| self.named(it)).collect();
        Some(format!("all that it matches is taken by {}, which {comes} first", told.join(" and ")))
    }

    fn named(&self, n: usize) -> String {
        let line = self.document.map(|it| it.at(&at(n), "").position.map_or(0, |it| it.line));
        format!("`behaviours[{n}]` (line {})", line.unwrap_or(0))
    }
}

fn at(n: usize) -> Path {
    Path::parse("spec.behaviours").index(n)
}

fn told(miss: &Miss) -> String {
    let known: Vec<&str> = miss.known.iter().map(|it| it.as_str()).collect();
    unknown_near(miss.what, &miss.pattern, &known, miss.nearest())
}
