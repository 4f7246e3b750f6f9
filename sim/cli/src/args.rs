//! The command line.

use std::path::PathBuf;

use api::GoDuration;
use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};

/// A deterministic simulator of Kubernetes clusters: real manifests, the control plane's real decisions, a virtual clock.
#[derive(Debug, Parser)]
#[command(name = "wavetank", version, propagate_version = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) common: Common,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Runs one scenario, or plain manifests, and writes what happened.
    #[command(
        after_help = "Examples:\n  wavetank run scenarios/quickstart.yaml\n  wavetank run -f app/ --nodes 5 --until 30m"
    )]
    Run(Run),
    /// Checks scenarios and manifests without running them.
    #[command(after_help = "Example:\n  wavetank validate scenarios/*.yaml app/")]
    Validate(Validate),
    /// Tells what happened to an object, and why: the chain of causes behind each step.
    #[command(
        after_help = "Example:\n  wavetank explain reports/quickstart-42 deployment/web\n  wavetank explain reports/quickstart-42 pod/shop/web-7d4b9c6f5-x2k9p\n  wavetank explain reports/quickstart-42 pod/shop/web-7d4b9c6f5-x2k9p --scheduling"
    )]
    Explain(Explain),
    /// Replays recorded decisions of a real cluster's components, and says where ours differ.
    #[command(subcommand)]
    Conformance(Conformance),
    /// Prints the JSON Schema of scenario files.
    #[command(after_help = "Example:\n  wavetank schema > scenario.schema.json")]
    Schema,
}

/// Flags that mean the same everywhere.
#[derive(Debug, ClapArgs)]
pub(crate) struct Common {
    /// The seed of all luck; the scenario's own if not given.
    #[arg(long, global = true, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// Ends the run then, in virtual time: `90s`, `1h30m`.
    #[arg(long, global = true, value_name = "DURATION")]
    pub(crate) until: Option<GoDuration>,
    /// Where to write; `reports/<scenario>-<seed>` if not given.
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Overrides a field of the scenario: `spec.cluster.nodePools.0.count=5`.
    #[arg(long = "set", global = true, value_name = "PATH=VALUE")]
    pub(crate) set: Vec<String>,
    /// Runs twice and compares.
    #[arg(long, global = true)]
    pub(crate) check_determinism: bool,
    /// Says nothing but errors.
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
    /// Says more: also what was left out of account.
    #[arg(short, long, global = true)]
    pub(crate) verbose: bool,
    #[arg(long, global = true, value_enum, default_value = "auto")]
    pub(crate) color: Color,
    #[arg(long, global = true, value_enum, default_value = "text")]
    pub(crate) format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    Auto,
    Always,
    Never,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Text,
    Json,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Run {
    /// A scenario file.
    #[arg(value_name = "SCENARIO.yaml", required_unless_present = "files", conflicts_with = "files")]
    pub(crate) scenario: Option<PathBuf>,
    /// Files or folders of plain Kubernetes manifests, instead of a scenario.
    #[arg(short = 'f', long = "filename", value_name = "FILE-OR-FOLDER")]
    pub(crate) files: Vec<PathBuf>,
    /// How many nodes the cluster has that plain manifests run on.
    #[arg(long, default_value_t = 3, requires = "files")]
    pub(crate) nodes: u32,
    /// Permutes what happens at one instant by the seed, to show a hidden dependence on order.
    #[arg(long)]
    pub(crate) shuffle_ties: bool,
    /// Simulates every probe, every renewal of a lease and every look at a node, instead of computing what comes of them. The
    /// outcome is the same; it takes longer.
    #[arg(long)]
    pub(crate) one_by_one: bool,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Validate {
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Explain {
    /// The folder that a run has left.
    #[arg(value_name = "RUN")]
    pub(crate) run: PathBuf,
    /// `TYPE/NAME` or `TYPE/NAMESPACE/NAME`.
    #[arg(value_name = "OBJECT")]
    pub(crate) object: String,
    #[arg(short, long, default_value = "default")]
    pub(crate) namespace: String,
    /// Of a pod, tells each attempt to schedule it: what each plugin said of each node. Runs the scenario again.
    #[arg(long)]
    pub(crate) scheduling: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Conformance {
    /// Decisions of kube-scheduler: one JSON object in each line, compressed with gzip or not.
    #[command(
        after_help = "Example:\n  wavetank conformance scheduler sim/conformance/tests/scheduler/*.jsonl.gz"
    )]
    Scheduler(Recordings),
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Recordings {
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,
}

impl Common {
    /// Whether what goes to standard output may be coloured.
    pub(crate) fn colours(&self) -> bool {
        match self.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => std::io::IsTerminal::is_terminal(&std::io::stdout()),
        }
    }
}
