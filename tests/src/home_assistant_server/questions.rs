//! What is asked of a running Home Assistant: who gets in, with what, and as whom.

use super::http::{Body, Reply, ask};
use super::{Server, websocket};
use crate::Result;
use crate::apps::home_assistant::oracle_python;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::process::Command;

/// What the login page calls itself; any address does, as long as it is the same throughout.
const CLIENT: &str = "http://127.0.0.1/";

/// What came of a login.
#[derive(Clone, Debug, PartialEq)]
pub enum SignIn {
    /// It got in.
    In(Tokens),
    /// Name and password are right; it asks for the code of a second factor.
    AsksForCode,
    /// It was refused, with this word: `invalid_auth`, `User is not active`.
    Refused(String),
}

/// What a login or a client holds.
#[derive(Clone, PartialEq)]
pub struct Tokens {
    /// Good for half an hour.
    pub access: String,
    /// Good for more of these.
    pub refresh: String,
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("tokens")
    }
}

/// Whom an access token is for.
#[derive(Clone, Debug, PartialEq)]
pub struct User {
    /// The id.
    pub id: String,
    /// Whether it administers.
    pub admin: bool,
    /// Whether it is an owner.
    pub owner: bool,
    /// The second factors that are on.
    pub mfa: Vec<String>,
}

impl Server {
    /// Signs in as its login page does: name and password, the code where one is asked for, then the tokens.
    ///
    /// # Errors
    /// It answers what no login page expects.
    pub fn log_in(&self, name: &str, password: &str, code: Option<&str>) -> Result<SignIn> {
        let handler = json!({ "client_id": CLIENT, "handler": ["homeassistant", null], "redirect_uri": CLIENT });
        let flow = self.expect(200, self.ask("POST", "/auth/login_flow", None, &Body::Json(handler))?)?;
        let path = format!("/auth/login_flow/{}", flow["flow_id"].as_str().unwrap_or_default());
        let login = json!({ "client_id": CLIENT, "username": name, "password": password });
        let mut reply = self.ask("POST", &path, None, &Body::Json(login))?;
        if reply.json()["step_id"] == "mfa" {
            let Some(code) = code else { return Ok(SignIn::AsksForCode) };
            reply = self.ask("POST", &path, None, &Body::Json(json!({ "client_id": CLIENT, "code": code })))?;
        }
        let answer = reply.json();
        match (reply.status, answer["type"].as_str()) {
            (200, Some("create_entry")) => self.exchange(answer["result"].as_str().unwrap_or_default()),
            (200, Some("form")) => Ok(refused(&answer["errors"]["base"])),
            (200, Some("abort")) => Ok(refused(&answer["reason"])),
            (403, _) => Ok(refused(&answer["message"])),
            _ => Err(self.unexpected(&reply)),
        }
    }

    /// The tokens for what a login or the onboarding gave.
    ///
    /// # Errors
    /// As [`Server::log_in`].
    pub fn exchange(&self, grant: &str) -> Result<SignIn> {
        let form = [("grant_type", "authorization_code"), ("code", grant), ("client_id", CLIENT)];
        let reply = self.ask("POST", "/auth/token", None, &Body::Form(&form))?;
        let answer = reply.json();
        let text = |name: &str| answer[name].as_str().map(str::to_owned);
        match (reply.status, text("access_token"), text("refresh_token")) {
            (200, Some(access), Some(refresh)) => Ok(SignIn::In(Tokens { access, refresh })),
            (400 | 403, ..) => Ok(refused(&answer["error_description"])),
            _ => Err(self.unexpected(&reply)),
        }
    }

    /// A new access token for a refresh token of this client; nothing where it is refused.
    ///
    /// # Errors
    /// It answers something else.
    pub fn refresh(&self, client: Option<&str>, refresh_token: &str) -> Result<Option<String>> {
        let mut form = vec![("grant_type", "refresh_token"), ("refresh_token", refresh_token)];
        form.extend(client.map(|client| ("client_id", client)));
        let reply = self.ask("POST", "/auth/token", None, &Body::Form(&form))?;
        match reply.status {
            200 => Ok(reply.json()["access_token"].as_str().map(str::to_owned)),
            400 | 403 => Ok(None),
            _ => Err(self.unexpected(&reply)),
        }
    }

    /// Whether an access token opens the API.
    ///
    /// # Errors
    /// It answers something else.
    pub fn lets_in(&self, bearer: &str) -> Result<bool> {
        let reply = self.ask("GET", "/api/", Some(bearer), &Body::None)?;
        match reply.status {
            200 => Ok(true),
            401 => Ok(false),
            _ => Err(self.unexpected(&reply)),
        }
    }

    /// Whom an access token is for; nobody where it is refused.
    ///
    /// # Errors
    /// It does not say.
    pub fn user(&self, bearer: &str) -> Result<Option<User>> {
        let answer = websocket::command(self.port, bearer, "auth/current_user").map_err(|why| self.explained(why))?;
        let Some(answer) = answer else { return Ok(None) };
        let modules = answer["mfa_modules"].as_array().cloned().unwrap_or_default();
        let on = modules.iter().filter(|module| module["enabled"] == true);
        Ok(Some(User {
            id: answer["id"].as_str().unwrap_or_default().to_owned(),
            admin: answer["is_admin"] == true,
            owner: answer["is_owner"] == true,
            mfa: on.filter_map(|module| module["id"].as_str()).map(str::to_owned).collect(),
        }))
    }

    /// Whether its first user is made and its first questions are answered. Where they are, nobody can ask again.
    ///
    /// # Errors
    /// It answers something else.
    pub fn onboarded(&self) -> Result<bool> {
        let reply = self.ask("GET", "/api/onboarding", None, &Body::None)?;
        match (reply.status, reply.json().as_array()) {
            (404, _) => Ok(true),
            (200, Some(steps)) => Ok(steps.iter().all(|step| step["done"] == true)),
            _ => Err(self.unexpected(&reply)),
        }
    }

    /// Makes the first user, as the first page of its onboarding does, and signs in.
    ///
    /// # Errors
    /// It makes none.
    pub fn make_first_user(&self, name: &str, password: &str) -> Result<SignIn> {
        let user = json!({
            "client_id": CLIENT, "name": name, "username": name, "password": password, "language": "en"
        });
        let answer = self.expect(200, self.ask("POST", "/api/onboarding/users", None, &Body::Json(user))?)?;
        self.exchange(answer["auth_code"].as_str().unwrap_or_default())
    }

    /// Whether it turns us away unheard, as it does with banned addresses.
    ///
    /// # Errors
    /// It answers something else.
    pub fn bans_us(&self) -> Result<bool> {
        let reply = self.ask("GET", "/auth/providers", None, &Body::None)?;
        match reply.status {
            // 400 asks for the onboarding first.
            200 | 400 => Ok(false),
            403 => Ok(true),
            _ => Err(self.unexpected(&reply)),
        }
    }

    fn ask(&self, method: &str, path: &str, bearer: Option<&str>, body: &Body<'_>) -> Result<Reply> {
        ask(self.port, method, path, bearer, body).map_err(|why| self.explained(why))
    }

    fn expect(&self, status: u16, reply: Reply) -> Result<Value> {
        if reply.status == status { Ok(reply.json()) } else { Err(self.unexpected(&reply)) }
    }

    fn unexpected(&self, reply: &Reply) -> crate::Error {
        self.explained(format!("Home Assistant answered {}: {}", reply.status, reply.body).into())
    }
}

fn refused(why: &Value) -> SignIn {
    SignIn::Refused(why.as_str().unwrap_or("without a word").to_owned())
}

/// The access token that stands for a row of `refresh_tokens`, as the app gave it out: a JWT of half an hour.
pub fn bearer(id: &str, jwt_key: &str) -> String {
    let text = |json: Value| URL_SAFE_NO_PAD.encode(json.to_string());
    let now = jiff::Timestamp::now().as_second() - 10;
    let claims = json!({ "iss": id, "iat": now, "exp": now + 1800 });
    let signed = format!("{}.{}", text(json!({ "alg": "HS256", "typ": "JWT" })), text(claims));
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(hmac_sha256(jwt_key.as_bytes(), signed.as_bytes())))
}

/// HMAC as RFC 2104 has it.
fn hmac_sha256(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut block = [0_u8; 64];
    let short = if key.len() > block.len() { Sha256::digest(key).to_vec() } else { key.to_vec() };
    block[..short.len()].copy_from_slice(&short);
    let padded = |pad: u8, rest: &[u8]| {
        let mut bytes: Vec<u8> = block.iter().map(|byte| byte ^ pad).collect();
        bytes.extend_from_slice(rest);
        Sha256::digest(bytes).to_vec()
    };
    padded(0x5c, &padded(0x36, message))
}

/// The code a phone would show now for a second factor's secret.
///
/// # Errors
/// The Python that has Home Assistant cannot be run.
pub fn code(secret: &str) -> Result<String> {
    let program = "import pyotp, sys; print(pyotp.TOTP(sys.argv[1]).now())";
    let output = Command::new(oracle_python()).args(["-c", program, secret]).output();
    let output = output.map_err(|why| format!("no Python of Home Assistant's ({why}); `make setup` installs it"))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
    }
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}
