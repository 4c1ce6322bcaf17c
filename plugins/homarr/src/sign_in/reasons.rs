//! What keeps an account out, and the command that mends it.

use super::{Logins, count};
use crate::accounts::{Person, Stored};
use crate::names;
use crate::schema::CREDENTIALS;
use latchlift_plugin_api::{Bcrypt, Known, Reason, reason};

impl Logins<'_> {
    /// Whether the right password gets in; nothing where only another system knows.
    pub fn can_sign_in(&self, i: usize, reasons: &[Reason]) -> Known<bool> {
        match reasons.iter().any(|reason| reason.blocking) {
            true => Known::Is(false),
            false if self.accounts.people[i].is_local() => Known::Is(true),
            false => Known::Nothing,
        }
    }

    /// Whether the right password gets in, for sure.
    pub fn gets_in(&self, i: usize) -> bool {
        self.can_sign_in(i, &self.reasons(i)) == Known::Is(true)
    }

    /// What keeps an account out first, where all that does can be mended by a command.
    pub fn mendable(&self, i: usize) -> Option<Reason> {
        let mut blocking = self.reasons(i).into_iter().filter(|reason| reason.blocking);
        let first = blocking.next().filter(|reason| !reason.fix.is_empty())?;
        blocking.all(|reason| !reason.fix.is_empty()).then_some(first)
    }

    /// What keeps an account out, and what else to know about its signing in.
    pub fn reasons(&self, i: usize) -> Vec<Reason> {
        let person = &self.accounts.people[i];
        let mut reasons = Vec::new();
        if person.is_stray() {
            return vec![self.stray(i)];
        }
        if !self.accounts.providers.allow(&person.provider) {
            reasons.push(switched_off(person));
        }
        if !person.is_local() {
            let message = format!("{} checks this account's password, not Homarr", person.provider_title());
            reasons.push(Reason::note(reason::PROVIDER, message));
            return reasons;
        }
        reasons.extend(self.name_reason(i));
        reasons.extend(self.password_reason(i));
        reasons
    }

    /// Whether a sign-in through OIDC is linked to the account is not looked at for a list.
    fn stray(&self, i: usize) -> Reason {
        let provider = &self.accounts.people[i].provider;
        let message =
            format!("its provider (`{provider}`) is none of Homarr's: at most a linked OIDC sign-in gets in with it");
        let command = ["password", "reset"].map(str::to_owned).into_iter().chain(self.address(i));
        Reason::note(reason::PROVIDER, message).fix(command.chain(["--convert".to_owned()]))
    }

    fn name_reason(&self, i: usize) -> Option<Reason> {
        let person = &self.accounts.people[i];
        let name = person.name();
        if name.is_empty() {
            let message = "the account has no name, and the login form asks for one";
            return Some(Reason::blocking(reason::NAME_INVALID, message));
        }
        if !self.is_looked_for(person) {
            return Some(self.wrong_case(i));
        }
        let (first, same) = self.answers[self.answer_of[i]? as usize];
        if first != i {
            let other = &self.accounts.people[first];
            let message = format!("the login finds another account first: `{}`, id {}", other.name(), other.id);
            return Some(Reason::blocking(reason::SHADOWED, message).fix(self.new_name(i)));
        }
        if same > 1 {
            let message =
                format!("{} more with the same name, which the login never reaches", count(same - 1, "account"));
            return Some(Reason::note(reason::DUPLICATE, message));
        }
        (names::trim(name) != name).then(|| {
            let message = format!("the name has blanks around it, which must be typed: `{name}`");
            self.mended_by_folding(i, Reason::note(reason::NAME_INVALID, message))
        })
    }

    fn wrong_case(&self, i: usize) -> Reason {
        let name = self.accounts.people[i].name();
        let looked_for = names::lower(name);
        let mut message = format!("the login looks for `{looked_for}`, but the name is stored as `{name}`");
        if self.collides(i) {
            message +=
                &format!("; another account has the name `{}`, so one of the two needs a new name", names::fold(name));
        }
        self.mended_by_folding(i, Reason::blocking(reason::NAME_CASE, message))
    }

    /// A name like this one that no account has in any spelling, nor any of `taken`: `jane2`.
    pub fn free_name(&self, name: &str, taken: &[String]) -> String {
        let base = names::fold(name);
        let free = |name: &String| self.fold(name).is_none() && !taken.contains(name);
        (2u32..).map(|n| names::numbered(&base, n)).find(free).unwrap_or_default()
    }

    /// The command that gives this account a name of its own.
    fn new_name(&self, i: usize) -> Vec<String> {
        let person = &self.accounts.people[i];
        let free = self.free_name(person.name(), &[]);
        ["user", "rename", "--id", &person.id, &free].map(str::to_owned).to_vec()
    }

    fn mended_by_folding(&self, i: usize, reason: Reason) -> Reason {
        match (self.collides(i), self.clashes()) {
            (true, _) => reason.fix(self.new_name(i)),
            (false, false) => reason.fix(["user", "fix-names"]),
            // Two other accounts keep `user fix-names` from changing anything, so this one is mended alone.
            (false, true) => {
                let person = &self.accounts.people[i];
                match super::can_be_typed(person.name()) {
                    true => reason.fix(["user", "fix-names", person.name()]),
                    false => reason.fix(["user", "fix-names", "--id", &person.id]),
                }
            }
        }
    }

    fn password_reason(&self, i: usize) -> Option<Reason> {
        let why = match self.accounts.people[i].stored {
            Stored::Bcrypt(cost) => Bcrypt::slow(cost, "Homarr")?,
            Stored::Missing => Reason::blocking(reason::NO_PASSWORD, "no password is stored"),
            Stored::Unreadable => Reason::blocking(
                reason::HASH_UNREADABLE,
                "what is stored is not a hash Homarr can read ($2a$ or $2b$ of bcrypt)",
            ),
        };
        let command = ["password", "reset"].map(str::to_owned).into_iter().chain(self.address(i));
        Some(why.fix(command))
    }
}

fn switched_off(person: &Person) -> Reason {
    let provider = &person.provider;
    let what = if provider == CREDENTIALS { "password sign-in".to_owned() } else { person.provider_title() };
    let message = format!("{what} is switched off: add `{provider}` to AUTH_PROVIDERS and restart Homarr");
    Reason::blocking(reason::PROVIDER_DISABLED, message)
}
