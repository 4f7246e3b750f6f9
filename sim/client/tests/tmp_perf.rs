use api::*;
use base::*;
use client::*;
#[test]
fn perf() {
    let rs = OwnerReference::controller(&Kind::ReplicaSet, &"web-6d4b9c6f5".into(), Uid(7));
    let mk = |n: u32, v: u64, node: bool| {
        let meta = Meta {
            name: Name::from(format_args!("web-6d4b9c6f5-{n:05}")),
            namespace: "default".into(),
            uid: Uid(n as u128 + 100),
            owner_references: vec![rs.clone()],
            resource_version: Revision(v),
            ..Meta::default()
        };
        Object::new(Pod {
            meta,
            node: if node { Name::from(format_args!("general-{}", n % 1000)) } else { Name::EMPTY },
            ..Pod::default()
        })
    };
    let all: Vec<Object> = (0..60_000u32).map(|i| mk(i % 10_000, i as u64, i >= 10_000)).collect();
    for _ in 0..3 {
        let mut view = View::default();
        let t = std::time::Instant::now();
        for o in &all {
            std::hint::black_box(view.set(o.clone()));
        }
        println!("view.set {:?} per change", t.elapsed() / 60_000);
    }
    for _ in 0..3 {
    let mut view = View::default(); let mut spent = std::time::Duration::ZERO; let mut first = std::time::Duration::ZERO;
    for i in 0..60_000u32 { let o = mk(i % 10_000, i as u64, i >= 10_000); let t = std::time::Instant::now(); let c = view.set(o); let e = t.elapsed(); spent += e; if i < 10_000 { first += e } drop(c); }
    println!("view.set hot {:?} per change, first {:?}", spent / 60_000, first / 10_000);
    }
    let mut rec = EventRecorder::new("kubelet", "n1");
    let notes: Vec<Note> = all
        .iter()
        .take(30_000)
        .map(|o| Note::normal(o, "Pulled", "Container image \"nginx\" already present on machine"))
        .collect();
    let t = std::time::Instant::now();
    for n in notes {
        rec.record(Time::from_secs(1_000), n, Cause::NONE);
        std::hint::black_box(rec.poll(Time::from_secs(1_000)));
        rec.answered(&Ok(Answer::Done));
    }
    println!("event {:?}", t.elapsed() / 30_000);
    let mut q = WorkQueue::<Key>::new(BackOff::default());
    let keys: Vec<Key> = all.iter().take(10_000).map(|o| o.key()).collect();
    let t = std::time::Instant::now();
    for _ in 0..10 {
        for k in &keys {
            q.add(k, Cause::NONE);
        }
        while let Some((k, _)) = q.take() {
            q.done(&k);
        }
    }
    println!("queue {:?}", t.elapsed() / 100_000);
}
