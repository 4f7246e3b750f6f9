//! Laws of pulls that share a link.

use std::collections::BTreeMap;

use base::{Span, Time};
use proptest::prelude::*;

use super::store::Store;
use super::transfer::{Order, Then, Transfers};
use crate::images::{Layer, Reference, distinct_bytes};

const LINK: f64 = 40e6;

/// A pull as a test draws it: when it begins, and its layers as a name and a size in MB.
type Drawn = (u64, Vec<(u64, i64)>);

fn order(n: usize, layers: &[Layer]) -> Order {
    Order {
        image: Reference::parse(&format!("image-{n}:v1")).unwrap(),
        bytes: layers.iter().map(|it| it.bytes).sum(),
        layers: layers.into(),
        ask: Span::millis(300),
        overhead: Span::millis(500),
        whole: None,
        has_secret: false,
    }
}

/// When each pull ended, by its number from 1.
fn run(pulls: &[(Time, Vec<Layer>)]) -> BTreeMap<u32, Time> {
    let (mut transfers, mut store, mut ends) = (Transfers::new(LINK), Store::default(), BTreeMap::new());
    let mut waiting: Vec<(u32, &(Time, Vec<Layer>))> = (1_u32..).zip(pulls).collect();
    waiting.sort_by_key(|(_, it)| it.0);
    loop {
        let at = waiting.first().map_or(Time::MAX, |(_, it)| it.0).min(transfers.next());
        if at == Time::MAX {
            return ends;
        }
        for it in if transfers.next() <= at { transfers.step(at, &store) } else { Vec::new() } {
            store.insert(&it.order.image, it.order.bytes, it.order.layers.clone(), at);
            ends.insert(it.id, at);
        }
        assert!(transfers.rate() <= LINK * (1.0 + 1e-9), "the link carries {}", transfers.rate());
        while let Some((id, (_, layers))) = waiting.first().filter(|(_, it)| it.0 <= at) {
            transfers.begin(*id, order(*id as usize, layers), at + Span::millis(500), Then::Fetch);
            waiting.remove(0);
        }
    }
}

fn drawn(pulls: &[Drawn], name: impl Fn(usize, u64) -> String) -> Vec<(Time, Vec<Layer>)> {
    let layer = |n, (id, megabytes): &(u64, i64)| Layer::new(&name(n, *id), (megabytes + 1) * 1_000_000);
    let pull = |(n, (at, layers)): (usize, &Drawn)| {
        (Time::from_secs(*at), layers.iter().map(|it| layer(n, it)).collect())
    };
    pulls.iter().enumerate().map(pull).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Where images have nothing in common, no pull is faster than alone, and the link is never exceeded.
    #[test]
    fn a_pull_never_ends_earlier_than_alone(
        pulls in prop::collection::vec((0_u64..20, prop::collection::vec((0_u64..1, 0_i64..200), 1..4)), 1..8),
    ) {
        let mut pulls = pulls;
        for (n, (_, layers)) in pulls.iter_mut().enumerate() {
            layers.iter_mut().enumerate().for_each(|(m, it)| it.0 = (n * 10 + m) as u64);
        }
        let pulls = drawn(&pulls, |_, id| format!("layer-{id}"));
        let ends = run(&pulls);
        prop_assert_eq!(ends.len(), pulls.len());
        for (id, pull) in (1_u32..).zip(&pulls) {
            let alone = run(std::slice::from_ref(pull))[&1];
            prop_assert!(alone <= ends[&id] + Span::from_nanos(10), "{alone:?} {:?}", ends[&id]);
        }
    }

    /// Whatever images have in common comes once: all are there no later than the link needs for the distinct layers,
    /// beside the overhead of those that begin last.
    #[test]
    fn what_images_share_is_fetched_once(
        layers in prop::collection::vec(prop::collection::vec(0_u64..6, 1..4), 1..8),
    ) {
        let sized = |ids: &Vec<u64>| -> Vec<(u64, i64)> {
            let mut ids: Vec<u64> = ids.clone();
            ids.sort_unstable();
            ids.dedup();
            ids.into_iter().map(|id| (id, i64::try_from(id).unwrap() * 7)).collect()
        };
        let pulls: Vec<Drawn> = layers.iter().map(|it| (0, sized(it))).collect();
        let pulls = drawn(&pulls, |_, id| format!("layer-{id}"));
        let bytes = distinct_bytes(pulls.iter().flat_map(|it| &it.1));
        let needed = Span::millis(500) + Span::from_secs_f64(bytes as f64 / LINK);
        let last = *run(&pulls).values().max().unwrap();
        let took = last.since(Time::ZERO);
        prop_assert!(took <= needed + Span::micros(1), "{took} instead of {needed}");
        prop_assert!(needed <= took + Span::micros(1), "{took} instead of {needed}");
    }
}
