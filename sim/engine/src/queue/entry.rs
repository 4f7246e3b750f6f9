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

/// The place of an event among those of the same instant and phase, whenever each was scheduled. Most have the first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rank(u32);

impl Rank {
    pub const FIRST: Self = Self(0);

    /// `number` counts from 0; beyond 2²⁰, it begins again.
    pub const fn new(number: u32) -> Self {
        Self(number & ((1 << RANK_BITS) - 1))
    }
}

/// The order among events of one instant: from the highest bit, the phase (2 bits), the rank (20 bits, drawn by luck
/// where ties are shuffled), and the ticket (42 bits).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key(u64);

const PHASE_BITS: u32 = 2;
const RANK_BITS: u32 = 20;
const TICKET_BITS: u32 = u64::BITS - PHASE_BITS - RANK_BITS;

impl Key {
    /// `luck` is 64 random bits, where ties are shuffled: it takes the place of `rank`.
    pub(super) fn new(phase: Phase, rank: Rank, luck: Option<u64>, ticket: Ticket) -> Self {
        let rank = luck.map_or(u64::from(rank.0), |it| it >> (u64::BITS - RANK_BITS));
        Self((phase as u64) << (u64::BITS - PHASE_BITS) | rank << TICKET_BITS | ticket.0)
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
