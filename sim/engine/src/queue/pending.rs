//! Which events are still to come: one bit for each ticket.

use std::collections::VecDeque;

use super::entry::Ticket;

/// Gives out tickets and knows which of them are pending.
///
/// The bits are kept in pages, and a page goes when the last of its events has come or was cancelled: tickets are
/// given out in turn, so that few pages are in use however long the run is.
#[derive(Clone, Default)]
pub(super) struct Pending {
    /// `None` where nothing is pending any more. The last one is never `None`.
    pages: VecDeque<Option<Box<Page>>>,
    /// The number of the first of `pages`, from 0.
    first: usize,
    /// The number of the next ticket.
    next: u64,
    len: usize,
}

#[derive(Clone, Default)]
struct Page {
    bits: [u64; WORDS],
    /// How many of them are set.
    len: usize,
}

const WORDS: usize = 16;
const PAGE_BITS: u32 = (WORDS * 64).ilog2();

/// Where a ticket has its bit.
struct Place {
    page: usize,
    word: usize,
    bit: u64,
}

impl Place {
    fn of(ticket: Ticket) -> Self {
        let number = usize::try_from(ticket.number()).expect("tickets are counted on a 64-bit machine");
        Self { page: number >> PAGE_BITS, word: number / 64 % WORDS, bit: 1 << (number % 64) }
    }
}

impl Pending {
    /// A new ticket, pending.
    pub(super) fn issue(&mut self) -> Ticket {
        let ticket = Ticket::from_number(self.next);
        let place = Place::of(ticket);
        if self.first + self.pages.len() == place.page {
            self.add_page();
        }
        let page = self.page_mut(place.page).expect("the last page is never missing");
        page.bits[place.word] |= place.bit;
        page.len += 1;
        self.next += 1;
        self.len += 1;
        ticket
    }

    /// Whether the ticket was pending; it is no longer.
    pub(super) fn settle(&mut self, ticket: Ticket) -> bool {
        let place = Place::of(ticket);
        let Some(page) = self.page_mut(place.page) else { return false };
        if page.bits[place.word] & place.bit == 0 {
            return false;
        }
        page.bits[place.word] &= !place.bit;
        page.len -= 1;
        let is_empty = page.len == 0;
        self.len -= 1;
        if is_empty && place.page + 1 < self.first + self.pages.len() {
            self.drop_page(place.page);
        }
        true
    }

    pub(super) fn contains(&self, ticket: Ticket) -> bool {
        let place = Place::of(ticket);
        let page = place.page.checked_sub(self.first).and_then(|page| self.pages.get(page));
        page.and_then(Option::as_ref).is_some_and(|page| page.bits[place.word] & place.bit != 0)
    }

    pub(super) const fn len(&self) -> usize {
        self.len
    }

    fn page_mut(&mut self, number: usize) -> Option<&mut Page> {
        self.pages.get_mut(number.checked_sub(self.first)?)?.as_deref_mut()
    }

    #[cold]
    fn add_page(&mut self) {
        let is_finished = |page: &mut Option<Box<Page>>| page.as_ref().is_some_and(|page| page.len == 0);
        if self.pages.back_mut().is_some_and(is_finished) {
            self.drop_page(self.first + self.pages.len() - 1);
        }
        self.pages.push_back(Some(Box::default()));
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
        assert_eq!((pending.pages.len(), pending.len()), (1, 0));
    }

    proptest! {
        #[test]
        fn knows_what_was_issued_and_not_settled(steps in prop::collection::vec((any::<bool>(), 0_u64..6000), 0..5000)) {
            let (mut pending, mut model) = (Pending::default(), BTreeSet::new());
            for (is_issue, number) in steps {
                if is_issue {
                    model.insert(pending.issue());
                } else {
                    let ticket = Ticket::from_number(number);
                    prop_assert_eq!(pending.contains(ticket), model.contains(&ticket));
                    prop_assert_eq!(pending.settle(ticket), model.remove(&ticket));
                }
                prop_assert_eq!(pending.len(), model.len());
            }
        }
    }
}
