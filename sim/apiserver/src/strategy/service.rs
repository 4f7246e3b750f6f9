//! Services. Their addresses and ports are allocated elsewhere; their status is not modelled.

use api::{Rest, Service};
use serde_json::json;

use super::{Strategy, keep_status};

impl Strategy for Service {
    fn prepare_create(&mut self) {
        self.rest.set("status", json!({"loadBalancer": {}}));
    }

    fn prepare_update(&mut self, old: &Self) {
        keep_status(&mut self.rest, &old.rest);
    }

    fn prepare_status(&mut self, old: &Self) {
        self.spec = old.spec.clone();
        let status = self.rest.remove("status");
        self.rest = Rest::clone(&old.rest);
        if let Some(status) = status {
            self.rest.set("status", status);
        }
    }
}
