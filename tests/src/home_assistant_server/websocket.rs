//! As much of the websocket protocol as it takes to ask Home Assistant what only its websocket answers.

use super::http::connect;
use crate::Result;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

/// Runs one command as whoever the access token is for. Nothing where the token is refused.
///
/// # Errors
/// The command fails, or the connection does.
pub fn command(port: u16, bearer: &str, kind: &str) -> Result<Option<Value>> {
    let mut stream = opened(port)?;
    // It asks for the token first.
    receive(&mut stream)?;
    send(&mut stream, &json!({ "type": "auth", "access_token": bearer }))?;
    if receive(&mut stream)?["type"] != "auth_ok" {
        return Ok(None);
    }
    send(&mut stream, &json!({ "id": 1, "type": kind }))?;
    let mut answer = receive(&mut stream)?;
    match answer["success"] == true {
        true => Ok(Some(answer["result"].take())),
        false => Err(format!("{kind} failed: {}", answer["error"]).into()),
    }
}

fn opened(port: u16) -> Result<BufReader<TcpStream>> {
    let mut stream = BufReader::new(connect(port)?);
    let request = format!(
        "GET /api/websocket HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: bGF0Y2hsaWZ0IHRlc3RzIQ==\r\n\r\n"
    );
    stream.get_mut().write_all(request.as_bytes())?;
    let mut first = String::new();
    stream.read_line(&mut first)?;
    if !first.contains(" 101 ") {
        return Err(format!("no websocket: {}", first.trim()).into());
    }
    let mut header = String::new();
    while stream.read_line(&mut header)? > 2 {
        header.clear();
    }
    Ok(stream)
}

/// One text frame. Clients must mask theirs; a mask of zeros leaves the text as it is, and there is no proxy to fool.
fn send(stream: &mut BufReader<TcpStream>, message: &Value) -> Result<()> {
    let text = message.to_string();
    let length = u16::try_from(text.len()).map_err(|_| "more than fits one frame")?;
    let mut frame = vec![0x81, 0x80 | 126];
    frame.extend(length.to_be_bytes());
    frame.extend([0; 4]);
    frame.extend(text.bytes());
    Ok(stream.get_mut().write_all(&frame)?)
}

/// The next text frame; Home Assistant sends each message in one.
fn receive(stream: &mut BufReader<TcpStream>) -> Result<Value> {
    loop {
        let [kind, short] = exactly::<2>(stream)?;
        let length = match short & 0x7f {
            126 => u64::from(u16::from_be_bytes(exactly(stream)?)),
            127 => u64::from_be_bytes(exactly(stream)?),
            short => u64::from(short),
        };
        let mut content = Vec::new();
        stream.take(length).read_to_end(&mut content)?;
        match kind & 0x0f {
            1 => return Ok(serde_json::from_slice(&content)?),
            8 => return Err("Home Assistant closed the websocket".into()),
            _ => {}
        }
    }
}

fn exactly<const N: usize>(stream: &mut BufReader<TcpStream>) -> Result<[u8; N]> {
    let mut bytes = [0; N];
    stream.read_exact(&mut bytes)?;
    Ok(bytes)
}
