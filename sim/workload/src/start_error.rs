//! Containers that the runtime cannot start.

use api::Container;
use base::Name;
use serde::Deserialize;

/// Why a container does not start: `commandNotFound`, `{create: "…"}`, or `{start: "…"}` with what the runtime says.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum StartError {
    /// The program is not in the image.
    CommandNotFound,
    /// The container cannot be made.
    Create(Name),
    /// It is made, but its process does not come up.
    Start(Name),
}

impl StartError {
    /// What the runtime says of a container. Upstream: containerd's `internal/cri/server`, and `runc`.
    pub fn message(&self, container: &Container) -> Name {
        match self {
            Self::Create(message) | Self::Start(message) => message.clone(),
            Self::CommandNotFound => {
                let program = program_of(container);
                Name::from(format_args!(
                    "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc \
                     create failed: unable to start container process: error during container init: exec: \
                     \"{program}\": executable file not found in $PATH: unknown"
                ))
            }
        }
    }
}

/// The program that a container runs. What an image runs by itself is not known: it is called like the image.
fn program_of(container: &Container) -> &str {
    let stated = container.command.first().or(container.args.first());
    stated.map_or_else(|| name_of_image(&container.image), Name::as_str)
}

/// The last part of an image's name, without tag and digest.
fn name_of_image(image: &str) -> &str {
    let last = image.rsplit('/').next().unwrap_or(image);
    last.split(['@', ':']).next().unwrap_or(last)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let container = |command: &[&str], args: &[&str]| Container {
            image: Name::new("registry.local:5000/shop/web:v2"),
            command: command.iter().copied().map(Name::new).collect(),
            args: args.iter().copied().map(Name::new).collect(),
            ..Container::default()
        };
        for (container, program) in [
            (container(&["sh", "-c"], &["exit 1"]), "sh"),
            (container(&[], &["serve"]), "serve"),
            (container(&[], &[]), "web"),
        ] {
            let said = StartError::CommandNotFound.message(&container);
            assert!(said.contains(&format!("exec: \"{program}\": executable file not found")), "{said}");
        }
    }

    #[test]
    fn every_form_is_read() {
        let read = |value| serde_json::from_value::<StartError>(value).unwrap();
        assert_eq!(read(json!("commandNotFound")), StartError::CommandNotFound);
        assert_eq!(read(json!({"create": "no such device"})), StartError::Create("no such device".into()));
        assert_eq!(read(json!({"start": "too many links"})), StartError::Start("too many links".into()));
        let wrong = serde_json::from_value::<StartError>(json!("crash")).unwrap_err().to_string();
        assert_eq!(wrong, "unknown variant `crash`, expected one of `commandNotFound`, `create`, `start`");
    }
}
