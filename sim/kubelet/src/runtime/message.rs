//! What the status of a container shows of how it ended: its termination message.
//!
//! Upstream: `pkg/kubelet/kuberuntime/kuberuntime_container.go` (`getTerminationMessage`),
//! `pkg/kubelet/container/runtime.go`, `pkg/kubelet/status/status_manager.go` (`normalizeStatus`).

use api::{Container, PodSpec};
use base::Name;
use serde_json::Value;
use workload::Words;

use super::instance::{By, End, Instance};

/// Of a file. Upstream: `MaxContainerTerminationMessageLength`.
const FILE_MAX_BYTES: usize = 4 << 10;
/// Of the output. Upstream: `MaxContainerTerminationMessageLogLength`, `MaxContainerTerminationMessageLogLines`.
const LOG_MAX_BYTES: usize = 2 << 10;
const LOG_MAX_LINES: usize = 80;
/// Of all containers of a pod together, each of which has its even share. Upstream: `MaxPodTerminationMessageLogLength`.
const POD_MAX_BYTES: usize = 12 << 10;

impl Instance {
    /// The message of a run of `container` that ended so; empty for none.
    pub(crate) fn message(&self, spec: &PodSpec, container: &Container, end: End) -> Name {
        let Some(app) = &self.app else { return Name::EMPTY };
        let message = match (end.by, &app.words) {
            (By::NoStart, _) => app.refusal.as_ref().map_or("", Name::as_str),
            (By::Itself, Some(words)) => written(container, &words.exit, end),
            (By::Signal, Some(words)) => written(container, &words.stop, end),
            (By::Itself | By::Signal, None) | (By::Force, _) => "",
        };
        let all = spec.init_containers.len() + spec.containers.len();
        Name::new(first_bytes(message, POD_MAX_BYTES / all.max(1)))
    }
}

/// What the kubelet reads: the file, or instead the output of what failed without a word.
fn written<'a>(container: &Container, words: &'a Words, end: End) -> &'a str {
    let has_path = !text(container, "terminationMessagePath").is_empty();
    if has_path && !words.message.is_empty() {
        return last_bytes(&words.message, FILE_MAX_BYTES);
    }
    let falls_back = text(container, "terminationMessagePolicy") == "FallbackToLogsOnError";
    if falls_back && end.code != 0 { last_bytes(last_lines(&words.log), LOG_MAX_BYTES) } else { "" }
}

fn text<'a>(container: &'a Container, field: &str) -> &'a str {
    container.rest.get(field).and_then(Value::as_str).unwrap_or("")
}

fn last_lines(text: &str) -> &str {
    let body = text.strip_suffix('\n').unwrap_or(text);
    let start = body.rmatch_indices('\n').nth(LOG_MAX_LINES - 1).map_or(0, |(position, _)| position + 1);
    &text[start..]
}

/// At most; a character that is cut in two is left out.
fn last_bytes(text: &str, max: usize) -> &str {
    let start = text.len().saturating_sub(max);
    &text[text.ceil_char_boundary(start)..]
}

fn first_bytes(text: &str, max: usize) -> &str {
    &text[..text.floor_char_boundary(max)]
}

#[cfg(test)]
mod tests {
    use base::Time;
    use serde_json::json;

    use super::*;

    fn container(path: &str, policy: &str) -> Container {
        let fields = json!({"name": "a", "terminationMessagePath": path, "terminationMessagePolicy": policy});
        serde_json::from_value(fields).unwrap()
    }

    #[test]
    fn the_file_counts_and_the_output_only_after_a_failure() {
        const PATH: &str = "/dev/termination-log";
        let words = |message: &str, log: &str| Words { message: message.into(), log: log.into() };
        for (path, policy, code, said, expected) in [
            (PATH, "File", 1, words("why", "out"), "why"),
            (PATH, "File", 0, words("why", "out"), "why"),
            (PATH, "File", 1, words("", "out"), ""),
            (PATH, "FallbackToLogsOnError", 1, words("why", "out"), "why"),
            (PATH, "FallbackToLogsOnError", 1, words("", "out"), "out"),
            (PATH, "FallbackToLogsOnError", 0, words("", "out"), ""),
            ("", "FallbackToLogsOnError", 1, words("why", "out"), "out"),
            ("", "File", 1, words("why", "out"), ""),
        ] {
            let end = End::exit(Time::ZERO, code);
            assert_eq!(written(&container(path, policy), &said, end), expected, "{path} {policy} {code}");
        }
    }

    #[test]
    fn what_is_too_long_is_cut() {
        let lines: String = (0..100).map(|n| format!("{n}\n")).collect();
        assert!(last_lines(&lines).starts_with("20\n") && last_lines(&lines).ends_with("99\n"));
        assert_eq!(last_lines("a\nb"), "a\nb");
        assert_eq!((last_bytes("äöü", 3), last_bytes("abc", 5)), ("ü", "abc"));
        assert_eq!((first_bytes("äöü", 3), first_bytes("abc", 5)), ("ä", "abc"));
    }
}
