//! The binary: parse, run, say, exit.

use clap::Parser;
use clap::error::ErrorKind;
use latchlift::cli::Cli;
use latchlift::error::{Error, Kind};
use latchlift::{commands, ui};
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args_os().map(|argument| argument.to_string_lossy().into_owned()).collect();
    let as_json = latchlift::usage::wants_json(&arguments);
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(refused) if matches!(refused.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) => {
            ui::answer(&refused.render().to_string());
            return ExitCode::SUCCESS;
        }
        Err(refused) => return fail(&latchlift::usage::explain(&refused, &arguments), as_json),
    };
    match commands::run(cli) {
        Ok(code) => ExitCode::from(code),
        Err(error) => fail(&error, as_json),
    }
}

fn fail(error: &Error, as_json: bool) -> ExitCode {
    if error.kind == Kind::Interrupted && !as_json {
        eprintln!();
    }
    ui::error(error, as_json);
    ExitCode::from(error.kind.exit())
}
