//! Things that are said often, stored once.

use std::hash::Hash;

use base::Positions;

/// Numbers its members in the order they came.
#[derive(Clone, Debug)]
pub(crate) struct Table<T> {
    members: Vec<T>,
    numbers: Positions,
}

impl<T: Eq + Hash> Table<T> {
    pub(crate) fn new() -> Self {
        Self { members: Vec::new(), numbers: Positions::new() }
    }

    pub(crate) fn get(&self, number: u32) -> &T {
        &self.members[number as usize]
    }

    pub(crate) fn number(&self, member: &T) -> Option<u32> {
        self.numbers.find(member, |it| self.get(it))
    }

    /// The number of `member`, which becomes one if it is not yet.
    pub(crate) fn intern(&mut self, member: T) -> u32 {
        if let Some(number) = self.number(&member) {
            return number;
        }
        let number = u32::try_from(self.members.len())
            .expect("records are counted in 32 bits, and so are their texts");
        self.members.push(member);
        self.numbers.insert(number, |it| &self.members[it as usize]);
        number
    }
}
