//! `wavetank conformance`.

use crate::args::{Common, Format, Recordings};
use crate::exit::{Exit, say, tell};

pub(crate) fn scheduler(args: &Recordings, common: &Common) -> Exit {
    let report = match conformance::check(&args.files) {
        Ok(report) => report,
        Err(error) => {
            tell(&format!("error: {error}"));
            return Exit::WrongInput;
        }
    };
    match common.format {
        Format::Json => say(&serde_json::to_string(&report).expect("a report is plain data")),
        Format::Text => say(&conformance::text(&report)),
    }
    if report.failed == 0 { Exit::Well } else { Exit::Failed }
}
