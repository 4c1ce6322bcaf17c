//! Whom PhotoPrism takes for its initial administrator where row 1 is missing.
//!
//! At each start PhotoPrism looks for `id = 1 OR user_name = <its administrator's name>`, deleted or not, and makes row
//! 1 only where it finds nobody.

use crate::find;
use crate::holdings::{self, Password};
use crate::locate;
use crate::schema::Layout;
use crate::sign_in;
use crate::user::User;
use latchlift_plugin_api::{Finding, Reader, Reason, Request, Result, Severity};

/// What there is in place of a missing row 1.
pub struct StandIn {
    /// A name that `admin recreate` could give row 1.
    pub free: String,
    /// The account that PhotoPrism takes for its initial administrator, if there is one.
    pub found: Option<Found>,
}

/// The account that PhotoPrism takes for its initial administrator.
pub struct Found {
    user: User,
    /// What keeps it out.
    blocking: Vec<Reason>,
    /// Whether it has a row of `passwords`, which keeps PhotoPrism from setting the initial one.
    pub has_password: bool,
}

impl StandIn {
    /// Looks who has the name.
    ///
    /// # Errors
    /// The store's.
    pub fn find(reader: &dyn Reader, layout: &Layout, request: &Request) -> Result<StandIn> {
        let name = locate::admin_name(&request.settings);
        let found = match find::picked(reader, layout, &name)? {
            Some(user) => Some(Found::of(reader, layout, user, request)?),
            None => None,
        };
        let free = match find::taken(reader, layout, &name, None)? {
            Some(_) => find::free_name(reader, layout, &name)?,
            None => name,
        };
        Ok(StandIn { free, found })
    }

    /// What to know about it, with the command that is wanted.
    pub fn finding(&self, others_get_in: bool) -> Finding {
        let finding = |severity, message| {
            Finding::new(severity, "initial_admin", message).evidence("auth_users").fix(self.mended_by(others_get_in))
        };
        let Some(Found { user, blocking, .. }) = &self.found else {
            let message = "there is no initial administrator (row 1); PhotoPrism makes one when it starts";
            return finding(Severity::Warning, message.to_owned());
        };
        let takes = format!(
            "there is no initial administrator (row 1), and PhotoPrism makes none, because it takes `{}` (id {}) for it by the name",
            user.name, user.uid
        );
        match (blocking.first(), user.is_admin()) {
            (Some(why), _) => {
                finding(Severity::Warning, format!("{takes}; that account cannot sign in: {}", why.message))
            }
            (None, false) => finding(Severity::Warning, format!("{takes}; that account is no administrator")),
            (None, true) => finding(Severity::Note, takes),
        }
    }

    /// The command that leads to an initial administrator who gets in: nothing where there is one, that of the account
    /// taken for it where that administers, else a new one.
    pub fn mended_by(&self, others_get_in: bool) -> Vec<String> {
        match self.found.as_ref().filter(|found| found.user.is_admin()).map(|found| found.blocking.as_slice()) {
            Some([]) => vec![],
            Some(why) if why.iter().all(|reason| !reason.fix.is_empty()) => why[0].fix.clone(),
            _ => recreate(&self.free, others_get_in),
        }
    }
}

impl Found {
    fn of(reader: &dyn Reader, layout: &Layout, user: User, request: &Request) -> Result<Found> {
        let alone = find::named(reader, layout, &user.name)?.len() <= 1;
        let holdings = holdings::of(reader, layout, &user, alone, request.now)?;
        let mut blocking = sign_in::judge(layout, &user, &holdings, request.now).reasons;
        blocking.retain(|reason| reason.blocking);
        Ok(Found { user, blocking, has_password: holdings.password != Password::Absent })
    }
}

/// `admin recreate`, which refuses where an administrator gets in unless it is told that this is known.
pub fn recreate(name: &str, others_get_in: bool) -> Vec<String> {
    let waived = others_get_in.then_some("--allow-existing-admin");
    ["admin", "recreate", name].into_iter().chain(waived).map(str::to_owned).collect()
}
