//! The `wavetank` program.

mod args;
mod conformance;
mod exit;
mod explain;
mod extenders;
mod host;
mod input;
mod progress;
mod run;
mod scheduling;
mod validate;

use clap::Parser as _;

use crate::args::{Args, Command};
use crate::exit::Exit;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => {
            let _ = error.print(); // Help goes to standard output, errors to standard error.
            return if error.use_stderr() { Exit::WrongInput.into() } else { Exit::Well.into() };
        }
    };
    let common = &args.common;
    let exit = match &args.command {
        Command::Run(it) => run::run(it, common),
        Command::Validate(it) => validate::validate(it, common),
        Command::Explain(it) => explain::explain(it, common),
        Command::Conformance(args::Conformance::Scheduler(it)) => conformance::scheduler(it, common),
        Command::Schema => {
            exit::say(&format!("{:#}", scenario::schema()));
            Exit::Well
        }
    };
    exit.into()
}
