use manifest::{Limits, load_source, source::Source};
use std::time::Instant;
fn time(name: &str, bytes: usize, mut f: impl FnMut()) {
    f();
    let n = 5;
    let t = Instant::now();
    for _ in 0..n { f(); }
    let s = t.elapsed().as_secs_f64() / n as f64;
    println!("{name}: {:.1} ms, {:.1} MB/s", s * 1e3, bytes as f64 / s / 1e6);
}
#[test]
fn speed() {
    let l = Limits::default();
    let yaml = std::fs::read_to_string("/work/shared/data/snapshots/openb-gpu-nodes/openb_node_list_gpu_node.yaml").unwrap();
    time("openb parse yaml", yaml.len(), || drop(manifest::yaml::parse(&Source::new("a.yaml", yaml.as_str()), &l)));
    time("openb load yaml", yaml.len(), || drop(load_source(Source::new("a.yaml", yaml.as_str()), &l)));
    let objs = load_source(Source::new("a.yaml", yaml.as_str()), &l).objects;
    let json = serde_json::json!({"apiVersion":"v1","kind":"List","items": objs.iter().map(|it| it.object.to_json()).collect::<Vec<_>>()}).to_string();
    time("openb read json", json.len(), || drop(manifest::json::read(&json)));
    time("openb serde_json value", json.len(), || drop(serde_json::from_str::<serde_json::Value>(&json)));
    time("openb load json", json.len(), || drop(load_source(Source::new("a.json", json.as_str()), &l)));
    time("openb json places", json.len(), || drop(manifest::json::parse(&Source::new("a.json", json.as_str()), &l)));
    time("write yaml", json.len(), || { objs.iter().for_each(|it| drop(manifest::to_yaml(&it.object))) });
    for f in ["cert-manager/cert-manager.yaml", "calico"] {
        let p = format!("/work/shared/data/manifests/{f}");
        let t = Instant::now();
        let loaded = manifest::load(&[&p], &l);
        println!("{f}: {} objects {:?}", loaded.objects.len(), t.elapsed());
    }
    let p = "/work/shared/data/snapshots/troubleshoot-mixed/nodes.json";
    let text = std::fs::read_to_string(p).unwrap();
    time("nodes.json read", text.len(), || drop(manifest::json::read(&text)));
    time("nodes.json load", text.len(), || drop(load_source(Source::new("a.json", text.as_str()), &l)));
    let dir = std::env::temp_dir().join("speed"); std::fs::create_dir_all(&dir).unwrap();
    for (n, u, c) in [("deep.yaml", "[", 60_000_000), ("dash.yaml", "- ", 30_000_000), ("deep.json", "{\"a\":", 12_000_000), ("many.yaml", "- a\n", 15_000_000), ("quote.yaml", "'a", 30_000_000), ("long.yaml", "a", 60_000_000), ("lines.yaml", "a\n", 30_000_000), ("map.json", "[1,[", 15_000_000), ("flow.yaml", "[1],", 15_000_000), ("keys.yaml", "? a\n", 15_000_000),("tags.yaml", "!a ", 20_000_000),("anchors.yaml", "&a ", 20_000_000),("hash.yaml", "#\n", 30_000_000),("docs.yaml", "---\n", 15_000_000), ("nul.yaml", "\u{1}", 60_000_000), ("colon.yaml", "a: ", 20_000_000), ("brace.yaml", "{a: [", 12_000_000), ("block.yaml", "a: |\n", 12_000_000), ("ind.yaml","a:\n ", 12_000_000)] {
        let p = dir.join(n); std::fs::write(&p, u.repeat(c)).unwrap();
        let t = Instant::now();
        let loaded = manifest::load(&[&p], &l);
        println!("{n}: {:?} {}", t.elapsed(), loaded.diagnostics.to_string().lines().next().unwrap_or(""));
    }
    let mut big = String::from("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n");
    for i in 0..2_000_000 { big += &format!("  k{i}: {i}\n"); }
    let p = dir.join("big.yaml"); std::fs::write(&p, &big).unwrap();
    let t = Instant::now();
    let loaded = manifest::load(&[&p], &l);
    println!("big: {} MB {:?} {}", big.len() / 1_000_000, t.elapsed(), loaded.diagnostics.to_string().lines().next().unwrap_or(""));
    std::fs::remove_dir_all(&dir).unwrap();
}
