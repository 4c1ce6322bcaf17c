//! The last administrator who can sign in.

use crate::find;
use crate::holdings::{self, Holdings};
use crate::schema::Layout;
use crate::sign_in;
use crate::user::User;
use latchlift_plugin_api::{Error, Filter, Known, Reader, Request, Result};

/// Every account that administers PhotoPrism, deleted or not.
///
/// # Errors
/// The store's.
pub fn all(reader: &dyn Reader, layout: &Layout) -> Result<Vec<User>> {
    let mut found: Vec<User> = Vec::new();
    for filter in [Filter::eq("super_admin", 1), Filter::is_in("user_role", ["admin", "cluster_admin"])] {
        let more = find::users(reader, layout, filter)?;
        found.extend(more.into_iter().filter(|user| !user.is_system()));
    }
    found.sort_by_key(|user| user.id);
    found.dedup_by_key(|user| user.id);
    Ok(found)
}

/// An administrator other than row `but` who can certainly sign in.
///
/// # Errors
/// The store's.
pub fn usable(reader: &dyn Reader, layout: &Layout, but: Option<i64>, request: &Request) -> Result<Option<User>> {
    for user in all(reader, layout)?.into_iter().filter(|user| Some(user.id) != but) {
        let holdings = holdings::of(reader, layout, &user, true, request.now)?;
        if sign_in::judge(layout, &user, &holdings, request.now).can_sign_in == Known::Is(true) {
            return Ok(Some(user));
        }
    }
    Ok(None)
}

/// Refuses what would leave no administrator who can sign in: `after` is the account as it would be, nothing where it
/// would be gone.
///
/// # Errors
/// So it would, and nobody said that this is meant.
pub fn keep_one(
    reader: &dyn Reader,
    layout: &Layout,
    (before, had): (&User, &Holdings),
    after: Option<(&User, &Holdings)>,
    request: &Request,
) -> Result<()> {
    let gets_in = |user: &User, holdings: &Holdings| {
        user.is_admin() && sign_in::judge(layout, user, holdings, request.now).can_sign_in != Known::Is(false)
    };
    if request.options.allows("last-admin")
        || !gets_in(before, had)
        || after.is_some_and(|(user, holdings)| gets_in(user, holdings))
        || usable(reader, layout, Some(before.id), request)?.is_some()
    {
        return Ok(());
    }
    let message = format!("`{}` is the last administrator who can sign in", before.label());
    Err(Error::refused(message, Some("allow-last-admin")))
}
