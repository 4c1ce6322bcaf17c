//! Passwords: what the host computes, and the strings apps store.
//!
//! A password never reaches a plugin. The plugin holds the request's [`Handle`], asks the host to [`Secrets::derive`] or
//! [`Secrets::verify`] with a [`Kdf`], and encodes or parses its app's string with the codecs here.

use crate::account::{Reason, reason};
use crate::error::{Error, Kind, Result};
use base64::Engine as _;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use serde::{Deserialize, Serialize};

/// Stands for a password that the host holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handle(pub u32);

/// A password hash function with its cost.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Kdf {
    /// bcrypt: 16 bytes of salt, 23 bytes of digest; at most 72 bytes of password count.
    Bcrypt {
        /// The base-two logarithm of the rounds, 4 to 31.
        cost: u32,
    },
    /// Argon2, version 0x13.
    Argon2 {
        /// `id`, `i` or `d`.
        variant: String,
        /// Memory in KiB.
        memory: u32,
        /// Passes.
        time: u32,
        /// Lanes.
        lanes: u32,
        /// Bytes of salt, when deriving.
        salt_len: u32,
        /// Bytes of digest.
        len: u32,
    },
    /// PBKDF2 with an HMAC.
    Pbkdf2 {
        /// `sha1`, `sha256` or `sha512`.
        prf: String,
        /// Iterations.
        iterations: u32,
        /// Bytes of salt, when deriving.
        salt_len: u32,
        /// Bytes of digest.
        len: u32,
    },
    /// scrypt.
    Scrypt {
        /// The base-two logarithm of N.
        log_n: u8,
        /// Block size.
        r: u32,
        /// Parallelism.
        p: u32,
        /// Bytes of salt, when deriving.
        salt_len: u32,
        /// Bytes of digest.
        len: u32,
    },
}

/// What the host derived from a password.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Derived {
    /// The salt the host drew.
    #[serde(with = "serde_bytes")]
    pub salt: Vec<u8>,
    /// The digest.
    #[serde(with = "serde_bytes")]
    pub digest: Vec<u8>,
}

/// The host's services around passwords.
pub trait Secrets {
    /// Hashes the password with a salt of the host's making.
    ///
    /// # Errors
    /// There is no such password, it breaks the app's rules, or the parameters are out of bounds.
    fn derive(&self, password: Handle, kdf: &Kdf) -> Result<Derived>;

    /// Whether the password gives this digest with this salt.
    ///
    /// # Errors
    /// There is no such password, or the parameters would cost more than any sane app asks for.
    fn verify(&self, password: Handle, kdf: &Kdf, salt: &[u8], digest: &[u8]) -> Result<bool>;
}

const BCRYPT_BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::BCRYPT,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(base64::engine::DecodePaddingMode::RequireNone)
        .with_decode_allow_trailing_bits(true),
);

/// A bcrypt hash as apps store it: `$2b$12$`, 22 characters of salt, 31 of digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bcrypt {
    /// `2a`, `2b`, `2x` or `2y`.
    pub prefix: String,
    /// The base-two logarithm of the rounds.
    pub cost: u32,
    /// 16 bytes.
    pub salt: Vec<u8>,
    /// 23 bytes.
    pub digest: Vec<u8>,
}

impl Bcrypt {
    /// The highest cost at which the host checks a password. Each step doubles the time; at 12 it is some tenths of a second.
    pub const MAX_COST: u32 = 16;
    /// The cost from which one check takes an hour or more, which no browser waits for.
    const HOURS: u32 = 26;

    /// What a hash of this cost does to signing in to the app of this title, where that is noticed. The fix is the app's to
    /// add.
    pub fn slow(cost: u32, title: &str) -> Option<Reason> {
        let message = |time| format!("the hash is bcrypt of cost {cost}: {title} computes {time} at each sign-in");
        match cost {
            Bcrypt::HOURS.. => Some(Reason::blocking(reason::HASH_SLOW, message("for hours"))),
            20.. => Some(Reason::note(reason::HASH_SLOW, message("for minutes"))),
            _ if cost > Bcrypt::MAX_COST => Some(Reason::note(reason::HASH_SLOW, message("for many seconds"))),
            _ => None,
        }
    }

    /// Reads a stored hash; `None` where it is not a well-formed bcrypt string.
    pub fn parse(text: &str) -> Option<Bcrypt> {
        let (prefix, cost, salt, digest) = Bcrypt::parts(text)?;
        Some(Bcrypt { prefix: prefix.to_owned(), cost, salt: salt[..16].to_vec(), digest: digest[..23].to_vec() })
    }

    /// The prefix and cost of a stored hash that [`Bcrypt::parse`] would read, without a copy of the rest: for looking at
    /// a hundred thousand of them.
    pub fn look(text: &str) -> Option<(&str, u32)> {
        Bcrypt::parts(text).map(|(prefix, cost, ..)| (prefix, cost))
    }

    /// The parts; salt and digest begin buffers that are a little longer.
    fn parts(text: &str) -> Option<(&str, u32, [u8; 24], [u8; 24])> {
        let mut parts = text.split('$');
        let (start, prefix, cost, rest) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let known = ["2a", "2b", "2x", "2y"].contains(&prefix);
        let well_formed =
            start.is_empty() && parts.next().is_none() && cost.len() == 2 && rest.len() == 53 && rest.is_ascii();
        if !known || !well_formed {
            return None;
        }
        let cost: u32 = cost.parse().ok().filter(|cost| (4..=31).contains(cost))?;
        let (mut salt, mut digest) = ([0; 24], [0; 24]);
        BCRYPT_BASE64.decode_slice(&rest[..22], &mut salt).ok()?;
        BCRYPT_BASE64.decode_slice(&rest[22..], &mut digest).ok()?;
        Some((prefix, cost, salt, digest))
    }

    /// Hashes `password` and gives the string to store.
    ///
    /// # Errors
    /// As [`Secrets::derive`].
    pub fn hash(secrets: &dyn Secrets, password: Handle, prefix: &str, cost: u32) -> Result<String> {
        let Derived { salt, digest } = secrets.derive(password, &Kdf::Bcrypt { cost })?;
        if salt.len() != 16 || digest.len() < 23 {
            return Err(Error::new(Kind::Contract, "the host derived a bcrypt hash of the wrong length"));
        }
        let (salt, digest) = (BCRYPT_BASE64.encode(salt), BCRYPT_BASE64.encode(&digest[..23]));
        Ok(format!("${prefix}${cost:02}${salt}{digest}"))
    }

    /// Whether `password` matches.
    ///
    /// # Errors
    /// As [`Secrets::verify`].
    pub fn verify(&self, secrets: &dyn Secrets, password: Handle) -> Result<bool> {
        secrets.verify(password, &Kdf::Bcrypt { cost: self.cost }, &self.salt, &self.digest)
    }

    /// For people: `bcrypt 12`.
    pub fn describe(&self) -> String {
        format!("bcrypt {}", self.cost)
    }
}

/// A hash in the PHC string format: `$argon2id$v=19$m=65536,t=3,p=4$salt$digest`, Base64 without padding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Phc {
    /// The function: `argon2id`, `pbkdf2-sha256`, `scrypt`.
    pub id: String,
    /// The version field, if there is one.
    pub version: Option<u32>,
    /// The parameters in order.
    pub params: Vec<(String, u32)>,
    /// The salt.
    pub salt: Vec<u8>,
    /// The digest.
    pub digest: Vec<u8>,
}

impl Phc {
    /// Reads a stored hash; `None` where it is not a well-formed PHC string with salt and digest.
    pub fn parse(text: &str) -> Option<Phc> {
        let mut parts = text.strip_prefix('$')?.split('$').peekable();
        let id = parts.next().filter(|id| !id.is_empty())?.to_owned();
        let version = match parts.peek()?.strip_prefix("v=") {
            Some(version) => {
                parts.next();
                Some(version.parse().ok()?)
            }
            None => None,
        };
        let params = match parts.peek()?.contains('=') {
            true => parts.next()?.split(',').map(parameter).collect::<Option<Vec<_>>>()?,
            false => vec![],
        };
        let (salt, digest) = (parts.next()?, parts.next()?);
        let decode = |text: &str| base64::engine::general_purpose::STANDARD_NO_PAD.decode(text).ok();
        match parts.next() {
            None => Some(Phc { id, version, params, salt: decode(salt)?, digest: decode(digest)? }),
            Some(_) => None,
        }
    }

    /// The value of a parameter.
    pub fn param(&self, name: &str) -> Option<u32> {
        self.params.iter().find(|(key, _)| key == name).map(|(_, value)| *value)
    }
}

fn parameter(text: &str) -> Option<(String, u32)> {
    let (key, value) = text.split_once('=')?;
    Some((key.to_owned(), value.parse().ok()?))
}

impl std::fmt::Display for Phc {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let encode = |bytes: &[u8]| base64::engine::general_purpose::STANDARD_NO_PAD.encode(bytes);
        write!(f, "${}", self.id)?;
        if let Some(version) = self.version {
            write!(f, "$v={version}")?;
        }
        for (i, (key, value)) in self.params.iter().enumerate() {
            write!(f, "{}{key}={value}", if i == 0 { '$' } else { ',' })?;
        }
        write!(f, "${}${}", encode(&self.salt), encode(&self.digest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bcrypt_string_is_read_and_malformed_ones_are_not() {
        // The example hash of the bcrypt manual pages, for "password" and cost 5.
        let hash = Bcrypt::parse("$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW").unwrap();
        assert_eq!((hash.cost, hash.salt.len(), hash.digest.len()), (5, 16, 23));
        for bad in ["", "$2b$05$", "$2c$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "ü", "$2b$99$x"] {
            assert_eq!(Bcrypt::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_hash_that_takes_long_is_told_and_one_that_takes_for_ever_keeps_out() {
        let of = |cost| Bcrypt::slow(cost, "Homarr").map(|why| (why.code, why.blocking));
        assert_eq!([of(4), of(12), of(Bcrypt::MAX_COST)], [None, None, None]);
        let slow = |blocking| Some((reason::HASH_SLOW.to_owned(), blocking));
        assert_eq!([of(17), of(25), of(26), of(31)], [slow(false), slow(false), slow(true), slow(true)]);
    }

    #[test]
    fn a_phc_string_survives_the_round_trip() {
        let text = "$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHQ$RdescudvJCsgt3ub+b4dWRWJTmaaJObG";
        let hash = Phc::parse(text).unwrap();
        assert_eq!((hash.param("m"), hash.version), (Some(65536), Some(19)));
        assert_eq!(hash.to_string(), text);
        assert_eq!(Phc::parse("$argon2id$v=19$m=1"), None);
    }
}
