//! Ids and tokens. Upstream: pkg/rnd.

use latchlift_plugin_api::{Random, Time, Value, sha256};

const BASE36: &str = "0123456789abcdefghijklmnopqrstuvwxyz";
/// The letters of app passwords and client secrets, in the order that the check character counts in.
const BASE62: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
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

/// A new app password: `OXiV72-wTtiL9-d04jO7-X7XP4p`, the last character checking the others.
pub fn app_password(random: &Random) -> String {
    drawn(|| {
        let groups = [6, 6, 6, 5].map(|letters| random.text(letters, BASE62));
        let start = groups.join("-");
        format!("{start}{}", check_character(&start))
    })
}

/// The character that ends an app password beginning like this.
pub fn check_character(start: &str) -> char {
    let place = crc32(start.as_bytes()) as usize % BASE62.len();
    char::from(BASE62.as_bytes()[place])
}

/// CRC-32 of IEEE 802.3, bit by bit: it is only ever asked for 26 bytes.
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32| if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 };
    let fold = |crc: u32, byte: &u8| (0..8).fold(crc ^ u32::from(*byte), |crc, _| step(crc));
    !bytes.iter().fold(u32::MAX, fold)
}

/// A new token of a program that acts for no account: 48 hex digits.
pub fn access_token(random: &Random) -> String {
    drawn(|| random.hex(24))
}

/// A token whose hash, which is the key of its row, SQLite does not take for a number.
fn drawn(draw: impl Fn() -> String) -> String {
    let mut token = draw();
    while looks_like_number(&session_id(&token)) {
        token = draw();
    }
    token
}

/// The key of a token's row, since 240420.
pub fn session_id(token: &str) -> String {
    sha256(token.as_bytes())
}

/// A new secret of an OAuth2 client.
pub fn client_secret(random: &Random) -> String {
    random.text(32, BASE62)
}

/// Whether SQLite would turn this text into a number in a column that is not declared as text.
pub fn looks_like_number(text: &str) -> bool {
    let text = text.trim_matches([' ', '\t', '\n', '\r', '\u{b}', '\u{c}']);
    text.bytes().any(|byte| byte.is_ascii_digit())
        && text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte))
        && text.parse::<f64>().is_ok()
}

/// The number that SQLite makes of such a text, if it is one.
pub fn as_number(text: &str) -> Option<Value> {
    let text = text.trim();
    let whole = || text.parse().ok().map(Value::Int);
    let broken = || text.parse().ok().map(Value::Float);
    looks_like_number(text).then(|| whole().or_else(broken)).flatten()
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
    fn app_passwords_end_in_their_check_character() {
        for known in ["OXiV72-wTtiL9-d04jO7-X7XP4p", "1l9gcr-FV2Yrf-wzzNmM-h0ytYt", "HoW2nM-n3jrgg-X2x7xN-iKGoHB"] {
            assert_eq!(known.chars().last(), Some(check_character(&known[..26])), "{known}");
        }
        let random = Random::new(vec![3; 32]);
        let made = app_password(&random);
        assert_eq!((made.len(), made.chars().last()), (27, Some(check_character(&made[..26]))), "{made}");
        assert!([6, 13, 20].iter().all(|dash| made.as_bytes()[*dash] == b'-'), "{made}");
        assert_eq!((access_token(&random).len(), client_secret(&random).len()), (48, 32));
    }

    #[test]
    fn what_sqlite_takes_for_a_number_is_known() {
        for number in ["12345678", "12345e67", "007", "-1.5", ".5", "5.", "+1", " 12 ", "1E5"] {
            assert!(looks_like_number(number), "{number}");
        }
        for text in ["", "abc", "1a", "inf", "nan", "0x1f", "1e", "e5", "-", "1_000", "12 34"] {
            assert!(!looks_like_number(text), "{text}");
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
