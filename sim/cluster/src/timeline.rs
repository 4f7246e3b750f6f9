//! The steps of the scenario: commands and faults.

use base::{Cause, Digest, Name};
use engine::Queue;
use kubectl::Session;
use record::What;

use crate::cluster::Cluster;
use crate::event::{Client, Event};
use crate::setup::Action;
use crate::wire;

impl Cluster {
    pub(crate) fn step(&mut self, n: u16, digest: &mut Digest, queue: &mut Queue<Event>) {
        let timeline = std::sync::Arc::clone(&self.timeline);
        let step = &timeline[usize::from(n)];
        digest.text(&step.text);
        match &step.action {
            Action::Kubectl(command) => {
                let actor = Name::from_static("kubectl");
                let what = What::Command { text: step.text.clone() };
                let cause = self.log.push(queue.now(), &actor, Cause::NONE, what);
                let mut effects = Vec::new();
                let session = Session::start(command.clone(), queue.now(), cause, &mut effects);
                self.sessions.insert(n, session);
                for effect in effects {
                    wire::carry_out(&mut self.wire, Client::Kubectl(n), &actor, effect, queue);
                }
            }
            Action::Fault(fault) => self.strike(n, fault, digest, queue),
        }
    }
}
