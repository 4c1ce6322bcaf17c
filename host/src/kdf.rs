//! The passwords the host holds, and what it computes from them.
//!
//! A plugin names a password by its handle and a hash function by its parameters; the password itself stays here and is
//! wiped when the vault goes, or when a hash that was begun ahead is done. Parameters come from stored hashes and from
//! plugins, so they are bounded before any work is done: a hash that claims an absurd cost must not hang the machine.

mod ahead;

use crate::error::{Error, Kind, Result};
use ahead::Ahead;
use latchlift_plugin_api as api;
use latchlift_plugin_api::facts::{Facts, PasswordRules, TooLong};
use latchlift_plugin_api::{Derived, Handle, Kdf, Secrets};
use std::fmt;
use zeroize::Zeroizing;

/// What a password is for: the app's rules differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// It becomes an account's new password.
    Set,
    /// It is compared with the stored one.
    Check,
}

/// Passwords by handle.
#[derive(Default)]
pub struct Vault {
    held: Vec<Held>,
    ahead: Ahead,
}

enum Held {
    /// What the app hashes: trimmed and cut as its rules say.
    Password { bytes: Zeroizing<Vec<u8>>, cut: bool },
    /// One that the app's login turns away before it looks at any hash.
    Hopeless,
    /// None yet: a plan is only shown.
    Placeholder,
}

impl Vault {
    /// Holds `password` as the app would see it, or says which of the app's rules it breaks.
    ///
    /// # Errors
    /// [`Kind::Usage`] where the app does not take such a password.
    pub fn add(&mut self, password: &str, facts: &Facts, purpose: Purpose) -> Result<Handle> {
        let rules = &facts.password;
        let text = if rules.trim { password.trim() } else { password };
        if text.contains('\0') {
            return Err(usage("the password contains a NUL character".to_owned()));
        }
        let too_long = text.len() > rules.max_bytes as usize;
        let held = match (purpose, too_long) {
            (Purpose::Set, _) if text.is_empty() => return Err(usage("the password is empty".to_owned())),
            (Purpose::Set, _) if text.chars().count() < rules.min_chars as usize => {
                return Err(too_short(text, facts));
            }
            (Purpose::Set, true) if !cuts(rules, purpose) => return Err(too_many_bytes(text, facts)),
            (Purpose::Check, _) if text.is_empty() => Held::Hopeless,
            (Purpose::Check, true) if !cuts(rules, purpose) => Held::Hopeless,
            _ => Held::cut(text, rules.max_bytes as usize, cuts(rules, purpose)),
        };
        Ok(self.hold(held))
    }

    /// Begins to hash a new password in another thread, as the plugin will most likely ask for.
    pub fn begin(&self, password: Handle, kdf: &Kdf) {
        if let Ok(Held::Password { bytes, cut }) = self.find(password) {
            let (bytes, cut, function) = (bytes.clone(), *cut, kdf.clone());
            self.ahead.begin(password, kdf.clone(), move || fresh(&bytes, cut, &function));
        }
    }

    /// A handle whose hashes are zeroes of the right length, to show a plan for which no password was given.
    pub fn placeholder(&mut self) -> Handle {
        self.hold(Held::Placeholder)
    }

    fn hold(&mut self, held: Held) -> Handle {
        self.held.push(held);
        // Counted from one, so that a plugin's default handle names nothing.
        Handle(u32::try_from(self.held.len()).unwrap_or(u32::MAX))
    }

    fn find(&self, handle: Handle) -> api::Result<&Held> {
        let index = (handle.0 as usize).checked_sub(1);
        index
            .and_then(|index| self.held.get(index))
            .ok_or_else(|| contract("the plugin used an unknown password handle"))
    }
}

/// What to tell the person where the app's rules cut a new password, if they do.
pub fn cut_warning(password: &str, facts: &Facts) -> Option<String> {
    let rules = &facts.password;
    let text = if rules.trim { password.trim() } else { password };
    let cut = rules.set_too_long == TooLong::Cut && text.len() > rules.max_bytes as usize;
    cut.then(|| {
        format!("the password has {} bytes; {} uses only the first {}", text.len(), title(facts), rules.max_bytes)
    })
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Vault({} held)", self.held.len())
    }
}

impl Held {
    fn cut(text: &str, max: usize, cut: bool) -> Held {
        let bytes = Zeroizing::new(text.as_bytes()[..text.len().min(max)].to_vec());
        Held::Password { bytes, cut }
    }
}

/// Whether the app counts only the first bytes of a long password, rather than refusing it.
fn cuts(rules: &PasswordRules, purpose: Purpose) -> bool {
    let too_long = match purpose {
        Purpose::Set => rules.set_too_long,
        Purpose::Check => rules.check_too_long,
    };
    too_long == TooLong::Cut
}

impl Secrets for Vault {
    fn derive(&self, password: Handle, kdf: &Kdf) -> api::Result<Derived> {
        let held = self.find(password)?;
        let (salt, len) = lengths(kdf)?;
        bounded(kdf, Purpose::Set)?;
        match held {
            Held::Placeholder => Ok(Derived { salt: vec![0; salt], digest: vec![0; len] }),
            Held::Hopeless => Err(refused("this password can be checked, not set".to_owned())),
            Held::Password { bytes, cut } => self.ahead.take(password, kdf).unwrap_or_else(|| fresh(bytes, *cut, kdf)),
        }
    }

    fn verify(&self, password: Handle, kdf: &Kdf, salt: &[u8], expected: &[u8]) -> api::Result<bool> {
        let held = self.find(password)?;
        bounded(kdf, Purpose::Check)?;
        if expected.is_empty() || expected.len() > MAX_LEN || salt.len() > MAX_LEN {
            return Err(contract("the stored hash has a digest or salt of an impossible length"));
        }
        match held {
            Held::Placeholder | Held::Hopeless => Ok(false),
            Held::Password { bytes, cut } => Ok(same(&digest(bytes, *cut, kdf, salt, expected.len())?, expected)),
        }
    }
}

/// Hashes a password with a salt of our making.
fn fresh(password: &[u8], cut: bool, kdf: &Kdf) -> api::Result<Derived> {
    let (salt, len) = lengths(kdf)?;
    bounded(kdf, Purpose::Set)?;
    let mut salt = vec![0; salt];
    getrandom::fill(&mut salt)
        .map_err(|why| api::Error::new(api::Kind::Failed, format!("the system gives no random numbers: {why}")))?;
    let digest = digest(password, cut, kdf, &salt, len)?;
    Ok(Derived { salt, digest })
}

/// The most bytes of salt or digest; the longest in use are 64.
const MAX_LEN: usize = 1024;
/// Bcrypt looks at no more of a password.
const BCRYPT_BYTES: usize = 72;
/// Argon2 and scrypt memory: 1 GiB, in KiB.
const MAX_MEMORY: u64 = 1 << 20;

/// Bytes of salt and digest of a new hash.
fn lengths(kdf: &Kdf) -> api::Result<(usize, usize)> {
    let (salt, len) = match kdf {
        Kdf::Bcrypt { .. } => (16, 23),
        Kdf::Argon2 { salt_len, len, .. } | Kdf::Pbkdf2 { salt_len, len, .. } | Kdf::Scrypt { salt_len, len, .. } => {
            (*salt_len as usize, *len as usize)
        }
        _ => return Err(unknown_kdf()),
    };
    match (8..=MAX_LEN).contains(&salt) && (10..=MAX_LEN).contains(&len) {
        true => Ok((salt, len)),
        false => Err(contract("the plugin asked for a hash with a salt or digest of an unsafe length")),
    }
}

/// Refuses costs above what any sane app asks for. Checking allows more than setting, because old hashes must be read.
fn bounded(kdf: &Kdf, purpose: Purpose) -> api::Result<()> {
    let bcrypt_max = if purpose == Purpose::Set { 14 } else { u64::from(api::Bcrypt::MAX_COST) };
    let limits: Vec<(&str, u64, u64)> = match kdf {
        Kdf::Bcrypt { cost } => vec![("bcrypt cost", u64::from(*cost), bcrypt_max)],
        Kdf::Argon2 { memory, time, lanes, .. } => vec![
            ("Argon2 memory in KiB", u64::from(*memory), MAX_MEMORY),
            ("Argon2 passes", u64::from(*time), 16),
            ("Argon2 lanes", u64::from(*lanes), 64),
        ],
        Kdf::Pbkdf2 { iterations, .. } => vec![("PBKDF2 iterations", u64::from(*iterations), 10_000_000)],
        Kdf::Scrypt { log_n, r, p, .. } => vec![
            ("scrypt log2(N)", u64::from(*log_n), 20),
            ("scrypt memory in KiB", u64::from(*r).saturating_mul((1u64 << (*log_n).min(20)) / 8), MAX_MEMORY),
            ("scrypt parallelism", u64::from(*p), 64),
        ],
        _ => return Err(unknown_kdf()),
    };
    match limits.iter().find(|(_, asked, max)| asked > max) {
        None => Ok(()),
        Some((what, asked, max)) => Err(refused(format!("{what} is {asked}; latchlift computes at most {max}"))),
    }
}

fn digest(password: &[u8], cut: bool, kdf: &Kdf, salt: &[u8], len: usize) -> api::Result<Vec<u8>> {
    match kdf {
        Kdf::Bcrypt { cost } => bcrypt_digest(password, cut, *cost, salt, len),
        Kdf::Argon2 { variant, memory, time, lanes, .. } => {
            argon2_digest(password, variant, argon2_params(*memory, *time, *lanes, len)?, salt)
        }
        Kdf::Pbkdf2 { prf, iterations, .. } => pbkdf2_digest(password, prf, *iterations, salt, len),
        Kdf::Scrypt { log_n, r, p, .. } => {
            let params = scrypt::Params::new(*log_n, *r, *p).map_err(|_| impossible())?;
            let mut out = vec![0; len];
            scrypt::scrypt(password, salt, &params, &mut out).map_err(|_| impossible())?;
            Ok(out)
        }
        _ => Err(unknown_kdf()),
    }
}

/// Bcrypt hashes the password and a NUL, 72 bytes in all; the NUL is what falls off first.
fn bcrypt_digest(password: &[u8], cut: bool, cost: u32, salt: &[u8], len: usize) -> api::Result<Vec<u8>> {
    let salt: [u8; 16] = salt.try_into().map_err(|_| impossible())?;
    if cost < 4 || !(23..=24).contains(&len) {
        return Err(impossible());
    }
    if password.len() > BCRYPT_BYTES && !cut {
        let has = password.len();
        return Err(refused(format!("the password has {has} bytes; bcrypt counts only the first {BCRYPT_BYTES}"))
            .help("use a shorter password"));
    }
    let mut key = Zeroizing::new([0u8; BCRYPT_BYTES]);
    let used = password.len().min(BCRYPT_BYTES);
    key[..used].copy_from_slice(&password[..used]);
    let key = &key[..(used + 1).min(BCRYPT_BYTES)];
    Ok(bcrypt::bcrypt(cost, salt, key)[..len].to_vec())
}

fn argon2_params(memory: u32, time: u32, lanes: u32, len: usize) -> api::Result<argon2::Params> {
    argon2::Params::new(memory, time, lanes, Some(len)).map_err(|_| impossible())
}

fn argon2_digest(password: &[u8], variant: &str, params: argon2::Params, salt: &[u8]) -> api::Result<Vec<u8>> {
    let algorithm = match variant {
        "id" => argon2::Algorithm::Argon2id,
        "i" => argon2::Algorithm::Argon2i,
        "d" => argon2::Algorithm::Argon2d,
        other => return Err(contract(format!("the plugin asked for Argon2 `{other}`, which does not exist"))),
    };
    let mut out = vec![0; params.output_len().unwrap_or(argon2::Params::DEFAULT_OUTPUT_LEN)];
    let function = argon2::Argon2::new(algorithm, argon2::Version::V0x13, params);
    function.hash_password_into(password, salt, &mut out).map_err(|why| match why {
        argon2::Error::OutOfMemory => refused("there is not enough memory to compute this Argon2 hash".to_owned()),
        _ => impossible(),
    })?;
    Ok(out)
}

fn pbkdf2_digest(password: &[u8], prf: &str, iterations: u32, salt: &[u8], len: usize) -> api::Result<Vec<u8>> {
    if iterations == 0 {
        return Err(impossible());
    }
    let mut out = vec![0; len];
    match prf {
        "sha256" => pbkdf2::pbkdf2_hmac::<sha2::Sha256>(password, salt, iterations, &mut out),
        "sha512" => pbkdf2::pbkdf2_hmac::<sha2::Sha512>(password, salt, iterations, &mut out),
        other => return Err(api::Error::unsupported(format!("this latchlift cannot compute PBKDF2 with `{other}`"))),
    }
    Ok(out)
}

/// Compares without stopping at the first difference.
fn same(one: &[u8], two: &[u8]) -> bool {
    one.len() == two.len() && one.iter().zip(two).fold(0, |difference, (a, b)| difference | (a ^ b)) == 0
}

fn title(facts: &Facts) -> &str {
    if facts.title.is_empty() { &facts.app } else { &facts.title }
}

fn too_short(text: &str, facts: &Facts) -> Error {
    let (has, min) = (text.chars().count(), facts.password.min_chars);
    let unit = if has == 1 { "character" } else { "characters" };
    usage(format!("the password has {has} {unit}; {} asks for at least {min}", title(facts)))
}

fn too_many_bytes(text: &str, facts: &Facts) -> Error {
    usage(format!("the password has {} bytes; {} takes at most {}", text.len(), title(facts), facts.password.max_bytes))
}

fn usage(message: String) -> Error {
    Error::new(Kind::Usage, message).help("choose another password, or let latchlift make one with --generate")
}

fn refused(message: String) -> api::Error {
    api::Error::new(api::Kind::Refused, message)
}

fn contract(message: impl Into<String>) -> api::Error {
    api::Error::new(api::Kind::Contract, message)
}

fn impossible() -> api::Error {
    contract("the parameters of the password hash are out of bounds")
}

fn unknown_kdf() -> api::Error {
    api::Error::unsupported("this latchlift does not know the password hash the plugin asked for")
}

#[cfg(test)]
#[path = "kdf_tests.rs"]
mod tests;
