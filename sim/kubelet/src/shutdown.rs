//! Graceful node shutdown: the machine's end is held up while pods are ended, group by group from the lowest priority
//! to the highest, each group within a time of its own.
//!
//! Upstream: `pkg/kubelet/nodeshutdown/{nodeshutdown_manager,nodeshutdown_manager_linux}.go`.

use std::collections::VecDeque;

use api::Pod;
use base::{Handle, Name, Slab, Span, Time};

use crate::configuration::ShutdownGracePeriod;
use crate::constants::VOLUME_POLL;
use crate::core::Turn;
use crate::input::{Effect, Timer};
use crate::pod::Worker;
use crate::status::Ending;

/// A shutdown that is under way.
#[derive(Clone, Debug)]
pub(crate) struct Shutdown {
    /// Those whose turn has not come; the next one first.
    groups: VecDeque<Group>,
    current: Option<Wait>,
    /// When the machine goes off, once nothing holds that up.
    off_at: Option<Time>,
    is_over: bool,
}

/// Pods that are ended at the same time.
#[derive(Clone, Debug)]
struct Group {
    grace: Span,
    pods: Vec<Handle<Worker>>,
}

/// What the shutdown waits for.
#[derive(Clone, Debug)]
struct Wait {
    pods: Vec<Handle<Worker>>,
    deadline: Time,
    /// When the volumes of the pods, which have stopped, are unmounted.
    unmounted: Option<Time>,
}

/// What an init system takes to stop the services of a machine before its power goes: ours. The kubelet, which is one of
/// the last, still gets its statuses through.
const STOPPING: Span = Span::secs(1);
const MESSAGE: &str = "Pod was terminated in response to imminent node shutdown.";

impl Shutdown {
    /// Of a kubelet that looks after `pods`.
    pub(crate) fn new<'a>(
        configured: &[ShutdownGracePeriod],
        pods: impl Iterator<Item = (Handle<Worker>, &'a Worker)>,
    ) -> Self {
        let mut groups: Vec<Group> = configured
            .iter()
            .map(|it| Group {
                grace: Span::from_api_secs(it.shutdown_grace_period_seconds),
                pods: Vec::new(),
            })
            .collect();
        for (handle, worker) in pods.filter(|(_, it)| it.may_be_running()) {
            if let Some(n) = group_of(configured, priority(&worker.pod)) {
                groups[n].pods.push(handle);
            }
        }
        groups.retain(|it| !it.pods.is_empty());
        Self { groups: groups.into(), current: None, off_at: None, is_over: false }
    }

    /// Goes on as far as it can: to the next group once the pods of the last have stopped or their time is up, and
    /// after all groups to the end of the machine.
    pub(crate) fn pump(&mut self, pods: &mut Slab<Worker>, turn: &mut Turn<'_>) {
        while !self.is_over && !self.must_wait(pods, turn) {
            match self.groups.pop_front() {
                Some(group) => self.current = Some(begin(group, pods, turn)),
                None => return self.go_off(turn),
            }
        }
    }

    /// The machine is given free, and its init system stops what is left.
    fn go_off(&mut self, turn: &mut Turn<'_>) {
        let at = *self.off_at.get_or_insert_with(|| {
            turn.wake_at(turn.now + STOPPING, Timer::Shutdown, 0);
            turn.now + STOPPING
        });
        if at <= turn.now {
            self.is_over = true;
            turn.effects.push(Effect::PowerOff);
        }
    }

    /// Whether the pods of the current group still have time, and need it.
    fn must_wait(&mut self, pods: &Slab<Worker>, turn: &mut Turn<'_>) -> bool {
        let Some(wait) = &mut self.current else { return false };
        if wait.deadline <= turn.now {
            return false;
        }
        let workers = || wait.pods.iter().filter_map(|it| pods.get(*it));
        if workers().any(Worker::may_be_running) {
            return true;
        }
        let has_volumes = workers().any(|it| !it.pod.spec.volumes.is_empty());
        let unmounted = *wait.unmounted.get_or_insert_with(|| {
            let at = if has_volumes { turn.now + VOLUME_POLL } else { turn.now };
            turn.wake_at(at, Timer::Shutdown, 0);
            at
        });
        turn.now < unmounted
    }
}

/// Ends the pods of a group.
fn begin(group: Group, pods: &mut Slab<Worker>, turn: &mut Turn<'_>) -> Wait {
    for handle in &group.pods {
        if let Some(worker) = pods.get_mut(*handle) {
            let ending = Ending {
                reason: Name::from_static("Terminated"),
                message: Name::from_static(MESSAGE),
                disruption: Some(Name::from_static(MESSAGE)),
            };
            worker.end(ending, Some(group.grace), turn);
        }
    }
    let deadline = turn.now + group.grace;
    turn.wake_at(deadline, Timer::Shutdown, 0);
    Wait { pods: group.pods, deadline, unmounted: None }
}

fn priority(pod: &Pod) -> i32 {
    pod.spec.priority.unwrap_or(0)
}

/// The last group whose priority is not above that of the pod, or the first of all.
fn group_of(groups: &[ShutdownGracePeriod], priority: i32) -> Option<usize> {
    let above = groups.partition_point(|it| it.priority <= priority);
    (!groups.is_empty()).then_some(above.saturating_sub(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pod_belongs_to_the_group_at_or_below_its_priority() {
        let group = |priority| ShutdownGracePeriod { priority, shutdown_grace_period_seconds: 10 };
        let groups = [group(100), group(1_000), group(10_000)];
        for (priority, expected) in [(-5, 0), (0, 0), (100, 0), (999, 0), (1_000, 1), (5_000, 1), (20_000, 2)]
        {
            assert_eq!(group_of(&groups, priority), Some(expected), "{priority}");
        }
        assert_eq!(group_of(&[], 0), None);
    }
}
