//! What the journal remembers of instances: changes left unfinished, and the places to take changes back in.

use super::stores::place;
use super::{Opened, Run};
use crate::apply::{self, Stores, Work};
use crate::error::{Error, Kind, Result};
use crate::journal::{Begun, End, Entry, StoreRecord};
use latchlift_plugin_api::Location;

impl Run {
    /// The stores an entry wrote to, opened without a plugin; where `--app` names another place, those of that place.
    ///
    /// # Errors
    /// They cannot be found, they belong to another app, or the database's password is not known.
    pub fn reopened(&self, entry: &Entry) -> Result<Reopened> {
        let begun = &entry.begun;
        if let [app] = self.global.app.as_slice()
            && let Some(instance) = self.named(app)?
            && instance.argument != begun.app
        {
            let opened = Opened::open(self, &instance)?;
            refuse_other(entry, &opened)?;
            let stores = opened.records();
            return Ok(Reopened { app: opened.argument, records: stores, stores: opened.stores });
        }
        let mut stores = Stores::new();
        for StoreRecord { store, location } in &begun.stores {
            let location = self.with_password(location.clone(), &begun.app)?;
            stores.push((store.clone(), self.store(&location, &begun.facts)?));
        }
        Ok(Reopened { app: begun.app.clone(), records: begun.stores.clone(), stores })
    }

    /// Makes sure no change of this instance was left unfinished; one whose data tells how it ended is settled.
    ///
    /// # Errors
    /// [`Kind::Unfinished`] where some of it is written and some is not, [`Kind::Locked`] where it is being written now.
    pub fn settle(&self, opened: &Opened) -> Result<()> {
        for entry in self.journal()?.unfinished()? {
            if !opened.is_of(&entry) {
                continue;
            }
            let open = self.journal()?.reopen(&entry)?;
            let id = entry.begun.id.clone();
            let work =
                Work { begun: entry.begun.clone(), facts: opened.facts(), stores: &opened.stores, allow_running: true };
            let steps = entry.begun.plan.steps.len();
            let (end, how) = match apply::written(&entry, &work) {
                Ok(0) => (End::Failed, "nothing of it was written"),
                Ok(all) if all == steps => (End::Done, "all of it was written"),
                Ok(some) => return Err(half_done(&entry, some)),
                // One step is one transaction: it is there as a whole or not at all, and the app has moved on since.
                Err(error) if error.kind == Kind::Unfinished && steps == 1 => {
                    (End::Abandoned, "the data changed since, so nobody can tell whether it was written")
                }
                Err(error) => return Err(error),
            };
            open.end(end)?;
            self.ui.warn(format!("entry {id} had been interrupted; {how}, and the journal now says so"));
        }
        Ok(())
    }
}

/// The stores of a journal entry, and what to call them.
pub struct Reopened {
    /// The instance, as the journal knows it.
    pub app: String,
    /// Where the stores are.
    pub records: Vec<StoreRecord>,
    /// The stores.
    pub stores: Stores,
}

/// An entry is taken back in another place only where the app is the same and the first place is gone: otherwise the
/// journal would say of the first that it was taken back.
fn refuse_other(entry: &Entry, opened: &Opened) -> Result<()> {
    let begun = &entry.begun;
    if opened.facts().app != begun.plugin {
        let message = format!("entry {} belongs to {}, not to {}", begun.id, begun.facts.title, opened.facts().title);
        return Err(Error::new(Kind::Usage, message).note("nothing was changed"));
    }
    // Of a server nobody can tell: its data may have been loaded into another.
    let there = |record: &StoreRecord| {
        matches!(record.location, Location::Sqlite { .. } | Location::Dir { .. }) && !record.is_gone()
    };
    match opened.is_of(entry) || !begun.stores.iter().any(there) {
        true => Ok(()),
        false => {
            let was = begun.stores.iter().map(|record| place(&record.location)).collect::<Vec<_>>().join(" and ");
            Err(Error::new(Kind::Refused, format!("entry {} was written to {was}, which is still there", begun.id))
                .note("nothing was changed")
                .help(format!("take it back there: latchlift undo {}", begun.id)))
        }
    }
}

fn half_done(entry: &Entry, written: usize) -> Error {
    let Begun { id, app, plan, .. } = &entry.begun;
    let message = format!("entry {id} on {app} was interrupted after {written} of {} changes", plan.steps.len());
    let back = match entry.begun.undoes {
        Some(_) => String::new(),
        None => format!(", or take it back with `latchlift undo {id}`"),
    };
    Error::new(Kind::Unfinished, message)
        .note("nothing was changed now; what is written is safe to keep")
        .help(format!("finish it with `latchlift resume {id}`{back}"))
}
