//! What a plugin reports about its app: accounts, sessions, findings.
//!
//! The field names are those of the JSON the host prints, so they are added to and never renamed. The host fills in
//! `app`. Times are milliseconds since 1970 UTC here and RFC 3339 in the JSON.

mod decode;

use crate::time::Time;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeMap;

/// Something the app may say, say to be absent, or not say at all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Known<T> {
    /// The app keeps no such thing, or it was not read. Left out of the JSON.
    #[default]
    Unknown,
    /// There is none. `null` in the JSON.
    Nothing,
    /// This is it.
    Is(T),
}

impl<T> Known<T> {
    /// Whether the app does not say.
    pub fn is_unknown(&self) -> bool {
        matches!(self, Known::Unknown)
    }

    /// The value, if there is one.
    pub fn value(&self) -> Option<&T> {
        match self {
            Known::Is(value) => Some(value),
            _ => None,
        }
    }
}

impl<T> From<T> for Known<T> {
    fn from(value: T) -> Known<T> {
        Known::Is(value)
    }
}

impl<T> From<Option<T>> for Known<T> {
    /// A value the app does keep: `None` means there is none.
    fn from(value: Option<T>) -> Known<T> {
        value.map_or(Known::Nothing, Known::Is)
    }
}

impl<T: Serialize> Serialize for Known<T> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.value().serialize(to)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Known<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Known<T>, D::Error> {
        Option::<T>::deserialize(from).map(Known::from)
    }
}

/// Why someone cannot sign in, or what else they need to know about signing in.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Reason {
    /// A stable word for scripts, from [`reason`].
    pub code: String,
    /// One sentence for people.
    pub message: String,
    /// Whether this alone keeps the person out. A second factor does not: who has it gets in.
    pub blocking: bool,
    /// The command that mends it, without `latchlift` and without `--app`, which the host adds; empty where none does.
    pub fix: Vec<String>,
}

impl Reason {
    /// A reason that keeps the person out.
    pub fn blocking(code: &str, message: impl Into<String>) -> Reason {
        Reason { code: code.to_owned(), message: message.into(), blocking: true, fix: vec![] }
    }

    /// Something to know that does not keep the person out.
    pub fn note(code: &str, message: impl Into<String>) -> Reason {
        Reason { code: code.to_owned(), message: message.into(), blocking: false, fix: vec![] }
    }

    /// The reason with the command that mends it: `["user", "fix-names"]`.
    #[must_use]
    pub fn fix<S: Into<String>>(mut self, command: impl IntoIterator<Item = S>) -> Reason {
        self.fix = command.into_iter().map(Into::into).collect();
        self
    }
}

/// The codes of [`Reason`], the same in every app.
pub mod reason {
    /// The stored name has letters the login never looks for, because it folds what is typed.
    pub const NAME_CASE: &str = "name_case";
    /// The stored name breaks another rule of the login: length, blanks.
    pub const NAME_INVALID: &str = "name_invalid";
    /// Another account answers to the same name first.
    pub const SHADOWED: &str = "shadowed";
    /// The same name is stored more than once, so that old and new passwords may disagree.
    pub const DUPLICATE: &str = "duplicate";
    /// No password is stored.
    pub const NO_PASSWORD: &str = "no_password";
    /// What is stored is not a hash the app can read.
    pub const HASH_UNREADABLE: &str = "hash_unreadable";
    /// The hash costs so much that its check keeps a person waiting, or out.
    pub const HASH_SLOW: &str = "hash_slow";
    /// Somebody else checks this account's password.
    pub const PROVIDER: &str = "provider";
    /// The app's settings switch password sign-in off.
    pub const PROVIDER_DISABLED: &str = "provider_disabled";
    /// Signing in is switched off for the account.
    pub const DISABLED: &str = "disabled";
    /// The account is past its end date.
    pub const EXPIRED: &str = "expired";
    /// The account is deleted.
    pub const DELETED: &str = "deleted";
    /// The account is only accepted from the local network.
    pub const LOCAL_ONLY: &str = "local_only";
    /// The role is not one this edition knows.
    pub const ROLE: &str = "role";
    /// The user has no credential that would lead to it.
    pub const CREDENTIAL_MISSING: &str = "credential_missing";
    /// The credential has no password entry.
    pub const PASSWORD_ENTRY_MISSING: &str = "password_entry_missing";
    /// A password entry leads to no user.
    pub const ORPHAN: &str = "orphan";
    /// A second factor is asked for.
    pub const MFA: &str = "mfa";
    /// An account of the app's own, which nobody signs in to.
    pub const SYSTEM: &str = "system";
}

/// A person or robot that can sign in.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Account {
    /// The app's own id.
    pub id: String,
    /// The sign-in name as stored.
    pub name: Known<String>,
    /// The name shown.
    #[serde(skip_serializing_if = "Known::is_unknown")]
    pub display_name: Known<String>,
    /// The e-mail address.
    #[serde(skip_serializing_if = "Known::is_unknown")]
    pub email: Known<String>,
    /// Who checks the password, in the app's word.
    #[serde(skip_serializing_if = "Known::is_unknown")]
    pub provider: Known<String>,
    /// The role, in the app's word.
    #[serde(skip_serializing_if = "Known::is_unknown")]
    pub role: Known<String>,
    /// Whether the account may administer the app.
    #[serde(skip_serializing_if = "Known::is_unknown")]
    pub admin: Known<bool>,
    /// Whether the account is switched on and not deleted.
    #[serde(skip_serializing_if = "Known::is_unknown")]
    pub active: Known<bool>,
    /// Whether a password is stored.
    #[serde(skip_serializing_if = "Known::is_unknown")]
    pub has_password: Known<bool>,
    /// The hash's function and cost: `bcrypt 10`. Never the hash.
    #[serde(skip_serializing_if = "Known::is_unknown")]
    pub hash: Known<String>,
    /// The second factors in force: `totp`, `notify`.
    #[serde(skip_serializing_if = "Known::is_unknown")]
    pub mfa: Known<Vec<String>>,
    /// Whether the right password gets in; nothing where only another system knows.
    pub can_sign_in: Known<bool>,
    /// Why not, and what else to know.
    pub reasons: Vec<Reason>,
    /// How many places it is signed in at.
    #[serde(skip_serializing_if = "Known::is_unknown")]
    pub sessions: Known<u64>,
    /// How many API keys, app passwords, long-lived tokens it has.
    #[serde(skip_serializing_if = "Known::is_unknown")]
    pub tokens: Known<u64>,
    /// The groups it is in, by name.
    #[serde(skip_serializing_if = "Known::is_unknown")]
    pub groups: Known<Vec<String>>,
    /// The newest sign-in.
    #[serde(skip_serializing_if = "Known::is_unknown")]
    pub last_login: Known<Time>,
    /// When it was made.
    #[serde(skip_serializing_if = "Known::is_unknown")]
    pub created_at: Known<Time>,
    /// When it was deleted, where the app keeps deleted accounts.
    #[serde(skip_serializing_if = "Known::is_unknown")]
    pub deleted_at: Known<Time>,
    /// When it ends.
    #[serde(skip_serializing_if = "Known::is_unknown")]
    pub expires_at: Known<Time>,
    /// An account of the app's own, hidden unless asked for.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub system: bool,
    /// What only this app knows.
    pub extra: BTreeMap<String, String>,
}

impl Account {
    /// Whether the account is deleted but kept.
    pub fn is_deleted(&self) -> bool {
        self.deleted_at.value().is_some()
    }
}

/// One place an account is signed in; also one token, in `token list`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Session {
    /// The id to name it by; where the app's key is itself a secret, 12 hex digits of its SHA-256.
    pub id: String,
    /// The account's sign-in name.
    pub account: Known<String>,
    /// The account's id.
    pub account_id: Known<String>,
    /// `browser`, `app_password`, `api_key`, `client`, `visitor`, `long_lived`, `system`.
    pub kind: String,
    /// The device or program, as the app knows it.
    #[serde(skip_serializing_if = "Known::is_unknown")]
    pub client: Known<String>,
    /// What it may do, in the app's words.
    #[serde(skip_serializing_if = "Known::is_unknown")]
    pub scope: Known<String>,
    /// The newest address.
    #[serde(skip_serializing_if = "Known::is_unknown")]
    pub ip: Known<String>,
    /// When it was made.
    #[serde(skip_serializing_if = "Known::is_unknown")]
    pub created_at: Known<Time>,
    /// When it was last used.
    #[serde(skip_serializing_if = "Known::is_unknown")]
    pub last_seen: Known<Time>,
    /// When it ends; nothing if never.
    #[serde(skip_serializing_if = "Known::is_unknown")]
    pub expires_at: Known<Time>,
    /// Whether it has ended already.
    pub expired: bool,
}

/// The state of one account's second factors.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Mfa {
    /// The account's sign-in name.
    pub account: Known<String>,
    /// The account's id.
    pub account_id: String,
    /// The method: `totp`, `notify`.
    pub method: String,
    /// Whether the app asks for it now.
    pub enabled: bool,
    /// What else there is to say: set up but never activated, module not loaded.
    pub note: Option<String>,
    /// Secrets that would let the person in, only when asked for.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub secrets: BTreeMap<String, String>,
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Good to know.
    #[default]
    Note,
    /// Should be looked at.
    Warning,
    /// Keeps people out, or lets the wrong ones in. `app check` answers 10.
    Serious,
}

/// Something `app check` found.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// A stable word for scripts.
    pub code: String,
    /// One sentence: what it is and what follows from it.
    pub message: String,
    /// The record or file that shows it.
    pub evidence: Option<String>,
    /// The command that mends it, as in [`Reason::fix`].
    pub fix: Vec<String>,
}

impl Finding {
    /// A finding with its one sentence.
    pub fn new(severity: Severity, code: &str, message: impl Into<String>) -> Finding {
        Finding { severity, code: code.to_owned(), message: message.into(), ..Finding::default() }
    }

    /// The finding with the record or file that shows it.
    #[must_use]
    pub fn evidence(mut self, evidence: impl Into<String>) -> Finding {
        self.evidence = Some(evidence.into());
        self
    }

    /// The finding with the command that mends it.
    #[must_use]
    pub fn fix<S: Into<String>>(mut self, command: impl IntoIterator<Item = S>) -> Finding {
        self.fix = command.into_iter().map(Into::into).collect();
        self
    }
}

/// The health of one instance.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Check {
    /// The releases that write this layout: `1.59.0 to 1.60.x`, or what the store itself says.
    pub version: Option<String>,
    /// How many accounts people sign in to.
    pub accounts: u64,
    /// The newest sign-in of all, where the app keeps it.
    #[serde(skip_serializing_if = "Known::is_unknown")]
    pub newest_login: Known<Time>,
    /// What was found, worst first.
    pub findings: Vec<Finding>,
}

/// Whether a name and password would get in.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Verdict {
    /// The account the app's login would pick for the name as typed, if any.
    pub account: Option<Box<Account>>,
    /// Whether the password matches that account's hash.
    pub matches: bool,
    /// Whether name and password together get in.
    pub can_sign_in: Known<bool>,
    /// Why not.
    pub reasons: Vec<Reason>,
}

/// One attempt to sign in, or a summary of several, as the app records it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Login {
    /// The name typed.
    pub account: Known<String>,
    /// Where from.
    pub ip: Known<String>,
    /// What the app says of it.
    pub status: String,
    /// When.
    pub at: Known<Time>,
    /// The message or program, if recorded.
    pub detail: Known<String>,
}

/// An address the app refuses.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Ban {
    /// The address.
    pub ip: String,
    /// Since when.
    pub banned_at: Known<Time>,
    /// What to know about it: a proxy, this very machine.
    pub note: Option<String>,
}

/// An invitation to make an account.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Invite {
    /// The id to name it by.
    pub id: String,
    /// Who made it.
    pub account: Known<String>,
    /// The id of who made it.
    #[serde(skip_serializing_if = "Known::is_unknown")]
    pub account_id: Known<String>,
    /// When it ends.
    pub expires_at: Known<Time>,
    /// Whether it has ended already.
    pub expired: bool,
}

/// A program that signs in by itself: an OAuth2 client.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Client {
    /// The app's own id.
    pub id: String,
    /// Its name.
    pub name: Known<String>,
    /// The sign-in name of the account it acts for, if any.
    #[serde(skip_serializing_if = "Known::is_unknown")]
    pub account: Known<String>,
    /// The id of that account.
    #[serde(skip_serializing_if = "Known::is_unknown")]
    pub account_id: Known<String>,
    /// The role, in the app's word.
    #[serde(skip_serializing_if = "Known::is_unknown")]
    pub role: Known<String>,
    /// Who checks its secret, in the app's word.
    #[serde(skip_serializing_if = "Known::is_unknown")]
    pub provider: Known<String>,
    /// How it signs in, in the app's word: `oauth2`.
    #[serde(skip_serializing_if = "Known::is_unknown")]
    pub method: Known<String>,
    /// What its tokens may do, in the app's words.
    #[serde(skip_serializing_if = "Known::is_unknown")]
    pub scope: Known<String>,
    /// Whether it may sign in.
    #[serde(skip_serializing_if = "Known::is_unknown")]
    pub enabled: Known<bool>,
    /// How many tokens it has.
    #[serde(skip_serializing_if = "Known::is_unknown")]
    pub tokens: Known<u64>,
    /// How long its tokens last, in seconds; nothing if for ever.
    #[serde(skip_serializing_if = "Known::is_unknown")]
    pub expires_in: Known<u64>,
    /// When it was made.
    #[serde(skip_serializing_if = "Known::is_unknown")]
    pub created_at: Known<Time>,
    /// When it was last used.
    #[serde(skip_serializing_if = "Known::is_unknown")]
    pub last_seen: Known<Time>,
    /// What only this app knows.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub extra: BTreeMap<String, String>,
}

/// Some of what a read verb reports. Large answers are given in several batches.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Batch {
    /// For `user list` and `user show`.
    Accounts(Vec<Account>),
    /// For `session list` and `session show`.
    Sessions(Vec<Session>),
    /// For `token list`.
    Tokens(Vec<Session>),
    /// For `mfa status`.
    Mfa(Vec<Mfa>),
    /// For `app check` and `app list`.
    Check(Check),
    /// For `password check`.
    Verdict(Verdict),
    /// For `login list`.
    Logins(Vec<Login>),
    /// For `ban list`.
    Bans(Vec<Ban>),
    /// For `invite list`.
    Invites(Vec<Invite>),
    /// For `client list` and `client show`.
    Clients(Vec<Client>),
    /// Something to say about the answer, beside its rows.
    Note(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_is_absent_and_nothing_is_null() {
        let account = Account { email: Known::Nothing, admin: true.into(), ..Account::default() };
        let json = serde_json::to_value(&account).unwrap();
        assert!(json.get("display_name").is_none());
        assert!(json["email"].is_null());
        assert_eq!(json["admin"], true);
        let packed = rmp_serde::to_vec_named(&account).unwrap();
        assert_eq!(rmp_serde::from_slice::<Account>(&packed).unwrap().display_name, Known::Unknown);
        assert_eq!(rmp_serde::from_slice::<Account>(&packed).unwrap().email, Known::Nothing);
    }
}
