//! Laws that hold whatever is asked in whatever order, against a model that is a plain map.

use std::collections::{BTreeMap, BTreeSet};

use api::{
    DeleteOptions, Edit, Key, Kind, Object, Patch, Pod, PodPhase, PodStatus, Reason, Request, Revision,
    Subresource, Uid,
};
use base::{Name, Span, Time};
use proptest::prelude::*;

use crate::lab::*;

const HOLD: Name = Name::from_static("example.com/hold");

/// One thing that somebody does to one of a few pods.
#[derive(Clone, Debug)]
enum Step {
    Create {
        name: u8,
        held: bool,
    },
    Generate,
    /// Sets a label on the pod as it was read `age` writes ago.
    Label {
        name: u8,
        age: u8,
    },
    Bind {
        name: u8,
    },
    Run {
        name: u8,
        finished: bool,
    },
    Delete {
        name: u8,
        grace: Option<i64>,
        right_uid: bool,
    },
    Release {
        name: u8,
    },
    Sleep {
        secs: u8,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let name = 0..4_u8;
    let grace = prop::option::of(-1..40_i64);
    prop_oneof![
        4 => (name.clone(), any::<bool>()).prop_map(|(name, held)| Step::Create { name, held }),
        1 => Just(Step::Generate),
        3 => (name.clone(), 0..3_u8).prop_map(|(name, age)| Step::Label { name, age }),
        2 => name.clone().prop_map(|name| Step::Bind { name }),
        2 => (name.clone(), any::<bool>()).prop_map(|(name, finished)| Step::Run { name, finished }),
        3 => (name.clone(), grace, prop::bool::weighted(0.9))
            .prop_map(|(name, grace, right_uid)| Step::Delete { name, grace, right_uid }),
        2 => name.prop_map(|name| Step::Release { name }),
        1 => (0..30_u8).prop_map(|secs| Step::Sleep { secs }),
    ]
}

/// The lab, every state that each pod ever had, and what must be there now.
struct Trial {
    lab: Lab,
    past: BTreeMap<Key, Vec<Object>>,
    model: BTreeMap<Key, Object>,
    uids: BTreeSet<Uid>,
    revision: Revision,
}

impl Trial {
    fn new() -> Self {
        let lab = Lab::new();
        let revision = lab.server.revision();
        Self { lab, past: BTreeMap::new(), model: BTreeMap::new(), uids: BTreeSet::new(), revision }
    }

    fn take(&mut self, step: &Step) -> Result<(), TestCaseError> {
        let request = self.request(step);
        let stale = self.is_stale(step);
        let answer = request.map(|it| self.lab.ask(it));
        if let Some(answer) = answer {
            let lost = answer.as_ref().err().is_some_and(|it| it.reason == Reason::Conflict);
            prop_assert!(!stale || lost, "an update of an old state was not refused: {answer:?}");
        }
        self.follow()
    }

    fn request(&mut self, step: &Step) -> Option<Request> {
        let key = |name: &u8| pod_key(&format!("p{name}"));
        Some(match step {
            Step::Create { name, held } => {
                let mut object = pod(&format!("p{name}"));
                if *held {
                    object.meta_mut().finalizers.push(HOLD);
                }
                Request::Create { object }
            }
            Step::Generate => {
                let mut object = pod("");
                object.meta_mut().generate_name = "p-".into();
                Request::Create { object }
            }
            Step::Label { name, age } => {
                let past = self.past.get(&key(name))?;
                let mut object = past.get(past.len().checked_sub(1 + usize::from(*age))?)?.clone();
                object.meta_mut().labels.insert("written", format!("{}", self.revision.0));
                Request::Update { object, sub: Subresource::Main }
            }
            Step::Bind { name } => Request::Bind { pod: key(name), uid: Uid(0), node: "n-1".into() },
            Step::Run { name, finished } => {
                let phase = if *finished { PodPhase::Succeeded } else { PodPhase::Running };
                let status = PodStatus { phase, ..PodStatus::default() };
                let patch = Patch::Apply(vec![Edit::PodStatus(Box::new(status))]);
                Request::Patch {
                    key: key(name),
                    sub: Subresource::Status,
                    patch,
                    preconditions: Default::default(),
                }
            }
            Step::Delete { name, grace, right_uid } => {
                let mut options = DeleteOptions { grace_period_seconds: *grace, ..DeleteOptions::default() };
                options.preconditions.uid = (!right_uid).then_some(Uid(1));
                Request::Delete { key: key(name), options }
            }
            Step::Release { name } => patch_of(key(name), Patch::Apply(vec![Edit::RemoveFinalizer(HOLD)])),
            Step::Sleep { secs } => {
                self.lab.sleep(Span::secs(u64::from(*secs)));
                return None;
            }
        })
    }

    /// Whether the step writes a state that is not the last one, of a pod that is still there.
    fn is_stale(&self, step: &Step) -> bool {
        let Step::Label { name, age } = step else { return false };
        let key = pod_key(&format!("p{name}"));
        let known = self.past.get(&key).map_or(0, Vec::len);
        0 < *age && usize::from(*age) < known && self.model.contains_key(&key)
    }

    /// Checks each commit against the laws, and the store against the model.
    fn follow(&mut self) -> Result<(), TestCaseError> {
        for commit in self.lab.fresh_commits() {
            prop_assert_eq!(commit.revision.0, self.revision.0 + 1, "revisions have no gaps");
            self.revision = commit.revision;
            prop_assert_eq!(
                self.model.get(&commit.key),
                commit.old.as_ref(),
                "nothing happens behind the commits"
            );
            match (&commit.old, &commit.new) {
                (None, Some(new)) => {
                    prop_assert!(self.uids.insert(new.meta().uid), "an identity is never used twice");
                    self.past.remove(&commit.key);
                }
                (Some(old), Some(new)) => check_change(old, new, self.lab.now)?,
                (Some(old), None) => check_end(old)?,
                (None, None) => prop_assert!(false, "nothing became nothing"),
            }
            match commit.new {
                Some(new) => {
                    prop_assert_eq!(new.meta().resource_version, commit.revision);
                    self.past.entry(commit.key.clone()).or_default().push(new.clone());
                    self.model.insert(commit.key, new);
                }
                None => drop(self.model.remove(&commit.key)),
            }
        }
        prop_assert_eq!(self.lab.server.revision(), self.revision);
        let Ok(api::Answer::List(stored, _)) =
            self.lab.ask(Request::List { kind: Kind::Pod, namespace: None, selector: None })
        else {
            return Err(TestCaseError::fail("a list is never refused"));
        };
        prop_assert_eq!(stored, self.model.values().cloned().collect::<Vec<_>>());
        Ok(())
    }
}

fn check_change(old: &Object, new: &Object, now: Time) -> Result<(), TestCaseError> {
    let (before, after) = (old.meta(), new.meta());
    prop_assert_eq!(before.uid, after.uid);
    prop_assert_eq!(before.creation_timestamp, after.creation_timestamp);
    prop_assert!(before.generation <= after.generation);
    if let Some(deadline) = before.deletion_timestamp {
        // A deadline that has passed may be set to now: a deletion is never asked for in the past.
        let latest = deadline.max(now.into());
        prop_assert!(after.deletion_timestamp.is_some_and(|it| it <= latest), "grace never becomes longer");
        prop_assert!(after.deletion_grace_period_seconds <= before.deletion_grace_period_seconds);
        let is_new = |it: &&Name| !before.finalizers.contains(it);
        prop_assert_eq!(after.finalizers.iter().find(is_new), None, "nobody holds back what is going");
    }
    let (before, after) = (old.get::<Pod>().expect("a pod"), new.get::<Pod>().expect("a pod"));
    prop_assert!(before.node.is_empty() || before.node == after.node, "a pod stays on its node");
    Ok(())
}

/// What goes was marked, and had no finalizers but the one whose removal ended it.
fn check_end(old: &Object) -> Result<(), TestCaseError> {
    let meta = old.meta();
    prop_assert!(meta.is_deleting());
    prop_assert_eq!(meta.deletion_grace_period_seconds, Some(0));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn the_store_keeps_its_word(steps in prop::collection::vec(step(), 1..60)) {
        let mut trial = Trial::new();
        for step in &steps {
            let held: Vec<Key> = held(&trial.model);
            trial.take(step)?;
            for key in held {
                let freed = matches!(step, Step::Release { .. });
                prop_assert!(freed || trial.model.contains_key(&key), "an object with finalizers never vanishes");
            }
        }
    }

    /// The same requests give the same answers, whatever happens in another namespace.
    #[test]
    fn another_namespace_changes_nothing(steps in prop::collection::vec(step(), 1..30)) {
        let (mut alone, mut beside) = (Trial::new(), Trial::new());
        for step in &steps {
            let mut other = pod("");
            other.meta_mut().generate_name = "p-".into();
            other.meta_mut().namespace = "kube-public".into();
            beside.lab.create(other);
            beside.lab.fresh_commits();
            for trial in [&mut alone, &mut beside] {
                if let Some(request) = trial.request(step) {
                    drop(trial.lab.ask(request));
                }
                for commit in trial.lab.fresh_commits() {
                    match commit.new {
                        Some(mut new) => {
                            new.meta_mut().resource_version = Revision(0);
                            new.meta_mut().labels.remove("written");
                            trial.model.insert(commit.key, new);
                        }
                        None => drop(trial.model.remove(&commit.key)),
                    }
                }
            }
            prop_assert_eq!(&alone.model, &beside.model);
        }
    }
}

fn held(model: &BTreeMap<Key, Object>) -> Vec<Key> {
    model.iter().filter(|(_, it)| !it.meta().finalizers.is_empty()).map(|(key, _)| key.clone()).collect()
}
