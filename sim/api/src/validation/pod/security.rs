//! Security contexts, as far as a number or word in them can be wrong.
//!
//! Upstream: `validatePodSpecSecurityContext`, `ValidateSecurityContext`, `validateHostUsers` in
//! `pkg/apis/core/validation/validation.go`.

use serde_json::Value;

use crate::naming;
use crate::pod::PodSpec;
use crate::validation::field::{Errors, json};
use crate::validation::json::Fields;
use crate::validation::path::Path;

pub(super) fn check_pod(spec: &PodSpec, path: &Path<'_>, errors: &mut Errors) {
    if let Some(context) = spec.rest.field("securityContext") {
        check_pod_context(context, spec, &path.child("securityContext"), errors);
    }
    if spec.rest.flag("hostUsers") == Some(false) {
        let is_set = |field| spec.rest.flag(field) == Some(true);
        let shared = [
            ("hostNetwork", spec.host_network),
            ("HostPID", is_set("hostPID")),
            ("HostIPC", is_set("hostIPC")),
        ];
        for (field, _) in shared.into_iter().filter(|(_, is_set)| *is_set) {
            errors.forbidden(&path.child(field), "when `pod.Spec.HostUsers` is false");
        }
    }
}

fn check_pod_context(context: &Value, spec: &PodSpec, path: &Path<'_>, errors: &mut Errors) {
    for field in ["fsGroup", "runAsUser", "runAsGroup"] {
        check_id(context.number(field), &path.child(field), errors);
    }
    for (idx, group) in context.items("supplementalGroups").iter().enumerate() {
        check_id(group.as_i64(), &path.item("supplementalGroups", idx), errors);
    }
    let is_set = |field| spec.rest.flag(field) == Some(true);
    if is_set("shareProcessNamespace") && is_set("hostPID") {
        let detail = "ShareProcessNamespace and HostPID cannot both be enabled";
        errors.invalid(&path.child("shareProcessNamespace"), true, detail);
    }
    let policies = ["Always", "OnRootMismatch"];
    let policy = context.text("fsGroupChangePolicy");
    if !policy.is_empty() && !policies.contains(&policy) {
        errors.not_supported(&path.child("fsGroupChangePolicy"), policy, &policies);
    }
    check_profiles(context, path, errors);
}

pub(super) fn check_container(context: &Value, path: &Path<'_>, errors: &mut Errors) {
    for field in ["runAsUser", "runAsGroup"] {
        check_id(context.number(field), &path.child(field), errors);
    }
    let mount = context.text("procMount");
    if !mount.is_empty() && !["Default", "Unmasked"].contains(&mount) {
        errors.not_supported(&path.child("procMount"), mount, &["Default", "Unmasked"]);
    }
    check_profiles(context, path, errors);
    if context.flag("allowPrivilegeEscalation") == Some(false) {
        check_escalation(context, path, errors);
    }
}

fn check_escalation(context: &Value, path: &Path<'_>, errors: &mut Errors) {
    if context.flag("privileged") == Some(true) {
        let detail = "cannot set `allowPrivilegeEscalation` to false and `privileged` to true";
        errors.invalid(path, json(context), detail);
    }
    let added = context.field("capabilities").map_or(&[][..], |it| it.items("add"));
    if added.iter().any(|it| it == "CAP_SYS_ADMIN") {
        let detail = "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN";
        errors.invalid(path, json(context), detail);
    }
}

fn check_id(id: Option<i64>, path: &Path<'_>, errors: &mut Errors) {
    let Some(id) = id else { return };
    for problem in naming::user_id(id) {
        errors.invalid(path, id, problem);
    }
}

fn check_profiles(context: &Value, path: &Path<'_>, errors: &mut Errors) {
    for (field, words) in [("seccompProfile", "seccomp"), ("appArmorProfile", "AppArmor")] {
        let Some(profile) = context.field(field) else { continue };
        let path = &path.child(field);
        let kinds = ["Localhost", "RuntimeDefault", "Unconfined"];
        let (kind, has_file) = (profile.text("type"), profile.field("localhostProfile").is_some());
        if kind.is_empty() {
            errors.required(&path.child("type"), format!("type is required when {field} is set"));
        } else if !kinds.contains(&kind) {
            errors.not_supported(&path.child("type"), kind, &kinds);
        }
        let file = &path.child("localhostProfile");
        if kind == "Localhost" && !has_file {
            errors.required(file, format!("must be set when {words} type is Localhost"));
        } else if kind != "Localhost" && has_file {
            errors.invalid(file, json(profile), format!("can only be set when {words} type is Localhost"));
        }
    }
}
