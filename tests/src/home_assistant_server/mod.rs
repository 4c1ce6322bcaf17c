//! The real Home Assistant, started on a copy of a config directory and asked over its own web interface.
//!
//! ```text
//! directory ── copied ──> Server::start ── log_in, refresh, lets_in, user, onboarded ──> Server::stop: no error in its log?
//! ```
//!
//! A copy, because it rewrites what it is started on. It is the release `make setup` installed, whatever release wrote
//! the directory: the account files have the same layout in all of them.

mod http;
mod questions;
mod websocket;

pub use questions::{SignIn, Tokens, User, bearer, code};

use crate::apps::home_assistant::{copy_directory, oracle_python};
use crate::apps::names_in;
use crate::servers::free_port;
use crate::{Error, Result, workspace};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// How long a start or a stop may take. It takes one or two seconds where nothing else runs.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a line of its log says that tells of something wrong.
const WRONG: [&str; 3] = [" ERROR (", " CRITICAL (", "recovery mode"];

/// A running Home Assistant. Dropped, it is killed.
#[derive(Debug)]
pub struct Server {
    process: Child,
    port: u16,
    directory: tempfile::TempDir,
}

impl Server {
    /// Starts it on a copy of the directory and waits until it runs.
    ///
    /// # Errors
    /// It cannot be had, or does not start; says how to get it, and what it logged.
    pub fn start(directory: &Path) -> Result<Server> {
        let copy = tempfile::Builder::new().prefix("latchlift-ha-").tempdir()?;
        copy_directory(directory, &copy.path().join("config"))?;
        let port = free_port()?;
        configure(&copy.path().join("config"), port)?;
        let (process, answers) = spawn(copy.path())?;
        let mut server = Server { process, port, directory: copy };
        if let Err(why) = server.wait_until_running(answers) {
            return Err(server.explained(why));
        }
        // It may run and lack what its web server needs.
        server.bans_us().map_err(|why| format!("{why}\nhelp: `make setup` installs what Home Assistant lacks"))?;
        Ok(server)
    }

    /// The copy it runs on.
    pub fn directory(&self) -> PathBuf {
        self.directory.path().join("config")
    }

    /// Stops it as its service would, so that it saves. Gives the copy as it left it.
    ///
    /// # Errors
    /// It does not stop in order, found an error on its way, or could not read one of its files.
    pub fn stop(mut self) -> Result<Stopped> {
        drop(self.process.stdin.take());
        let status = self.wait_until_ended()?;
        if !status.success() {
            return Err(self.explained(format!("Home Assistant ended with {status}").into()));
        }
        let complaints = self.complaints()?;
        if !complaints.is_empty() {
            return Err(self.explained(format!("Home Assistant complained:\n{}", complaints.join("\n")).into()));
        }
        let left = tempfile::Builder::new().prefix("latchlift-ha-").tempdir()?;
        let directory = left.path().join("config");
        std::fs::rename(self.directory(), &directory)?;
        Ok(Stopped { directory, _root: left })
    }

    /// What goes wrong, with the last of what it logged.
    pub fn explained(&self, why: Error) -> Error {
        let log = self.log();
        let last: Vec<&str> = log.lines().rev().take(25).collect();
        let last: Vec<&str> = last.into_iter().rev().collect();
        format!("{why}\n--- the end of Home Assistant's log\n{}", last.join("\n")).into()
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("log")).unwrap_or_default()
    }

    fn wait_until_running(&mut self, answers: ChildStdout) -> Result<()> {
        let (sender, receiver) = mpsc::channel();
        std::thread::spawn(move || {
            let mut line = String::new();
            // It ends with the process at the latest, with nothing read.
            let _ = BufReader::new(answers).read_line(&mut line);
            let _ = sender.send(line);
        });
        match receiver.recv_timeout(PATIENCE) {
            Ok(line) if line == "running\n" => Ok(()),
            Ok(_) => Err(format!("Home Assistant ended while it started, with {}", self.process.wait()?).into()),
            Err(_) => Err(format!("Home Assistant did not start within {PATIENCE:?}").into()),
        }
    }

    fn wait_until_ended(&mut self) -> Result<ExitStatus> {
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            if let Some(status) = self.process.try_wait()? {
                return Ok(status);
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Err(self.explained(format!("Home Assistant did not stop within {PATIENCE:?}").into()))
    }

    /// What it called an error, and the files it put aside because it could not read them.
    fn complaints(&self) -> Result<Vec<String>> {
        let log = self.log();
        // Cameras miss a library of the system's that has nothing to do with accounts.
        let wrong = |line: &&str| WRONG.iter().any(|word| line.contains(word)) && !line.contains("components.camera");
        let mut found: Vec<String> = log.lines().filter(wrong).map(str::to_owned).collect();
        let corrupt =
            names_in(&self.directory().join(".storage"))?.into_iter().filter(|name| name.contains(".corrupt."));
        found.extend(corrupt.map(|name| format!("{name} was put aside")));
        Ok(found)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail where it has ended, which is what is wanted.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A config directory as Home Assistant left it.
#[derive(Debug)]
pub struct Stopped {
    /// Where it is, until this is dropped.
    pub directory: PathBuf,
    _root: tempfile::TempDir,
}

/// The least that starts the web interface and accounts, whatever the directory's own configuration asks for beside.
fn configure(directory: &Path, port: u16) -> Result<()> {
    let configuration = format!(
        "homeassistant:\n  name: Home\n  auth_providers:\n    - type: homeassistant\n  auth_mfa_modules:\n    \
         - type: totp\nhttp:\n  server_host: 127.0.0.1\n  server_port: {port}\napi:\nauth:\nconfig:\nonboarding:\n\
         person:\nwebsocket_api:\n"
    );
    std::fs::write(directory.join("configuration.yaml"), configuration)?;
    // The port it had; newer releases prefer it to the configuration's.
    let http = directory.join(".storage/http");
    if http.exists() {
        std::fs::remove_file(http)?;
    }
    Ok(())
}

/// In a process group of its own: Ctrl-C is for the tests, and their end is for it.
fn spawn(root: &Path) -> Result<(Child, ChildStdout)> {
    let mut python = Command::new(oracle_python());
    python.arg(workspace().join("tests/oracle/ha_server.py")).arg(root.join("config"));
    python.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(File::create(root.join("log"))?).process_group(0);
    let mut process =
        python.spawn().map_err(|why| format!("no Home Assistant to start ({why}); `make setup` installs it"))?;
    let answers = process.stdout.take().ok_or("Home Assistant without output")?;
    Ok((process, answers))
}
