//! Ids and tokens. Upstream: pkg/rnd.

use latchlift_plugin_api::{Random, Time};

const BASE36: &str = "0123456789abcdefghijklmnopqrstuvwxyz";
/// The earliest time a uid may carry: 2017-01-01.
const FIRST: i64 = 1_483_228_800;
/// How often a token is drawn anew before its last letter is settled by hand.
const DRAWS: usize = 64;

/// A new uid: a letter, six characters of base-36 Unix time, nine random ones.
pub fn uid(random: &Random, prefix: char, now: Time) -> String {
    let mut seconds = now.seconds().max(FIRST);
    let mut time = [b'0'; 6];
    for digit in time.iter_mut().rev() {
        *digit = BASE36.as_bytes()[usize::try_from(seconds % 36).unwrap_or_default()];
        seconds /= 36;
    }
    format!("{prefix}{}{}", String::from_utf8_lossy(&time), random.text(9, BASE36))
}

/// A new preview, download or invite token: eight characters of which one is from g to z.
///
/// SQLite turns text that looks like a number into one in these columns (`12345678`, `12345e67`); a letter beyond the
/// hex digits keeps it text.
pub fn token(random: &Random) -> String {
    for _ in 0..DRAWS {
        let token = random.text(8, BASE36);
        if token.bytes().any(|byte| byte >= b'g') {
            return token;
        }
    }
    format!("{}{}", random.text(7, BASE36), random.text(1, &BASE36[16..]))
}

/// A new short id for logs: four letters and eight random characters.
pub fn ref_id(random: &Random, prefix: &str) -> String {
    format!("{prefix}{}", random.text(8, BASE36))
}

/// Whether PhotoPrism accepts this as the uid of an account.
pub fn is_user_uid(uid: &str, now: Time) -> bool {
    looks_like_uid(uid, 'u') && uid_time(uid).is_some_and(|made| made == 0 || (FIRST..=now.seconds()).contains(&made))
}

/// Whether this has the shape of a uid, whatever time it carries.
pub fn looks_like_uid(uid: &str, prefix: char) -> bool {
    uid.len() == 16 && uid.starts_with(prefix) && uid.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

fn uid_time(uid: &str) -> Option<i64> {
    i64::from_str_radix(uid.get(1..7)?, 36).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Time = Time(1_795_232_820_000);

    #[test]
    fn a_new_uid_is_one_photoprism_accepts() {
        let random = Random::new(vec![1; 32]);
        for _ in 0..100 {
            let uid = uid(&random, 'u', NOW);
            assert!(is_user_uid(&uid, NOW), "{uid}");
        }
        assert!(is_user_uid("uskpyqo5u9hshpmz", NOW) && is_user_uid("u000000000000001", NOW));
        for bad in ["", "u", "csmf7s0tmxw1uzj1", "uzzzzzz000000000", "u00000z000000000", "uskpyqo5u9hshpm!"] {
            assert!(!is_user_uid(bad, NOW), "{bad}");
        }
    }

    #[test]
    fn no_token_looks_like_a_number() {
        let random = Random::new(vec![2; 32]);
        for _ in 0..2000 {
            let token = token(&random);
            assert!(token.len() == 8 && token.parse::<f64>().is_err(), "{token}");
        }
    }
}
