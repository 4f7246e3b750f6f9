//! What a key is.

use std::fmt::Debug;
use std::hash::Hash;

/// A key of the store. Keys that are listed together lie on one shelf: sorting one leaves the others alone.
pub trait Key: Ord + Clone + Hash {
    /// Ordered as the keys are: where one shelf comes before another, so do its keys.
    type Shelf: Ord + Clone + Debug;

    fn shelf(&self) -> Self::Shelf;
}

/// Small keys share one shelf.
macro_rules! on_one_shelf {
    ($($key:ty),*) => {$(
        impl Key for $key {
            type Shelf = ();

            fn shelf(&self) {}
        }
    )*};
}

on_one_shelf!(u8, u32, &'static str);

/// Pairs have a shelf for each first part.
impl<A: Ord + Clone + Hash + Debug, B: Ord + Clone + Hash> Key for (A, B) {
    type Shelf = A;

    fn shelf(&self) -> A {
        self.0.clone()
    }
}
