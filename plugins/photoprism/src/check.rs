//! `app check`: what is wrong with an instance.

use crate::accounts;
use crate::clients;
use crate::configured;
use crate::holdings::Password;
use crate::locate;
use crate::schema::{self, ADMIN_ID, LEGACY, Layout};
use crate::sessions;
use crate::sign_in::{self, Judgement, UID_INVALID};
use crate::stand_in::{StandIn, recreate};
use crate::user::User;
use latchlift_plugin_api::{
    Batch, Check, Context, Filter, Finding, Known, Output, Reason, Request, Result, Severity, Time, reason,
};
use std::collections::BTreeMap;

/// How many names a finding spells out.
const NAMED: usize = 5;

/// Accounts that one reason keeps out.
#[derive(Default)]
struct KeptOut {
    count: u64,
    names: Vec<String>,
    fix: Vec<String>,
}

/// What one pass over the accounts tells.
#[derive(Default)]
struct Tally {
    accounts: u64,
    newest_login: Option<Time>,
    admins: u64,
    /// Administrators whom only another system lets in.
    admins_elsewhere: u64,
    /// Row 1, with the name it should have where it has none, and what keeps it out.
    initial: Option<(User, Vec<Reason>)>,
    /// Who is there in place of a missing row 1.
    stand_in: Option<StandIn>,
    /// A row without a hash counts: it keeps PhotoPrism from setting the initial password.
    initial_has_password: bool,
    sign_ins: u64,
    kept_out: BTreeMap<String, KeptOut>,
    emails: BTreeMap<String, u32>,
}

/// Answers `app check`.
///
/// # Errors
/// The store's.
pub fn check(context: &Context<'_>, request: &Request, output: &mut dyn Output) -> Result<()> {
    let layout = schema::detect(context.reader)?;
    let mut tally = Tally::default();
    let left = accounts::survey(context.reader, &layout, request.now, &mut |user, holdings| {
        let judgement = sign_in::judge(&layout, &user, &holdings, request.now);
        tally.initial_has_password |= user.id == ADMIN_ID && holdings.password != Password::Absent;
        tally.sign_ins += u64::from(holdings.browser);
        tally.add(user, judgement);
        Ok(())
    })?;
    if let Some((user, _)) = tally.initial.as_mut().filter(|(user, _)| user.name.is_empty()) {
        user.name = locate::admin_name(&request.settings);
    }
    if tally.initial.is_none() {
        let stand_in = StandIn::find(context.reader, &layout, request)?;
        tally.initial_has_password |= stand_in.found.as_ref().is_some_and(|found| found.has_password);
        tally.stand_in = Some(stand_in);
    }
    let mut findings = tally.findings();
    findings.extend(configured::findings(context.reader, &request.settings, tally.initial_has_password)?);
    findings.extend(tally.never_used());
    findings.extend(orphans(left.keys().map(AsRef::as_ref)));
    findings.extend(ownerless_clients(context, &layout)?);
    findings.extend(old_sessions(context, &layout, request.now)?);
    findings.extend(legacy(context)?);
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    let version = Some(layout.describe_in_full());
    let newest_login = tally.newest_login.map_or(Known::Nothing, Known::Is);
    output.emit(Batch::Check(Check { version, accounts: tally.accounts, newest_login, findings }))
}

impl Tally {
    fn add(&mut self, user: User, Judgement { can_sign_in, reasons }: Judgement) {
        if user.is_system() {
            return;
        }
        if user.id == ADMIN_ID {
            let blocking = reasons.iter().filter(|reason| reason.blocking).cloned().collect();
            self.initial = Some((user.clone(), blocking));
        }
        if user.is_admin() {
            self.admins += u64::from(can_sign_in == Known::Is(true));
            self.admins_elsewhere += u64::from(can_sign_in == Known::Nothing);
        }
        if user.deleted_at.is_some() {
            return;
        }
        self.accounts += 1;
        self.newest_login = self.newest_login.max(user.login_at);
        if !user.email.is_empty() {
            *self.emails.entry(user.email.to_lowercase()).or_default() += 1;
        }
        for reason in reasons.into_iter().filter(|reason| reason.blocking) {
            let kept_out = self.kept_out.entry(reason.code).or_default();
            kept_out.count += 1;
            if kept_out.names.len() < NAMED {
                kept_out.names.push(user.label().to_owned());
            }
            if kept_out.fix.is_empty() {
                kept_out.fix = reason.fix;
            }
        }
    }

    fn findings(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        findings.extend(self.no_admin());
        findings.extend(self.initial_admin());
        findings.extend(self.kept_out.iter().map(|(code, kept_out)| kept_out.finding(code)));
        findings.extend(self.shared_emails());
        findings
    }

    fn no_admin(&self) -> Option<Finding> {
        let (severity, message) = match (self.admins, self.admins_elsewhere) {
            (0, 0) => (Severity::Serious, "no administrator can sign in"),
            (0, _) => {
                (Severity::Warning, "no administrator has a password here; only OpenID Connect or LDAP lets one in")
            }
            _ => return None,
        };
        let fix = match (&self.initial, &self.stand_in) {
            (Some((user, _)), _) => recreate(&user.name, false),
            (None, Some(stand_in)) => stand_in.mended_by(false),
            (None, None) => vec![],
        };
        Some(Finding::new(severity, "no_admin", message).fix(fix))
    }

    fn initial_admin(&self) -> Option<Finding> {
        let others_get_in = self.admins > 0;
        if let Some(stand_in) = &self.stand_in {
            return Some(stand_in.finding(others_get_in));
        }
        let (user, reasons) = self.initial.as_ref()?;
        let message = format!("the initial administrator cannot sign in: {}", reasons.first()?.message);
        let finding = Finding::new(Severity::Warning, "initial_admin", message).evidence("auth_users, row 1");
        Some(finding.fix(recreate(&user.name, others_get_in)))
    }

    /// The wrong database is easily opened: the image alone uses SQLite, the usual compose file MariaDB.
    fn never_used(&self) -> Option<Finding> {
        let message = "nobody has ever signed in to this database; look whether PhotoPrism uses another one (DatabaseDriver \
                       in options.yml, PHOTOPRISM_DATABASE_DRIVER in a compose file; SQLite where neither is set)";
        let used = self.newest_login.is_some() || self.sign_ins > 0;
        (!used).then(|| Finding::new(Severity::Note, "never_used", message))
    }

    fn shared_emails(&self) -> Option<Finding> {
        let shared: Vec<&str> =
            self.emails.iter().filter(|(_, count)| **count > 1).map(|(email, _)| email.as_str()).take(NAMED).collect();
        let message = "accounts share an e-mail address, so PhotoPrism refuses to save them (`users mod` fails)";
        (!shared.is_empty())
            .then(|| Finding::new(Severity::Warning, "duplicate_email", message).evidence(shared.join(", ")))
    }
}

impl KeptOut {
    fn finding(&self, code: &str) -> Finding {
        let (severity, why) = match code {
            reason::SHADOWED => (Severity::Serious, "another account of the same name comes first"),
            reason::NAME_CASE => (Severity::Serious, "the name has capital letters, which the login never looks for"),
            reason::NAME_INVALID => (Severity::Serious, "the login cannot find the name"),
            reason::HASH_UNREADABLE => (Severity::Serious, "the password hash is not bcrypt"),
            reason::MFA => (Severity::Serious, "a passcode is asked for, but none is set up"),
            UID_INVALID => (Severity::Serious, "PhotoPrism ignores the id"),
            reason::ROLE => (Severity::Warning, "this edition takes the role for none"),
            reason::NO_PASSWORD => (Severity::Warning, "no password is stored"),
            reason::HASH_SLOW => (Severity::Warning, "the password hash takes hours to compute"),
            reason::PROVIDER => (Severity::Note, "the authentication is switched off or not available"),
            reason::EXPIRED => (Severity::Note, "expired"),
            _ => (Severity::Note, "switched off"),
        };
        let accounts = if self.count == 1 { "1 account".to_owned() } else { format!("{} accounts", self.count) };
        let more = if self.count > NAMED as u64 { ", ..." } else { "" };
        Finding::new(severity, code, format!("{accounts} cannot sign in: {why}"))
            .evidence(format!("{}{more}", self.names.join(", ")))
            .fix(self.fix.clone())
    }
}

/// Password rows of accounts that are gone. Rows of share links and clients are none of ours.
fn orphans<'a>(uids: impl Iterator<Item = &'a str>) -> Option<Finding> {
    let mut uids: Vec<&str> = uids.filter(|uid| uid.starts_with('u')).collect();
    uids.sort_unstable();
    let shown: Vec<&str> = uids.iter().take(NAMED).copied().collect();
    let message = format!("{} password rows belong to no account; they let nobody in", uids.len());
    (!uids.is_empty()).then(|| Finding::new(Severity::Note, "orphan_password", message).evidence(shown.join(", ")))
}

/// Clients that act for an account that is gone.
fn ownerless_clients(context: &Context<'_>, layout: &Layout) -> Result<Option<Finding>> {
    let gone = clients::of_nobody(context.reader, layout)?;
    let message = format!("{} OAuth2 clients act for accounts that are gone", gone.len());
    let Some(first) = gone.first() else { return Ok(None) };
    let finding = Finding::new(Severity::Note, "orphan_client", message).evidence(gone.join(", "));
    Ok(Some(finding.fix(["client", "remove", first.as_str()])))
}

fn old_sessions(context: &Context<'_>, layout: &Layout, now: Time) -> Result<Option<Finding>> {
    let mut ended = 0_u64;
    sessions::each(context.reader, layout, Filter::All, now, &mut |row| {
        ended += u64::from(row.ended);
        Ok(())
    })?;
    let message = format!("{ended} sign-ins have ended and were not cleared away yet");
    let finding = Finding::new(Severity::Note, "expired_sessions", message).fix(["session", "revoke", "--expired"]);
    Ok((ended > 0).then_some(finding))
}

fn legacy(context: &Context<'_>) -> Result<Option<Finding>> {
    if !context.reader.column_names(LEGACY)?.iter().any(|column| column == "user_uid") {
        return Ok(None);
    }
    let message = "the table `users` of releases before 221102 is still there; only its first administrator's id is used, \
                   and only if row 1 of `auth_users` is missing";
    Ok(Some(Finding::new(Severity::Note, "legacy_users", message)))
}
