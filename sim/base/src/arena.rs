//! Dense storage: things are put in one after the other and named by a small typed number.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::num::NonZeroU32;
use std::ops::{Index, IndexMut};

/// The position of a `T` in an [`Arena`]; positions of different things are different types.
///
/// An `Option<Idx<T>>` is as small as the index: 4 bytes.
pub struct Idx<T> {
    /// The position plus one.
    number: NonZeroU32,
    of: PhantomData<fn() -> T>,
}

impl<T> Idx<T> {
    /// The index of `position`, which must be below 2³² − 1.
    pub fn new(position: usize) -> Self {
        let number = u32::try_from(position).ok().and_then(|position| position.checked_add(1));
        let number = number.and_then(NonZeroU32::new).expect("an arena has fewer than 2³² members");
        Self { number, of: PhantomData }
    }

    /// From 0.
    pub const fn position(self) -> usize {
        (self.number.get() - 1) as usize
    }
}

/// A growing table of `T`. Nothing is ever taken out, so an index stays valid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arena<T>(Vec<T>);

impl<T> Arena<T> {
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    pub fn push(&mut self, member: T) -> Idx<T> {
        let idx = Idx::new(self.0.len());
        self.0.push(member);
        idx
    }

    pub fn get(&self, idx: Idx<T>) -> Option<&T> {
        self.0.get(idx.position())
    }

    pub fn get_mut(&mut self, idx: Idx<T>) -> Option<&mut T> {
        self.0.get_mut(idx.position())
    }

    pub const fn len(&self) -> usize {
        self.0.len()
    }

    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// In the order in which they were pushed.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (Idx<T>, &T)> + ExactSizeIterator {
        self.0.iter().enumerate().map(|(position, member)| (Idx::new(position), member))
    }

    /// In the order in which they were pushed.
    pub fn iter_mut(&mut self) -> impl DoubleEndedIterator<Item = (Idx<T>, &mut T)> + ExactSizeIterator {
        self.0.iter_mut().enumerate().map(|(position, member)| (Idx::new(position), member))
    }

    pub fn indices(&self) -> impl DoubleEndedIterator<Item = Idx<T>> + ExactSizeIterator + use<T> {
        (0..self.0.len()).map(Idx::new)
    }
}

impl<T> Default for Arena<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Index<Idx<T>> for Arena<T> {
    type Output = T;

    fn index(&self, idx: Idx<T>) -> &T {
        &self.0[idx.position()]
    }
}

impl<T> IndexMut<Idx<T>> for Arena<T> {
    fn index_mut(&mut self, idx: Idx<T>) -> &mut T {
        &mut self.0[idx.position()]
    }
}

impl<T> FromIterator<T> for Arena<T> {
    fn from_iter<I: IntoIterator<Item = T>>(members: I) -> Self {
        Self(members.into_iter().collect())
    }
}

/// One more value for each member of an arena of `T`, kept apart so that hot loops touch only what they need.
#[derive(Clone, Debug)]
pub struct Column<T, V> {
    values: Vec<V>,
    of: PhantomData<fn() -> T>,
}

impl<T, V> Column<T, V> {
    pub const fn new() -> Self {
        Self { values: Vec::new(), of: PhantomData }
    }

    /// `None` where no value was ever asked for or set, at `idx` or behind it.
    pub fn get(&self, idx: Idx<T>) -> Option<&V> {
        self.values.get(idx.position())
    }

    /// The place of `idx`; the column grows to it with default values.
    pub fn slot(&mut self, idx: Idx<T>) -> &mut V
    where
        V: Default,
    {
        let position = idx.position();
        if self.values.len() <= position {
            self.values.resize_with(position + 1, V::default);
        }
        &mut self.values[position]
    }

    pub fn set(&mut self, idx: Idx<T>, value: V)
    where
        V: Default,
    {
        *self.slot(idx) = value;
    }

    /// In the order of the indices.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (Idx<T>, &V)> + ExactSizeIterator {
        self.values.iter().enumerate().map(|(position, value)| (Idx::new(position), value))
    }
}

impl<T, V> Default for Column<T, V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T, V> Index<Idx<T>> for Column<T, V> {
    type Output = V;

    fn index(&self, idx: Idx<T>) -> &V {
        &self.values[idx.position()]
    }
}

impl<T, V> IndexMut<Idx<T>> for Column<T, V> {
    fn index_mut(&mut self, idx: Idx<T>) -> &mut V {
        &mut self.values[idx.position()]
    }
}

// Written out, since a derive would ask the same of `T`.

impl<T> Clone for Idx<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Idx<T> {}

impl<T> PartialEq for Idx<T> {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
    }
}

impl<T> Eq for Idx<T> {}

impl<T> PartialOrd for Idx<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Idx<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.number.cmp(&other.number)
    }
}

impl<T> Hash for Idx<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.number.hash(state);
    }
}

impl<T> fmt::Debug for Idx<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.position())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Node;

    #[test]
    fn an_index_is_four_bytes_with_or_without_option() {
        assert_eq!(size_of::<Idx<Node>>(), 4);
        assert_eq!(size_of::<Option<Idx<Node>>>(), 4);
    }

    #[test]
    fn indices_count_from_zero_and_order_as_numbers() {
        let mut arena = Arena::new();
        let (first, second) = (arena.push("a"), arena.push("b"));
        assert_eq!((first.position(), second.position()), (0, 1));
        assert!(first < second);
        assert_eq!((arena[first], arena[second]), ("a", "b"));
        assert_eq!(format!("{:?}", arena.iter().collect::<Vec<_>>()), r#"[(#0, "a"), (#1, "b")]"#);
    }

    #[test]
    fn a_column_grows_to_what_is_asked_for() {
        let mut column = Column::<Node, u32>::new();
        *column.slot(Idx::new(2)) += 7;
        assert_eq!(column.iter().map(|(_, &value)| value).collect::<Vec<_>>(), [0, 0, 7]);
        assert_eq!(column.get(Idx::new(3)), None);
    }
}
