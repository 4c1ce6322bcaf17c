//! As much HTTP as it takes to talk to a server at loopback that answers in one piece.

use crate::Result;
use serde_json::Value;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// What a server answered.
#[derive(Debug)]
pub struct Reply {
    /// The status: 200, 403.
    pub status: u16,
    /// What follows the headers.
    pub body: String,
}

impl Reply {
    /// The body as JSON; null where it is something else.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }
}

/// What is sent after the headers.
pub enum Body<'a> {
    /// Nothing.
    None,
    /// A document.
    Json(Value),
    /// The fields of a form.
    Form(&'a [(&'a str, &'a str)]),
}

/// Opens a connection that does not wait forever.
///
/// # Errors
/// Nobody listens.
pub fn connect(port: u16) -> Result<TcpStream> {
    let stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    stream.set_write_timeout(Some(Duration::from_secs(30)))?;
    Ok(stream)
}

/// Asks one thing over a connection of its own. HTTP/1.0, so that the answer ends where the connection does.
///
/// # Errors
/// Nobody listens, or what answers is no web server.
pub fn ask(port: u16, method: &str, path: &str, bearer: Option<&str>, body: &Body<'_>) -> Result<Reply> {
    let (kind, content) = encoded(body);
    let mut stream = connect(port)?;
    let mut request = format!("{method} {path} HTTP/1.0\r\nHost: 127.0.0.1:{port}\r\n");
    if let Some(token) = bearer {
        request += &format!("Authorization: Bearer {token}\r\n");
    }
    if !kind.is_empty() {
        request += &format!("Content-Type: {kind}\r\nContent-Length: {}\r\n", content.len());
    }
    stream.write_all(format!("{request}\r\n{content}").as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    parsed(&String::from_utf8_lossy(&answer)).ok_or_else(|| format!("{method} {path}: this is no HTTP").into())
}

fn encoded(body: &Body<'_>) -> (&'static str, String) {
    match body {
        Body::None => ("", String::new()),
        Body::Json(value) => ("application/json", value.to_string()),
        Body::Form(fields) => {
            let fields: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={}", escaped(value))).collect();
            ("application/x-www-form-urlencoded", fields.join("&"))
        }
    }
}

fn escaped(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let escape = |byte: u8| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    text.bytes().map(escape).collect()
}

fn parsed(answer: &str) -> Option<Reply> {
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.strip_prefix("HTTP/1.")?.split_whitespace().nth(1)?.parse().ok()?;
    Some(Reply { status, body: body.to_owned() })
}
