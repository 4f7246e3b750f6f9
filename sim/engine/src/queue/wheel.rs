//! A timing wheel of three levels. Each level takes over from the one behind it: an event that is far away lies
//! in a wide bucket, and moves to narrower ones as the clock comes near.

use std::collections::BTreeMap;

use base::Time;

use super::bits::Bits;
use super::entry::Entry;

/// A tick of the wheel is 2¹⁸ ns, 0.26 ms: even at a million pending events, few share one.
const TICK_BITS: u32 = 18;
/// A window is 2¹² ticks, 1.07 s: one bucket of the coarse level, all buckets of the fine one.
const WINDOW_BITS: u32 = 12;
/// An era is 2¹⁰ windows, 18 min: one bucket of the far level, all buckets of the coarse one.
const ERA_BITS: u32 = 10;

/// The number of a tick since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Tick(u64);

impl Tick {
    pub(super) const fn of(time: Time) -> Self {
        Self(time.nanos() >> TICK_BITS)
    }

    pub(super) const fn start(self) -> Time {
        Time::from_nanos(self.0 << TICK_BITS)
    }

    const fn window(self) -> u64 {
        self.0 >> WINDOW_BITS
    }

    const fn era(self) -> u64 {
        self.window() >> ERA_BITS
    }

    /// The first tick of a window.
    const fn of_window(window: u64) -> Self {
        Self(window << WINDOW_BITS)
    }
}

/// Holds the events of all ticks after the open one.
#[derive(Clone)]
pub(super) struct Wheel<E> {
    open: Tick,
    /// The other ticks of the open window.
    fine: Level<E>,
    /// The other windows of the open era.
    coarse: Level<E>,
    /// Later eras.
    far: BTreeMap<u64, Vec<Entry<E>>>,
}

impl<E> Wheel<E> {
    pub(super) fn open_at(open: Tick) -> Self {
        Self { open, fine: Level::new(WINDOW_BITS), coarse: Level::new(ERA_BITS), far: BTreeMap::new() }
    }

    /// Whether `at` lies in the open tick, or before: then it is no longer the wheel's.
    pub(super) fn is_open(&self, at: Time) -> bool {
        Tick::of(at) <= self.open
    }

    pub(super) fn push(&mut self, entry: Entry<E>) {
        let tick = Tick::of(entry.at);
        if tick.window() == self.open.window() {
            self.fine.push(tick.0, entry);
        } else if tick.era() == self.open.era() {
            self.coarse.push(tick.window(), entry);
        } else {
            self.far.entry(tick.era()).or_default().push(entry);
        }
    }

    /// The next tick that may have events; all before it have none.
    pub(super) fn next_tick(&self) -> Option<Tick> {
        let fine = || self.fine.next_after(self.open.0).map(Tick);
        let coarse = || self.coarse.next_after(self.open.window()).map(Tick::of_window);
        let far = || self.far.first_key_value().map(|(era, _)| Tick::of_window(era << ERA_BITS));
        fine().or_else(coarse).or_else(far)
    }

    /// Opens `tick`, which is not after the next tick that may have events; swaps them for the empty `batch`.
    pub(super) fn open(&mut self, tick: Tick, batch: &mut Vec<Entry<E>>) {
        if tick.era() != self.open.era() {
            let era = self.far.remove(&tick.era()).unwrap_or_default();
            era.into_iter().for_each(|entry| self.coarse.push(Tick::of(entry.at).window(), entry));
        }
        if tick.window() != self.open.window() {
            let mut window = self.coarse.take(tick.window());
            window.drain(..).for_each(|entry| self.fine.push(Tick::of(entry.at).0, entry));
            self.coarse.give_back(tick.window(), window);
        }
        self.open = tick;
        self.fine.swap(tick.0, batch);
    }

    /// The events of each bucket that has any, the soonest bucket first; in no particular order inside.
    pub(super) fn buckets(&self) -> impl Iterator<Item = impl Iterator<Item = &Entry<E>>> {
        let fine = self.fine.after(self.open.0);
        let coarse = self.coarse.after(self.open.window());
        fine.chain(coarse).chain(self.far.values()).map(|bucket| bucket.iter())
    }

    pub(super) fn retain(&mut self, is_live: impl Fn(&Entry<E>) -> bool) {
        self.fine.retain(&is_live);
        self.coarse.retain(&is_live);
        self.far.retain(|_, era| {
            era.retain(&is_live);
            era.shrink_to_fit();
            !era.is_empty()
        });
    }
}

/// A ring of buckets, of which those ahead of the open one are in use, up to the end of the ring.
#[derive(Clone)]
struct Level<E> {
    buckets: Box<[Vec<Entry<E>>]>,
    used: Bits,
    /// The number of buckets, less one.
    mask: u64,
}

/// A bucket that has grown beyond this many entries gives back its room when it is emptied.
const ROOM_KEPT: usize = 16;

impl<E> Level<E> {
    fn new(bits: u32) -> Self {
        let len = 1 << bits;
        let buckets = std::iter::repeat_with(Vec::new).take(len).collect();
        Self { buckets, used: Bits::new(len), mask: len as u64 - 1 }
    }

    fn push(&mut self, number: u64, entry: Entry<E>) {
        let place = self.place(number);
        self.buckets[place].push(entry);
        self.used.insert(place);
    }

    fn swap(&mut self, number: u64, batch: &mut Vec<Entry<E>>) {
        let place = self.place(number);
        std::mem::swap(&mut self.buckets[place], batch);
        self.used.remove(place);
    }

    fn take(&mut self, number: u64) -> Vec<Entry<E>> {
        let mut bucket = Vec::new();
        self.swap(number, &mut bucket);
        bucket
    }

    fn give_back(&mut self, number: u64, emptied: Vec<Entry<E>>) {
        if emptied.capacity() <= ROOM_KEPT {
            self.buckets[self.place(number)] = emptied;
        }
    }

    fn next_after(&self, number: u64) -> Option<u64> {
        let place = self.used.next_above(self.place(number))?;
        Some((number & !self.mask) + place as u64)
    }

    fn after(&self, number: u64) -> impl Iterator<Item = &Vec<Entry<E>>> {
        let first = self.used.next_above(self.place(number));
        let places = std::iter::successors(first, |&place| self.used.next_above(place));
        places.map(|place| &self.buckets[place])
    }

    fn retain(&mut self, is_live: impl Fn(&Entry<E>) -> bool) {
        for (place, bucket) in self.buckets.iter_mut().enumerate() {
            if bucket.is_empty() {
                continue;
            }
            bucket.retain(&is_live);
            bucket.shrink_to_fit();
            if bucket.is_empty() {
                self.used.remove(place);
            }
        }
    }

    fn place(&self, number: u64) -> usize {
        usize::try_from(number & self.mask).expect("the mask is that of a slice's length")
    }
}
