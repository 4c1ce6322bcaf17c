//! Lists as tables, CSV, TSV, Markdown or JSON.
//!
//! Rows are written as they come, so that a hundred thousand accounts need no more memory than a few. Only a table waits
//! for its last row: that one may be the widest.

mod grid;

use crate::cli::Format;
use crate::error::Error;
use crate::ui;
use grid::Grid;
use serde::Serialize;
use std::io::{BufWriter, IsTerminal, Result, Write};
use std::rc::Rc;

/// How a list looks.
pub struct Shape<'a, T> {
    /// The name of the list in JSON: `accounts`.
    pub name: &'a str,
    /// The columns' headings.
    pub headings: &'a [&'a str],
    /// The cells of a row, in the order of the headings.
    pub cells: fn(&str, &T) -> Vec<String>,
}

/// A list with all its rows at hand.
pub struct List<'a, T> {
    /// The name of the list in JSON: `accounts`.
    pub name: &'a str,
    /// The rows, each with the instance it came from.
    pub rows: &'a [(Rc<str>, T)],
    /// What failed meanwhile, by instance.
    pub errors: &'a [(String, Error)],
    /// The columns' headings.
    pub headings: &'a [&'a str],
    /// The cells of a row, in the order of the headings.
    pub cells: fn(&str, &T) -> Vec<String>,
}

impl<T: Serialize> List<'_, T> {
    /// Prints the list. That it could not be is remembered: see [`ui::lost`].
    pub fn print(&self, format: Format) {
        let Self { name, rows, errors, headings, cells } = *self;
        let mut writer = Writer::stdout(Shape { name, headings, cells }, format);
        let written = rows.iter().try_for_each(|(app, row)| writer.row(app, row));
        if let Err(why) = written.and_then(|()| writer.end(errors)) {
            ui::lost(&why);
        }
    }
}

/// A list on its way out.
pub struct Writer<'a, T, W: Write> {
    shape: Shape<'a, T>,
    out: W,
    form: Form,
    begun: bool,
    /// Whether a terminal shows it, which control characters in a stored name would drive.
    on_terminal: bool,
    /// The text of one row, in a buffer for all.
    line: Vec<u8>,
}

/// The form of a list, with what it needs of the rows before.
enum Form {
    Json,
    Table(Grid),
    Separated(u8),
    Markdown,
}

/// What a list is written to, usually.
pub type Stdout = BufWriter<std::io::StdoutLock<'static>>;

impl<'a, T: Serialize> Writer<'a, T, Stdout> {
    /// A list on stdout.
    pub fn stdout(shape: Shape<'a, T>, format: Format) -> Self {
        let out = std::io::stdout();
        let on_terminal = out.is_terminal();
        Writer { on_terminal, ..Writer::new(shape, format, BufWriter::with_capacity(1 << 16, out.lock())) }
    }
}

impl<'a, T: Serialize, W: Write> Writer<'a, T, W> {
    /// A list for `out`. Nothing is written before its first row or its end.
    pub fn new(shape: Shape<'a, T>, format: Format, out: W) -> Self {
        let form = match format {
            Format::Json => Form::Json,
            Format::Table => Form::Table(Grid::new(shape.headings)),
            Format::Csv => Form::Separated(b','),
            Format::Tsv => Form::Separated(b'\t'),
            Format::Markdown => Form::Markdown,
        };
        Writer { shape, out, form, begun: false, on_terminal: false, line: Vec::new() }
    }

    /// Whether something was written, so that the list must be brought to its end.
    pub fn has_begun(&self) -> bool {
        self.begun && !matches!(self.form, Form::Table(_))
    }

    /// Writes a row.
    ///
    /// # Errors
    /// The pipe is closed, the disk is full.
    pub fn row(&mut self, app: &str, row: &T) -> Result<()> {
        let first = !self.begun;
        self.begin()?;
        self.line.clear();
        match &mut self.form {
            Form::Json => json_row(&mut self.line, app, row, first)?,
            Form::Separated(separator) => {
                let mut cells = (self.shape.cells)(app, row);
                if self.on_terminal {
                    cells.iter_mut().for_each(|cell| *cell = ui::escaped(cell));
                }
                separated(&mut self.line, *separator, cells)?;
            }
            Form::Markdown => markdown(&mut self.line, (self.shape.cells)(app, row))?,
            Form::Table(table) => {
                let cells = (self.shape.cells)(app, row);
                table.row(cells.iter().map(|cell| ui::escaped(&cell.replace('\n', " "))));
            }
        }
        self.out.write_all(&self.line)
    }

    /// Writes what comes before the first row.
    fn begin(&mut self) -> Result<()> {
        if std::mem::replace(&mut self.begun, true) {
            return Ok(());
        }
        let headings = || self.shape.headings.iter().map(|&heading| heading.to_owned()).collect::<Vec<_>>();
        match &self.form {
            Form::Json => write!(self.out, "{{\"latchlift\":1,\"{}\":[", self.shape.name),
            Form::Table(_) => Ok(()),
            Form::Separated(separator) => separated(&mut self.out, *separator, headings()),
            Form::Markdown => {
                markdown(&mut self.out, headings())?;
                markdown(&mut self.out, vec!["---".to_owned(); self.shape.headings.len()])
            }
        }
    }

    /// Writes what comes after the last row, with what failed meanwhile, by instance.
    ///
    /// # Errors
    /// As [`Writer::row`].
    pub fn end(mut self, errors: &[(String, Error)]) -> Result<()> {
        self.begin()?;
        match &self.form {
            Form::Json => json_end(&mut self.out, errors)?,
            Form::Table(table) if !table.is_empty() => table.write(&mut self.out)?,
            _ => {}
        }
        self.out.flush()
    }
}

/// A row as JSON: its own fields after the instance's name.
fn json_row<T: Serialize>(out: &mut Vec<u8>, app: &str, row: &T, first: bool) -> Result<()> {
    out.extend_from_slice(if first { b"{\"app\":" } else { b",{\"app\":" });
    serde_json::to_writer(&mut *out, app)?;
    let open = out.len();
    serde_json::to_writer(&mut *out, row)?;
    // The row's own brace gives way to the comma after the name; a row without fields has none to separate.
    match &out[open..] {
        b"{}" => drop(out.remove(open)),
        _ => out[open] = b',',
    }
    Ok(())
}

fn json_end(out: &mut impl Write, errors: &[(String, Error)]) -> Result<()> {
    let ok = errors.is_empty();
    let errors = errors.iter().map(|(app, error)| {
        let mut json = ui::error_json(error);
        json["app"] = app.clone().into();
        json
    });
    let errors: Vec<serde_json::Value> = errors.collect();
    writeln!(out, "],\"errors\":{},\"ok\":{ok}}}", serde_json::Value::from(errors))
}

fn separated(out: &mut impl Write, separator: u8, cells: Vec<String>) -> Result<()> {
    let mut writer = csv::WriterBuilder::new().delimiter(separator).buffer_capacity(1 << 10).from_writer(out);
    writer.write_record(cells)?;
    writer.flush()
}

fn markdown(out: &mut impl Write, cells: Vec<String>) -> Result<()> {
    let cells: Vec<String> =
        cells.iter().map(|cell| ui::escaped(&cell.replace('\n', " ")).replace('|', "\\|")).collect();
    writeln!(out, "| {} |", cells.join(" | "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Kind;

    #[derive(Serialize)]
    struct Person {
        #[serde(skip_serializing_if = "str::is_empty")]
        name: &'static str,
    }

    fn written(format: Format, names: &[&'static str], errors: &[(String, Error)]) -> String {
        let cells = |app: &str, person: &Person| vec![app.to_owned(), person.name.to_owned()];
        let shape = Shape { name: "people", headings: &["APP", "NAME"], cells };
        let mut out = Vec::new();
        let mut writer = Writer::new(shape, format, &mut out);
        assert!(!writer.has_begun());
        names.iter().for_each(|name| writer.row("a\"b", &Person { name }).unwrap());
        writer.end(errors).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn json_is_whole_with_and_without_rows() {
        assert_eq!(written(Format::Json, &[], &[]), "{\"latchlift\":1,\"people\":[],\"errors\":[],\"ok\":true}\n");
        let text = written(Format::Json, &["x", "", "y"], &[("c".to_owned(), Error::new(Kind::Denied, "no"))]);
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        let people = serde_json::json!([{"app": "a\"b", "name": "x"}, {"app": "a\"b"}, {"app": "a\"b", "name": "y"}]);
        assert_eq!((&json["people"], &json["ok"], &json["latchlift"]), (&people, &false.into(), &1.into()));
        assert_eq!((&json["errors"][0]["app"], &json["errors"][0]["kind"]), (&"c".into(), &"denied".into()));
    }

    #[test]
    fn the_other_forms_have_their_headings_once() {
        assert_eq!(written(Format::Csv, &["x,1", "y"], &[]), "APP,NAME\n\"a\"\"b\",\"x,1\"\n\"a\"\"b\",y\n");
        assert_eq!(written(Format::Tsv, &[], &[]), "APP\tNAME\n");
        assert_eq!(written(Format::Markdown, &["x|y"], &[]), "| APP | NAME |\n| --- | --- |\n| a\"b | x\\|y |\n");
        assert_eq!(written(Format::Table, &["x"], &[]), "APP  NAME\na\"b  x\n");
        assert_eq!(written(Format::Table, &[], &[]), "");
    }

    #[test]
    fn a_table_has_not_begun_before_its_end() {
        let shape = |_: &str, _: &Person| vec![String::new()];
        let mut writer = Writer::new(Shape { name: "p", headings: &["A"], cells: shape }, Format::Table, Vec::new());
        writer.row("a", &Person { name: "x" }).unwrap();
        assert!(!writer.has_begun());
    }
}
