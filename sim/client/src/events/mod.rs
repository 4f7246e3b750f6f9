//! How a component reports what it does: Kubernetes events, combined and counted before they are sent.

mod correlator;
mod recorder;
mod series;

pub use self::recorder::EventRecorder;
pub use self::series::{SeriesNote, SeriesRecorder};

use api::{Key, Kind};
use base::{Digest, Name, Time};

/// Makes up names for events: the object's name and the moment in hexadecimal nanoseconds.
///
/// Real clocks do not stand still between two events; ours does. So each recorder is off by its own fraction of a
/// millisecond, and never uses a moment twice.
#[derive(Clone, Debug)]
struct NameStamps {
    /// In nanoseconds.
    offset: u64,
    last: u64,
}

impl NameStamps {
    fn new(component: &str, host: &str) -> Self {
        let mut digest = Digest::of_text(component);
        digest.text(host);
        Self { offset: digest.value() % 1_000_000, last: 0 }
    }

    fn name(&mut self, object: &str, now: Time) -> Name {
        name_of(object, self.stamp(now))
    }

    /// The moment that makes a name, which it uses up.
    fn stamp(&mut self, now: Time) -> u64 {
        self.last = (now.nanos() + self.offset).max(self.last + 1);
        self.last
    }
}

/// Upstream: `client-go/tools/record/util.GenerateEventName`.
fn name_of(object: &str, stamp: u64) -> Name {
    Name::from(format_args!("{object}.{stamp:x}"))
}

/// Events about cluster-wide objects go to the namespace `default`.
fn namespace_of(about: &api::ObjectReference) -> Name {
    const DEFAULT: Name = Name::from_static("default");
    if about.namespace.is_empty() { DEFAULT } else { about.namespace.clone() }
}

fn type_of(is_warning: bool) -> Name {
    const NORMAL: Name = Name::from_static("Normal");
    const WARNING: Name = Name::from_static("Warning");
    if is_warning { WARNING } else { NORMAL }
}

fn key_of(event: &api::Event) -> Key {
    Key::new(Kind::Event, event.meta.namespace.clone(), event.meta.name.clone())
}
