//! The event queue against the standard library's heap, in the mix of delays that a Kubernetes cluster has.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::hint::black_box;

use base::{Draw, Span, Time};
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use engine::{Phase, Queue, Seed, Stream};

const START: Time = Time::from_secs(1_767_225_600);
const PENDING: [usize; 2] = [155_000, 1_000_000];

/// As large as the cluster's events.
type Event = [u64; 3];

/// 85 % ten seconds with jitter (leases, probes), 10 % 0.2 to 5 ms (messages), 5 % 1 to 600 s (timers).
fn mix(stream: &mut Stream) -> Span {
    match stream.below(100) {
        0..85 => Span::secs(10) + Span::micros(stream.below(1_000_000)),
        85..95 => Span::from_nanos(200_000 + stream.below(4_800_000)),
        _ => Span::millis(1_000 + stream.below(599_000)),
    }
}

/// Delays drawn beforehand, over and over, to measure the queue alone.
fn delays() -> impl Iterator<Item = Span> + use<> {
    let mut stream = Seed(42).stream("bench.queue", 0);
    let drawn: Vec<Span> = (0..8192).map(|_| mix(&mut stream)).collect();
    (0..).map(move |n| drawn[n % drawn.len()])
}

/// A queue with so many pending, after each of them has been replaced some times.
fn warm_queue(pending: usize) -> Queue<Event> {
    let mut delays = delays();
    let mut queue = Queue::starting_at(START);
    for delay in delays.by_ref().take(pending) {
        queue.after(delay, Phase::Act, [7; 3]);
    }
    for delay in delays.take(3 * pending) {
        pop_and_push(&mut queue, delay);
    }
    queue
}

fn pop_and_push(queue: &mut Queue<Event>, delay: Span) {
    let event = queue.pop(Time::MAX).expect("the queue never runs empty");
    queue.after(delay, Phase::Act, black_box(event));
}

type Heap = BinaryHeap<Reverse<(Time, u64, Event)>>;

fn warm_heap(pending: usize) -> Heap {
    let mut delays = delays();
    let first = delays.by_ref().take(pending).zip(0..);
    let mut heap: Heap = first.map(|(delay, n)| Reverse((START + delay, n, [7; 3]))).collect();
    for delay in delays.take(3 * pending) {
        pop_and_push_heap(&mut heap, delay);
    }
    heap
}

fn pop_and_push_heap(heap: &mut Heap, delay: Span) {
    let Reverse((at, n, event)) = heap.pop().expect("the heap never runs empty");
    heap.push(Reverse((at + delay, n + 1, black_box(event))));
}

// Each routine is called once per sample: what it works on is set up by the first call, and kept.

fn pop_and_push_in_the_mix(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("pop and push, mix");
    for pending in PENDING {
        let (mut delays, mut queue) = (delays(), None);
        group.bench_function(BenchmarkId::new("queue", pending), |bencher| {
            let queue = queue.get_or_insert_with(|| warm_queue(pending));
            bencher.iter(|| pop_and_push(queue, delays.next().expect("it never ends")));
        });
        let mut heap = None;
        group.bench_function(BenchmarkId::new("heap", pending), |bencher| {
            let heap = heap.get_or_insert_with(|| warm_heap(pending));
            bencher.iter(|| pop_and_push_heap(heap, delays.next().expect("it never ends")));
        });
    }
}

/// Evenly spread over ten seconds.
fn even_queue(pending: usize) -> Queue<Event> {
    let gap = Span::from_nanos(Span::secs(10).nanos() / pending as u64);
    let mut queue = Queue::starting_at(START);
    for n in 0..pending as u64 {
        queue.at(START + gap * n, Phase::Act, [7; 3]);
    }
    queue
}

fn pop_and_push_in_a_lane(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("pop and push, always 10 s");
    for pending in PENDING {
        let mut queue = None;
        group.bench_function(BenchmarkId::new("lane", pending), |bencher| {
            let queue = queue.get_or_insert_with(|| even_queue(pending));
            let lane = queue.lane(Span::secs(10), Phase::Act);
            bencher.iter(|| {
                let event = queue.pop(Time::MAX).expect("the queue never runs empty");
                queue.after_lane(lane, black_box(event))
            });
        });
        let mut queue = None;
        group.bench_function(BenchmarkId::new("wheel", pending), |bencher| {
            let queue = queue.get_or_insert_with(|| even_queue(pending));
            bencher.iter(|| pop_and_push(queue, Span::secs(10)));
        });
    }
}

/// A timer that is set and set again, as by every renewal: each setting cancels the one before.
fn set_again(criterion: &mut Criterion) {
    let mut queue = None;
    criterion.bench_function("cancel and push", |bencher| {
        let queue = queue.get_or_insert_with(|| warm_queue(155_000));
        let mut ticket = queue.after(Span::secs(40), Phase::Act, [7; 3]);
        bencher.iter(|| {
            queue.cancel(ticket);
            ticket = queue.after(Span::secs(40), Phase::Act, [7; 3]);
        });
    });
}

/// What a cascade of immediate effects costs, a new queue, and a fork.
fn now_and_fork(criterion: &mut Criterion) {
    let mut queue = Queue::starting_at(START);
    queue.after(Span::ZERO, Phase::Act, [7; 3]);
    criterion.bench_function("pop and push, at once", |bencher| {
        bencher.iter(|| pop_and_push(&mut queue, Span::ZERO));
    });
    criterion.bench_function("new queue", |bencher| {
        bencher.iter(|| Queue::<Event>::starting_at(black_box(START)));
    });
    let mut queue = None;
    criterion.bench_function("fork of 155000", |bencher| {
        let queue = queue.get_or_insert_with(|| warm_queue(155_000));
        bencher.iter(|| queue.clone());
    });
}

criterion_group!(benches, pop_and_push_in_the_mix, pop_and_push_in_a_lane, set_again, now_and_fork);
criterion_main!(benches);
