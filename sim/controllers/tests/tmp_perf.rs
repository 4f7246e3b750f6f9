use api::*; use base::*; use client::*; use controllers::*; use std::sync::Arc;
#[test]
fn perf() {
    let mut view = View::default();
    let mut ctl = ControlLoop::new(EndpointSliceController::new(), Rate::per_sec(1_000_000, 1_000_000));
    let mut gc = GarbageCollector::new();
    let mut now = Time::from_secs(1_000_000);
    let mut fx = Vec::new();
    let mut rev = 1u64;
    let mut store: std::collections::BTreeMap<Key, Object> = Default::default();
    let mut writes = 0;
    let mut spent = std::time::Duration::ZERO; let mut spent_gc = std::time::Duration::ZERO; let mut changes = 0u32;
    macro_rules! feed { ($obj:expr) => {{
        let change = view.set($obj);
        changes += 1;
        let t = std::time::Instant::now();
        gc.handle(now, Input::Changed { change: &change, cause: Cause::NONE }, &mut fx);
        spent_gc += t.elapsed();
        assert!(fx.is_empty() || true); fx.clear();
        let t = std::time::Instant::now();
        ctl.handle(now, Input::Changed { change: &change, cause: Cause::NONE }, &view, &mut fx);
        spent += t.elapsed();
    }}}
    macro_rules! drain { () => {{
        loop {
        let batch: Vec<Effect> = std::mem::take(&mut fx);
        if batch.is_empty() { break; }
        let mut out = Vec::new();
        for e in batch { if let Effect::Send { id, request, .. } = e {
            writes += 1; rev += 1;
            let obj = match request { Request::Create { mut object } => { let m = object.meta_mut(); if m.name.is_empty() { m.name = Name::from(format_args!("{}{}", m.generate_name, rev)); } if m.uid.is_unset() { m.uid = Uid(rev as u128); } m.generation = 1; object }
                Request::Update { mut object, .. } => { let old = store[&object.key()].clone(); let m = object.meta_mut(); m.uid = old.meta().uid; m.generation = old.meta().generation + 1; object }
                _ => continue };
            let mut obj = obj; obj.meta_mut().resource_version = Revision(rev);
            store.insert(obj.key(), obj.clone());
            let t = std::time::Instant::now();
            let mut f2 = Vec::new();
            ctl.handle(now, Input::Answer { id, response: Ok(Answer::Object(obj.clone())) }, &view, &mut f2);
            spent += t.elapsed();
            out.append(&mut f2);
            if obj.kind() == Kind::EndpointSlice { let change = view.set(obj); let t = std::time::Instant::now(); ctl.handle(now, Input::Changed { change: &change, cause: Cause::NONE }, &view, &mut f2); spent += t.elapsed(); out.append(&mut f2); }
        } }
        fx = out;
        } }}}
    for n in 0..1000 { let meta = Meta { name: Name::from(format_args!("n-{n}")), uid: Uid(1<<40 | n), ..Meta::default() }; feed!(Object::new(Node { meta, ..Node::default() })); }
    let mut svc = Service { meta: Meta { name: "web".into(), namespace: "default".into(), uid: Uid(1), ..Meta::default() }, ..Service::default() };
    svc.spec.selector = Labels::from([("app","web")]); svc.spec.cluster_ip = "10.0.0.1".into(); svc.spec.ip_families = vec!["IPv4".into()];
    svc.spec.ports = vec![ServicePort { name: "http".into(), protocol: "TCP".into(), port: 80, target_port: Some(IntOrString::Int(80)), ..Default::default() }];
    feed!(Object::new(svc)); drain!();
    let rs = OwnerReference::controller(&Kind::ReplicaSet, &"web-6d4b9c6f5".into(), Uid(7));
    feed!(Object::new(ReplicaSet { meta: Meta { name: "web-6d4b9c6f5".into(), namespace: "default".into(), uid: Uid(7), ..Meta::default() }, ..Default::default() }));
    let labels = Labels::from([("app","web"),("pod-template-hash","6d4b9c6f5")]);
    let spec: Arc<PodSpec> = Arc::default();
    let mk = |n: u32, stage: u32| { 
        let meta = Meta { name: Name::from(format_args!("web-6d4b9c6f5-{n:05}")), namespace: "default".into(), uid: Uid((n as u128)+ (1<<50)), labels: labels.clone(), owner_references: vec![rs.clone()], resource_version: Revision(stage as u64 + 1), ..Meta::default() };
        let mut p = Pod { meta, spec: spec.clone(), ..Pod::default() };
        if stage >= 1 { p.node = Name::from(format_args!("n-{}", n % 1000)); }
        if stage >= 2 { p.status.phase = PodPhase::Running; p.status.pod_ip = Name::from(format_args!("10.{}.{}.1", n / 250, n % 250)); }
        if stage >= 2 { p.status.conditions.push(Condition { kind: condition::READY, status: if stage >= 3 { ConditionStatus::True } else { ConditionStatus::False }, last_transition_time: Some(Timestamp::from_secs(1_000_000 + stage as i64)), ..Default::default() }); }
        Object::new(p) };
    for n in 0..10_000u32 { for stage in 0..5 { feed!(mk(n, stage)); now = now + Span::millis(1); drain!(); } }
    println!("pods in, one by one: slices {spent:?} gc {spent_gc:?} changes {changes} writes {writes}");
    let placed: usize = store.values().filter_map(|o| o.get::<EndpointSlice>()).map(|s| s.endpoints.len()).sum();
    println!("placed {placed}");
}
