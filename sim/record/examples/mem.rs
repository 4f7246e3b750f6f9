use api::{Kind,Object,Revision}; use base::*; use record::*; use serde_json::json;
fn rss() -> usize { std::fs::read_to_string("/proc/self/statm").unwrap().split(' ').nth(1).unwrap().parse::<usize>().unwrap()*4 }
fn main(){ let reps: usize=std::env::args().nth(1).unwrap().parse().unwrap(); let part=std::env::args().nth(2).unwrap();
  let mk=|n:usize, node:&str, phase:&str, ready:&str| Object::from_json(&Kind::Pod, json!({"metadata":{"namespace":"default","name":format!("web-6d4b75cb6d-{n:05}")},"spec":{"nodeName":node},"status":{"phase":phase,"conditions":[{"type":"PodScheduled","status":"True"},{"type":"Initialized","status":ready},{"type":"ContainersReady","status":ready},{"type":"Ready","status":ready}],"containerStatuses":[{"name":"web","state":if ready=="True" {json!({"running":{}})} else {json!({"waiting":{"reason":"ContainerCreating"}})}}]}})).unwrap();
  let mut log=Log::default();
  let objs: Vec<[Object;4]>=(0..10000).map(|n| {let node=format!("general-{}",n%1000); let a=mk(n,"","Pending","False"); let spec=a.get::<api::Pod>().unwrap().spec.clone(); let fix=|mut o:Object| {o.get_mut::<api::Pod>().unwrap().spec=spec.clone(); o}; [a, fix(mk(n,&node,"Pending","False")), fix(mk(n,&node,"Pending","False")), fix(mk(n,&node,"Running","True"))]}).collect();
  for _ in 0..reps { if part!="commits" {continue;} let what=std::env::args().nth(3).is_some(); if what { for r in 0..6 { for n in 0..10000 { let o=&objs[n]; let w=Write{verb:Verb::Patch,sub:Subresource::Status,revision:Revision(1),old:if r==0 {None} else {Some(&o[(r+1)%4])},new:Some(&o[r%4])}; std::hint::black_box(w.what()); }} continue; } log=Log::default(); let before=rss(); let t=std::time::Instant::now(); let mut c=Cause::NONE; let actor=Name::from_static("kubelet/general");
  for round in 0..6 { for n in 0..10000 { let o=&objs[n]; let (old,new)= match round {0=>(None,Some(&o[0])),1=>(Some(&o[0]),Some(&o[1])),2=>(Some(&o[1]),Some(&o[2])),3=>(Some(&o[2]),Some(&o[3])),4=>(Some(&o[3]),Some(&o[2])),_=>(Some(&o[2]),Some(&o[3]))};
    let w=Write{verb:Verb::Patch,sub:Subresource::Status,revision:Revision(round*10000+n as u64),old,new};
    c=log.push(Time::from_secs(round), &actor, c, w.what()); }}
  println!("commits: {} KiB, {:?} per", rss()-before, t.elapsed()/60000);
  }
  if part!="events" {return;} let mut c=Cause::NONE; let actor=Name::from_static("kubelet/general"); let before=rss(); let t=std::time::Instant::now();
  for round in 0..5 { for n in 0..10000 {
    let w=What::Event{object:objs[n][0].key(), name: Name::from(format!("web-6d4b75cb6d-{n:05}.186f{round:012}")), effect:Effect::Created, revision:n as u64, kind:EventKind::Normal, reason:Name::from_static("Scheduled"), message: if round==0 {Name::from(format!("Successfully assigned default/web-6d4b75cb6d-{n:05} to general-{}",n%1000))} else {Name::from("Started container web")}, count:1};
    c=log.push(Time::from_secs(round), &actor, c, w); }}
  println!("events: {} KiB, {:?} per", rss()-before, t.elapsed()/50000);
  let t=std::time::Instant::now(); let mut v=Vec::new(); write(&log,&mut v).unwrap(); println!("write {} MB {:?}", v.len()>>20, t.elapsed());
  let t=std::time::Instant::now(); let l=read(&v[..]).unwrap(); println!("read {:?} {}", t.elapsed(), l.iter().len());
}
