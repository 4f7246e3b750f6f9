//! A list of the objects of a view, in the order in which they were first seen.

use api::Object;

/// The position of an object in its view.
pub(super) type Slot = u32;

/// Slots in ascending order: nearly all come at the end.
///
/// Those of objects that have gone stay in it, to be skipped, until they are most of them: taking out each would cost
/// as much as the list is long.
#[derive(Clone, Debug, Default)]
pub(super) struct Slots {
    slots: Vec<Slot>,
    gone: usize,
}

impl Slots {
    /// How many objects are in it.
    pub(super) fn len(&self) -> usize {
        self.slots.len() - self.gone
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// With those of objects that have gone.
    pub(super) fn iter(&self) -> impl Iterator<Item = Slot> {
        self.slots.iter().copied()
    }

    pub(super) fn insert(&mut self, slot: Slot) {
        if self.slots.last().is_none_or(|last| *last < slot) {
            self.slots.push(slot);
        } else if let Err(position) = self.slots.binary_search(&slot) {
            self.slots.insert(position, slot);
        }
    }

    /// Takes out an object that is not meant any more, but still there.
    pub(super) fn remove(&mut self, slot: Slot) {
        if let Ok(position) = self.slots.binary_search(&slot) {
            self.slots.remove(position);
        }
    }

    /// One of its objects has gone from `objects`.
    pub(super) fn lose_one(&mut self, objects: &[Option<Object>]) {
        self.gone += 1;
        if self.slots.len() < 2 * self.gone {
            self.slots.retain(|slot| objects[*slot as usize].is_some());
            self.gone = 0;
        }
    }
}
