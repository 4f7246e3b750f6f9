//! The steps of the scenario: commands, and faults that strike and pass.

use api::{Kind, Node, Pod};
use base::{Cause, Digest, Luck, Name, Span};
use chaos::Fault;
use engine::{Phase, Queue};
use kubectl::Session;
use kubelet::Start;
use record::{FaultPhase, What};

use crate::cluster::Cluster;
use crate::event::{Client, Event, NodeIdx};
use crate::setup::Action;
use crate::wire;

const FAULT: Name = Name::from_static("fault");

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

    fn strike(&mut self, n: u16, fault: &Fault, digest: &mut Digest, queue: &mut Queue<Event>) {
        let name = Name::from_static(fault.name());
        let detail = self.timeline[usize::from(n)].text.clone();
        let what = What::Fault { name: name.clone(), phase: FaultPhase::Begins, object: None, detail };
        let cause = self.log.push(queue.now(), &FAULT, Cause::NONE, what);
        match fault {
            Fault::NodeCrash { nodes, lasting } => {
                let victims = self.nodes_of(nodes, queue);
                self.take_down(n, &victims, true, &name, cause, digest, queue);
                self.schedule_repair(n, lasting.map(api::GoDuration::span_or_zero), queue);
            }
            Fault::KubeletStop { nodes, lasting } => {
                let victims = self.nodes_of(nodes, queue);
                self.take_down(n, &victims, false, &name, cause, digest, queue);
                self.schedule_repair(n, lasting.map(api::GoDuration::span_or_zero), queue);
            }
            Fault::PodKill { pods } => self.kill_pods(pods, &name, cause, digest, queue),
            Fault::Registry { lasting, .. } | Fault::ImageMissing { lasting, .. } => {
                self.disturb_registries(n, fault, digest, queue);
                self.schedule_repair(n, lasting.map(api::GoDuration::span_or_zero), queue);
            }
        }
    }

    fn schedule_repair(&mut self, n: u16, lasting: Option<Span>, queue: &mut Queue<Event>) {
        if let Some(span) = lasting {
            queue.after(span, Phase::Fault, Event::Repair(n));
        }
    }

    fn nodes_of(&self, target: &chaos::NodeTarget, queue: &Queue<Event>) -> Vec<NodeIdx> {
        let nodes = self.manager.view().list::<Node>().filter(|node| target.matches(node));
        let names: Vec<Name> = nodes.map(|node| node.meta.name.clone()).collect();
        let luck = Luck::new(self.seed, "fault.nodes");
        let drawn = target.draw(names, luck, queue.now());
        drawn.iter().filter_map(|name| self.by_name.get(name).copied()).collect()
    }

    /// Takes kubelets down, and their machines with them where `machines` says so. What is down already stays as it is.
    #[expect(clippy::too_many_arguments, reason = "one fault, and where to note it")]
    fn take_down(
        &mut self,
        n: u16,
        victims: &[NodeIdx],
        machines: bool,
        name: &Name,
        cause: Cause,
        digest: &mut Digest,
        queue: &mut Queue<Event>,
    ) {
        let now = queue.now();
        let mut broken = Vec::new();
        for &idx in victims {
            let machine = &mut self.machines[idx.0 as usize];
            if !machine.is_watched() {
                continue;
            }
            let lease = if machines { machine.power_off(now) } else { machine.stop_kubelet(now) };
            let object = api::Key::cluster(Kind::Node, machine.name.clone());
            let phase = FaultPhase::Begins;
            let what = What::Fault { name: name.clone(), phase, object: Some(object), detail: Name::EMPTY };
            let cause = self.log.push(now, &FAULT, cause, what);
            self.write_last_lease(now, idx, lease, cause, digest, queue);
            self.share_registries(idx, None, digest, queue);
            broken.push(idx);
        }
        self.broken.insert(n, broken);
    }

    /// What a step broke comes back.
    pub(crate) fn repair(&mut self, n: u16, digest: &mut Digest, queue: &mut Queue<Event>) {
        let now = queue.now();
        let timeline = std::sync::Arc::clone(&self.timeline);
        let Action::Fault(fault) = &timeline[usize::from(n)].action else { return };
        if self.disturbed.contains_key(&n) {
            return self.calm_registries(n, fault, digest, queue);
        }
        let start = if matches!(fault, Fault::NodeCrash { .. }) { Start::Booted } else { Start::Restarted };
        for idx in self.broken.remove(&n).unwrap_or_default() {
            let machine = &mut self.machines[idx.0 as usize];
            if machine.is_watched() {
                continue;
            }
            if start == Start::Booted {
                machine.power_on(now);
            }
            let object = api::Key::cluster(Kind::Node, machine.name.clone());
            let name = Name::from_static(fault.name());
            let what =
                What::Fault { name, phase: FaultPhase::Ends, object: Some(object), detail: Name::EMPTY };
            self.log.push(now, &FAULT, Cause::NONE, what);
            self.start_kubelet(now, idx, start, digest, queue);
        }
    }

    fn kill_pods(
        &mut self,
        target: &chaos::PodTarget,
        name: &Name,
        cause: Cause,
        digest: &mut Digest,
        queue: &mut Queue<Event>,
    ) {
        let now = queue.now();
        let pods: Vec<std::sync::Arc<Pod>> = self
            .manager
            .view()
            .list::<Pod>()
            .filter(|pod| pod.is_bound() && target.matches(pod))
            .cloned()
            .collect();
        let label = |pod: &Pod| Name::from(format_args!("{}/{}", pod.meta.namespace, pod.meta.name));
        let luck = Luck::new(self.seed, "fault.pods");
        let drawn = chaos::draw(pods.iter().map(|it| label(it)).collect(), target.count, luck, now);
        for pod in pods.iter().filter(|it| drawn.contains(&label(it))) {
            let Some(&idx) = self.by_name.get(&pod.node) else { continue };
            let object = api::Key::new(Kind::Pod, pod.meta.namespace.clone(), pod.meta.name.clone());
            let phase = FaultPhase::Begins;
            let what = What::Fault { name: name.clone(), phase, object: Some(object), detail: Name::EMPTY };
            self.log.push(now, &FAULT, cause, what);
            let mut effects = Vec::new();
            self.machines[idx.0 as usize].kill(now, pod.meta.uid, &mut effects);
            self.carry_out_all(idx, &mut effects, digest, queue);
        }
    }
}
