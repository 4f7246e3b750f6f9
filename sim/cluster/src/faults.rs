//! Faults that strike and pass.

use api::{GoDuration, Key, Kind, Node, Pod};
use base::{Cause, Digest, Luck, Name};
use chaos::Fault;
use engine::{Phase, Queue};
use kubelet::{Input, Start};
use record::{FaultPhase, What};

use crate::cluster::Cluster;
use crate::event::{Event, NodeIdx};
use crate::plight::{Affliction, Plight};
use crate::setup::Action;

const FAULT: Name = Name::from_static("fault");

impl Cluster {
    /// The fault of a step begins.
    pub(crate) fn strike(&mut self, n: u16, fault: &Fault, digest: &mut Digest, queue: &mut Queue<Event>) {
        let name = Name::from_static(fault.name());
        let detail = self.timeline[usize::from(n)].text.clone();
        let what = What::Fault { name: name.clone(), phase: FaultPhase::Begins, object: None, detail };
        let cause = self.log.push(queue.now(), &FAULT, Cause::NONE, what);
        let (Some(nodes), Some(affliction)) = (fault.nodes(), Affliction::of(fault)) else {
            return self.strike_others(n, fault, &name, cause, digest, queue);
        };
        for node in self.nodes_of(nodes, queue) {
            self.afflict(n, node, affliction, &name, cause, digest, queue);
            if affliction != Affliction::ShuttingDown {
                self.schedule_repair(n, node, queue);
            }
        }
    }

    /// A fault that is not about nodes.
    fn strike_others(
        &mut self,
        n: u16,
        fault: &Fault,
        name: &Name,
        cause: Cause,
        digest: &mut Digest,
        queue: &mut Queue<Event>,
    ) {
        if let Fault::PodKill { pods } = fault {
            return self.kill_pods(pods, name, cause, digest, queue);
        }
        self.disturb_registries(n, fault, digest, queue);
        if let Some(span) = fault.lasting().map(GoDuration::span_or_zero) {
            queue.after(span, Phase::Fault, Event::Calm(n));
        }
    }

    fn schedule_repair(&self, step: u16, node: NodeIdx, queue: &mut Queue<Event>) {
        let Action::Fault(fault) = &self.timeline[usize::from(step)].action else { return };
        if let Some(span) = fault.lasting().map(GoDuration::span_or_zero) {
            queue.after(span, Phase::Fault, Event::Repair { step, node });
        }
    }

    fn nodes_of(&self, target: &chaos::NodeTarget, queue: &Queue<Event>) -> Vec<NodeIdx> {
        let nodes = self.manager.view().list::<Node>().map(|it| (&it.meta.name, &it.meta.labels));
        // A machine is there even when somebody has deleted its node.
        let is_there = |name: &Name| self.manager.view().find::<Node>(&Name::EMPTY, name).is_some();
        let unknown = self.machines.iter().filter(|it| !is_there(&it.name));
        let all = nodes.chain(unknown.map(|it| (&it.name, it.labels())));
        let hit = all.filter(|(name, labels)| target.matches(name, labels));
        let names: Vec<Name> = hit.map(|(name, _)| name.clone()).collect();
        let luck = Luck::new(self.seed, "fault.nodes");
        let drawn = target.draw(names, luck, queue.now());
        drawn.iter().filter_map(|name| self.by_name.get(name).copied()).collect()
    }

    #[expect(clippy::too_many_arguments, reason = "one fault of one node, and where to note it")]
    fn afflict(
        &mut self,
        step: u16,
        node: NodeIdx,
        affliction: Affliction,
        name: &Name,
        cause: Cause,
        digest: &mut Digest,
        queue: &mut Queue<Event>,
    ) {
        let cause = self.note_fault(node, name, FaultPhase::Begins, cause, queue);
        self.machines[node.0 as usize].faults.add(step, affliction);
        self.settle(node, cause, digest, queue);
        if affliction != Affliction::ShuttingDown {
            return;
        }
        if self.machines[node.0 as usize].has_kubelet() {
            self.kubelet(node, Input::ShutDown, digest, queue);
        } else {
            self.go_off(node, cause, digest, queue);
        }
    }

    /// A fault of a step has passed on one of its nodes.
    pub(crate) fn repair(&mut self, step: u16, node: NodeIdx, digest: &mut Digest, queue: &mut Queue<Event>) {
        let timeline = std::sync::Arc::clone(&self.timeline);
        let Action::Fault(fault) = &timeline[usize::from(step)].action else { return };
        if self.machines[node.0 as usize].faults.remove(step).is_none() {
            return; // The machine went off meanwhile, and what it suffered before has gone with that.
        }
        let name = Name::from_static(fault.name());
        let cause = self.note_fault(node, &name, FaultPhase::Ends, Cause::NONE, queue);
        self.settle(node, cause, digest, queue);
    }

    /// A machine goes off that was told to shut down.
    pub(crate) fn go_off(
        &mut self,
        node: NodeIdx,
        cause: Cause,
        digest: &mut Digest,
        queue: &mut Queue<Event>,
    ) {
        for step in self.machines[node.0 as usize].faults.went_off() {
            self.schedule_repair(step, node, queue);
        }
        self.settle(node, cause, digest, queue);
    }

    fn note_fault(
        &mut self,
        node: NodeIdx,
        name: &Name,
        phase: FaultPhase,
        cause: Cause,
        queue: &Queue<Event>,
    ) -> Cause {
        let object = Key::cluster(Kind::Node, self.machines[node.0 as usize].name.clone());
        let what = What::Fault { name: name.clone(), phase, object: Some(object), detail: Name::EMPTY };
        self.log.push(queue.now(), &FAULT, cause, what)
    }

    /// Brings a machine into the state that its faults leave it in.
    fn settle(&mut self, node: NodeIdx, cause: Cause, digest: &mut Digest, queue: &mut Queue<Event>) {
        if self.machines[node.0 as usize].faults.plight().is_off {
            for step in self.machines[node.0 as usize].faults.went_off() {
                self.schedule_repair(step, node, queue);
            }
        }
        let machine = &mut self.machines[node.0 as usize];
        let (was, is) = machine.take_plight();
        let is_set = was.clock != is.clock;
        let falls_silent = was.is_heard() && (!is.is_heard() || is_set);
        let lease = if falls_silent { machine.last_lease(queue.now()) } else { None };
        machine.suffer(queue.now(), was, is);
        self.watch_usage(node, queue);
        self.write_last_lease(queue.now(), node, lease, cause, digest, queue);
        if was.can_run() && !is.can_run() {
            self.share_registries(node, None, digest, queue);
        }
        self.recover(node, was, is, digest, queue);
        if is_set && was.is_heard() && is.is_heard() {
            self.kubelet(node, Input::ClockSet, digest, queue);
        }
        if was.disk != is.disk {
            self.kubelet(node, Input::DiskChanged, digest, queue);
        }
    }

    /// What comes back when a machine works again, or is heard again.
    fn recover(
        &mut self,
        node: NodeIdx,
        was: Plight,
        is: Plight,
        digest: &mut Digest,
        queue: &mut Queue<Event>,
    ) {
        if was.is_cut_off && !is.is_cut_off {
            self.find_lost(node, queue);
        }
        let machine = &mut self.machines[node.0 as usize];
        if was.is_frozen && !is.is_frozen {
            let mut effects = Vec::new();
            machine.catch_up(queue.now(), &mut effects);
            self.carry_out_all(node, &mut effects, digest, queue);
        }
        let machine = &mut self.machines[node.0 as usize];
        if is.can_run() && !is.is_frozen && !machine.has_kubelet() {
            let start = if machine.take_booted() { Start::Booted } else { Start::Restarted };
            return self.start_kubelet(queue.now(), node, start, digest, queue);
        }
        if !was.is_heard() && is.is_heard() {
            self.relist(node, digest, queue);
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
            let object = Key::new(Kind::Pod, pod.meta.namespace.clone(), pod.meta.name.clone());
            let phase = FaultPhase::Begins;
            let what = What::Fault { name: name.clone(), phase, object: Some(object), detail: Name::EMPTY };
            self.log.push(now, &FAULT, cause, what);
            let mut effects = Vec::new();
            self.machines[idx.0 as usize].kill(now, pod.meta.uid, &mut effects);
            self.carry_out_all(idx, &mut effects, digest, queue);
        }
    }
}
