//! Pods that have a node, and wait until plugins let them be bound to it.
//!
//! Upstream: `pkg/scheduler/framework/runtime/waiting_pods_map.go`, `RunPermitPlugins`.

use api::{GoDuration, Uid};
use base::{Name, Span, Time};
use client::Effect;

use super::Scheduler;
use super::binding::Stage;
use super::failure::Failure;
use crate::diagnosis::Refusal;
use crate::framework::{Cycle, Permit, Rejection};
use crate::pod_info::PodInfo;

/// Upstream: `maxTimeout`.
const MAX_WAIT: Span = Span::mins(15);

/// One plugin's wish that the pod wait.
#[derive(Clone, Debug)]
pub(super) struct Wait {
    plugin: &'static str,
    span: Span,
    pub(super) until: Time,
}

impl Scheduler {
    /// One of the plugins that asked the pod to wait is content. Upstream: `WaitingPod.Allow`.
    pub fn allow(&mut self, now: Time, uid: Uid, plugin: &str, effects: &mut Vec<Effect>) {
        let Some(binding) = self.bindings.get_mut(&uid) else { return };
        if let Stage::Permit(waits) = &mut binding.stage {
            waits.retain(|it| it.plugin != plugin);
            self.advance(now, uid, effects);
        }
    }

    /// The pod is not to be bound after all. Returns whether it was waiting. Upstream: `WaitingPod.Reject`.
    pub fn reject(
        &mut self,
        now: Time,
        uid: Uid,
        plugin: &'static str,
        message: Name,
        effects: &mut Vec<Effect>,
    ) -> bool {
        let is_waiting = self.bindings.get(&uid).is_some_and(|it| matches!(it.stage, Stage::Permit(_)));
        if is_waiting {
            let refusal = Refusal { plugin, rejection: Rejection::unschedulable(message) };
            self.give_up(now, uid, &Failure::of_plugin("Permit", &refusal), effects);
        }
        is_waiting
    }

    /// The plugins that ask the pod to wait; or the first that refuses. Upstream: `RunPermitPlugins`.
    pub(super) fn ask_permits(
        &self,
        now: Time,
        profile: usize,
        pod: &PodInfo,
        node: &Name,
    ) -> Result<Vec<Wait>, Refusal> {
        let profile = &self.core.profiles[profile];
        let cycle = Cycle { pod, cluster: &self.core.cluster };
        let Some(info) = self.core.cluster.nodes.find(node) else { return Ok(Vec::new()) };
        let mut waits = Vec::new();
        for plugin in profile.points.permit.iter().map(|&idx| profile.plugin(idx)) {
            match plugin.permit(&cycle, info) {
                Permit::Allow => (),
                Permit::Reject(rejection) => return Err(Refusal { plugin: plugin.name(), rejection }),
                Permit::Wait(span) => {
                    let span = span.min(MAX_WAIT);
                    waits.push(Wait { plugin: plugin.name(), span, until: now + span });
                }
            }
        }
        Ok(waits)
    }
}

/// The plugin that has lost patience first, if any has.
pub(super) fn timed_out(now: Time, waits: &[Wait]) -> Option<Refusal> {
    let first = waits.iter().min_by_key(|it| it.until).filter(|it| it.until <= now)?;
    let (span, plugin) = (GoDuration::from(first.span), first.plugin);
    let text = format_args!("rejected due to timeout after waiting {span} at plugin {plugin}");
    Some(Refusal { plugin, rejection: Rejection::unschedulable(Name::from(text)) })
}
