//! Storage for things that come and go, named by a small number that is never mistaken for another's.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;

/// Names a member of a [`Slab`]. After the member has gone, its handle finds nothing, even when the place has
/// been taken by another.
pub struct Handle<T> {
    position: u32,
    generation: u32,
    of: PhantomData<fn() -> T>,
}

impl<T> Handle<T> {
    /// Where the member lies, for arrays beside the slab; another may come to lie there later.
    pub const fn position(self) -> usize {
        self.position as usize
    }
}

/// A table of `T` whose free places are used again, the one freed last first: the same history gives the same
/// handles.
#[derive(Clone, Debug)]
pub struct Slab<T> {
    places: Vec<Place<T>>,
    free: Vec<u32>,
}

#[derive(Clone, Debug)]
struct Place<T> {
    /// How many members have left this place.
    generation: u32,
    member: Option<T>,
}

impl<T> Slab<T> {
    pub const fn new() -> Self {
        Self { places: Vec::new(), free: Vec::new() }
    }

    pub fn insert(&mut self, member: T) -> Handle<T> {
        let position = self.free.pop().unwrap_or_else(|| {
            self.places.push(Place { generation: 0, member: None });
            u32::try_from(self.places.len() - 1).expect("a slab has at most 2³² members")
        });
        let place = &mut self.places[position as usize];
        place.member = Some(member);
        Handle { position, generation: place.generation, of: PhantomData }
    }

    pub fn remove(&mut self, handle: Handle<T>) -> Option<T> {
        let place = self.places.get_mut(handle.position()).filter(|it| it.generation == handle.generation)?;
        let member = place.member.take()?;
        place.generation = place.generation.wrapping_add(1);
        self.free.push(handle.position);
        Some(member)
    }

    pub fn get(&self, handle: Handle<T>) -> Option<&T> {
        let place = self.places.get(handle.position()).filter(|it| it.generation == handle.generation)?;
        place.member.as_ref()
    }

    pub fn get_mut(&mut self, handle: Handle<T>) -> Option<&mut T> {
        let place = self.places.get_mut(handle.position()).filter(|it| it.generation == handle.generation)?;
        place.member.as_mut()
    }

    pub fn contains(&self, handle: Handle<T>) -> bool {
        self.get(handle).is_some()
    }

    pub fn len(&self) -> usize {
        self.places.len() - self.free.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// In the order of their positions, which is not that of their insertion.
    pub fn iter(&self) -> impl Iterator<Item = (Handle<T>, &T)> {
        (0..).zip(&self.places).filter_map(|(position, place)| {
            let handle = Handle { position, generation: place.generation, of: PhantomData };
            Some((handle, place.member.as_ref()?))
        })
    }
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self::new()
    }
}

// Written out, since a derive would ask the same of `T`.

impl<T> Clone for Handle<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Handle<T> {}

impl<T> PartialEq for Handle<T> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl<T> Eq for Handle<T> {}

impl<T> PartialOrd for Handle<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Handle<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.position, self.generation).cmp(&(other.position, other.generation))
    }
}

impl<T> Hash for Handle<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (u64::from(self.position) << 32 | u64::from(self.generation)).hash(state);
    }
}

impl<T> fmt::Debug for Handle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}.{}", self.position, self.generation)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_old_handle_does_not_find_the_new_member_in_its_place() {
        let mut slab = Slab::new();
        let old = slab.insert("old");
        assert_eq!(slab.remove(old), Some("old"));
        let new = slab.insert("new");
        assert_eq!(new.position(), old.position());
        assert_eq!((slab.get(old), slab.get(new)), (None, Some(&"new")));
        assert_eq!(slab.remove(old), None);
    }

    proptest! {
        /// It holds what was inserted and not removed, each under its own handle, whatever the history.
        #[test]
        fn behaves_as_a_map_from_handles(steps in prop::collection::vec((any::<bool>(), 0_usize..20), 0..200)) {
            let (mut slab, mut model, mut handles) = (Slab::new(), BTreeMap::new(), Vec::new());
            for (n, (is_removal, which)) in steps.into_iter().enumerate() {
                if is_removal && which < handles.len() {
                    prop_assert_eq!(slab.remove(handles[which]), model.remove(&handles[which]));
                } else {
                    handles.push(slab.insert(n));
                    prop_assert_eq!(model.insert(handles[handles.len() - 1], n), None);
                }
                prop_assert_eq!(slab.len(), model.len());
            }
            prop_assert!(handles.iter().all(|&it| slab.get(it) == model.get(&it)));
            prop_assert_eq!(slab.iter().collect::<Vec<_>>(), model.iter().map(|(&it, n)| (it, n)).collect::<Vec<_>>());
        }
    }
}
