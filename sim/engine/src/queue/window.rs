//! The near end of the wheel: events of the next instants, by tick.

use super::bits::Bits;
use super::entry::Entry;

/// The events of one window, in a list for each of its ticks.
///
/// They lie in the order in which they came, which costs nothing to make; the links are kept apart, so that walking
/// along a list touches little memory.
#[derive(Clone)]
pub(super) struct Window<E> {
    entries: Vec<Entry<E>>,
    /// For each entry the next of its list, or of the list of free places.
    links: Vec<Link>,
    /// The first entry of each tick.
    heads: Box<[Link]>,
    /// The ticks that have entries.
    used: Bits,
    /// The first place whose entry has been taken.
    free: Link,
}

/// A position in `entries`; [`END`] where there is none.
type Link = u32;

const END: Link = Link::MAX;

impl<E: Copy> Window<E> {
    /// With room for [`Bits::LEN`] ticks.
    pub(super) fn new() -> Self {
        let heads = vec![END; Bits::LEN].into_boxed_slice();
        Self { entries: Vec::new(), links: Vec::new(), heads, used: Bits::new(), free: END }
    }

    /// Starts anew. All entries must have been taken.
    pub(super) fn restart(&mut self) {
        self.entries.clear();
        self.links.clear();
        self.free = END;
    }

    pub(super) fn push(&mut self, tick: usize, entry: Entry<E>) {
        if self.free == END {
            self.link(tick, self.entries.len());
            self.entries.push(entry);
        } else {
            let place = self.free;
            self.entries[place as usize] = entry;
            self.free = std::mem::replace(&mut self.links[place as usize], self.heads[tick]);
            self.heads[tick] = place;
            self.used.insert(tick);
        }
    }

    /// Adds `entries`, each to the tick that `tick_of` names.
    pub(super) fn extend(&mut self, entries: &[Entry<E>], tick_of: impl Fn(&Entry<E>) -> usize) {
        for (entry, place) in entries.iter().zip(self.entries.len()..) {
            self.link(tick_of(entry), place);
        }
        self.entries.extend_from_slice(entries);
    }

    fn link(&mut self, tick: usize, place: usize) {
        let place = Link::try_from(place).expect("a window has fewer than 2³² events");
        let next = std::mem::replace(&mut self.heads[tick], place);
        self.links.push(next);
        if next == END {
            self.used.insert(tick);
        }
    }

    /// Moves the entries of `tick` to `batch`.
    pub(super) fn take(&mut self, tick: usize, batch: &mut Vec<Entry<E>>) {
        let mut rest = std::mem::replace(&mut self.heads[tick], END);
        while rest != END {
            let place = rest;
            batch.push(self.entries[place as usize]);
            rest = std::mem::replace(&mut self.links[place as usize], self.free);
            self.free = place;
        }
        self.used.remove(tick);
    }

    /// The first tick after `tick` that has entries.
    pub(super) fn next_after(&self, tick: usize) -> Option<usize> {
        self.used.next_above(tick)
    }

    pub(super) fn used_after(&self, tick: usize) -> impl Iterator<Item = usize> {
        self.used.iter_above(tick)
    }

    /// The entries of `tick`, in no particular order.
    pub(super) fn iter(&self, tick: usize) -> impl Iterator<Item = &Entry<E>> {
        let existing = |link: Link| (link != END).then_some(link as usize);
        let places =
            std::iter::successors(existing(self.heads[tick]), move |&place| existing(self.links[place]));
        places.map(|place| &self.entries[place])
    }
}
