//! bcrypt by the C library, so that the program under test does not judge its own hashes.
//!
//! Perl hands its `crypt` to the C library's, and is there on every Debian-like machine.

use crate::Result;
use std::collections::HashMap;
use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::{Mutex, OnceLock};

/// Reads the setting's length, the setting and the password from standard input, so that neither is an argument.
const PERL: &str = r#"local $/; my $in = <STDIN>; my $n = substr($in, 0, 4); print crypt(substr($in, 4 + $n), substr($in, 4, $n)) // "";"#;

/// `crypt(password, setting)`; empty where the C library does not know the setting.
///
/// # Errors
/// Perl cannot be run.
pub fn crypt(password: &str, setting: &str) -> Result<String> {
    let mut perl = Command::new("perl");
    let perl = perl.args(["-e", PERL]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = perl.spawn().map_err(|why| format!("perl cannot be run ({why}); `make setup` installs it"))?;
    let input = format!("{:04}{setting}{password}", setting.len());
    child.stdin.take().ok_or("perl without input")?.write_all(input.as_bytes())?;
    let output = child.wait_with_output()?;
    if !output.status.success() {
        return Err("perl's crypt failed".into());
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// Whether `password` is the one `hash` was made from. Bytes above 72 do not count, as in every bcrypt of old.
///
/// # Errors
/// As [`crypt`].
pub fn verify(password: &str, hash: &str) -> Result<bool> {
    if !is_bcrypt(hash) {
        return Ok(false);
    }
    Ok(crypt(password, hash)? == hash)
}

/// A bcrypt hash with this prefix (`2a`, `2b`, `2y`), of the lowest cost there is. The same one each time.
///
/// # Errors
/// As [`crypt`].
pub fn hash(password: &str, prefix: &str) -> Result<String> {
    static MADE: OnceLock<Mutex<HashMap<String, String>>> = OnceLock::new();
    let setting = format!("${prefix}$04$abcdefghijklmnopqrstuu");
    let name = format!("{setting}{password}");
    let mut made = MADE.get_or_init(Mutex::default).lock().map_err(|_| "a test died while hashing")?;
    if let Some(hash) = made.get(&name) {
        return Ok(hash.clone());
    }
    let hash = crypt(password, &setting)?;
    if !is_bcrypt(&hash) {
        return Err("this machine's C library has no bcrypt in crypt(3)".into());
    }
    made.insert(name, hash.clone());
    Ok(hash)
}

/// Whether this looks like bcrypt at all.
pub fn is_bcrypt(hash: &str) -> bool {
    hash.len() == 60 && ["$2a$", "$2b$", "$2y$"].iter().any(|prefix| hash.starts_with(prefix))
}

/// The code of an authenticator app at this second (RFC 6238), reckoned here by the standard alone.
pub fn totp(secret: &str, second: i64) -> String {
    use hmac::{Hmac, KeyInit, Mac};
    let bits: String = secret
        .chars()
        .filter_map(|c| "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".find(c.to_ascii_uppercase()))
        .map(|value| format!("{value:05b}"))
        .collect();
    let key: Vec<u8> =
        (0..bits.len() / 8).filter_map(|n| u8::from_str_radix(&bits[8 * n..8 * n + 8], 2).ok()).collect();
    let Ok(mac) = Hmac::<sha1::Sha1>::new_from_slice(&key) else { return String::new() };
    let digest = mac.chain_update((second / 30).to_be_bytes()).finalize().into_bytes();
    let start = usize::from(digest[19] % 16);
    let number = digest[start..start + 4].iter().fold(0u64, |number, byte| number * 256 + u64::from(*byte));
    format!("{:06}", number % (1 << 31) % 1_000_000)
}
