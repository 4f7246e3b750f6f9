//! A timing wheel of three levels. Each level takes over from the one behind it: an event that is far away lies
//! in a wide bucket, and moves to narrower ones as the clock comes near.

use std::collections::BTreeMap;

use base::Time;

use super::bits::Bits;
use super::chain::{Chain, Pool};
use super::entry::Entry;
use super::window::Window;

/// A tick of the wheel is 2¹⁶ ns, 66 µs: even at a million pending events, few share one.
const TICK_BITS: u32 = 16;
/// A window is 2¹² ticks, 0.27 s: its events fit into the processor's second cache.
const WINDOW_BITS: u32 = 12;
/// An era is 2¹² windows, 18 min: few events are farther away.
const ERA_BITS: u32 = 12;

/// Ticks in a window.
const TICKS: usize = 1 << WINDOW_BITS;
/// Windows in an era.
const WINDOWS: usize = 1 << ERA_BITS;
const _: () = assert!(TICKS == Bits::LEN && WINDOWS == Bits::LEN);

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

    /// Its place in its window.
    fn place(self) -> usize {
        remainder(self.0, TICKS)
    }
}

/// The events of one tick, window or era.
type Bucket<'a, E> = Box<dyn Iterator<Item = &'a Entry<E>> + 'a>;

/// Holds the events of all ticks after the open one.
#[derive(Clone)]
pub(super) struct Wheel<E> {
    open: Tick,
    /// The events of the open window.
    window: Window<E>,
    /// The events of the other windows of the open era.
    windows: Box<[Chain<E>]>,
    /// Which of `windows` have events.
    used: Bits,
    /// The events of later eras.
    eras: BTreeMap<u64, Chain<E>>,
    pool: Pool<E>,
}

impl<E: Copy> Wheel<E> {
    pub(super) fn open_at(open: Tick) -> Self {
        Self {
            open,
            window: Window::new(),
            windows: vec![Chain::default(); WINDOWS].into_boxed_slice(),
            used: Bits::new(),
            eras: BTreeMap::new(),
            pool: Pool::default(),
        }
    }

    /// Whether `at` lies in the open tick, or before: then it is no longer the wheel's.
    pub(super) fn is_open(&self, at: Time) -> bool {
        Tick::of(at) <= self.open
    }

    pub(super) fn push(&mut self, entry: Entry<E>) {
        let tick = Tick::of(entry.at);
        if tick.window() == self.open.window() {
            self.window.push(tick.place(), entry);
        } else if tick.era() == self.open.era() {
            self.push_in_era(entry);
        } else {
            self.pool.push(self.eras.entry(tick.era()).or_default(), entry);
        }
    }

    /// The next tick that may have events; all before it have none.
    pub(super) fn next_tick(&self) -> Option<Tick> {
        if let Some(place) = self.window.next_after(self.open.place()) {
            return Some(Tick(Tick::of_window(self.open.window()).0 + place as u64));
        }
        let window = self.open.window();
        if let Some(place) = self.used.next_above(place_of(window)) {
            return Some(Tick::of_window((window >> ERA_BITS << ERA_BITS) + place as u64));
        }
        self.eras.first_key_value().map(|(era, _)| Tick::of_window(era << ERA_BITS))
    }

    /// Opens `tick`, which is not after the next tick that may have events, and moves its events to `batch`.
    pub(super) fn open(&mut self, tick: Tick, batch: &mut Vec<Entry<E>>) {
        let before = std::mem::replace(&mut self.open, tick);
        if tick.era() != before.era() {
            self.open_era();
        }
        if tick.window() != before.window() {
            self.open_window();
        }
        self.window.take(tick.place(), batch);
    }

    /// The events of each bucket that has any, the soonest bucket first; in no particular order inside.
    pub(super) fn buckets(&self) -> impl Iterator<Item = Bucket<'_, E>> {
        let ticks =
            self.window.used_after(self.open.place()).map(|tick| Box::new(self.window.iter(tick)) as _);
        let windows = self.used.iter_above(place_of(self.open.window())).map(|place| &self.windows[place]);
        let chains = windows.chain(self.eras.values());
        ticks.chain(chains.map(|chain| Box::new(self.pool.iter(chain)) as _))
    }

    pub(super) fn retain(&mut self, is_live: impl Fn(&Entry<E>) -> bool) {
        let live: Vec<Entry<E>> = self.buckets().flatten().filter(|entry| is_live(entry)).copied().collect();
        *self = Self::open_at(self.open);
        live.into_iter().for_each(|entry| self.push(entry));
    }

    fn open_era(&mut self) {
        let mut era = self.eras.remove(&self.open.era()).unwrap_or_default();
        let entries: Vec<Entry<E>> = self.pool.iter(&era).copied().collect();
        self.pool.drain(&mut era, |_| ());
        entries.into_iter().for_each(|entry| self.push_in_era(entry));
    }

    fn open_window(&mut self) {
        let place = place_of(self.open.window());
        let tick_of = |entry: &Entry<E>| Tick::of(entry.at).place();
        self.window.restart();
        self.pool.drain(&mut self.windows[place], |entries| self.window.extend(entries, tick_of));
        self.used.remove(place);
    }

    fn push_in_era(&mut self, entry: Entry<E>) {
        let place = place_of(Tick::of(entry.at).window());
        let chain = &mut self.windows[place];
        if chain.is_empty() {
            self.used.insert(place);
        }
        self.pool.push(chain, entry);
    }
}

/// The place of a window in its era.
fn place_of(window: u64) -> usize {
    remainder(window, WINDOWS)
}

fn remainder(number: u64, len: usize) -> usize {
    usize::try_from(number % len as u64).expect("it is below a length")
}
