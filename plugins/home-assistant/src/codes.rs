//! Codes and tokens made of secrets: what an authenticator app shows, and what a program sends.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use latchlift_plugin_api::Time;
use sha1::Sha1;
use sha2::Sha256;

/// How long an authenticator app shows one code, in seconds. Upstream: `pyotp.TOTP`'s default.
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

/// The access token that a program sends: a JWT signed with the key of its refresh token. Upstream: `async_create_access_token`
/// in homeassistant/auth/__init__.py.
pub fn access_token(id: &str, key: &str, made: Time, seconds: i64) -> String {
    let made = made.seconds();
    let claims = format!(r#"{{"iss":"{id}","iat":{made},"exp":{}}}"#, made.saturating_add(seconds));
    let header = r#"{"alg":"HS256","typ":"JWT"}"#;
    let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("HMAC takes a key of any length");
    let signature = mac.chain_update(&signed).finalize().into_bytes();
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// The id of the refresh token that an access token was made from, as it claims.
pub fn issuer(token: &str) -> Option<String> {
    let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?.trim_end_matches('=')).ok()?;
    let claims = String::from_utf8(claims).ok()?;
    let rest = claims.split_once("\"iss\"")?.1.trim_start().strip_prefix(':')?.trim_start().strip_prefix('"')?;
    Some(rest.split_once('"')?.0.to_owned())
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

    #[test]
    fn an_access_token_is_the_one_the_app_makes() {
        // Made by Home Assistant 2024.3.3 itself in a throw-away directory.
        let key = "d59898791cd3ea496c2f0fea0b903ea87bc6672ffd070f7ddc92b52a1ecdf739d5d4daf17ee089afe568b5f741645679f01bc9222b93d7cdf944073e87b0b8c1";
        let token = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJhNDc4N2RjZWI4YWU0YjAzYTlkNzU2NDk2ZDFhMzM3NCIsImlhdCI6MTc5NTIyODA2MSwiZXhwIjoyMTEwNTg4MDYxfQ.ta0lsAu4GZe81wrLeatbyiu7NggpY67VDVgPDA45ZAs";
        let made = Time::from_seconds(1_795_228_061);
        assert_eq!(access_token("a4787dceb8ae4b03a9d756496d1a3374", key, made, 315_360_000), token);
        assert_eq!(issuer(token).as_deref(), Some("a4787dceb8ae4b03a9d756496d1a3374"));
        assert_eq!(issuer("a.b"), None);
    }
}
