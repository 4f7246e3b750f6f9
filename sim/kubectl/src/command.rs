//! What can be said on `kubectl`'s command line, as far as it changes a cluster.

use api::{Kind, Object};
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::target::{Change, Target, parse_changes, parse_images};

/// A parsed command, with the objects of the files that it names.
#[derive(Clone, Debug)]
pub struct Command {
    pub(crate) namespace: String,
    pub(crate) words: Words,
    pub(crate) objects: Vec<Object>,
}

/// Why a line is not a command.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    #[error("the quotes of `{line}` do not match")]
    Quotes { line: String },
    #[error("{message}")]
    Words { message: String },
}

#[derive(Debug, Parser)]
#[command(name = "kubectl", no_binary_name = true, disable_help_flag = true, disable_version_flag = true)]
struct Cli {
    #[arg(short, long, global = true, default_value = "default")]
    namespace: String,
    #[command(subcommand)]
    words: Words,
}

#[derive(Clone, Debug, Subcommand)]
pub enum Words {
    /// Makes the objects of files be as the files say.
    Apply(Files),
    /// Creates the objects of files.
    Create(Files),
    Delete(Delete),
    Scale(Scale),
    #[command(subcommand)]
    Set(Set),
    #[command(subcommand)]
    Rollout(Rollout),
    Cordon(Nodes),
    Uncordon(Nodes),
    Drain(Drain),
    Label(Marks),
    Annotate(Marks),
    Taint(Marks),
    Patch(Patch),
}

#[derive(Clone, Debug, Args)]
pub struct Files {
    #[arg(short = 'f', long = "filename", required = true)]
    pub files: Vec<String>,
}

/// `TYPE NAME …`, `TYPE/NAME …`, or a type and a selector.
#[derive(Clone, Debug, Args)]
pub struct Targets {
    #[arg()]
    pub targets: Vec<String>,
    #[arg(short = 'l', long)]
    pub selector: Option<String>,
    #[arg(long)]
    pub all: bool,
}

#[derive(Clone, Debug, Args)]
pub struct Delete {
    #[command(flatten)]
    pub targets: Targets,
    #[arg(short = 'f', long = "filename")]
    pub files: Vec<String>,
    #[arg(long, allow_negative_numbers = true)]
    pub grace_period: Option<i64>,
    #[arg(long)]
    pub force: bool,
    #[arg(long)]
    pub now: bool,
    #[arg(long, value_enum, default_value = "background")]
    pub cascade: Cascade,
    #[arg(long)]
    pub ignore_not_found: bool,
    /// Accepted; a command of the timeline never holds up the next.
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub wait: Option<bool>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Cascade {
    Background,
    Foreground,
    Orphan,
}

#[derive(Clone, Debug, Args)]
pub struct Scale {
    #[command(flatten)]
    pub targets: Targets,
    #[arg(long)]
    pub replicas: i32,
    #[arg(long)]
    pub current_replicas: Option<i32>,
}

#[derive(Clone, Debug, Subcommand)]
pub enum Set {
    /// `deployment/web web=shop/web:v2`
    Image(Marks),
}

#[derive(Clone, Debug, Subcommand)]
pub enum Rollout {
    Restart(Targets),
    Undo(Undo),
    Pause(Targets),
    Resume(Targets),
}

#[derive(Clone, Debug, Args)]
pub struct Undo {
    #[command(flatten)]
    pub targets: Targets,
    /// 0 means the one before the present one.
    #[arg(long, default_value_t = 0)]
    pub to_revision: i64,
}

#[derive(Clone, Debug, Args)]
pub struct Nodes {
    #[arg()]
    pub nodes: Vec<String>,
    #[arg(short = 'l', long)]
    pub selector: Option<String>,
}

#[derive(Clone, Debug, Args)]
pub struct Drain {
    #[command(flatten)]
    pub nodes: Nodes,
    #[arg(long)]
    pub ignore_daemonsets: bool,
    #[arg(long)]
    pub delete_emptydir_data: bool,
    #[arg(long)]
    pub force: bool,
    #[arg(long, default_value_t = -1, allow_negative_numbers = true)]
    pub grace_period: i64,
    /// As Go writes durations; zero means for ever.
    #[arg(long, default_value = "0s")]
    pub timeout: String,
    #[arg(long)]
    pub disable_eviction: bool,
    #[arg(long)]
    pub pod_selector: Option<String>,
}

/// Targets, followed by what is to be set (`key=value`) or taken away (`key-`).
#[derive(Clone, Debug, Args)]
pub struct Marks {
    #[command(flatten)]
    pub targets: Targets,
    #[arg(long)]
    pub overwrite: bool,
}

#[derive(Clone, Debug, Args)]
pub struct Patch {
    #[command(flatten)]
    pub targets: Targets,
    #[arg(short = 'p', long)]
    pub patch: String,
    #[arg(long = "type", value_enum, default_value = "strategic")]
    pub kind: PatchKind,
    #[arg(long, value_enum)]
    pub subresource: Option<PatchedPart>,
}

/// Of the subresources that `kubectl` knows, those that patches are made of here; `scale` has its own command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PatchedPart {
    Status,
    Resize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PatchKind {
    Strategic,
    Merge,
    Json,
}

impl Command {
    /// Parses a line as a shell and then `kubectl` would; a leading `kubectl` may stand there or not.
    ///
    /// The objects of the files that it names come afterwards, by [`Command::with_objects`].
    pub fn parse(line: &str) -> Result<Self, ParseError> {
        let mut words = shlex::split(line).ok_or_else(|| ParseError::Quotes { line: line.into() })?;
        if words.first().is_some_and(|it| it == "kubectl") {
            words.remove(0);
        }
        let cli =
            Cli::try_parse_from(words).map_err(|error| ParseError::Words { message: first_line(&error) })?;
        let command = Self { namespace: cli.namespace, words: cli.words, objects: Vec::new() };
        command.check().map_err(|message| ParseError::Words { message })?;
        Ok(command)
    }

    /// `kubectl apply` of these objects.
    pub fn apply(objects: Vec<Object>) -> Self {
        let files = Files { files: Vec::new() };
        Self { namespace: "default".into(), words: Words::Apply(files), objects }
    }

    /// The files that the command names, relative to wherever the command stands.
    pub fn files(&self) -> &[String] {
        match &self.words {
            Words::Apply(it) | Words::Create(it) => &it.files,
            Words::Delete(it) => &it.files,
            Words::Scale(_)
            | Words::Set(_)
            | Words::Rollout(_)
            | Words::Cordon(_)
            | Words::Uncordon(_)
            | Words::Drain(_)
            | Words::Label(_)
            | Words::Annotate(_)
            | Words::Taint(_)
            | Words::Patch(_) => &[],
        }
    }

    /// Those of the files that it names, once they have come.
    pub fn objects(&self) -> &[Object] {
        &self.objects
    }

    /// The images that it gives to containers: `container=image`, where `*` stands for all containers.
    pub fn new_images(&self) -> Vec<(String, String)> {
        let Words::Set(Set::Image(marks)) = &self.words else { return Vec::new() };
        self.images(marks).unwrap_or_default()
    }

    /// Whether only a run can tell what pods look like afterwards: it patches or labels something that is no node.
    pub fn may_remake_pods(&self) -> bool {
        let is_node = |it: &Target| match it {
            Target::One(key) => key.kind == Kind::Node,
            Target::All { kind, .. } => *kind == Kind::Node,
        };
        matches!(self.words, Words::Patch(Patch { subresource: None, .. }) | Words::Label(_))
            && self.targets().is_ok_and(|it| !it.iter().all(is_node))
    }

    pub fn with_objects(mut self, objects: Vec<Object>) -> Self {
        self.objects = objects;
        self
    }

    /// The objects that it speaks of, as far as its words tell.
    pub(crate) fn targets(&self) -> Result<Vec<Target>, String> {
        let of_nodes = |it: &Nodes| Target::nodes(&it.nodes, it.selector.as_deref());
        let of = |it: &Targets| Target::parse(it, &self.namespace).map(|(targets, _)| targets);
        match &self.words {
            Words::Apply(_) | Words::Create(_) => Ok(Vec::new()),
            Words::Delete(it) if it.files.is_empty() => of(&it.targets),
            Words::Delete(_) => Ok(Vec::new()),
            Words::Scale(it) => of(&it.targets),
            Words::Patch(it) => of(&it.targets),
            Words::Set(Set::Image(it)) | Words::Label(it) | Words::Annotate(it) | Words::Taint(it) => {
                of(&it.targets)
            }
            Words::Rollout(Rollout::Restart(it) | Rollout::Pause(it) | Rollout::Resume(it)) => of(it),
            Words::Rollout(Rollout::Undo(it)) => of(&it.targets),
            Words::Cordon(it) | Words::Uncordon(it) => of_nodes(it),
            Words::Drain(it) => of_nodes(&it.nodes),
        }
    }

    /// What is to be set or taken away.
    pub(crate) fn changes(&self, marks: &Marks) -> Result<Vec<Change>, String> {
        let (_, rest) = Target::parse(&marks.targets, &self.namespace)?;
        parse_changes(&rest)
    }

    /// `container=image` pairs.
    pub(crate) fn images(&self, marks: &Marks) -> Result<Vec<(String, String)>, String> {
        let (_, rest) = Target::parse(&marks.targets, &self.namespace)?;
        parse_images(&rest)
    }

    fn check(&self) -> Result<(), String> {
        let names_targets = !self.targets()?.is_empty() || !self.files().is_empty();
        if !names_targets {
            return Err(
                "the command names no object; write `TYPE/NAME`, `TYPE NAME` or `TYPE -l SELECTOR`".into()
            );
        }
        match &self.words {
            Words::Set(Set::Image(it)) => {
                if self.images(it)?.is_empty() {
                    return Err("write `CONTAINER=IMAGE` after the object".into());
                }
            }
            Words::Label(it) | Words::Annotate(it) => {
                if self.changes(it)?.is_empty() {
                    return Err("write `KEY=VALUE` or `KEY-` after the object".into());
                }
            }
            Words::Taint(it) => drop(crate::act::taints(&self.changes(it)?)?),
            Words::Patch(it) => drop(crate::act::parse_patch(&it.patch)?),
            Words::Drain(it) => drop(crate::drain::timeout(&it.timeout)?),
            Words::Apply(_)
            | Words::Create(_)
            | Words::Delete(_)
            | Words::Scale(_)
            | Words::Rollout(_)
            | Words::Cordon(_)
            | Words::Uncordon(_) => (),
        }
        Ok(())
    }
}

fn first_line(error: &clap::Error) -> String {
    let text = error.to_string();
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|it| !it.is_empty()).collect();
    let end = lines.iter().position(|it| it.starts_with("Usage:")).unwrap_or(lines.len());
    lines[..end].join("; ").trim_start_matches("error: ").into()
}
