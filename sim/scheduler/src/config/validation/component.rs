//! What every component can be told.
//!
//! Upstream: `staging/src/k8s.io/component-base/config/validation/validation.go`.

use api::{GoDuration, quote};

use crate::config::component::{ClientConnection, LeaderElection};
use crate::config::error::Errors;
use crate::config::path::Path;

pub(super) fn check_client_connection(connection: &ClientConnection, path: &Path<'_>, errors: &mut Errors) {
    if connection.burst < 0 {
        errors.invalid(&path.child("burst"), connection.burst, "must be non-negative");
    }
}

pub(super) fn check_leader_election(election: &LeaderElection, path: &Path<'_>, errors: &mut Errors) {
    if !election.leader_elect {
        return;
    }
    let shown = |it: GoDuration| quote(&it.to_string());
    let times = [
        ("leaseDuration", election.lease_duration),
        ("renewDeadline", election.renew_deadline),
        ("retryPeriod", election.retry_period),
    ];
    for (field, time) in times {
        if time.nanos() <= 0 {
            errors.invalid(&path.child(field), shown(time), "must be greater than zero");
        }
    }
    if election.lease_duration <= election.renew_deadline {
        let detail = "must be greater than `RenewDeadline`"; // With the value of the other field, as upstream.
        errors.invalid(&path.child("leaseDuration"), shown(election.renew_deadline), detail);
    }
    if election.resource_lock != "leases" {
        let detail = "resourceLock value must be \"leases\"";
        errors.invalid(&path.child("resourceLock"), quote(&election.resource_lock), detail);
    }
}
