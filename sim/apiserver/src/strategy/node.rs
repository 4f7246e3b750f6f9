//! Nodes and leases.

use api::{Lease, Node};

use super::Strategy;

impl Strategy for Node {
    // A node is created with its status: the kubelet registers itself so.

    fn prepare_update(&mut self, old: &Self) {
        self.status = old.status.clone();
    }

    fn prepare_status(&mut self, old: &Self) {
        self.spec = old.spec.clone();
    }
}

impl Strategy for Lease {
    fn prepare_status(&mut self, old: &Self) {
        self.spec = old.spec.clone();
    }

    fn share(&mut self, old: &Self) {
        self.heartbeat = old.heartbeat;
        self.skew_nanos = old.skew_nanos;
    }
}
