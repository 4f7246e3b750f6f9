//! The fingerprint of a record.

use api::Key;
use base::{Digest, Name};

use crate::log::Record;
use crate::what::{Step, What};

impl Record {
    /// Folds everything it says, but not its number.
    pub(crate) fn fold(&self, digest: &mut Digest) {
        digest.word(self.at.nanos());
        digest.word(u64::from(self.cause.0));
        digest.text(&self.actor);
        self.what.fold(digest);
    }
}

impl What {
    fn fold(&self, digest: &mut Digest) {
        match self {
            Self::Commit { verb, sub, effect, object, revision, changes } => {
                words(digest, [1, *verb as u64, *sub as u64, *effect as u64, *revision]);
                fold_key(digest, object);
                digest.text(changes);
            }
            Self::Rejected { verb, sub, object, code, message } => {
                words(digest, [2, *verb as u64, *sub as u64, u64::from(*code)]);
                fold_key(digest, object);
                digest.text(message);
            }
            Self::Event { object, name, effect, revision, kind, reason, message, count } => {
                words(digest, [3, *effect as u64, *revision, *kind as u64, u64::from(count.cast_unsigned())]);
                fold_key(digest, object);
                texts(digest, [name, reason, message]);
            }
            Self::Fault { name, phase, object, detail } => {
                words(digest, [4, *phase as u64]);
                fold_optional(digest, object.as_ref());
                texts(digest, [name, detail]);
            }
            Self::Command { text } => {
                digest.word(5);
                digest.text(text);
            }
            Self::Decision { pod, node, message } => {
                words(digest, [6, u64::from(node.is_some())]);
                fold_key(digest, pod);
                texts(digest, [node.as_ref().unwrap_or(&Name::EMPTY), message]);
            }
            Self::Container { pod, container, step, detail } => {
                let (step, code) = step.numbers();
                words(digest, [7, step, code]);
                fold_key(digest, pod);
                texts(digest, [container, detail]);
            }
            Self::Silence { object, lasted } => {
                words(digest, [8, lasted.nanos()]);
                fold_key(digest, object);
            }
            Self::Note { object, text } => {
                digest.word(9);
                fold_optional(digest, object.as_ref());
                digest.text(text);
            }
        }
    }
}

impl Step {
    /// A number for the step, and one for what it carries.
    fn numbers(self) -> (u64, u64) {
        match self {
            Self::Pulling => (1, 0),
            Self::Pulled => (2, 0),
            Self::Created => (3, 0),
            Self::Started => (4, 0),
            Self::Ready(ready) => (5, u64::from(ready)),
            Self::ProbeFailed => (6, 0),
            Self::Stopping => (7, 0),
            Self::Exited { code } => (8, u64::from(code.cast_unsigned())),
            Self::BackOff => (9, 0),
        }
    }
}

fn words<const N: usize>(digest: &mut Digest, words: [u64; N]) {
    words.into_iter().for_each(|word| digest.word(word));
}

fn texts<const N: usize>(digest: &mut Digest, texts: [&Name; N]) {
    texts.into_iter().for_each(|text| digest.text(text));
}

fn fold_key(digest: &mut Digest, key: &Key) {
    texts(digest, [&key.kind.name(), &key.namespace, &key.name]);
}

fn fold_optional(digest: &mut Digest, key: Option<&Key>) {
    digest.word(u64::from(key.is_some()));
    if let Some(key) = key {
        fold_key(digest, key);
    }
}
