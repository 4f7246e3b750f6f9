//! The table that a person reads when a run has ended: what ran, what happened, what failed.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use api::{Deployment, Kind, Object, PodPhase};
use base::Name;
use cluster::{Cluster, PodLife};
use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

use crate::summary::{Percentiles, Summary};

/// How many reasons and warnings are listed.
const MOST: usize = 8;

/// Plain text, ending in a line break. `colour` marks what failed.
pub fn text(summary: &Summary, cluster: &Cluster, colour: bool) -> String {
    let mut text = String::new();
    let verdict =
        if summary.outcome == "passed" { paint("passed", 32, colour) } else { paint("failed", 31, colour) };
    let _ = writeln!(
        text,
        "{} (seed {}): {verdict} after {:.0} s of virtual time, {} events, {} writes, digest {}",
        summary.scenario,
        summary.seed,
        summary.virtual_seconds,
        summary.events,
        summary.commits,
        summary.digest
    );
    if !summary.depends_on.is_empty() {
        let outsiders = summary.depends_on.join(", ");
        let _ =
            writeln!(text, "the same seed gives this run again only with the same answers of {outsiders}");
    }
    let _ = writeln!(text, "\n{}", workloads(cluster));
    let pods = summary.pods;
    let _ = writeln!(
        text,
        "\nnodes  {} of {} ready\npods   {} created, {} scheduled, {} started, {} ready, {} evicted, {} deleted, {} pending",
        summary.nodes.ready,
        summary.nodes.total,
        pods.created,
        pods.scheduled,
        pods.started,
        pods.ready,
        pods.evicted,
        pods.deleted,
        pods.pending
    );
    let Percentiles { p50, p99, max, .. } = summary.latency_seconds.ready;
    let _ = writeln!(text, "ready  after {p50:.3} s (median), {p99:.3} s (p99), {max:.3} s (longest)");
    pending(&mut text, cluster);
    commands(&mut text, cluster);
    for it in &summary.expectations {
        let mark = if it.ok { paint("ok  ", 32, colour) } else { paint("FAIL", 31, colour) };
        let at = it.at.map(|at| format!(" at {at:.3} s")).unwrap_or_default();
        let detail = if it.detail.is_empty() { String::new() } else { format!(": {}", it.detail) };
        let _ = writeln!(text, "{mark}  {}{at}{detail}", it.name);
    }
    text
}

/// A row per owner of pods.
fn workloads(cluster: &Cluster) -> Table {
    #[derive(Default)]
    struct Row {
        created: usize,
        ready: usize,
        pending: usize,
        restarts: i32,
    }
    let mut rows: BTreeMap<(Name, String), Row> = BTreeMap::new();
    for life in cluster.ledger().lives() {
        let row = rows.entry((life.namespace.clone(), owner(cluster, life))).or_default();
        row.created += 1;
        row.ready += usize::from(life.is_ready && life.deleted.is_none());
        row.pending += usize::from(life.phase == PodPhase::Pending && life.deleted.is_none());
        row.restarts += life.restarts;
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(["namespace", "workload", "pods made", "ready now", "pending", "restarts"]);
    for ((namespace, owner), row) in rows {
        table.add_row([
            namespace.to_string(),
            owner,
            row.created.to_string(),
            row.ready.to_string(),
            row.pending.to_string(),
            row.restarts.to_string(),
        ]);
    }
    for column in table.column_iter_mut().skip(2) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

/// Who is behind a pod, as a user knows it: the deployment of its replica set, if it has one.
fn owner(cluster: &Cluster, life: &PodLife) -> String {
    let Some((kind, name)) = life.owner.split_once('/') else { return format!("Pod/{}", life.name) };
    if kind == "ReplicaSet"
        && let Some((deployment, _hash)) = name.rsplit_once('-')
        && let key = api::Key::new(Kind::Deployment, life.namespace.clone(), deployment)
        && cluster.read(&key).and_then(Object::get::<Deployment>).is_some()
    {
        return format!("Deployment/{deployment}");
    }
    life.owner.to_string()
}

/// Why pods that are there are not running.
fn pending(text: &mut String, cluster: &Cluster) {
    let mut reasons: BTreeMap<Name, usize> = BTreeMap::new();
    for life in cluster.ledger().lives() {
        if life.phase == PodPhase::Pending && life.deleted.is_none() {
            *reasons.entry(why_pending(cluster, life)).or_default() += 1;
        }
    }
    for (reason, count) in reasons.iter().take(MOST) {
        let _ = writeln!(text, "pending {count}: {reason}");
    }
    if MOST < reasons.len() {
        let _ =
            writeln!(text, "pending for {} more reasons; see pods.csv and events.csv", reasons.len() - MOST);
    }
}

fn why_pending(cluster: &Cluster, life: &PodLife) -> Name {
    let key = api::Key::new(Kind::Pod, life.namespace.clone(), life.name.clone());
    let pod = cluster.read(&key).and_then(Object::get::<api::Pod>);
    let scheduled = pod.and_then(|it| it.status.condition(&api::condition::POD_SCHEDULED));
    match scheduled.filter(|it| !it.is_true() && !it.message.is_empty()) {
        Some(condition) => condition.message.clone(),
        None if life.reason.is_empty() => Name::from_static("no reason given"),
        None => life.reason.clone(),
    }
}

/// What the commands of the timeline complained of.
fn commands(text: &mut String, cluster: &Cluster) {
    for (step, lines) in cluster.output() {
        for line in lines.iter().filter(|it| it.is_error).take(MOST) {
            let _ = writeln!(text, "`{}`: {}", step.text, line.text);
        }
    }
}

fn paint(text: &str, code: u8, colour: bool) -> String {
    if colour { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.into() }
}
