//! Tokens made of secrets: what a program sends.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use latchlift_plugin_api::Time;
use sha2::Sha256;

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
