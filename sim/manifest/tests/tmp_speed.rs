use manifest::{Limits, load_source, source::Source};
#[test]
fn speed() {
    let l = Limits::default();
    let yaml =
        std::fs::read_to_string("/work/shared/data/snapshots/openb-gpu-nodes/openb_node_list_gpu_node.yaml")
            .unwrap();
    let objs = load_source(Source::new("a.yaml", yaml.as_str()), &l).objects;
    let json = serde_json::json!({"apiVersion":"v1","kind":"List","items": objs.iter().map(|it| it.object.to_json()).collect::<Vec<_>>()}).to_string();
    let t = std::time::Instant::now();
    for _ in 0..20 {
        drop(load_source(Source::new("a.json", json.as_str()), &l));
    }
    println!("{} bytes {:?}", json.len(), t.elapsed() / 20);
    let text = std::fs::read_to_string("/work/shared/data/snapshots/troubleshoot-mixed/nodes.json").unwrap();
    let t = std::time::Instant::now();
    for _ in 0..20 {
        drop(load_source(Source::new("a.json", text.as_str()), &l));
    }
    println!("{} bytes {:?}", text.len(), t.elapsed() / 20);
}
