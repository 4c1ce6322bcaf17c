//! `user list --legacy`: the accounts of releases before 221102, which later ones leave in place and never read.

use crate::schema::{self, LEGACY};
use latchlift_plugin_api::{Account, Batches, Context, Known, Output, Reason, Record, Request, Result, Select, Time};

/// Nobody signs in to an account of the old table. Not among the common codes.
const LEGACY_ACCOUNT: &str = "legacy_account";
const COLUMNS: [&str; 11] = [
    "id",
    "user_uid",
    "user_name",
    "full_name",
    "nick_name",
    "primary_email",
    "role_admin",
    "user_disabled",
    "login_at",
    "created_at",
    "deleted_at",
];

/// Answers `user list --legacy`; nobody where there is no such table.
///
/// # Errors
/// The store's.
pub fn list(context: &Context<'_>, request: &Request, output: &mut dyn Output) -> Result<()> {
    let reader = context.reader;
    schema::detect(reader)?;
    let found = reader.column_names(LEGACY)?;
    let mut accounts = Batches::accounts(output);
    if ["id", "user_uid", "user_name"].iter().all(|name| found.iter().any(|column| column == name)) {
        let columns = COLUMNS.into_iter().filter(|name| found.iter().any(|column| column == name));
        reader.each(Select::from(LEGACY, columns).order(["id"]), |row| {
            let account = account(&row);
            match (account.system && !request.options.system, account.is_deleted() && !request.options.deleted) {
                (false, false) => accounts.push(account),
                _ => Ok(()),
            }
        })?;
    }
    accounts.finish()
}

fn account(row: &Record) -> Account {
    let text = |field: &str| row.text(field).filter(|text| !text.is_empty());
    let time = |field: &str| row.str(field).and_then(Time::parse);
    let id = row.int("id").unwrap_or_default();
    let registered = id > 0 && text("user_name").is_some();
    let why = match id {
        1 => {
            "PhotoPrism no longer reads the table `users`; only if row 1 of `auth_users` is missing, it takes this one's \
             id and name over"
        }
        _ => "PhotoPrism no longer reads the table `users`; add the account anew if it is still wanted",
    };
    let mut account = Account { id: text("user_uid").unwrap_or_default(), ..Account::default() };
    account.name = text("user_name").into();
    account.display_name = text("full_name").or_else(|| text("nick_name")).into();
    account.email = text("primary_email").into();
    account.admin = (registered && row.bool("role_admin").unwrap_or_default()).into();
    account.active = Known::Is(false);
    account.can_sign_in = Known::Is(false);
    account.reasons = vec![Reason::blocking(LEGACY_ACCOUNT, why)];
    account.last_login = time("login_at").into();
    account.created_at = time("created_at").into();
    account.deleted_at = time("deleted_at").into();
    account.system = id <= 0;
    account.extra.insert("row_id".to_owned(), id.to_string());
    account
}
