//! Getting a container its image.
//!
//! Upstream: `pkg/kubelet/images/image_manager.go`, `EnsureImageExists`; `pkg/kubelet/kubelet_pods.go`,
//! `getPullSecretsForPod`.

use api::{GoDuration, PullPolicy};
use base::{Name, Time};
use workload::effective_policy;

use super::objects::{Lookups, pull_secrets_of};
use super::{Busy, Step, Worker};
use crate::core::Turn;
use crate::images::{Backoffs, InvalidName, Outcome, PullError, Reference, Ticket};
use crate::input::What;
use crate::recorder::Saying;
use crate::text::{join, truncated};

/// What a worker remembers of pulls, if there was anything to remember.
#[derive(Clone, Debug, Default)]
pub(super) struct Pulls {
    backoffs: Backoffs,
    /// The sync in which pull secrets were asked for, and whether any was there.
    secrets: Option<(u32, bool)>,
}

/// A pull that a worker waits for.
#[derive(Clone, Copy, Debug)]
pub(super) struct PullStep {
    pub(super) container: usize,
    ticket: Ticket,
    asked: Time,
    /// Once it is over.
    outcome: Option<Outcome>,
}

/// Pull secrets that a worker waits for.
#[derive(Clone, Debug)]
pub(super) struct SecretStep {
    pub(super) container: usize,
    pub(super) lookups: Lookups,
}

impl Worker {
    pub(super) fn ensure_image(&mut self, idx: usize, busy: &mut Busy, turn: &mut Turn<'_>) {
        let Some(has_secret) = self.pull_secrets(idx, busy, turn) else { return };
        let (image, policy) = (self.container(idx).image.clone(), effective_policy(self.container(idx)));
        let phrases = turn.core.phrases.of_image(&image);
        let reference = match &phrases.reference {
            Ok(reference) => reference,
            Err(why) => return self.refuse_name(idx, &image, why, busy, turn),
        };
        let is_here = turn.runtime.has_image(reference);
        match policy {
            PullPolicy::IfNotPresent | PullPolicy::Never if is_here => {
                let text = phrases.present.clone();
                self.say(turn, Some(idx), Saying::normal("Pulled", text));
                self.begin_configure(idx, busy, turn);
            }
            PullPolicy::Never => self.refuse_to_pull(idx, &image, busy, turn),
            PullPolicy::IfNotPresent | PullPolicy::Always | PullPolicy::Other(_) => {
                self.pull(idx, &image, reference.clone(), has_secret, busy, turn);
            }
        }
    }

    fn pull(
        &mut self,
        idx: usize,
        image: &Name,
        reference: Reference,
        has_secret: bool,
        busy: &mut Busy,
        turn: &mut Turn<'_>,
    ) {
        if self.must_wait_for_image(idx, image, busy, turn) {
            return;
        }
        let text = turn.core.phrases.of_image(image).pulling.clone();
        self.say(turn, Some(idx), Saying::normal("Pulling", text));
        self.note(turn, Some(idx), What::PullStarted { image: image.clone() });
        let order = turn.runtime.order_image(&self.pod, idx, reference, has_secret);
        match turn.request_pull(self.handle(), order) {
            Ok(ticket) => {
                let step = PullStep { container: idx, ticket, asked: turn.now, outcome: None };
                self.take_until(Time::MAX, Step::Pull(step), busy, turn);
            }
            Err(error) => self.fail_pull(idx, error, busy, turn),
        }
    }

    /// The pull with this ticket is over. Nobody waits for it any more where the pod is to go.
    pub(crate) fn pull_ended(&mut self, ticket: Ticket, outcome: Outcome, turn: &mut Turn<'_>) {
        let step = self.busy.as_mut().and_then(|it| it.step.as_mut());
        if let Some(Step::Pull(step)) = step.filter(|it| matches!(it, Step::Pull(it) if it.ticket == ticket))
        {
            step.outcome = Some(outcome);
            self.advance(turn);
        }
    }

    pub(super) fn end_pull(&mut self, step: PullStep, busy: &mut Busy, turn: &mut Turn<'_>) {
        let Some(Outcome { took, result }) = step.outcome else {
            busy.step = Some(Step::Pull(step)); // Something else woke the worker.
            return;
        };
        let idx = step.container;
        let bytes = match result {
            Ok(bytes) => bytes,
            Err(error) => return self.fail_pull(idx, error, busy, turn),
        };
        let image = self.container(idx).image.clone();
        let (took, waited) = (truncated(took), truncated(turn.now - step.asked));
        let text = Name::from(format_args!(
            "Successfully pulled image \"{image}\" in {} ({} including waiting). Image size: {bytes} bytes.",
            GoDuration::from(took),
            GoDuration::from(waited),
        ));
        self.say(turn, Some(idx), Saying::normal("Pulled", text));
        self.note(turn, Some(idx), What::Pulled { image, bytes, took: waited });
        turn.watch_images();
        turn.watch_disk();
        self.begin_configure(idx, busy, turn);
    }

    fn fail_pull(&mut self, idx: usize, error: PullError, busy: &mut Busy, turn: &mut Turn<'_>) {
        let image = self.container(idx).image.clone();
        let why = Reference::parse(&image).map_or_else(|it| it.to_string(), |it| error.message(&it));
        let text = Name::from(format_args!("Failed to pull image \"{image}\": {why}"));
        self.say(turn, Some(idx), Saying::warning("Failed", text));
        let told = Name::from(format_args!("ErrImagePull: {why}"));
        let why = Name::from(why);
        self.pulls.get_or_insert_default().backoffs.fail(&image, turn.now, told);
        self.note(turn, Some(idx), What::PullFailed { image, why: why.clone() });
        self.give_up(idx, "ErrImagePull", why, busy, turn);
    }

    /// Whether the last pull of this image failed too short ago.
    fn must_wait_for_image(
        &mut self,
        idx: usize,
        image: &Name,
        busy: &mut Busy,
        turn: &mut Turn<'_>,
    ) -> bool {
        let Some(pulls) = &mut self.pulls else { return false };
        let Some((delay, why)) = pulls.backoffs.holds(image, turn.now) else {
            pulls.backoffs.retry(image);
            return false;
        };
        let text = join(["Back-off pulling image \"", image, "\""]);
        let full = why.map_or_else(|| text.clone(), |why| join([&text, ": ", why]));
        self.say(turn, Some(idx), Saying::normal("BackOff", text));
        self.note(turn, Some(idx), What::BackingOff { delay });
        self.give_up(idx, "ImagePullBackOff", full, busy, turn);
        true
    }

    fn refuse_name(
        &mut self,
        idx: usize,
        image: &Name,
        why: &InvalidName,
        busy: &mut Busy,
        turn: &mut Turn<'_>,
    ) {
        let text = Name::from(format_args!(
            "Failed to apply default image tag \"{image}\": couldn't parse image name \"{image}\": {why}"
        ));
        self.say(turn, Some(idx), Saying::warning("InspectFailed", text.clone()));
        self.give_up(idx, "InvalidImageName", text, busy, turn);
    }

    fn refuse_to_pull(&mut self, idx: usize, image: &Name, busy: &mut Busy, turn: &mut Turn<'_>) {
        let text = join(["Container image \"", image, "\" is not present with pull policy of Never"]);
        self.say(turn, Some(idx), Saying::warning("ErrImageNeverPull", text.clone()));
        self.give_up(idx, "ErrImageNeverPull", text, busy, turn);
    }

    /// The container cannot be started in this sync.
    fn give_up(
        &mut self,
        idx: usize,
        reason: &'static str,
        message: Name,
        busy: &mut Busy,
        turn: &mut Turn<'_>,
    ) {
        busy.has_failed = true;
        self.say(turn, Some(idx), Saying::warning("Failed", join(["Error: ", reason])));
        self.memos[idx].trouble = Some(Box::new((Name::from_static(reason), message)));
    }
}

/// Pull secrets.
impl Worker {
    /// Whether the pod has a pull secret; `None` where the answer is still to come.
    fn pull_secrets(&mut self, idx: usize, busy: &mut Busy, turn: &mut Turn<'_>) -> Option<bool> {
        let needs = pull_secrets_of(&self.pod.spec);
        if needs.is_empty() {
            return Some(false);
        }
        let known = self.pulls.as_ref().and_then(|it| it.secrets);
        if let Some((_, has_any)) = known.filter(|it| it.0 == self.syncs) {
            return Some(has_any);
        }
        let step = SecretStep { container: idx, lookups: self.ask_for(&needs, turn) };
        self.take_until(Time::MAX, Step::Secrets(step), busy, turn);
        None
    }

    pub(super) fn end_secrets(&mut self, step: &SecretStep, busy: &mut Busy, turn: &mut Turn<'_>) {
        let missing: Vec<&str> = step.lookups.missing().map(Name::as_str).collect();
        if !missing.is_empty() {
            let text = Name::from(format_args!(
                "Unable to retrieve some image pull secrets ({}); attempting to pull the image may not succeed.",
                missing.join(", ")
            ));
            self.say(turn, None, Saying::warning("FailedToRetrieveImagePullSecret", text));
        }
        self.pulls.get_or_insert_default().secrets = Some((self.syncs, step.lookups.has_any()));
        self.ensure_image(step.container, busy, turn);
    }
}
