//! The account files of a config directory, read and changed as the tests need them and not as latchlift does.

use latchlift_tests::Result;
use latchlift_tests::home_assistant_server::bearer;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// A config directory.
pub struct Directory(pub PathBuf);

/// What somebody is signed in with.
pub struct Token {
    client: Option<String>,
    secret: String,
    /// An access token made from it.
    pub bearer: String,
}

impl Token {
    /// Whose client may use it.
    pub fn client(&self) -> Option<&str> {
        self.client.as_deref()
    }

    /// The token itself.
    pub fn secret(&self) -> &str {
        &self.secret
    }
}

impl Directory {
    /// The places a user is signed in at, as far as they have not ended by themselves, or their long-lived tokens.
    pub fn tokens(&self, user: &str, kind: &str) -> Result<Vec<Token>> {
        let auth = self.read("auth")?;
        let rows = auth["data"]["refresh_tokens"].as_array().cloned().unwrap_or_default();
        let now = jiff::Timestamp::now().as_second() as f64;
        let live = |row: &&Value| row["expire_at"].as_f64().is_none_or(|end| end > now);
        let theirs = rows.iter().filter(|row| row["user_id"] == user && row["token_type"] == kind);
        let token = |row: &Value| {
            let text = |name: &str| row[name].as_str().unwrap_or_default();
            let client = row["client_id"].as_str().map(str::to_owned);
            Token { client, secret: text("token").to_owned(), bearer: bearer(text("id"), text("jwt_key")) }
        };
        Ok(theirs.filter(live).map(token).collect())
    }

    /// Lets whatever was good when it was last used have been used just now. Sign-ins end 90 days after their last use,
    /// and some releases say so of those that came without an end. In the text, so that the file keeps its style.
    pub fn is_in_use(&self) -> Result<()> {
        let (auth, now) = (self.read("auth")?, jiff::Timestamp::now());
        let mut text = std::fs::read_to_string(self.path("auth"))?;
        for row in auth["data"]["refresh_tokens"].as_array().into_iter().flatten() {
            let Some(used) = row["last_used_at"].as_str() else { continue };
            let used_at: jiff::Timestamp = used.parse()?;
            if row["expire_at"].as_f64().is_some_and(|end| end > used_at.as_second() as f64) {
                let end = format!("{}.5", now.as_second() + 90 * 86_400);
                text = text.replace(&format!("\"expire_at\": {}", row["expire_at"]), &format!("\"expire_at\": {end}"));
            }
            text = text.replace(&format!("\"{used}\""), &now.strftime("\"%Y-%m-%dT%H:%M:%S.%6f+00:00\"").to_string());
        }
        Ok(std::fs::write(self.path("auth"), text)?)
    }

    /// The secret of a user's second factor.
    pub fn totp_secret(&self, user: &str) -> Result<Option<String>> {
        let totp = self.read("auth_module.totp")?;
        Ok(totp["data"]["users"][user].as_str().map(str::to_owned))
    }

    /// Rewrites a file of accounts: what happened to the directory before latchlift was called.
    pub fn edit(&self, name: &str, change: impl FnOnce(&mut Value)) -> Result<()> {
        let mut json = self.read(name)?;
        change(&mut json["data"]);
        Ok(std::fs::write(self.path(name), serde_json::to_string_pretty(&json)?)?)
    }

    /// Takes over a file as the app left it.
    pub fn take(&self, name: &str, from: &Path) -> Result<()> {
        Ok(std::fs::write(self.path(name), std::fs::read(from.join(".storage").join(name))?)?)
    }

    fn read(&self, name: &str) -> Result<Value> {
        Ok(serde_json::from_slice(&std::fs::read(self.path(name))?)?)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(".storage").join(name)
    }
}

/// Drops the members of a list that are of this kind.
pub fn drop_from(list: &mut Value, gone: impl Fn(&Value) -> bool) {
    list.as_array_mut().unwrap().retain(|row| !gone(row));
}
