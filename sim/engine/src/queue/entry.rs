//! A pending event and its place in the order of events.

use base::Time;

/// What goes first among events of the same instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// The world changes under everyone's feet.
    Fault,
    /// Messages arrive.
    Deliver,
    /// Components act.
    Act,
    /// Observers look at a world that has settled.
    Sample,
}

/// Names an event that was scheduled, to cancel it. Counts up from 0 in each queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(u64);

impl Ticket {
    pub(super) const fn from_number(number: u64) -> Self {
        assert!(number < 1 << TICKET_BITS, "a run schedules fewer than 4 · 10¹² events");
        Self(number)
    }

    /// How many events were scheduled before.
    pub const fn number(self) -> u64 {
        self.0
    }
}

/// The order among events of one instant: from the highest bit, the phase (2 bits), luck (20 bits, 0 where ties
/// are not shuffled), and the ticket (42 bits).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key(u64);

const PHASE_BITS: u32 = 2;
const LUCK_BITS: u32 = 20;
const TICKET_BITS: u32 = u64::BITS - PHASE_BITS - LUCK_BITS;

impl Key {
    /// `luck` is 64 random bits, where ties are shuffled.
    pub(super) fn new(phase: Phase, luck: Option<u64>, ticket: Ticket) -> Self {
        let luck = luck.unwrap_or(0) >> (u64::BITS - LUCK_BITS);
        Self((phase as u64) << (u64::BITS - PHASE_BITS) | luck << TICKET_BITS | ticket.0)
    }

    pub(super) const fn ticket(self) -> Ticket {
        Ticket(self.0 & ((1 << TICKET_BITS) - 1))
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Entry<E> {
    pub(super) at: Time,
    pub(super) key: Key,
    pub(super) event: E,
}

impl<E> Entry<E> {
    /// Time and key as one number: compared without a branch.
    pub(super) const fn rank(&self) -> u128 {
        (self.at.nanos() as u128) << 64 | self.key.0 as u128
    }
}

impl<E> PartialEq for Entry<E> {
    fn eq(&self, other: &Self) -> bool {
        self.rank() == other.rank()
    }
}

impl<E> Eq for Entry<E> {}

impl<E> PartialOrd for Entry<E> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<E> Ord for Entry<E> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.rank().cmp(&other.rank())
    }
}
