//! Lists as tables, CSV, TSV, Markdown or JSON.

use crate::cli::Format;
use crate::error::Error;
use crate::ui;
use serde::Serialize;
use std::io::{BufWriter, Write};
use std::rc::Rc;

/// A list on its way out: rows of cells for people, rows of structs for programs.
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

#[derive(Serialize)]
struct Row<'a, T> {
    app: &'a str,
    #[serde(flatten)]
    row: &'a T,
}

impl<T: Serialize> List<'_, T> {
    /// Prints the list. A closed pipe ends the program quietly.
    pub fn print(&self, format: Format) {
        let mut out = BufWriter::with_capacity(1 << 16, std::io::stdout().lock());
        let written = match format {
            Format::Json => self.json(&mut out),
            Format::Table => self.table(&mut out),
            Format::Csv => self.separated(&mut out, b','),
            Format::Tsv => self.separated(&mut out, b'\t'),
            Format::Markdown => self.markdown(&mut out),
        };
        match written.and_then(|()| out.flush()) {
            Err(why) if why.kind() == std::io::ErrorKind::BrokenPipe => std::process::exit(0),
            Err(why) => eprintln!("error: cannot write the answer: {why}"),
            Ok(()) => {}
        }
    }

    fn json(&self, out: &mut impl Write) -> std::io::Result<()> {
        let ok = self.errors.is_empty();
        write!(out, "{{\"latchlift\":1,\"ok\":{ok},\"{}\":[", self.name)?;
        for (i, (app, row)) in self.rows.iter().enumerate() {
            if i > 0 {
                out.write_all(b",")?;
            }
            serde_json::to_writer(&mut *out, &Row { app, row })?;
        }
        let errors = self.errors.iter().map(|(app, error)| {
            let mut json = ui::error_json(error);
            json["app"] = app.clone().into();
            json
        });
        let errors: Vec<serde_json::Value> = errors.collect();
        writeln!(out, "],\"errors\":{}}}", serde_json::Value::from(errors))
    }

    fn table(&self, out: &mut impl Write) -> std::io::Result<()> {
        if self.rows.is_empty() {
            return Ok(());
        }
        let mut table = comfy_table::Table::new();
        table.load_style(comfy_table::presets::NOTHING);
        table.set_content_arrangement(comfy_table::ContentArrangement::Disabled);
        table.set_header(self.headings);
        for (app, row) in self.rows {
            table.add_row((self.cells)(app, row).iter().map(|cell| ui::escaped(&cell.replace('\n', " "))));
        }
        for line in table.lines() {
            writeln!(out, "{}", line.trim())?;
        }
        Ok(())
    }

    fn separated(&self, out: &mut impl Write, separator: u8) -> std::io::Result<()> {
        let mut writer = csv::WriterBuilder::new().delimiter(separator).from_writer(out);
        writer.write_record(self.headings)?;
        for (app, row) in self.rows {
            writer.write_record((self.cells)(app, row))?;
        }
        writer.flush()
    }

    fn markdown(&self, out: &mut impl Write) -> std::io::Result<()> {
        let line = |cells: Vec<String>| format!("| {} |", cells.join(" | "));
        writeln!(out, "{}", line(self.headings.iter().map(|&heading| heading.to_owned()).collect()))?;
        writeln!(out, "{}", line(vec!["---".to_owned(); self.headings.len()]))?;
        for (app, row) in self.rows {
            let escape = |cell: String| ui::escaped(&cell.replace('\n', " ")).replace('|', "\\|");
            writeln!(out, "{}", line((self.cells)(app, row).into_iter().map(escape).collect()))?;
        }
        Ok(())
    }
}
