//! Which events are still to come: one bit for each ticket.

use std::collections::VecDeque;

use super::entry::Ticket;

/// Gives out tickets and knows which of them are pending.
///
/// The bits are kept in pages, and a page goes when all of its events have come or were cancelled: tickets are given
/// out in turn, so that few pages are in use however long the run is.
#[derive(Clone, Default)]
pub(super) struct Pending {
    /// `None` where nothing is pending any more.
    pages: VecDeque<Option<Box<Page>>>,
    /// The number of the first of `pages`, from 0.
    first: usize,
    /// How many tickets were given out.
    issued: u64,
    /// How many of them are not pending any more.
    settled: u64,
}

#[derive(Clone)]
struct Page {
    /// Set for each ticket that is pending or will be given out.
    bits: [u64; WORDS],
    /// How many are set.
    len: usize,
}

const WORDS: usize = 16;
const PAGE_LEN: usize = WORDS * 64;

/// Where a ticket has its bit.
struct Place {
    page: usize,
    word: usize,
    bit: u64,
}

impl Place {
    fn of(ticket: Ticket) -> Self {
        let number = usize::try_from(ticket.number()).expect("a 64-bit machine can count tickets");
        Self { page: number / PAGE_LEN, word: number / 64 % WORDS, bit: 1 << (number % 64) }
    }
}

impl Pending {
    /// A new ticket, pending.
    pub(super) fn issue(&mut self) -> Ticket {
        if self.issued.is_multiple_of(PAGE_LEN as u64) {
            self.pages.push_back(Some(Box::new(Page { bits: [u64::MAX; WORDS], len: PAGE_LEN })));
        }
        let ticket = Ticket::from_number(self.issued);
        self.issued += 1;
        ticket
    }

    /// Whether the ticket, which must have been issued, was pending; it is no longer.
    pub(super) fn settle(&mut self, ticket: Ticket) -> bool {
        let place = Place::of(ticket);
        let page = place.page.checked_sub(self.first).and_then(|page| self.pages.get_mut(page));
        let Some(page) = page.and_then(Option::as_deref_mut) else { return false };
        if page.bits[place.word] & place.bit == 0 {
            return false;
        }
        page.bits[place.word] ^= place.bit;
        page.len -= 1;
        self.settled += 1;
        if page.len == 0 {
            self.drop_page(place.page);
        }
        true
    }

    pub(super) fn contains(&self, ticket: Ticket) -> bool {
        let place = Place::of(ticket);
        let page = place.page.checked_sub(self.first).and_then(|page| self.pages.get(page));
        let is_set = |page: &Page| page.bits[place.word] & place.bit != 0;
        ticket.number() < self.issued && page.and_then(Option::as_deref).is_some_and(is_set)
    }

    pub(super) fn len(&self) -> usize {
        usize::try_from(self.issued - self.settled).expect("what is pending fits into memory")
    }

    #[cold]
    fn drop_page(&mut self, number: usize) {
        self.pages[number - self.first] = None;
        while self.pages.pop_front_if(|page| page.is_none()).is_some() {
            self.first += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_long_run_with_few_pending_needs_few_pages() {
        let mut pending = Pending::default();
        let first = pending.issue();
        for _ in 0..100_000 {
            let ticket = pending.issue();
            assert!(pending.settle(ticket));
        }
        assert_eq!(pending.pages.iter().flatten().count(), 2);
        assert!(pending.settle(first));
        assert_eq!((pending.pages.iter().flatten().count(), pending.len()), (1, 0));
    }

    proptest! {
        #[test]
        fn knows_what_was_issued_and_not_settled(steps in prop::collection::vec((any::<bool>(), 0_u64..6000), 0..5000)) {
            let (mut pending, mut model) = (Pending::default(), BTreeSet::new());
            for (is_issue, number) in steps {
                if is_issue {
                    model.insert(pending.issue());
                } else if number < pending.issued {
                    let ticket = Ticket::from_number(number);
                    prop_assert_eq!(pending.contains(ticket), model.contains(&ticket));
                    prop_assert_eq!(pending.settle(ticket), model.remove(&ticket));
                }
                prop_assert_eq!(pending.len(), model.len());
            }
        }
    }
}
