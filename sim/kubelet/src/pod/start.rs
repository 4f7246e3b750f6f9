//! Starting a container: its back-off, its image, its creation, its postStart hook.
//!
//! Upstream: `pkg/kubelet/kuberuntime/kuberuntime_container.go`, `startContainer`;
//! `kuberuntime_manager.go`, `doBackOff`; `pkg/kubelet/images/image_manager.go`, `EnsureImageExists`.

use api::GoDuration;
use base::{Name, Span, Time};
use workload::{effective_policy, hook_time};

use super::{Busy, Step, Worker};
use crate::backoff::Backoff;
use crate::core::Turn;
use crate::input::What;
use crate::recorder::Saying;
use crate::runtime::{Supply, truncated};
use crate::text::join;

impl Worker {
    pub(super) fn begin_start(&mut self, idx: usize, busy: &mut Busy, turn: &mut Turn<'_>) {
        if self.must_wait(idx, busy.at, turn) {
            busy.has_failed = true;
            return;
        }
        let container = self.container(idx);
        let (image, policy) = (container.image.clone(), effective_policy(container));
        match turn.runtime.request_image(turn.now, &self.pod, idx, &image, &policy) {
            Supply::Present => {
                let text = join(["Container image \"", &image, "\" already present on machine"]);
                self.say(turn, Some(idx), Saying::normal("Pulled", text));
                self.begin_create(idx, busy, turn);
            }
            Supply::Missing => {
                busy.has_failed = true;
                self.refuse_image(idx, &image, turn);
            }
            Supply::Pull { start, done, bytes } => {
                let text = join(["Pulling image \"", &image, "\""]);
                self.say(turn, Some(idx), Saying::normal("Pulling", text));
                self.note(turn, Some(idx), What::PullStarted { image });
                let step = Step::Pull { container: idx, asked: turn.now, start, bytes };
                self.take_until(done, step, busy, turn);
            }
        }
    }

    /// Whether a container that ended is still in its back-off; if not, the next one begins.
    ///
    /// The first start after a crash is at once: the back-off begins with the second.
    fn must_wait(&mut self, idx: usize, at: Time, turn: &mut Turn<'_>) -> bool {
        let sandbox = turn.runtime.pod(self.pod.meta.uid);
        let Some(ended) = sandbox.and_then(|it| it.last_end(idx, at)) else { return false };
        let entry = self.memos[idx].backoff;
        if !Backoff::holds(entry, ended, turn.now) {
            self.memos[idx].backoff = Some(Backoff::next(entry, ended, turn.now));
            return false;
        }
        self.back_off(idx, entry.map_or(Span::ZERO, |it| it.delay), turn);
        true
    }

    fn back_off(&mut self, idx: usize, delay: Span, turn: &mut Turn<'_>) {
        let (name, pod) = (self.container(idx).name.clone(), self.full_name());
        let text = Name::from(format_args!("Back-off restarting failed container {name} in pod {pod}"));
        self.say(turn, Some(idx), Saying::warning("BackOff", text));
        let full =
            format_args!("back-off {} restarting failed container={name} pod={pod}", GoDuration::from(delay));
        self.memos[idx].trouble = Some(Box::new((Name::from_static("CrashLoopBackOff"), Name::from(full))));
        self.note(turn, Some(idx), What::BackingOff { delay });
    }

    fn refuse_image(&mut self, idx: usize, image: &Name, turn: &mut Turn<'_>) {
        let text =
            Name::from(format_args!("Container image \"{image}\" is not present with pull policy of Never"));
        self.say(turn, Some(idx), Saying::warning("ErrImageNeverPull", text.clone()));
        self.say(turn, Some(idx), Saying::warning("Failed", Name::from_static("Error: ErrImageNeverPull")));
        self.memos[idx].trouble = Some(Box::new((Name::from_static("ErrImageNeverPull"), text)));
    }

    pub(super) fn end_pull(&mut self, idx: usize, asked: Time, start: Time, bytes: i64, turn: &mut Turn<'_>) {
        let image = self.container(idx).image.clone();
        let (took, waited) = (truncated(turn.now - start), truncated(turn.now - asked));
        let text = Name::from(format_args!(
            "Successfully pulled image \"{image}\" in {} ({} including waiting). Image size: {bytes} bytes.",
            GoDuration::from(took),
            GoDuration::from(waited),
        ));
        self.say(turn, Some(idx), Saying::normal("Pulled", text));
        self.note(turn, Some(idx), What::Pulled { image, bytes, took: waited });
    }

    pub(super) fn begin_create(&mut self, idx: usize, busy: &mut Busy, turn: &mut Turn<'_>) {
        if self.lacks_disk_for_container(idx, busy, turn) {
            return;
        }
        let took = turn.runtime.create_time(self.pod.meta.uid, idx);
        self.take_until(turn.now + took, Step::Create { container: idx }, busy, turn);
    }

    /// The container runs. Its postStart hook keeps the worker busy, not the container.
    pub(super) fn end_create(&mut self, idx: usize, busy: &mut Busy, turn: &mut Turn<'_>) {
        busy.has_changed = true;
        self.tell_end(idx, turn.now, turn);
        let (name, image) = (self.container(idx).name.clone(), self.container(idx).image.clone());
        let restarts = turn.runtime.start(turn.now, &self.pod, idx, &image);
        self.memos[idx].trouble = None;
        self.say(turn, Some(idx), Saying::normal("Created", join(["Created container: ", &name])));
        self.say(turn, Some(idx), Saying::normal("Started", join(["Started container ", &name])));
        self.note(turn, Some(idx), What::Started { restarts });
        let hook =
            self.container(idx).lifecycle.as_ref().and_then(|it| it.post_start.as_ref()).map(hook_time);
        if let Some(took) = hook {
            self.take_until(turn.now + took, Step::PostStart, busy, turn);
        }
    }
}
