//! What keeps a machine from working: the faults that it suffers at a time, each by the step of the timeline that
//! struck it. A machine is as the sum of them leaves it, and recovers from each when that one ends.

use std::collections::BTreeMap;

use api::GoDuration;
use chaos::Fault;

/// One fault of one machine.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Affliction {
    /// The machine is off.
    Off,
    /// It is to go off, once its kubelet is ready for that.
    ShuttingDown,
    Frozen,
    KubeletDown,
    CutOff,
    DiskFull,
    NoNetworkPlugin,
    DiskSlow(f64),
    Skewed(GoDuration),
}

/// What a machine suffers, by step.
#[derive(Clone, Debug, Default)]
pub(crate) struct Afflictions(BTreeMap<u16, Affliction>);

/// What follows from all of them together.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Plight {
    pub(crate) is_off: bool,
    pub(crate) is_frozen: bool,
    pub(crate) is_kubelet_down: bool,
    /// Nothing gets to the API server or from it.
    pub(crate) is_cut_off: bool,
    /// No new pod gets an address.
    pub(crate) has_no_plugin: bool,
    pub(crate) disk: kubelet::Disk,
    pub(crate) clock: kubelet::Clock,
}

impl Afflictions {
    pub(crate) fn add(&mut self, step: u16, affliction: Affliction) {
        self.0.insert(step, affliction);
    }

    /// What of a step has ended; `None` if it had been overtaken by something worse.
    pub(crate) fn remove(&mut self, step: u16) -> Option<Affliction> {
        self.0.remove(&step)
    }

    /// The machine has gone off: the steps that told it to shut down have done their part, and what stood still there
    /// has gone. The steps that now keep it off.
    pub(crate) fn went_off(&mut self) -> Vec<u16> {
        self.0.retain(|_, it| *it != Affliction::Frozen);
        let waiting = self.0.iter_mut().filter(|(_, it)| **it == Affliction::ShuttingDown);
        let turned = waiting.map(|(step, it)| {
            *it = Affliction::Off;
            *step
        });
        turned.collect()
    }

    pub(crate) fn plight(&self) -> Plight {
        let mut plight = Plight::default();
        for affliction in self.0.values() {
            match affliction {
                Affliction::Off => plight.is_off = true,
                Affliction::ShuttingDown => (),
                Affliction::Frozen => plight.is_frozen = true,
                Affliction::KubeletDown => plight.is_kubelet_down = true,
                Affliction::CutOff => plight.is_cut_off = true,
                Affliction::DiskFull => plight.disk.is_full = true,
                Affliction::NoNetworkPlugin => plight.has_no_plugin = true,
                Affliction::DiskSlow(factor) => plight.disk.slowness *= factor,
                Affliction::Skewed(by) => {
                    plight.clock.skew_nanos = plight.clock.skew_nanos.saturating_add(by.nanos());
                }
            }
        }
        plight
    }
}

impl Plight {
    /// Whether a kubelet can run.
    pub(crate) fn can_run(&self) -> bool {
        !self.is_off && !self.is_kubelet_down
    }

    /// Whether what a kubelet says gets to the API server, and the other way round.
    pub(crate) fn is_heard(&self) -> bool {
        self.can_run() && !self.is_frozen && !self.is_cut_off
    }
}

impl Affliction {
    /// What a fault does to each of its nodes; `None` if it is not about nodes.
    pub(crate) fn of(fault: &Fault) -> Option<Self> {
        Some(match fault {
            Fault::NodeCrash(_) | Fault::NodeReboot(_) => Self::Off,
            Fault::NodeShutdown(_) => Self::ShuttingDown,
            Fault::NodeFreeze(_) => Self::Frozen,
            Fault::KubeletStop(_) => Self::KubeletDown,
            Fault::NetworkLoss(_) => Self::CutOff,
            Fault::DiskFull(_) => Self::DiskFull,
            Fault::CniFailure(_) => Self::NoNetworkPlugin,
            Fault::SlowDisk(it) => Self::DiskSlow(it.factor),
            Fault::ClockSkew(it) => Self::Skewed(it.by),
            Fault::PodKill { .. } | Fault::Registry { .. } | Fault::ImageMissing { .. } => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_is_as_the_sum_of_its_faults_leaves_it() {
        let mut faults = Afflictions::default();
        faults.add(1, Affliction::KubeletDown);
        faults.add(2, Affliction::Off);
        faults.add(3, Affliction::DiskSlow(2.0));
        faults.add(4, Affliction::DiskSlow(3.0));
        let plight = faults.plight();
        assert!(plight.is_off && plight.is_kubelet_down && !plight.can_run());
        assert!((plight.disk.slowness - 6.0).abs() < 1e-9);
        assert_eq!(faults.remove(2), Some(Affliction::Off));
        assert!(!faults.plight().can_run(), "the kubelet is still down");
        faults.remove(1);
        assert!(faults.plight().is_heard());
    }

    #[test]
    fn what_is_off_is_not_frozen_and_no_longer_about_to_go_off() {
        let mut faults = Afflictions::default();
        faults.add(1, Affliction::Frozen);
        faults.add(2, Affliction::ShuttingDown);
        assert!(!faults.plight().is_off);
        assert_eq!(faults.went_off(), [2]);
        assert_eq!(faults.remove(1), None);
        assert!(faults.plight().is_off && !faults.plight().is_frozen);
    }
}
