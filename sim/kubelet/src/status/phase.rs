//! The phase of a pod, from the states of its containers.
//!
//! Upstream: `pkg/kubelet/kubelet_pods.go`, `getPhase`.

use api::{ContainerStatus, PodPhase, PodSpec, RestartPolicy};

use super::containers::{policy_of, restarts_after};

pub(crate) fn is_terminal(phase: &PodPhase) -> bool {
    matches!(phase, PodPhase::Succeeded | PodPhase::Failed)
}

pub(super) fn phase(
    spec: &PodSpec,
    init: &[ContainerStatus],
    main: &[ContainerStatus],
    is_over: bool,
) -> PodPhase {
    let starting = Starting::of(spec, init);
    if starting.failed && spec.restart_policy == RestartPolicy::Never {
        return PodPhase::Failed;
    }
    let has_started = any_started(main);
    if starting.pending && !has_started {
        return PodPhase::Pending;
    }
    let count = Count::of(main);
    if 0 < count.waiting {
        return PodPhase::Pending;
    }
    if 0 < count.running && !is_over {
        return PodPhase::Running;
    }
    if count.stopped == 0 {
        return PodPhase::Pending;
    }
    if !is_over && main.iter().any(|it| will_restart(spec, it)) {
        return PodPhase::Running;
    }
    if count.stopped == count.succeeded { PodPhase::Succeeded } else { PodPhase::Failed }
}

/// Whether a main container that has stopped is started again.
fn will_restart(spec: &PodSpec, status: &ContainerStatus) -> bool {
    let Some(container) = spec.containers.iter().find(|it| it.name == status.name) else { return true };
    match &status.state.terminated {
        Some(end) => restarts_after(spec, container, end.exit_code),
        None => policy_of(spec, container) != RestartPolicy::Never,
    }
}

/// Whether a main container runs or has run. Upstream: `kubecontainer.HasAnyRegularContainerStarted`.
pub(super) fn any_started(main: &[ContainerStatus]) -> bool {
    main.iter().any(|it| it.state.running.is_some() || it.state.terminated.is_some())
}

struct Starting {
    /// An init container is still to succeed, or a sidecar to start.
    pending: bool,
    /// An init container ended badly.
    failed: bool,
}

impl Starting {
    fn of(spec: &PodSpec, init: &[ContainerStatus]) -> Self {
        let mut it = Self { pending: false, failed: false };
        for container in &spec.init_containers {
            match init.iter().find(|status| status.name == container.name) {
                Some(status) if container.is_sidecar() => it.pending |= is_sidecar_pending(status),
                Some(status) => it.add(status),
                None => it.pending = true,
            }
        }
        it
    }

    fn add(&mut self, status: &ContainerStatus) {
        let ended = status.state.terminated.as_ref();
        let ended =
            ended.or(status.last_state.terminated.as_ref().filter(|_| status.state.waiting.is_some()));
        match ended {
            Some(end) if end.exit_code != 0 => (self.failed, self.pending) = (true, true),
            Some(_) => self.pending |= status.state.waiting.is_some() && status.state.terminated.is_none(),
            None => self.pending = true,
        }
    }
}

fn is_sidecar_pending(status: &ContainerStatus) -> bool {
    if status.state.running.is_some() {
        return status.started != Some(true);
    }
    status.state.terminated.is_none() && status.last_state.terminated.is_none()
}

#[derive(Default)]
struct Count {
    /// Never started.
    waiting: u32,
    running: u32,
    stopped: u32,
    succeeded: u32,
}

impl Count {
    /// Of the main containers: sidecars neither keep a pod running nor count for how it ends.
    fn of(main: &[ContainerStatus]) -> Self {
        let mut count = Self::default();
        main.iter().for_each(|it| count.add(it));
        count
    }

    fn add(&mut self, status: &ContainerStatus) {
        match (&status.state, &status.last_state.terminated) {
            (state, _) if state.running.is_some() => self.running += 1,
            (state, _) if state.terminated.is_some() => {
                self.stopped += 1;
                self.succeeded += u32::from(state.terminated.as_ref().is_some_and(|it| it.exit_code == 0));
            }
            (_, Some(_)) => self.stopped += 1,
            (_, None) => self.waiting += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use api::{Container, ContainerRunning, ContainerState, ContainerTerminated};
    use base::Name;

    use super::*;

    fn state(word: &str) -> ContainerState {
        match word {
            "running" => {
                ContainerState { running: Some(ContainerRunning::default()), ..ContainerState::default() }
            }
            "waiting" => ContainerState { waiting: Some(Box::default()), ..ContainerState::default() },
            code => {
                let exit_code = code.parse().unwrap();
                let end = ContainerTerminated { exit_code, ..ContainerTerminated::default() };
                ContainerState { terminated: Some(Box::new(end)), ..ContainerState::default() }
            }
        }
    }

    /// `running`, `waiting`, an exit code, or an exit code and `back` for one that waits to be started again.
    fn statuses(words: &str) -> Vec<ContainerStatus> {
        let status = |(n, word): (usize, &str)| {
            let name = Name::from(format_args!("c{n}"));
            match word.strip_suffix("back") {
                Some(code) => ContainerStatus {
                    name,
                    state: state("waiting"),
                    last_state: state(code),
                    ..ContainerStatus::default()
                },
                None => ContainerStatus {
                    name,
                    state: state(word),
                    started: Some(true),
                    ..ContainerStatus::default()
                },
            }
        };
        words.split_whitespace().enumerate().map(status).collect()
    }

    #[test]
    fn phases_follow_the_containers() {
        use PodPhase::{Failed, Pending, Running, Succeeded};
        use RestartPolicy::{Always, Never, OnFailure};
        for (policy, init, main, is_over, expected) in [
            (Always, "", "waiting", false, Pending),
            (Always, "", "running waiting", false, Pending),
            (Always, "", "running running", false, Running),
            (Always, "", "running 1", false, Running),
            (Always, "", "1back", false, Running),
            (Always, "", "0", false, Running),
            (Always, "", "0", true, Succeeded),
            (Always, "", "0 137", true, Failed),
            (OnFailure, "", "0", false, Succeeded),
            (OnFailure, "", "1", false, Running),
            (Never, "", "1", false, Failed),
            (Never, "", "0 0", false, Succeeded),
            (Never, "", "0 running", false, Running),
            (Always, "running", "waiting", false, Pending),
            (Always, "1back", "waiting", false, Pending),
            (Never, "1", "waiting", false, Failed),
            (OnFailure, "1", "waiting", false, Pending),
            (Always, "0", "running", false, Running),
            (Always, "waiting", "running", false, Running),
        ] {
            let (init, main) = (statuses(init), statuses(main));
            let init_containers =
                init.iter().map(|it| Container { name: it.name.clone(), ..Container::default() });
            let containers =
                main.iter().map(|it| Container { name: it.name.clone(), ..Container::default() });
            let spec = PodSpec {
                restart_policy: policy.clone(),
                containers: containers.collect(),
                init_containers: init_containers.collect(),
                ..PodSpec::default()
            };
            assert_eq!(phase(&spec, &init, &main, is_over), expected, "{policy} {init:?} {main:?} {is_over}");
        }
    }

    #[test]
    fn a_sidecar_does_not_keep_a_job_from_succeeding() {
        let sidecar = Container {
            name: Name::new("c0"),
            restart_policy: Some(Name::new("Always")),
            ..Container::default()
        };
        let spec = PodSpec {
            restart_policy: RestartPolicy::Never,
            init_containers: vec![sidecar],
            containers: vec![Container { name: Name::new("c0"), ..Container::default() }],
            ..PodSpec::default()
        };
        assert_eq!(phase(&spec, &statuses("running"), &statuses("0"), false), PodPhase::Succeeded);
        assert_eq!(phase(&spec, &statuses("running"), &statuses("running"), false), PodPhase::Running);
    }
}
