//! Lifecycle hooks: how long one runs in a container, and whether it fails.
//!
//! A hook by HTTP fails while nobody listens yet; a command fails if it says so itself (`false`, `exit 3`), or if its
//! container ends under it.
//!
//! Upstream: `pkg/kubelet/lifecycle/handlers.go`.

use api::{Container, HttpGetAction, LifecycleHandler};
use base::Time;
use workload::hook_time;

use super::{Worker, request};
use crate::core::Turn;
use crate::runtime::Instance;

/// One run of a hook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct HookRun {
    pub(super) until: Time,
    /// What upstream's handler says where it fails.
    pub(super) failure: Option<String>,
}

impl Worker {
    /// What comes of a hook of the container at `idx` that begins now.
    pub(super) fn run_hook(&self, idx: usize, hook: &LifecycleHandler, turn: &Turn<'_>) -> HookRun {
        let sandbox = turn.runtime.pod(self.pod.meta.uid);
        let instance = sandbox.and_then(|it| it.instance(idx));
        let ip = sandbox.map_or("", |it| it.ip.as_str());
        let ip = if ip.is_empty() { turn.core.setup.address.as_str() } else { ip };
        let until = turn.now + hook_time(hook);
        let died = instance.and_then(|it| it.end).map(|it| it.at).filter(|it| *it < until);
        let why = match (&hook.exec, &hook.http_get) {
            (Some(exec), _) => {
                let words: Vec<&str> = exec.command.iter().map(AsRef::as_ref).collect();
                let code = if died.is_some() { KILLED } else { exit_code(&words) };
                let error = format!("command '{}' exited with {code}: ", words.join(" "));
                let hook = format!("Exec lifecycle hook ([{}])", words.join(" "));
                (code != 0).then(|| hook + &self.of(idx) + &error + ", message: \"\"")
            }
            (None, Some(http)) => refusal(http, self.container(idx), ip, instance, turn.now)
                .map(|error| format!("HTTP lifecycle hook ({})", http.path) + &self.of(idx) + &error),
            (None, None) => None, // It sleeps, whatever the container does.
        };
        let is_cut = hook.exec.is_some() && died.is_some();
        HookRun { until: died.filter(|_| is_cut).unwrap_or(until), failure: why }
    }

    fn of(&self, idx: usize) -> String {
        format!(
            " for Container \"{}\" in Pod \"{}\" failed - error: ",
            self.container(idx).name,
            self.full_name()
        )
    }
}

/// Of a command that was killed with its container.
const KILLED: i32 = 137;

/// What a command line ends with, as far as it says so itself.
fn exit_code(words: &[&str]) -> i32 {
    let all = words.iter().flat_map(|it| it.split(|c: char| c.is_whitespace() || ";&|".contains(c)));
    let mut code = 0;
    let mut is_exit = false;
    for word in all.filter(|it| !it.is_empty()) {
        code = match (is_exit, word) {
            (true, number) => number.parse().unwrap_or(0),
            (false, "false" | "/bin/false") => 1,
            (false, _) => 0,
        };
        is_exit = word == "exit";
    }
    code
}

/// Why a request to the container fails, if nobody listens there at `now`. What listens elsewhere is not known here.
fn refusal(
    http: &HttpGetAction,
    container: &Container,
    ip: &str,
    instance: Option<&Instance>,
    now: Time,
) -> Option<String> {
    let Some(port) = request::port_number(&http.port, container) else {
        return Some(request::no_port(&http.port));
    };
    if !http.host.is_empty() || instance.is_some_and(|it| it.listens(now)) {
        return None;
    }
    Some(request::refused_by_http(http, &format!("{ip}:{port}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_fails_where_it_says_so() {
        for (words, code) in [
            (&["nginx", "-s", "quit"][..], 0),
            (&["false"], 1),
            (&["sh", "-c", "echo no; exit 3"], 3),
            (&["sh", "-c", "exit 3 || sleep 1"], 0),
            (&["sh", "-c", "exit"], 0),
        ] {
            assert_eq!(exit_code(words), code, "{words:?}");
        }
    }
}
