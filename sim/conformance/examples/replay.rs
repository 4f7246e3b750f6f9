//! Replays the recordings in the files named, without the rest of the program: `[--json] FILE...`.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "it is a program")]

fn main() {
    let mut files: Vec<String> = std::env::args().skip(1).collect();
    let as_json = files.first().is_some_and(|it| it == "--json");
    files.drain(..usize::from(as_json));
    match conformance::check(&files) {
        Err(error) => eprintln!("error: {error}"),
        Ok(report) if as_json => {
            println!("{}", serde_json::to_string(&report).expect("a report is plain data"));
        }
        Ok(report) => print!("{}", conformance::text(&report)),
    }
}
