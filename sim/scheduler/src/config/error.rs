//! What can be wrong with a configuration.

use api::quote;
use api::validation::{FieldError, FieldErrorKind};
use base::Name;

use super::path::Path;

/// One thing that is wrong. Where upstream has a message for it, that is what it displays.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    #[error(
        "{field}: {} is not supported; write {}{}",
        quote(found),
        quote(super::API_VERSION),
        if *is_old { ", which replaced it" } else { "" }
    )]
    Version { field: String, found: String, is_old: bool },
    #[error("kind: {} is not a scheduler configuration; write {}", quote(found), quote(super::KIND))]
    Kind { found: String },
    #[error("unknown field {}{}", quote(field), hint(closest.as_deref()))]
    UnknownField { field: String, closest: Option<String> },
    #[error("{field}: expected {expected}, found {found}")]
    Type { field: String, expected: &'static str, found: String },
    #[error(
        "decoding .{entry}: args for plugin {plugin} were not of type \
         {plugin}Args.{group}, got {found}.{group}",
        group = super::GROUP
    )]
    ArgsKind { entry: String, plugin: Name, found: String },
    #[error(transparent)]
    Field(#[from] FieldError),
    /// A requirement of an affinity that cannot be compiled; `problem` begins with the field of the requirement.
    #[error("{requirement}.{problem}")]
    Requirement { requirement: String, problem: String },
    #[error("couldn't build extenders: can't find NodeResourcesFitArgs in plugin config")]
    NoFitArgs,
    #[error("initializing profiles: creating profile for scheduler name {scheduler_name}: {source}")]
    Profile { scheduler_name: Name, source: ProfileError },
    #[error("initializing profiles: {0}")]
    QueueSort(QueueSortError),
}

/// Why a profile cannot be made into a framework. Upstream: `pkg/scheduler/framework/runtime/framework.go`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProfileError {
    #[error("{interface} {} does not exist{}", quote(plugin), hint(closest.as_deref()))]
    UnknownPlugin { interface: &'static str, plugin: Name, closest: Option<Name> },
    #[error("plugin {} does not extend {interface} plugin", quote(plugin))]
    NotExtended { interface: &'static str, plugin: Name },
    #[error("plugin {} already registered as {}", quote(plugin), quote(interface))]
    Twice { interface: &'static str, plugin: Name },
    #[error("initializing plugin {}: {problem}", quote(plugin))]
    Args { plugin: Name, problem: String },
    #[error(
        "only one queue sort plugin required for profile with scheduler name {}, but got {count}",
        quote(scheduler_name)
    )]
    QueueSortCount { scheduler_name: Name, count: usize },
    #[error("at least one bind plugin is needed for profile with scheduler name {}", quote(scheduler_name))]
    NoBind { scheduler_name: Name },
}

/// All profiles share one queue. Upstream: `pkg/scheduler/profile/profile.go`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QueueSortError {
    #[error(
        "different queue sort plugins for profile {}: {}, first: {}",
        quote(scheduler_name),
        quote(plugin),
        quote(first)
    )]
    Plugin { scheduler_name: Name, plugin: Name, first: Name },
    #[error("different queue sort plugin args for profile {}", quote(scheduler_name))]
    Args { scheduler_name: Name },
}

fn hint(closest: Option<&str>) -> String {
    closest.map_or_else(String::new, |it| format!("; did you mean {}?", quote(it)))
}

/// One message as it is, several in brackets, each of them once. Upstream: `ErrorList.ToAggregate`.
pub(super) fn aggregate(errors: &[ConfigError]) -> String {
    let mut once: Vec<String> = Vec::new();
    for message in errors.iter().map(ToString::to_string) {
        if !once.contains(&message) {
            once.push(message);
        }
    }
    match once.as_slice() {
        [single] => single.clone(),
        several => format!("[{}]", several.join(", ")),
    }
}

/// What checks have found so far.
#[derive(Debug, Default)]
pub(super) struct Errors(pub(super) Vec<ConfigError>);

impl Errors {
    pub(super) fn required(&mut self, path: &Path<'_>, detail: &str) {
        self.add(FieldErrorKind::Required, path, None, detail);
    }

    /// `value` as messages show it: texts in quotes, structures as JSON.
    pub(super) fn invalid(
        &mut self,
        path: &Path<'_>,
        value: impl std::fmt::Display,
        detail: impl AsRef<str>,
    ) {
        self.add(FieldErrorKind::Invalid, path, Some(value.to_string()), detail);
    }

    pub(super) fn forbidden(&mut self, path: &Path<'_>, detail: &str) {
        self.add(FieldErrorKind::Forbidden, path, None, detail);
    }

    pub(super) fn duplicate(&mut self, path: &Path<'_>, value: impl std::fmt::Display) {
        self.add(FieldErrorKind::Duplicate, path, Some(value.to_string()), "");
    }

    pub(super) fn not_supported(&mut self, path: &Path<'_>, word: &str, supported: &[&str]) {
        let supported: Vec<String> = supported.iter().map(|it| quote(it)).collect();
        let detail = format!("supported values: {}", supported.join(", "));
        self.add(FieldErrorKind::NotSupported, path, Some(quote(word)), detail);
    }

    /// One error for each problem of `text`, such as the checks of names return them.
    pub(super) fn invalid_all(&mut self, path: &Path<'_>, text: &str, problems: Vec<String>) {
        for problem in problems {
            self.invalid(path, quote(text), problem);
        }
    }

    fn add(&mut self, kind: FieldErrorKind, path: &Path<'_>, value: Option<String>, detail: impl AsRef<str>) {
        let field = Name::from(format_args!("{path}"));
        let error = FieldError { kind, field, value: value.map(Name::from), detail: Name::new(detail) };
        self.0.push(error.into());
    }
}

impl ConfigError {
    /// The field that is wrong, as a path such as `profiles[0].schedulerName`; where none is to blame, nothing.
    pub fn field(&self) -> Option<&str> {
        match self {
            Self::Version { field, .. } | Self::UnknownField { field, .. } | Self::Type { field, .. } => {
                Some(field)
            }
            Self::Kind { .. } => Some("kind"),
            Self::ArgsKind { entry, .. } => Some(entry),
            Self::Field(error) => Some(&error.field),
            Self::Requirement { requirement, .. } => Some(requirement),
            Self::NoFitArgs | Self::Profile { .. } | Self::QueueSort(_) => None,
        }
    }
}
