//! The files of the directory as files: whole texts, lists, lines of logs. Nothing outside is shown.

use super::Documents;
use crate::atomic;
use crate::error::{Error, Kind, Result};
use latchlift_plugin_api::File;
use std::collections::VecDeque;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

/// The most lines of a log, the newest.
const LINES: usize = 10_000;

impl Documents {
    /// A document's text, by its declared name or its path below the directory.
    pub(super) fn text(&self, name: &str) -> Result<Option<String>> {
        let path = self.named(name)?;
        let Some((bytes, _)) = atomic::read(&path)? else { return Ok(None) };
        let text = String::from_utf8(bytes);
        text.map(Some).map_err(|_| Error::new(Kind::Conflict, format!("{} is not UTF-8 text", path.display())))
    }

    /// The path of a declared document, or one below the directory that leads nowhere else.
    pub(super) fn named(&self, name: &str) -> Result<PathBuf> {
        match self.documents.iter().find(|document| document.name == name) {
            Some(document) => self.path_of(document),
            None => {
                let path = self.below(name)?;
                self.check_inside(&path)?;
                Ok(path)
            }
        }
    }

    /// The regular files that match, sorted. As in a shell, a leading dot is matched by a dot alone.
    pub(super) fn glob(&self, glob: &str) -> Result<Vec<File>> {
        self.below(glob)?;
        let is_pattern = |part: &str| part.contains(['*', '?']);
        if !is_pattern(glob) {
            self.check_inside(&self.dir.join(glob))?;
        }
        let mut found = vec![PathBuf::new()];
        for part in glob.split('/').filter(|part| !part.is_empty() && *part != ".") {
            found = match is_pattern(part) {
                true => found.iter().flat_map(|below| names(&self.dir.join(below), part, below)).collect(),
                false => found.iter().map(|below| below.join(part)).collect(),
            };
        }
        found.sort();
        // A link that leads outside is passed over here, so that it does not spoil the others.
        found.retain(|path| self.check_inside(&self.dir.join(path)).is_ok());
        Ok(found.iter().filter_map(|path| file(&self.dir.join(path), path)).collect())
    }

    /// The newest lines of a file that contain `text`; none where there is no such file.
    pub(super) fn lines(&self, name: &str, text: &str) -> Result<Vec<String>> {
        let path = self.below(name)?;
        self.check_inside(&path)?;
        let unreadable = |why| atomic::explain(&why, &path, "read");
        let file = match fs::metadata(&path) {
            Ok(meta) if meta.is_file() => fs::File::open(&path).map_err(unreadable)?,
            Ok(_) => return Err(Error::new(Kind::Conflict, format!("{} is not a regular file", path.display()))),
            Err(why) if why.kind() == std::io::ErrorKind::NotFound => return Ok(vec![]),
            Err(why) => return Err(unreadable(why)),
        };
        newest_lines(BufReader::new(file), text).map_err(unreadable)
    }

    /// A path below the directory, by its name alone: relative and without `..`.
    pub(super) fn below(&self, name: &str) -> Result<PathBuf> {
        let fits = |part| matches!(part, Component::Normal(_) | Component::CurDir);
        match !name.is_empty() && !name.contains('\0') && Path::new(name).components().all(fits) {
            true => Ok(self.dir.join(name)),
            false => Err(outside(name)),
        }
    }

    /// Refuses a path that leads elsewhere through symbolic links. Directories of declared documents count as inside
    /// wherever they really are, because people do keep such directories on another disk.
    fn check_inside(&self, path: &Path) -> Result<()> {
        let deepest = path.ancestors().find_map(|path| fs::canonicalize(path).ok());
        let declared =
            self.documents.iter().filter_map(|document| self.path_of(document).ok()?.parent().map(Path::to_owned));
        let mut roots = declared.chain([self.dir.clone()]).filter_map(|root| fs::canonicalize(root).ok());
        match deepest.is_none_or(|path| roots.any(|root| path.starts_with(root))) {
            true => Ok(()),
            false => Err(outside(&path.display().to_string())),
        }
    }
}

/// The newest lines that contain `text`, oldest first.
pub(super) fn newest_lines(mut reader: impl BufRead, text: &str) -> std::io::Result<Vec<String>> {
    let (mut newest, mut line) = (VecDeque::new(), vec![]);
    while reader.read_until(b'\n', &mut line)? > 0 {
        let content = String::from_utf8_lossy(&line);
        if content.contains(text) {
            newest.push_back(content.trim_end_matches(['\r', '\n']).to_owned());
        }
        if newest.len() > LINES {
            newest.pop_front();
        }
        line.clear();
    }
    Ok(newest.into())
}

fn outside(name: &str) -> Error {
    Error::new(Kind::Plugin, format!("the plugin named `{name}`, which leads out of the app's directory"))
}

/// The entries of a directory whose names match, below `below`. A directory that cannot be listed has none.
fn names(dir: &Path, pattern: &str, below: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(dir) else { return vec![] };
    let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    names.filter(|name| matches(pattern, name)).map(|name| below.join(name)).collect()
}

fn file(full: &Path, path: &Path) -> Option<File> {
    let meta = fs::metadata(full).ok().filter(fs::Metadata::is_file)?;
    let (uid, gid, mode) = (meta.uid(), meta.gid(), meta.mode() & 0o7777);
    Some(File { path: path.to_str()?.to_owned(), size: meta.size(), uid, gid, mode, modified: meta.mtime() })
}

/// Whether a path matches a glob, part by part.
pub(super) fn path_matches(glob: &str, path: &str) -> bool {
    let parts = |text: &'_ str| text.split('/').filter(|part| !part.is_empty() && *part != ".").count();
    parts(glob) == parts(path) && glob.split('/').zip(path.split('/')).all(|(glob, name)| matches(glob, name))
}

fn matches(pattern: &str, name: &str) -> bool {
    let dot = |text: &str| text.starts_with('.');
    let (pattern_chars, name_chars): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    dot(pattern) == dot(name) && matches_from(&pattern_chars, &name_chars)
}

/// Greedy with one place to come back to, so no pattern takes more than the product of the lengths.
fn matches_from(pattern: &[char], name: &[char]) -> bool {
    let (mut p, mut n, mut star) = (0, 0, None);
    while n < name.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(c) if *c == '?' || *c == name[n] => (p, n) = (p + 1, n + 1),
            _ => match star {
                Some((at, taken)) => {
                    star = Some((at, taken + 1));
                    (p, n) = (at + 1, taken + 1);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_stays_within_one_name() {
        for (pattern, name, fits) in [
            ("*", "auth", true),
            ("*", ".storage", false),
            (".*", ".storage", true),
            ("auth*", "auth", true),
            ("auth.corrupt.*", "auth.corrupt.2026-11-21T02:00:00+00:00", true),
            ("a?th", "auth", true),
            ("a?th", "ath", false),
            ("*a*b*", "xxaxxbxx", true),
            ("*a*b", "xxaxxbxx", false),
            ("", "", true),
        ] {
            assert_eq!(matches(pattern, name), fits, "{pattern} {name}");
        }
    }
}
