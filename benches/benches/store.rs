//! The store under the writes of a start-up of 10,000 pods: 10,000 keys, each created and then updated five times.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::sync::Arc;

use base::{Lookup, Name};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use etcd::{Compare, Expect, KeyRange, Op, Outcome, Revision, Store, Target, Txn, Watcher};

/// As the API server's: kind, namespace, name.
type Key = ((u16, Name), Name);
type Value = Arc<[u64; 4]>;

const PODS: usize = 10_000;
const WRITES: usize = 6 * PODS;

fn keys() -> Vec<Key> {
    (0..PODS)
        .map(|n| ((7, Name::from_static("default")), Name::from(format!("web-6d4b75cb6d-{n:05}"))))
        .collect()
}

/// Creates each key, then updates all of them five times, expecting what it wrote last.
fn fill(store: &mut Store<Key, Value>, keys: &[Key], value: &Value) {
    let mut modified = vec![Expect::Absent; keys.len()];
    for n in 0..WRITES {
        let key = n % keys.len();
        match store.put(keys[key].clone(), Arc::clone(value), None, modified[key]) {
            Ok(Outcome::Committed(revision)) => modified[key] = Expect::Modified(revision),
            outcome => panic!("nobody else writes: {outcome:?}"),
        }
    }
}

fn filled() -> Store<Key, Value> {
    let mut store = Store::default();
    fill(&mut store, &keys(), &Arc::new([0; 4]));
    store
}

fn writes(criterion: &mut Criterion) {
    let (keys, value) = (keys(), Arc::new([0; 4]));
    let mut group = criterion.benchmark_group("store/write");
    group.throughput(Throughput::Elements(WRITES as u64)).sample_size(20);
    group.bench_function("conditional put", |bencher| {
        bencher.iter_batched_ref(Store::default, |store| fill(store, &keys, &value), BatchSize::LargeInput);
    });
    group.bench_function("the same as transactions", |bencher| {
        bencher.iter_batched_ref(
            Store::default,
            |store| transact(store, &keys, &value),
            BatchSize::LargeInput,
        );
    });
    group.bench_function("bare ordered map", |bencher| {
        bencher.iter(|| {
            let mut map = BTreeMap::new();
            for n in 0..WRITES {
                map.insert(keys[n % PODS].clone(), Arc::clone(&value));
            }
            map
        });
    });
    group.bench_function("bare hash map", |bencher| {
        bencher.iter(|| {
            let mut map = Lookup::new();
            for n in 0..WRITES {
                map.insert(keys[n % PODS].clone(), Arc::clone(&value));
            }
            map
        });
    });
    group.finish();
}

fn transact(store: &mut Store<Key, Value>, keys: &[Key], value: &Value) {
    let mut modified = vec![0; keys.len()];
    for n in 0..WRITES {
        let idx = n % keys.len();
        let key = &keys[idx];
        let is = std::cmp::Ordering::Equal;
        let compare = vec![Compare { key: key.clone(), target: Target::Modified, is, number: modified[idx] }];
        let success = vec![Op::Put { key: key.clone(), value: Arc::clone(value), lease: None }];
        let failure = vec![Op::Range { range: KeyRange::key(key.clone()), limit: None }];
        let result = store.apply(Txn { compare, success, failure }).expect("the transaction is well formed");
        modified[idx] = result.revision.0;
    }
}

fn reads(criterion: &mut Criterion) {
    let (store, keys) = (filled(), keys());
    let mut group = criterion.benchmark_group("store/read");
    group.throughput(Throughput::Elements(PODS as u64));
    group.bench_function("get", |bencher| {
        bencher.iter(|| keys.iter().filter_map(|key| store.get(key)).map(|it| it.modified.0).sum::<u64>());
    });
    group.bench_function("scan", |bencher| {
        bencher.iter(|| store.scan(&KeyRange::all()).map(|it| it.modified.0).sum::<u64>());
    });
    group.bench_function("scan of the past", |bencher| {
        let past = Revision(2 * PODS as u64);
        bencher.iter(|| store.scan_at(&KeyRange::all(), past).expect("not compacted").count());
    });
    group.bench_function("one event of each revision, by a watcher that keeps up", |bencher| {
        bencher.iter(|| {
            let mut watcher = Watcher::new(KeyRange::all(), Revision(2));
            let mut heard = 0;
            for revision in 2..2 + PODS as u64 {
                let events = watcher.advance(&store, Revision(revision)).expect("not compacted");
                heard += events.map(|it| it.previous.is_some() as usize + 1).sum::<usize>();
            }
            heard
        });
    });
    group.finish();
}

fn upkeep(criterion: &mut Criterion) {
    let store = filled();
    let mut group = criterion.benchmark_group("store/upkeep");
    group.sample_size(20);
    group.bench_function("fork", |bencher| bencher.iter(|| black_box(store.clone())));
    group.throughput(Throughput::Elements(WRITES as u64));
    group.bench_function("compact everything", |bencher| {
        bencher.iter_batched_ref(
            || store.clone(),
            |store| store.compact(store.revision()).expect("it was never compacted"),
            BatchSize::LargeInput,
        );
    });
    group.finish();
}

criterion_group!(benches, writes, reads, upkeep);
criterion_main!(benches);
