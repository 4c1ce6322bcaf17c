//! What the person asked to change, gathered from the command line.

use crate::cli::{Including, NewPassword, Write};
use crate::error::{Error, Kind, Result};
use crate::secret::Source;
use latchlift_plugin_api::{Options, Target};
use std::collections::BTreeMap;

/// What the person asked to change.
#[derive(Default)]
pub struct Ask {
    pub(super) verb: &'static str,
    pub(super) target: Option<Target>,
    pub(super) new_name: Option<String>,
    pub(super) ids: Vec<String>,
    pub(super) keys: BTreeMap<String, String>,
    pub(super) options: Options,
    pub(super) password: Option<Source>,
    pub(super) write: Write,
    pub(super) dangerous: bool,
}

impl Ask {
    /// A verb with its safety flags.
    pub fn new(verb: &'static str, write: Write) -> Ask {
        let running = write.allow_running;
        Ask { verb, write, ..Ask::default() }.allow("running", running)
    }

    /// With a safety rule waived, if it is.
    pub fn allow(mut self, rule: &str, waived: bool) -> Ask {
        self.options.allow.extend(waived.then(|| rule.to_owned()));
        self
    }

    /// Confirmed by typing a name rather than `y`.
    pub fn dangerous(self) -> Ask {
        Ask { dangerous: true, ..self }
    }

    /// About an account.
    pub fn target(self, target: impl Into<Target>) -> Ask {
        Ask { target: Some(target.into()), ..self }
    }

    /// About an account of this name, which may not exist yet.
    pub fn named(self, name: String) -> Ask {
        self.target(Target { name, ..Target::default() })
    }

    /// With a new name.
    pub fn new_name(self, name: String) -> Ask {
        Ask { new_name: Some(name), ..self }
    }

    /// About these ids.
    pub fn ids(self, ids: Vec<String>) -> Ask {
        Ask { ids, ..self }
    }

    /// About all there are.
    pub fn all(mut self, all: bool) -> Ask {
        self.options.all = all;
        self
    }

    /// About what has ended.
    pub fn expired(mut self, expired: bool) -> Ask {
        self.options.expired = expired;
        self
    }

    /// About what was not used for so many seconds.
    pub fn unused_for(mut self, seconds: Option<u64>) -> Ask {
        self.options.unused_for = seconds;
        self
    }

    /// For a group.
    pub fn group(mut self, group: Option<String>) -> Ask {
        self.options.group = group;
        self
    }

    /// Where one account keeps a name that several would have.
    pub fn keep(mut self, id: Option<String>) -> Ask {
        self.options.keep = id;
        self
    }

    /// Sign-ins stay.
    pub fn keep_sessions(mut self, keep: bool) -> Ask {
        self.options.keep_sessions = keep;
        self
    }

    /// Tokens too.
    pub fn tokens(mut self, tokens: bool) -> Ask {
        self.options.tokens = tokens;
        self
    }

    /// Owner too.
    pub fn owner(mut self, owner: bool) -> Ask {
        self.options.owner = owner;
        self
    }

    /// What else the change includes.
    pub fn including(mut self, including: Including) -> Ask {
        let Including { tokens, keep_sessions, convert, fix_name } = including;
        self.options = Options { tokens, keep_sessions, convert, fix_name, ..self.options };
        self
    }

    /// With a new password.
    pub fn password(self, password: NewPassword) -> Ask {
        let NewPassword { password_stdin, password_file, generate } = password;
        let source = match password_file {
            _ if password_stdin => Source::Stdin,
            _ if generate => Source::Generate,
            Some(path) => Source::File(path),
            None => Source::Prompt,
        };
        Ask { password: Some(source), ..self }
    }

    /// With `key=value` arguments.
    ///
    /// # Errors
    /// One has no `=`, or a key is given twice. Whether an app has the key is the plugin's to say.
    pub fn keys(mut self, arguments: &[String]) -> Result<Ask> {
        for argument in arguments {
            let Some((key, value)) = argument.split_once('=') else {
                return Err(Error::new(Kind::Usage, "an argument after the name is not of the form key=value")
                    .help("write it as email=john@example.org; passwords are not arguments: use --password-stdin"));
            };
            if ["password", "passwd", "pass", "pw"].contains(&key.to_lowercase().as_str()) {
                return Err(crate::secret::is_no_argument().note("nothing was changed"));
            }
            if self.keys.insert(key.to_owned(), value.to_owned()).is_some() {
                return Err(Error::new(Kind::Usage, format!("`{key}=` is given twice")));
            }
        }
        Ok(self)
    }

    /// The name or id asked for, for prompts and the journal.
    pub(super) fn name(&self) -> String {
        let target = self.target.clone().unwrap_or_default();
        let named = if target.name.is_empty() { target.id.unwrap_or_default() } else { target.name };
        if named.is_empty() { self.options.group.clone().unwrap_or_default() } else { named }
    }
}
