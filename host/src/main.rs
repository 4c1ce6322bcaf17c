//! The binary: parse, run, say, exit.

use clap::Parser;
use clap::error::ErrorKind;
use latchlift::cli::{Cli, Format};
use latchlift::error::{Error, Kind};
use latchlift::{commands, ui, usage};
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(refused) => return refuse(&refused),
    };
    let as_json = cli.global.format() == Format::Json;
    match usage::refuse_split(&arguments(), &cli.global).and_then(|()| commands::run(cli)) {
        Ok(code) => leave(code),
        Err(error) => fail(&error, as_json),
    }
}

fn arguments() -> Vec<String> {
    std::env::args_os().map(|argument| argument.to_string_lossy().into_owned()).collect()
}

/// Ends a run whose arguments do not parse, or ask for help.
fn refuse(refused: &clap::Error) -> ExitCode {
    let arguments = arguments();
    match refused.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            ui::answer(&refused.render().to_string());
            leave(0)
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand if arguments.len() < 2 => {
            ui::tell(refused.render().to_string().trim_end());
            ExitCode::from(Kind::Usage.exit())
        }
        _ => fail(&usage::explain(refused, &arguments), usage::wants_json(&arguments)),
    }
}

/// Ends a run that did not fail, unless its answer went nowhere: then it did.
fn leave(code: u8) -> ExitCode {
    let Some(why) = ui::lost_answer() else { return ExitCode::from(code) };
    ui::error(&Error::new(Kind::Failed, format!("cannot write the answer: {why}")), false);
    ExitCode::from(if code == 0 { Kind::Failed.exit() } else { code })
}

fn fail(error: &Error, as_json: bool) -> ExitCode {
    if error.kind == Kind::Interrupted && !as_json {
        ui::tell("");
    }
    ui::error(error, as_json);
    ExitCode::from(error.kind.exit())
}
