//! Kinds that are stored only.

use std::sync::Arc;

use api::{Kind, Raw};
use serde_json::{Value, json};

use super::Strategy;
use crate::rules;

impl Strategy for Raw {
    fn prepare_create(&mut self) {
        if rules::has_status(&self.kind) {
            set_status(self, initial_status(&self.kind));
        }
        if rules::has_generation(&self.kind) {
            self.meta.generation = 1;
        }
    }

    fn prepare_update(&mut self, old: &Self) {
        if rules::has_status(&self.kind) {
            set_status(self, old.body.get("status").cloned());
        }
        if rules::has_generation(&self.kind) {
            self.meta.generation = old.meta.generation + i64::from(!is_same_spec(self, old));
        }
    }

    fn prepare_status(&mut self, old: &Self) {
        let status = self.body.get("status").cloned();
        self.body = old.body.clone();
        set_status(self, status);
    }

    fn share(&mut self, old: &Self) {
        if self.body == old.body {
            self.body = old.body.clone();
        }
    }

    fn is_same(&self, other: &Self) -> bool {
        self.meta == other.meta && (Arc::ptr_eq(&self.body, &other.body) || self.body == other.body)
    }
}

/// Whether all but the metadata and the status is the same.
fn is_same_spec(left: &Raw, right: &Raw) -> bool {
    fn spec(raw: &Raw) -> impl Iterator<Item = (&String, &Value)> {
        raw.body.iter().filter(|(field, _)| *field != "status")
    }
    Arc::ptr_eq(&left.body, &right.body) || spec(left).eq(spec(right))
}

fn initial_status(kind: &Kind) -> Option<Value> {
    match kind.name().as_str() {
        "Ingress" => Some(json!({"loadBalancer": {}})),
        _ => None,
    }
}

fn set_status(raw: &mut Raw, status: Option<Value>) {
    if raw.body.get("status") == status.as_ref() {
        return;
    }
    let body = Arc::make_mut(&mut raw.body);
    match status {
        Some(status) => drop(body.insert("status".into(), status)),
        None => drop(body.remove("status")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(kind: Kind, body: Value) -> Raw {
        let Value::Object(body) = body else { unreachable!("tests write objects") };
        Raw { kind, meta: api::Meta::default(), body: Arc::new(body) }
    }

    #[test]
    fn main_keeps_the_status_and_status_keeps_the_rest() {
        let body = |class: &str, balancer: Value| json!({"spec": {"ingressClassName": class}, "status": {"loadBalancer": balancer}});
        let mut old = raw(Kind::Ingress, json!({"spec": {"ingressClassName": "a"}}));
        old.prepare_create();
        assert_eq!(*old.body, *raw(Kind::Ingress, body("a", json!({}))).body);

        let written = raw(Kind::Ingress, body("b", json!({"ingress": [{"ip": "10.0.0.1"}]})));
        let (mut main, mut status) = (written.clone(), written);
        main.prepare_update(&old);
        assert_eq!(main.body["spec"]["ingressClassName"], "b");
        assert_eq!(main.body["status"]["loadBalancer"], json!({}));
        assert_eq!(main.meta.generation, 2);
        status.prepare_status(&old);
        assert_eq!(status.body["spec"]["ingressClassName"], "a");
        assert_eq!(status.body["status"]["loadBalancer"]["ingress"][0]["ip"], "10.0.0.1");
    }

    #[test]
    fn a_config_map_has_neither_status_nor_generation() {
        let mut map = raw(Kind::ConfigMap, json!({"data": {"a": "b"}}));
        map.prepare_create();
        assert_eq!(map, raw(Kind::ConfigMap, json!({"data": {"a": "b"}})));
    }
}
