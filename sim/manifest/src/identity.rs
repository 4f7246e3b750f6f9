//! What a document is, by its `apiVersion` and `kind`.

use api::{CustomKind, Kind};
use base::Name;

use crate::schema::{self, Row};
use crate::versions;

/// What a document is.
pub(crate) enum Identity {
    /// Of a kind that v1.34 has.
    BuiltIn(&'static Row, Kind),
    /// Of a group that is not Kubernetes' own. Its scope is not known yet.
    Custom(CustomKind),
    /// Other objects; those without a kind of their own are of this one.
    List { of: Option<(String, String)> },
    /// Settings of a program, which no API server takes.
    Settings,
    /// What is wrong, whether with the `kind` (or else the `apiVersion`), and what would be right.
    Wrong { message: String, is_kind: bool, help: Option<String> },
}

/// Groups of files that programs read, and that often lie beside manifests.
const SETTINGS: &[&str] = &[
    "apiserver.config.k8s.io",
    "apiserver.k8s.io",
    "audit.k8s.io",
    "cloudcontrollermanager.config.k8s.io",
    "componentconfig",
    "config.kwok.x-k8s.io",
    "controllermanager.config.k8s.io",
    "credentialprovider.kubelet.k8s.io",
    "kind.sigs.k8s.io",
    "kind.x-k8s.io",
    "kubeadm.k8s.io",
    "kubecontrollermanager.config.k8s.io",
    "kubelet.config.k8s.io",
    "kubeproxy.config.k8s.io",
    "kubescheduler.config.k8s.io",
    "kustomize.config.k8s.io",
    "skaffold",
    "wavetank.dev",
];

pub(crate) fn identify(api_version: &str, kind: &str) -> Identity {
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    if SETTINGS.contains(&group) || (api_version == "v1" && kind == "Config") {
        return Identity::Settings;
    }
    if api_version == "v1" && kind == "List" {
        return Identity::List { of: None };
    }
    if let Some(row) = schema::row(api_version, kind) {
        return built_in(row);
    }
    let item = kind.strip_suffix("List").filter(|it| !it.is_empty());
    if let Some(item) = item.filter(|it| schema::row(api_version, it).is_some()) {
        return Identity::List { of: Some((api_version.into(), item.into())) };
    }
    if let Some(dropped) = versions::dropped(api_version, kind) {
        let (message, help) = dropped.explain(kind);
        return Identity::Wrong { message, is_kind: false, help: Some(help) };
    }
    if is_built_in_group(group) || !group.contains('.') {
        return unknown(api_version, group, version, kind);
    }
    match item {
        Some(item) => Identity::List { of: Some((api_version.into(), item.into())) },
        None => Identity::Custom(custom(group, version, kind)),
    }
}

/// The `apiVersion` and `kind` of what a link such as `/api/v1/namespaces/shop/pods/web-1` leads to.
pub(crate) fn linked_kind(link: &str) -> Option<(String, &'static str)> {
    let mut parts = link.trim_start_matches('/').split('/');
    let (group, version) = match parts.next()? {
        "api" => ("", parts.next()?),
        "apis" => (parts.next()?, parts.next()?),
        _ => return None,
    };
    let plural = parts.rev().nth(1)?;
    let found =
        Kind::ALL.iter().filter_map(Kind::info).find(|it| it.group == group && it.plural == plural)?;
    let api_version = if group.is_empty() { version.into() } else { format!("{group}/{version}") };
    Some((api_version, found.name))
}

fn built_in(row: &'static Row) -> Identity {
    if !row.is_stored {
        let message = format!("`{}` is a request to the API server, not an object that it keeps", row.kind);
        return Identity::Wrong { message, is_kind: true, help: None };
    }
    match Kind::find(row.api_version, row.kind) {
        Some(kind) => Identity::BuiltIn(row, kind),
        None => {
            // Alpha kinds, which no API server serves unless it is told to.
            let (group, version) = row.api_version.split_once('/').unwrap_or(("", row.api_version));
            Identity::Custom(custom(group, version, row.kind))
        }
    }
}

fn custom(group: &str, version: &str, kind: &str) -> CustomKind {
    let (group, version, name) = (Name::new(group), Name::new(version), Name::new(kind));
    CustomKind { group, version, plural: plural(kind), name, namespaced: true }
}

/// Upstream: `meta.UnsafeGuessKindToResource`.
fn plural(kind: &str) -> Name {
    let word = kind.to_ascii_lowercase();
    match word.as_bytes() {
        [.., b's'] => Name::from(format_args!("{word}es")),
        [start @ .., b'y'] => Name::from(format_args!("{}ies", String::from_utf8_lossy(start))),
        _ => Name::from(format_args!("{word}s")),
    }
}

fn is_built_in_group(group: &str) -> bool {
    let groups = schema::rows().map(|it| it.api_version.split_once('/').map_or("", |(group, _)| group));
    groups.into_iter().any(|it| it == group) || versions::is_dropped_group(group)
}

/// A kind or version that a group of Kubernetes' own does not have.
fn unknown(api_version: &str, group: &str, version: &str, kind: &str) -> Identity {
    if let Some(row) = schema::rows().find(|it| it.kind == kind && it.is_stored && group_of(it) == group) {
        let message = format!("`{api_version}` has no {kind} in v1.34; write `{}`", stored_version(row));
        return Identity::Wrong { message, is_kind: false, help: None };
    }
    if let Some(row) = schema::rows().find(|it| it.kind == kind && it.is_stored) {
        let message = format!("`{api_version}` has no {kind}; write `{}`", stored_version(row));
        return Identity::Wrong { message, is_kind: false, help: None };
    }
    if !is_built_in_group(group) || !schema::rows().any(|it| it.api_version == api_version) {
        return unknown_version(api_version, group, version);
    }
    let here = schema::rows().filter(|it| it.api_version == api_version && it.is_stored);
    let known: Vec<&str> = here.map(|it| it.kind).collect();
    let message = format!("`{api_version}` has no kind `{kind}`");
    let everywhere = schema::rows().filter(|it| it.is_stored).map(|it| it.kind);
    match api::nearest(kind, known.iter().copied()).or_else(|| api::nearest(kind, everywhere)) {
        Some(meant) => Identity::Wrong {
            message: format!("{message}; did you mean `{meant}`?"),
            is_kind: true,
            help: None,
        },
        None => {
            let help = Some(format!("it has: {}", known.join(", ")));
            Identity::Wrong { message, is_kind: true, help }
        }
    }
}

fn unknown_version(api_version: &str, group: &str, version: &str) -> Identity {
    let known = || schema::rows().map(|it| it.api_version);
    let message = format!("Kubernetes v1.34 has no API `{api_version}`");
    let same_group = || known().filter(|it| it.split_once('/').is_some_and(|(it, _)| it == group));
    let meant = api::nearest(api_version, same_group()).or_else(|| api::nearest(api_version, known()));
    match meant {
        Some(meant) => Identity::Wrong {
            message: format!("{message}; did you mean `{meant}`?"),
            is_kind: false,
            help: None,
        },
        None if group.is_empty() && version.is_empty() => {
            let help = Some("such as `v1` or `apps/v1`".into());
            Identity::Wrong { message: "the `apiVersion` is empty".into(), is_kind: false, help }
        }
        None => {
            let help =
                Some("groups of custom resources have a dot in their name, such as `example.com/v1`".into());
            Identity::Wrong { message, is_kind: false, help }
        }
    }
}

fn group_of(row: &Row) -> &'static str {
    row.api_version.split_once('/').map_or("", |(group, _)| group)
}

/// The version to write for the kind of `row`.
fn stored_version(row: &Row) -> String {
    Kind::find(row.api_version, row.kind).map_or(row.api_version.into(), |it| it.api_version().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(api_version: &str, kind: &str) -> String {
        match identify(api_version, kind) {
            Identity::BuiltIn(_, kind) => format!("{} {}", kind.api_version(), kind.name()),
            Identity::Custom(it) => format!("custom {}.{}", it.plural, it.group),
            Identity::List { of } => format!("list of {of:?}"),
            Identity::Settings => "settings".into(),
            Identity::Wrong { message, .. } => message,
        }
    }

    #[test]
    fn links_tell_the_kind() {
        let table = [
            ("/api/v1/namespaces/shop/pods/web-1", Some(("v1", "Pod"))),
            ("/api/v1/nodes/master-0", Some(("v1", "Node"))),
            ("/apis/apps/v1/namespaces/shop/deployments/web", Some(("apps/v1", "Deployment"))),
            ("/apis/example.com/v1/widgets/x", None),
            ("/api", None),
            ("", None),
        ];
        for (link, expected) in table {
            let expected = expected.map(|(api_version, kind)| (api_version.to_owned(), kind));
            assert_eq!(linked_kind(link), expected, "{link}");
        }
    }

    #[test]
    fn documents_are_told_apart() {
        let table = [
            ("v1", "Pod", "v1 Pod"),
            ("apps/v1", "Deployment", "apps/v1 Deployment"),
            ("autoscaling/v1", "HorizontalPodAutoscaler", "autoscaling/v2 HorizontalPodAutoscaler"),
            ("events.k8s.io/v1", "Event", "v1 Event"),
            ("v1", "List", "list of None"),
            ("v1", "PodList", "list of Some((\"v1\", \"Pod\"))"),
            ("example.com/v1", "Widget", "custom widgets.example.com"),
            ("example.com/v1", "Policy", "custom policies.example.com"),
            ("example.com/v1", "WidgetList", "list of Some((\"example.com/v1\", \"Widget\"))"),
            (
                "certificates.k8s.io/v1alpha1",
                "PodCertificateRequest",
                "custom podcertificaterequests.certificates.k8s.io",
            ),
            ("v1", "Config", "settings"),
            ("kustomize.config.k8s.io/v1beta1", "Kustomization", "settings"),
            ("v1", "Binding", "`Binding` is a request to the API server, not an object that it keeps"),
            ("v1", "Pods", "`v1` has no kind `Pods`; did you mean `Pod`?"),
            ("v1", "Deployment", "`v1` has no Deployment; write `apps/v1`"),
            ("apps/v2", "Deployment", "`apps/v2` has no Deployment in v1.34; write `apps/v1`"),
            ("apps/v1", "Deploymnt", "`apps/v1` has no kind `Deploymnt`; did you mean `Deployment`?"),
            ("aps/v1", "Thing", "Kubernetes v1.34 has no API `aps/v1`; did you mean `apps/v1`?"),
            ("v2", "Thing", "Kubernetes v1.34 has no API `v2`; did you mean `v1`?"),
            (
                "policy/v1beta1",
                "PodDisruptionBudget",
                "`policy/v1beta1` PodDisruptionBudget is no longer served since v1.25; write `policy/v1`",
            ),
        ];
        for (api_version, kind, expected) in table {
            assert_eq!(shown(api_version, kind), expected);
        }
    }
}
