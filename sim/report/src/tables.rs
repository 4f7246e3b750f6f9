//! The CSV files.

use std::io;

use base::Time;
use cluster::{Cluster, EventLife, PodLife};
use record::Log;

/// `pods.csv`: a row per pod that ever lived.
pub(crate) fn pods(cluster: &Cluster, out: &mut impl io::Write) -> csv::Result<()> {
    let mut table = csv::Writer::from_writer(out);
    table.write_record([
        "namespace",
        "name",
        "uid",
        "owner",
        "node",
        "created",
        "scheduled",
        "started",
        "ready",
        "finished",
        "deleted",
        "phase",
        "reason",
        "restarts",
    ])?;
    let start = cluster.started();
    for life in cluster.ledger().lives() {
        let PodLife { namespace, name, uid, owner, node, phase, reason, restarts, .. } = life;
        let maybe = |time: Option<Time>| time.map(|it| seconds(start, it)).unwrap_or_default();
        table.write_record([
            namespace.as_str(),
            name,
            &uid.to_string(),
            owner,
            node,
            &seconds(start, life.created),
            &maybe(life.scheduled),
            &maybe(life.started),
            &maybe(life.ready),
            &maybe(life.finished),
            &maybe(life.deleted),
            phase.as_str(),
            reason,
            &restarts.to_string(),
        ])?;
    }
    table.flush()?;
    Ok(())
}

/// `events.csv`: Kubernetes events, by the time at which they were last seen.
pub(crate) fn events(cluster: &Cluster, out: &mut impl io::Write) -> csv::Result<()> {
    let mut table = csv::Writer::from_writer(out);
    table.write_record([
        "time",
        "first",
        "count",
        "type",
        "reason",
        "object",
        "namespace",
        "source",
        "host",
        "message",
    ])?;
    let mut lives: Vec<&EventLife> = cluster.ledger().events().iter().collect();
    lives.sort_by_key(|it| it.last); // Stable: those of one instant stay in the order of their creation.
    let start = cluster.started();
    for EventLife { first, last, event } in lives {
        let about = &event.involved_object;
        let count = event.extra.series.as_ref().map_or(event.count, |it| it.count).max(1);
        let source = if event.reporter.source.component.is_empty() {
            &event.reporter.reporting_controller
        } else {
            &event.reporter.source.component
        };
        table.write_record([
            seconds(start, *last).as_str(),
            &seconds(start, *first),
            &count.to_string(),
            &event.kind,
            &event.reason,
            &format!("{}/{}", about.kind.to_ascii_lowercase(), about.name),
            &about.namespace,
            source,
            &event.reporter.source.host,
            &event.message,
        ])?;
    }
    table.flush()?;
    Ok(())
}

/// `timeseries.csv`: long form; a value holds until the next row of the same subject and metric.
pub(crate) fn timeseries(cluster: &Cluster, out: &mut impl io::Write) -> csv::Result<()> {
    let mut table = csv::Writer::from_writer(out);
    table.write_record(["time", "subject", "metric", "value"])?;
    for sample in cluster.series().samples() {
        let time = seconds(cluster.started(), sample.time);
        table.write_record([time.as_str(), &sample.subject, sample.metric, &sample.value.to_string()])?;
    }
    table.flush()?;
    Ok(())
}

/// `audit.csv`: every committed write. `cause` is the number of a record.
pub(crate) fn audit(log: &Log, start: Time, out: &mut impl io::Write) -> csv::Result<()> {
    let mut table = csv::Writer::from_writer(out);
    table.write_record(["revision", "time", "actor", "verb", "subresource", "object", "cause"])?;
    for record in log.iter() {
        let Some(write) = record.what.audited() else { continue };
        let cause = if record.cause.is_none() { String::new() } else { record.cause.0.to_string() };
        table.write_record([
            write.revision.to_string().as_str(),
            &seconds(start, record.at),
            &record.actor,
            write.verb.as_str(),
            write.sub.as_str(),
            &write.object.to_string(),
            &cause,
        ])?;
    }
    table.flush()?;
    Ok(())
}

/// Virtual seconds since the start of the run, to the microsecond; what the warm-up did lies before zero.
pub fn seconds(start: Time, time: Time) -> String {
    let (sign, span) = if time < start { ("-", start.since(time)) } else { ("", time.since(start)) };
    let micros = span.nanos() / 1_000;
    format!("{sign}{}.{:06}", micros / 1_000_000, micros % 1_000_000)
}

#[cfg(test)]
mod tests {
    use base::Span;

    use super::*;

    #[test]
    fn times_count_from_the_start_of_the_run() {
        let start = Time::from_secs(1_767_225_600);
        assert_eq!(seconds(start, start + Span::micros(1_500_000)), "1.500000");
        assert_eq!(seconds(start, start.before(Span::millis(4_999))), "-4.999000");
    }
}
