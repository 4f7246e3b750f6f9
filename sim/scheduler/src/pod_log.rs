//! What pods did on nodes lately, so that what was prepared earlier can catch up.

use std::collections::VecDeque;

use crate::framework::PodStep;
use crate::node_info::NodeIdx;
use crate::pod_info::PodInfo;

/// The last few thousand steps. Positions of nodes are those of the time: whoever catches up must know
/// that no node has come or gone since.
#[derive(Clone, Debug, Default)]
pub(crate) struct PodLog {
    steps: VecDeque<(PodStep, PodInfo, NodeIdx)>,
    /// How many steps have been dropped.
    dropped: u64,
}

impl PodLog {
    /// Catching up on more costs as much as starting afresh.
    const KEPT: usize = 4096;

    pub(crate) fn push(&mut self, step: PodStep, pod: PodInfo, node: NodeIdx) {
        if self.steps.len() == Self::KEPT {
            self.steps.pop_front();
            self.dropped += 1;
        }
        self.steps.push_back((step, pod, node));
    }

    /// How many steps there have been.
    pub(crate) fn end(&self) -> u64 {
        self.dropped + self.steps.len() as u64
    }

    /// The steps from the `from`th on; `None` if some of them are not known any more.
    pub(crate) fn since(&self, from: u64) -> Option<impl Iterator<Item = &(PodStep, PodInfo, NodeIdx)>> {
        let skip = usize::try_from(from.checked_sub(self.dropped)?).ok()?;
        Some(self.steps.range(skip.min(self.steps.len())..))
    }
}
