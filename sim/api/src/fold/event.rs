//! The JSON of a Kubernetes event. Every second write to the store is one, so it is written straight, not by way of a
//! tree of values: the fields below stand in the order of their names.

use std::fmt::{Display, Write};

use crate::event::{Event, EventSeries, EventSource};
use crate::meta::{Meta, ObjectReference, Revision};

impl Event {
    /// As [`Object::to_json`](crate::Object::to_json) prints it; `None` if it has fields that events hardly ever have.
    pub(super) fn plain_json(&self) -> Option<String> {
        if !is_plain(self) {
            return None;
        }
        let mut json = Json(String::with_capacity(1024));
        json.0.push('{');
        json.text("action", &self.action);
        json.text("apiVersion", "v1");
        json.number("count", self.count);
        json.shown("eventTime", self.event_time);
        json.shown("firstTimestamp", self.first_timestamp);
        json.reference("involvedObject", &self.involved_object);
        json.text("kind", "Event");
        json.shown("lastTimestamp", self.last_timestamp);
        json.text("message", &self.message);
        json.metadata(&self.meta);
        json.text("reason", &self.reason);
        json.text("reportingComponent", &self.reporting_controller);
        json.text("reportingInstance", &self.reporting_instance);
        json.series(self.series.as_ref());
        json.source(&self.source);
        json.text("type", &self.kind);
        json.0.push('}');
        Some(json.0)
    }
}

/// Whether nothing but what is written here is set.
fn is_plain(event: &Event) -> bool {
    let Event { meta, involved_object, source, series, related, rest, .. } = event;
    let rests = [rest, &meta.rest, &involved_object.rest, &source.rest];
    let ours = Meta {
        name: meta.name.clone(),
        namespace: meta.namespace.clone(),
        uid: meta.uid,
        resource_version: meta.resource_version,
        creation_timestamp: meta.creation_timestamp,
        ..Meta::default()
    };
    related.is_none()
        && *meta == ours
        && rests.iter().all(|it| it.is_empty())
        && series.as_ref().is_none_or(|it| it.rest.is_empty())
}

/// An object under construction. Fields that are unset are left out.
struct Json(String);

impl Json {
    fn key(&mut self, key: &str) {
        if !self.0.ends_with('{') {
            self.0.push(',');
        }
        self.0.push('"');
        self.0.push_str(key);
        self.0.push_str("\":");
    }

    fn text(&mut self, key: &str, value: &str) {
        if value.is_empty() {
            return;
        }
        self.key(key);
        if value.bytes().all(|it| b' ' <= it && it != b'"' && it != b'\\') {
            self.0.push('"');
            self.0.push_str(value);
            self.0.push('"');
        } else {
            self.0.push_str(&serde_json::to_string(value).expect("a text is JSON"));
        }
    }

    fn number(&mut self, key: &str, value: i32) {
        if value != 0 {
            self.key(key);
            self.write(value);
        }
    }

    fn write(&mut self, value: impl Display) {
        write!(self.0, "{value}").expect("writing to memory cannot fail");
    }

    /// What is a text in JSON that needs no escapes.
    fn shown(&mut self, key: &str, value: Option<impl Display>) {
        if let Some(value) = value {
            self.key(key);
            self.0.push('"');
            self.write(value);
            self.0.push('"');
        }
    }

    fn revision(&mut self, revision: Revision) {
        self.shown("resourceVersion", (revision != Revision(0)).then_some(revision.0));
    }

    fn object(&mut self, key: &str, fields: impl FnOnce(&mut Self)) {
        self.key(key);
        self.0.push('{');
        fields(self);
        self.0.push('}');
    }

    fn reference(&mut self, key: &str, it: &ObjectReference) {
        if *it == ObjectReference::default() {
            return;
        }
        self.object(key, |json| {
            json.text("apiVersion", &it.api_version);
            json.text("fieldPath", &it.field_path);
            json.text("kind", &it.kind);
            json.text("name", &it.name);
            json.text("namespace", &it.namespace);
            json.revision(it.resource_version);
            json.shown("uid", (!it.uid.is_unset()).then_some(it.uid));
        });
    }

    fn metadata(&mut self, it: &Meta) {
        if *it == Meta::default() {
            return;
        }
        self.object("metadata", |json| {
            json.shown("creationTimestamp", it.creation_timestamp);
            json.text("name", &it.name);
            json.text("namespace", &it.namespace);
            json.revision(it.resource_version);
            json.shown("uid", (!it.uid.is_unset()).then_some(it.uid));
        });
    }

    fn series(&mut self, series: Option<&EventSeries>) {
        let Some(it) = series else { return };
        self.object("series", |json| {
            json.number("count", it.count);
            json.shown("lastObservedTime", it.last_observed_time);
        });
    }

    fn source(&mut self, it: &EventSource) {
        if *it == EventSource::default() {
            return;
        }
        self.object("source", |json| {
            json.text("component", &it.component);
            json.text("host", &it.host);
        });
    }
}

#[cfg(test)]
mod tests {
    use base::{Name, Time};
    use proptest::prelude::*;

    use super::*;
    use crate::meta::Uid;
    use crate::{Labels, Object};

    fn text() -> impl Strategy<Value = Name> {
        prop_oneof![Just(Name::EMPTY), "[a-zü\"\\\\\n ]{1,30}".prop_map(Name::from)]
    }

    prop_compose! {
        fn reference()(texts in prop::array::uniform5(text()), uid in 0_u128..3, revision in 0_u64..3) -> ObjectReference {
            let [api_version, kind, namespace, name, field_path] = texts;
            let (uid, resource_version) = (Uid(uid << 70), Revision(revision));
            ObjectReference { api_version, kind, namespace, name, uid, resource_version, field_path, ..Default::default() }
        }
    }

    prop_compose! {
        fn event()(
            texts in prop::array::uniform10(text()),
            involved_object in reference(),
            time in prop::option::of(any::<u32>().prop_map(|it| Time::from_nanos(u64::from(it) << 29))),
            series in prop::option::of(0_i32..3),
            count in -1_i32..3,
            uid in 0_u128..2,
        ) -> Event {
            let [name, namespace, reason, message, component, host, kind, action, controller, instance] = texts;
            let timestamp = time.map(Into::into);
            Event {
                meta: Meta { name, namespace, uid: Uid(uid), creation_timestamp: timestamp, ..Meta::default() },
                involved_object,
                reason,
                message,
                source: EventSource { component, host, ..EventSource::default() },
                first_timestamp: timestamp,
                last_timestamp: timestamp,
                count,
                kind,
                event_time: time.map(Into::into),
                series: series.map(|count| {
                    EventSeries { count, last_observed_time: time.map(Into::into), ..EventSeries::default() }
                }),
                action,
                reporting_controller: controller,
                reporting_instance: instance,
                ..Event::default()
            }
        }
    }

    proptest! {
        #[test]
        fn it_is_the_json_that_everyone_sees(event in event()) {
            let json = event.plain_json();
            prop_assert_eq!(json, Some(Object::new(event).to_json().to_string()));
        }
    }

    #[test]
    fn what_is_rare_is_left_to_others() {
        let changes: [fn(&mut Event); 4] = [
            |it| it.related = Some(Box::default()),
            |it| it.meta.labels = Labels::from([("a", "b")]),
            |it| it.rest.set("x", 1.into()),
            |it| it.source.rest.set("x", 1.into()),
        ];
        for change in changes {
            let mut event = Event::default();
            change(&mut event);
            assert_eq!(event.plain_json(), None);
        }
    }
}
