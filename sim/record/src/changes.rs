//! What changed in an object, as a line for people: the fields that decisions hang on, not every field.

mod node;
mod pod;
mod storage;
mod workload;

use std::fmt::{Display, Write};
use std::sync::Arc;

use api::{Condition, Meta, Object};
use base::Name;

/// What a new object says of itself.
pub(crate) fn of_creation(new: &Object) -> Name {
    let mut line = Line::default();
    workload::creation(&mut line, new);
    line.finish()
}

/// What is different in `new`; both are of one kind. Empty if nothing of note is.
pub(crate) fn between(old: &Object, new: &Object) -> Name {
    let mut line = Line::default();
    metadata(&mut line, old.meta(), new.meta());
    match (old, new) {
        (Object::Pod(old), Object::Pod(new)) => pod::changes(&mut line, old, new),
        (Object::Node(old), Object::Node(new)) => node::changes(&mut line, old, new),
        (Object::Raw(old), Object::Raw(new)) => line.shared("content", &old.body, &new.body),
        _ => {
            workload::changes(&mut line, old, new);
            storage::changes(&mut line, old, new);
        }
    }
    line.finish()
}

fn metadata(line: &mut Line, old: &Meta, new: &Meta) {
    if !old.is_deleting() && new.is_deleting() {
        line.item("deletion asked for");
        if let Some(grace) = new.deletion_grace_period_seconds.filter(|&grace| grace != 0) {
            line.append(format_args!(", {grace} s of grace"));
        }
    }
    line.other("finalizers", &old.finalizers, &new.finalizers);
    line.other("ownerReferences", &old.owner_references, &new.owner_references);
    line.other("labels", &old.labels, &new.labels);
    line.other("annotations", &old.annotations, &new.annotations);
}

/// A line under construction: items, separated by commas.
#[derive(Debug, Default)]
struct Line(String);

impl Line {
    /// Begins an item; what it says further is appended.
    fn item(&mut self, text: &str) {
        if self.0.is_empty() {
            self.0.reserve(120); // Most lines fit.
        } else {
            self.0.push_str(", ");
        }
        self.0.push_str(text);
    }

    fn append(&mut self, text: impl Display) {
        write!(self.0, "{text}").expect("writing to memory cannot fail");
    }

    /// `field old→new` if they differ.
    fn value<T: Display + PartialEq>(&mut self, field: &str, old: &T, new: &T) {
        if old != new {
            self.item(field);
            self.append(format_args!(" {old}→{new}"));
        }
    }

    /// The same for texts, of which the empty one stands for none: `field new`, `field old→none`.
    fn word(&mut self, field: &str, old: &str, new: &str) {
        if old == new {
            return;
        }
        self.item(field);
        self.0.push(' ');
        if !old.is_empty() {
            self.0.push_str(old);
            self.0.push('→');
        }
        self.0.push_str(if new.is_empty() { "none" } else { new });
    }

    /// `field changed` for what is too long to show.
    fn other<T: PartialEq>(&mut self, field: &str, old: &T, new: &T) {
        if old != new {
            self.item(field);
            self.0.push_str(" changed");
        }
    }

    /// The same for what is shared as long as it does not change.
    fn shared<T: PartialEq>(&mut self, field: &str, old: &Arc<T>, new: &Arc<T>) {
        if !Arc::ptr_eq(old, new) {
            self.other(field, old, new);
        }
    }

    /// The conditions whose status differs, with the reason for a new one that is not true, or that a resize waits for.
    fn conditions(&mut self, old: &[Condition], new: &[Condition]) {
        for condition in new {
            let before = old.iter().find(|it| it.kind == condition.kind).map(|it| &it.status);
            if before == Some(&condition.status) {
                continue;
            }
            self.word(&condition.kind, before.map_or("", |it| it.as_str()), condition.status.as_str());
            let is_of_resize = condition.kind.starts_with("PodResize");
            if (!condition.is_true() || is_of_resize) && !condition.reason.is_empty() {
                self.append(format_args!(" ({})", condition.reason));
            }
        }
    }

    fn finish(self) -> Name {
        Name::from(self.0)
    }
}
