//! What the plugins said of each node about a template, as far as it depends on the node alone.

use crate::node_info::NodeIdx;
use crate::refusals::RefusalId;

/// By position of the node: what the filters said, and the scores if they let it pass.
#[derive(Debug)]
pub(crate) struct Rows {
    verdicts: Vec<RefusalId>,
    /// The weighted sums of the scores that are not normalised.
    sums: Vec<i64>,
    /// By score plugin, in their order.
    scores: Vec<Column>,
}

/// The scores by one plugin.
#[derive(Clone, Debug)]
struct Column {
    scores: Vec<i64>,
    /// Whether none of them was ever anything but 0.
    is_zero: bool,
}

impl Rows {
    pub(crate) fn new(nodes: usize, plugins: usize) -> Self {
        let column = Column { scores: vec![0; nodes], is_zero: true };
        Self {
            verdicts: vec![RefusalId::UNKNOWN; nodes],
            sums: vec![0; nodes],
            scores: vec![column; plugins],
        }
    }

    /// What the filters said of each node, by position; [`RefusalId::UNKNOWN`] if its pods have changed since.
    pub(crate) fn verdicts(&self) -> &[RefusalId] {
        &self.verdicts
    }

    pub(crate) fn set_verdict(&mut self, idx: NodeIdx, verdict: RefusalId) {
        self.verdicts[idx.position()] = verdict;
    }

    /// The pods on the node have changed.
    pub(crate) fn forget(&mut self, idx: NodeIdx) {
        self.set_verdict(idx, RefusalId::UNKNOWN);
    }

    pub(crate) fn set_scores(&mut self, idx: NodeIdx, sum: i64, scores: impl Iterator<Item = i64>) {
        self.sums[idx.position()] = sum;
        for (column, score) in self.scores.iter_mut().zip(scores) {
            column.scores[idx.position()] = score;
            column.is_zero &= score == 0;
        }
    }

    pub(crate) fn sums<'a>(&'a self, nodes: &'a [NodeIdx]) -> impl ExactSizeIterator<Item = i64> + 'a {
        nodes.iter().map(|idx| self.sums[idx.position()])
    }

    /// Whether the nth of the score plugins gave no node anything.
    pub(crate) fn is_zero(&self, nth: usize) -> bool {
        self.scores[nth].is_zero
    }

    /// Of the nth of the score plugins.
    pub(crate) fn scores<'a>(
        &'a self,
        nth: usize,
        nodes: &'a [NodeIdx],
    ) -> impl ExactSizeIterator<Item = i64> + 'a {
        let column = &self.scores[nth].scores;
        nodes.iter().map(|idx| column[idx.position()])
    }
}
