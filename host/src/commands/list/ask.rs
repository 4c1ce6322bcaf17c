//! One question to every selected instance, its answer printed as it comes.

use crate::commands::{Exit, hints};
use crate::context::{Instance, Opened, Run};
use crate::error::{Error, Kind, Result};
use crate::output::{Shape, Stdout, Writer};
use crate::ui;
use latchlift_plugin_api::{Batch, Request, Target};
use serde::Serialize;

/// A question to every selected instance, and how the rows of the answer are printed.
pub(super) struct Question<'q, T> {
    pub request: Request,
    pub shape: Shape<'q, T>,
    /// The most rows to print.
    pub limit: Option<usize>,
    /// What to say of no rows at all.
    pub empty: &'q str,
    /// The failure that no rows are, where one was asked for by its id.
    pub missing: Option<Error>,
}

/// Asks every selected instance, and prints the rows that `take` makes of each batch as they come; `seen` is told of each.
///
/// An instance that has no such verb is passed over unless it was named.
///
/// # Errors
/// The only instance asked failed before a row was printed, or none has the verb.
pub(super) fn ask<T: Serialize>(
    run: &Run,
    question: Question<'_, T>,
    mut take: impl FnMut(Batch) -> Vec<T>,
    mut seen: impl FnMut(&Instance, &T),
) -> Result<Exit> {
    let Question { request, shape, limit, empty, missing } = question;
    let instances = run.selected()?;
    let passes_over = !run.names_instances() && instances.len() > 1;
    let mut printer =
        Printer { out: Writer::stdout(shape, run.ui.format), limit, rows: 0, stopped: false, cut: false, lost: None };
    let (mut errors, mut asked, mut unsupported) = (vec![], 0, None);
    for instance in &instances {
        let print = &mut |batch| match batch {
            Batch::Note(note) => {
                run.ui.say(ui::escaped(&note));
                Ok(())
            }
            batch => printer.print(instance, &take(batch), &mut seen),
        };
        let answer = Opened::open(run, instance).and_then(|opened| {
            let answer = opened.read(run, request.clone(), print);
            answer.map_err(|error| hints::about_account(run, &opened, request.target.as_ref(), error))
        });
        match answer {
            _ if printer.lost.is_some() => break,
            Ok(()) => {}
            Err(_) if std::mem::take(&mut printer.stopped) => {}
            Err(error) if error.kind == Kind::Unsupported && passes_over => {
                run.ui.detail(format!("{}: {error}", instance.name()));
                unsupported = Some(error);
                continue;
            }
            Err(error) => errors.push((instance.name().to_owned(), error)),
        }
        asked += 1;
    }
    let nothing = printer.rows == 0 && printer.lost.is_none();
    if let Some(target) = &request.target {
        // An account is in some of the apps; only where it is in none, that is a failure.
        let elsewhere = |(_, error): &(String, Error)| error.kind == Kind::NotFound;
        if errors.len() < asked {
            errors.retain(|error| !elsewhere(error));
        } else if asked > 1 && errors.iter().all(elsewhere) && !printer.out.has_begun() {
            return Err(in_none(target));
        }
    }
    let cut = printer.cut && run.ui.format == crate::cli::Format::Table;
    match (asked, unsupported, missing) {
        (0, Some(error), _) if nothing => return Err(error),
        (1, ..) if errors.len() == 1 && !printer.out.has_begun() => return Err(errors.remove(0).1),
        (_, _, Some(missing)) if nothing && errors.is_empty() => return Err(missing),
        _ => printer.end(&errors),
    }
    if let (true, Some(limit)) = (cut, limit) {
        run.ui.say(format!("\nthere is more: these are the first {limit}"));
    }
    Ok(conclude(run, &errors, asked, nothing.then_some(empty)))
}

/// The failure where no instance has the account.
pub(super) fn in_none(target: &Target) -> Error {
    let what = match &target.id {
        Some(id) => format!("with the id `{id}`"),
        None => format!("named `{}`", target.name),
    };
    Error::new(Kind::NotFound, format!("no instance has an account {what}")).help("see all with `latchlift user list`")
}

/// Prints rows, as many as are wanted, until nobody takes them.
struct Printer<'q, T> {
    out: Writer<'q, T, Stdout>,
    limit: Option<usize>,
    rows: usize,
    /// Whether the plugin was stopped because there are rows enough.
    stopped: bool,
    /// Whether there were more.
    cut: bool,
    /// Why they cannot be written.
    lost: Option<std::io::Error>,
}

impl<T: Serialize> Printer<'_, T> {
    fn print(&mut self, instance: &Instance, rows: &[T], seen: &mut dyn FnMut(&Instance, &T)) -> Result<()> {
        if self.limit.is_some_and(|limit| self.rows >= limit) {
            // Stops the plugin's work: nobody wants to see more.
            self.stopped = true;
            self.cut |= !rows.is_empty();
            return Err(Error::new(Kind::Failed, "there are rows enough"));
        }
        let left = self.limit.map_or(rows.len(), |limit| rows.len().min(limit - self.rows));
        self.cut |= left < rows.len();
        for row in &rows[..left] {
            seen(instance, row);
            if let Err(why) = self.out.row(instance.name(), row) {
                self.lost = Some(why);
                // Stops the plugin's work; what is said about it is said by `end`.
                return Err(Error::new(Kind::Failed, "the answer cannot be written"));
            }
        }
        self.rows += left;
        Ok(())
    }

    fn end(self, errors: &[(String, Error)]) {
        if let Err(why) = self.lost.map_or_else(|| self.out.end(errors), Err) {
            ui::lost(&why);
        }
    }
}

/// Says what failed, or that there is nothing; gives the exit code.
pub(super) fn conclude(run: &Run, errors: &[(String, Error)], asked: usize, empty: Option<&str>) -> Exit {
    if !run.ui.json() {
        for (app, error) in errors {
            ui::error(&error.clone().context(app), false);
        }
        if let (Some(empty), 1.., true) = (empty, asked, errors.is_empty()) {
            run.ui.say(empty);
        }
    }
    match errors {
        [] => 0,
        [(_, only)] if asked == 1 => only.kind.exit(),
        _ => Kind::SomeFailed.exit(),
    }
}
