//! Automation of the repository, in Rust. `cargo xtask layers` prints which crate imports which.

use std::process::ExitCode;

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line tool")]
fn main() -> ExitCode {
    match std::env::args().nth(1).as_deref() {
        Some("layers") => {
            for (name, imports) in xtask::layers::imports() {
                println!("{name}: {}", imports.join(" "));
            }
            ExitCode::SUCCESS
        }
        other => {
            eprintln!("unknown task `{}`; known: layers", other.unwrap_or(""));
            ExitCode::from(2)
        }
    }
}
