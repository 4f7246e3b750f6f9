//! What commands give away: many manifests sleep in hooks and in place of work, and a sleep says how long.

use api::{Container, LifecycleHandler};
use base::{Name, Span};

/// A command that runs a program whose length nobody knows, or asks a server: 100 ms, a guess.
const QUICK: Span = Span::millis(100);

/// How long a lifecycle hook runs: as long as it sleeps, if that is what it does.
pub fn hook_time(handler: &LifecycleHandler) -> Span {
    if let Some(sleep) = &handler.sleep {
        return Span::from_api_secs(sleep.seconds);
    }
    let words = handler.exec.iter().flat_map(|it| &it.command);
    match sleep_in(words) {
        Some(Sleep::For(span)) => span + QUICK,
        Some(Sleep::Forever) => Span::MAX,
        None => QUICK,
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sleep {
    For(Span),
    Forever,
}

/// How long a container sleeps that does nothing else: `sleep 3600`, `sh -c "sleep infinity"`.
///
/// As the first process of its container it has no handler for SIGTERM, so that it must be killed.
pub(crate) fn only_sleeps(container: &Container) -> Option<Sleep> {
    let words: Vec<&str> =
        container.command.iter().chain(&container.args).flat_map(|it| it.split_whitespace()).collect();
    let words = match words.as_slice() {
        [shell, "-c", rest @ ..] if is_program(shell, &["sh", "bash", "ash"]) => rest,
        all => all,
    };
    match words {
        [program, length] if is_program(program, &["sleep"]) => parse_length(length),
        ["tail", "-f", "/dev/null"] => Some(Sleep::Forever),
        _ => None,
    }
}

fn is_program(path: &str, names: &[&str]) -> bool {
    path.rsplit('/').next().is_some_and(|name| names.contains(&name))
}

/// The sum of all sleeps in a command line.
fn sleep_in<'a>(words: impl Iterator<Item = &'a Name>) -> Option<Sleep> {
    let mut sum = None;
    let mut is_length = false;
    for word in words.flat_map(|it| it.split(|c: char| c.is_whitespace() || ";&|".contains(c))) {
        if word.is_empty() {
            continue;
        }
        match (is_length, parse_length(word), sum) {
            (true, Some(Sleep::Forever), _) => return Some(Sleep::Forever),
            (true, Some(Sleep::For(more)), before) => sum = Some(before.unwrap_or(Span::ZERO) + more),
            _ => (),
        }
        is_length = is_program(word, &["sleep"]);
    }
    sum.map(Sleep::For)
}

/// As `sleep` reads it: seconds, or with a unit.
fn parse_length(word: &str) -> Option<Sleep> {
    if matches!(word, "infinity" | "inf") {
        return Some(Sleep::Forever);
    }
    let digits = word.trim_end_matches(['s', 'm', 'h', 'd']);
    let number: f64 = digits.parse().ok().filter(|it: &f64| it.is_finite() && 0.0 <= *it)?;
    let unit = match &word[digits.len()..] {
        "" | "s" => 1.0,
        "m" => 60.0,
        "h" => 3_600.0,
        "d" => 86_400.0,
        _ => return None,
    };
    Some(Sleep::For(Span::from_secs_f64(number * unit)))
}

#[cfg(test)]
mod tests {
    use api::{ExecAction, SleepAction};

    use super::*;

    fn names(words: &[&str]) -> Vec<Name> {
        words.iter().map(Name::new).collect()
    }

    #[test]
    fn a_hook_takes_as_long_as_it_sleeps() {
        let exec = |words: &[&str]| LifecycleHandler {
            exec: Some(ExecAction { command: names(words), ..ExecAction::default() }),
            ..LifecycleHandler::default()
        };
        let sleep = SleepAction { seconds: 7, ..SleepAction::default() };
        let hook = LifecycleHandler { sleep: Some(sleep), ..LifecycleHandler::default() };
        assert_eq!(hook_time(&hook), Span::secs(7));
        assert_eq!(hook_time(&exec(&["/bin/sh", "-c", "sleep 15; nginx -s quit"])), Span::secs(15) + QUICK);
        assert_eq!(hook_time(&exec(&["sleep", "2m"])), Span::secs(120) + QUICK);
        assert_eq!(hook_time(&exec(&["nginx", "-s", "quit"])), QUICK);
    }

    #[test]
    fn a_container_that_only_sleeps_is_recognized() {
        for (command, slept) in [
            (&["sleep", "3600"][..], Some(Sleep::For(Span::secs(3600)))),
            (&["/bin/sh", "-c", "sleep infinity"], Some(Sleep::Forever)),
            (&["tail", "-f", "/dev/null"], Some(Sleep::Forever)),
            (&["sh", "-c", "work && sleep 5"], None),
            (&["serve"], None),
            (&["sleep", "soon"], None),
        ] {
            let container = Container { command: names(command), ..Container::default() };
            assert_eq!(only_sleeps(&container), slept, "{command:?}");
        }
    }
}
