//! The codes of authenticator apps, so that whoever keeps the secret can show what would be typed now.

use crate::time::Time;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

/// How long an authenticator app shows one code, in seconds.
const STEP: i64 = 30;

/// The code that an authenticator app with this secret shows at this time (RFC 6238: HMAC-SHA-1, 6 digits, 30 seconds), and
/// for how many seconds more; `None` where the secret is not Base32.
pub fn totp(secret: &str, now: Time) -> Option<(String, i64)> {
    let key = base32(secret)?;
    let counter = now.seconds().div_euclid(STEP).to_be_bytes();
    let digest = Hmac::<Sha1>::new_from_slice(&key).ok()?.chain_update(counter).finalize().into_bytes();
    let start = usize::from(digest[19] & 0x0f);
    let number = u32::from_be_bytes([digest[start] & 0x7f, digest[start + 1], digest[start + 2], digest[start + 3]]);
    Some((format!("{:06}", number % 1_000_000), STEP - now.seconds().rem_euclid(STEP)))
}

/// RFC 4648 Base32; letter case, blanks and the padding at the end do not matter.
fn base32(text: &str) -> Option<Vec<u8>> {
    let (mut bytes, mut buffer, mut bits) = (vec![], 0u32, 0);
    for c in text.trim_end_matches('=').chars().filter(|c| !c.is_whitespace()) {
        let value = match c.to_ascii_uppercase() {
            c @ 'A'..='Z' => c as u32 - 'A' as u32,
            c @ '2'..='7' => c as u32 - '2' as u32 + 26,
            _ => return None,
        };
        (buffer, bits) = (buffer << 5 | value, bits + 5);
        if bits >= 8 {
            bits -= 8;
            bytes.push((buffer >> bits) as u8);
            buffer &= (1 << bits) - 1;
        }
    }
    (!bytes.is_empty()).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_of_the_standard() {
        // RFC 6238, appendix B: the secret `12345678901234567890`, the last six of eight digits.
        let secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
        for (seconds, code) in
            [(59, "287082"), (1_111_111_109, "081804"), (1_111_111_111, "050471"), (2_000_000_000, "279037")]
        {
            assert_eq!(totp(secret, Time::from_seconds(seconds)).unwrap().0, code);
        }
        assert_eq!(
            totp("gezd gnbv gy3t qojq gezd gnbv gy3t qojq", Time::from_seconds(59)).unwrap(),
            ("287082".into(), 1)
        );
        assert_eq!(totp("not base32!", Time::from_seconds(59)), None);
        assert_eq!(totp("", Time::from_seconds(59)), None);
    }
}
