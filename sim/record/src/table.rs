//! Things that are said often, stored once.

use std::hash::Hash;

use base::Lookup;

/// Numbers its members in the order they came.
#[derive(Clone, Debug)]
pub(crate) struct Table<T: Ord + Hash> {
    members: Vec<T>,
    numbers: Lookup<T, u32>,
}

impl<T: Ord + Hash + Clone> Table<T> {
    pub(crate) fn new() -> Self {
        Self { members: Vec::new(), numbers: Lookup::new() }
    }

    pub(crate) fn get(&self, number: u32) -> &T {
        &self.members[number as usize]
    }

    pub(crate) fn number(&self, member: &T) -> Option<u32> {
        self.numbers.get(member).copied()
    }

    /// The number of `member`, which becomes one if it is not yet.
    pub(crate) fn intern(&mut self, member: T) -> u32 {
        let next = u32::try_from(self.members.len())
            .expect("records are counted in 32 bits, and so are their texts");
        let number = *self.numbers.entry_or_insert_with(member.clone(), || next);
        if number == next {
            self.members.push(member);
        }
        number
    }
}
