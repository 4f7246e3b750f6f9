//! What the plugins said of each node about a template, as far as it depends on the node alone.

use crate::memo::RefusalId;
use crate::node_info::NodeIdx;

/// By position of the node: what the filters said, and the scores if they let it pass.
#[derive(Debug)]
pub(crate) struct Rows {
    rows: Vec<Row>,
    /// By score plugin, in their order.
    scores: Vec<Vec<i64>>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Row {
    /// The generation of the node at the time.
    seen: u64,
    /// The weighted sum of the scores that are not normalised.
    sum: i64,
    verdict: RefusalId,
}

impl Rows {
    pub(crate) fn new(nodes: usize, plugins: usize) -> Self {
        Self { rows: vec![Row::default(); nodes], scores: vec![vec![0; nodes]; plugins] }
    }

    /// What the filters said of the node, unless it has changed since.
    #[inline]
    pub(crate) fn verdict(&self, idx: NodeIdx, generation: u64) -> Option<RefusalId> {
        let row = &self.rows[idx.position()];
        (row.seen == generation).then_some(row.verdict)
    }

    pub(crate) fn set_verdict(&mut self, idx: NodeIdx, generation: u64, verdict: RefusalId) {
        let row = &mut self.rows[idx.position()];
        (row.seen, row.verdict) = (generation, verdict);
    }

    pub(crate) fn set_scores(&mut self, idx: NodeIdx, sum: i64, scores: impl Iterator<Item = i64>) {
        self.rows[idx.position()].sum = sum;
        self.scores.iter_mut().zip(scores).for_each(|(column, score)| column[idx.position()] = score);
    }

    pub(crate) fn sums<'a>(&'a self, nodes: &'a [NodeIdx]) -> impl ExactSizeIterator<Item = i64> + 'a {
        nodes.iter().map(|idx| self.rows[idx.position()].sum)
    }

    /// Of the nth of the score plugins.
    pub(crate) fn scores<'a>(
        &'a self,
        nth: usize,
        nodes: &'a [NodeIdx],
    ) -> impl ExactSizeIterator<Item = i64> + 'a {
        let column = &self.scores[nth];
        nodes.iter().map(|idx| column[idx.position()])
    }
}
