//! The folder of a run, written whole or not at all.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write as _};
use std::path::Path;

use cluster::Cluster;

use crate::summary::Summary;
use crate::tables;

/// Writes all files into `out`. Each appears under its name only when it is complete.
pub fn write(out: &Path, summary: &Summary, cluster: &Cluster) -> io::Result<()> {
    fs::create_dir_all(out)?;
    put(out, "pods.csv", |file| tables::pods(cluster, file).map_err(Into::into))?;
    put(out, "events.csv", |file| tables::events(cluster, file).map_err(Into::into))?;
    put(out, "timeseries.csv", |file| tables::timeseries(cluster, file).map_err(Into::into))?;
    put(out, "audit.csv", |file| tables::audit(cluster.log(), cluster.started(), file).map_err(Into::into))?;
    put(out, record::FILE_NAME, |file| record::write(cluster.log(), file))?;
    // Last: where it is, all is there.
    put(out, "summary.json", |file| {
        serde_json::to_writer_pretty(&mut *file, summary)?;
        file.write_all(b"\n")
    })
}

fn put(out: &Path, name: &str, fill: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>) -> io::Result<()> {
    let part = out.join(format!(".{name}.part"));
    let mut file = BufWriter::new(File::create(&part)?);
    fill(&mut file)?;
    file.flush()?;
    fs::rename(part, out.join(name))
}
