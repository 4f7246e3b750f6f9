//! Buckets of any size, made of small chunks that go from hand to hand.

use base::{Arena, Idx};

use super::entry::Entry;

/// The memory of many buckets. A chunk that one gives back is the next that another gets, while it is still in the
/// processor's cache; and a bucket that was full once does not stay large.
#[derive(Clone)]
pub(super) struct Pool<E> {
    chunks: Arena<Chunk<E>>,
    free: Vec<Idx<Chunk<E>>>,
}

/// A bucket: entries in no particular order.
#[derive(Clone)]
pub(super) struct Chain<E> {
    /// Of the chunks, the one that is being filled.
    head: Option<Idx<Chunk<E>>>,
}

#[derive(Clone)]
pub(super) struct Chunk<E> {
    entries: Vec<Entry<E>>,
    /// A full one.
    next: Option<Idx<Self>>,
}

/// Entries in a chunk: large enough to be copied at the speed of memory.
const CHUNK_LEN: usize = 32;

impl<E> Default for Pool<E> {
    fn default() -> Self {
        Self { chunks: Arena::new(), free: Vec::new() }
    }
}

impl<E> Default for Chain<E> {
    fn default() -> Self {
        Self { head: None }
    }
}

impl<E> Chain<E> {
    pub(super) const fn is_empty(&self) -> bool {
        self.head.is_none()
    }
}

impl<E: Copy> Pool<E> {
    pub(super) fn push(&mut self, chain: &mut Chain<E>, entry: Entry<E>) {
        let is_open = |idx: &Idx<Chunk<E>>| self.chunks[*idx].entries.len() < CHUNK_LEN;
        let head = match chain.head.filter(is_open) {
            Some(head) => head,
            None => self.add_chunk(chain),
        };
        self.chunks[head].entries.push(entry);
    }

    /// Empties `chain`: hands its entries to `each`, some at a time, and its chunks back to the pool.
    pub(super) fn drain(&mut self, chain: &mut Chain<E>, mut each: impl FnMut(&[Entry<E>])) {
        let mut rest = chain.head.take();
        while let Some(idx) = rest {
            let chunk = &mut self.chunks[idx];
            each(&chunk.entries);
            chunk.entries.clear();
            rest = chunk.next.take();
            self.free.push(idx);
        }
    }

    pub(super) fn iter(&self, chain: &Chain<E>) -> impl Iterator<Item = &Entry<E>> {
        let chunks = std::iter::successors(chain.head, |&idx| self.chunks[idx].next);
        chunks.flat_map(|idx| &self.chunks[idx].entries)
    }

    fn add_chunk(&mut self, chain: &mut Chain<E>) -> Idx<Chunk<E>> {
        let idx = self.free.pop().unwrap_or_else(|| {
            self.chunks.push(Chunk { entries: Vec::with_capacity(CHUNK_LEN), next: None })
        });
        self.chunks[idx].next = chain.head.replace(idx);
        idx
    }
}
