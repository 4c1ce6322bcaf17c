//! The read-only view: each document is read once and kept as its text.

use super::Documents;
use super::backup::Backup;
use super::collection::{Address, Fields, Shape, columns};
use super::files;
use super::filter::{Hint, Test};
use super::format::{Format, Loaded};
use super::json::{Element, Json};
use super::records::not_a_collection;
use super::text;
use crate::atomic;
use crate::error::{Error, Kind, Result};
use crate::store::{PAGE, StoreReader};
use latchlift_plugin_api::facts::Document;
use latchlift_plugin_api::{Column, File, Filter, Page, SAME, Select, Value};
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

/// A store of documents, open for reading.
pub struct DocumentsReader {
    store: Documents,
    documents: HashMap<String, Option<Arc<Loaded>>>,
    /// The records of collections, so that each page need not look for them again.
    records: HashMap<(String, Shape), Arc<[Element]>>,
    /// Where the files are, if not in a directory.
    backup: Option<Backup>,
}

impl DocumentsReader {
    pub(super) fn new(store: Documents) -> DocumentsReader {
        DocumentsReader { store, documents: HashMap::new(), records: HashMap::new(), backup: None }
    }

    /// The view of a backup instead of a directory.
    pub(super) fn of_backup(self, backup: Backup) -> DocumentsReader {
        DocumentsReader { backup: Some(backup), ..self }
    }

    /// The path below the directory of a document: that of a declared one, or the name itself.
    fn path_of<'a>(&'a self, name: &'a str) -> &'a str {
        self.store.documents.iter().find(|document| document.name == name).map_or(name, |document| &document.path)
    }

    fn load(&mut self, name: &str) -> Result<Option<Arc<Loaded>>> {
        if let Some(known) = self.documents.get(name) {
            return Ok(known.clone());
        }
        let document = self.store.declared(name)?;
        let path = atomic::resolve(&self.store.path_of(document)?);
        let loaded = match path {
            _ if self.backup.is_some() => self.packed(document)?,
            Ok(path) => self.store.cache.read(Format::of(document)?, &path)?.map(|(loaded, _)| loaded),
            // The directory it would be in is missing too.
            Err(why) if why.kind == Kind::NotFound => None,
            Err(why) => return Err(why),
        };
        self.documents.insert(name.to_owned(), loaded.clone());
        Ok(loaded)
    }

    fn packed(&self, document: &Document) -> Result<Option<Arc<Loaded>>> {
        let Some(bytes) = self.backup.as_ref().and_then(|backup| backup.bytes(&document.path)) else { return Ok(None) };
        Ok(Some(Arc::new(Loaded::parse(Format::of(document)?, bytes.to_vec(), Path::new(&document.path))?)))
    }

    /// The document and the records of a collection, seen by someone who uses these fields.
    fn open(&mut self, collection: &str, fields: &[String]) -> Result<(Arc<Loaded>, Shape, Arc<[Element]>)> {
        let missing = |what: &str| Error::new(Kind::UnknownSchema, format!("there is no {what} `{collection}`"));
        let address = Address::parse(collection)?;
        let loaded = self.load(&address.document)?.ok_or_else(|| missing("document for"))?;
        let container = loaded.json.container(&address.pointer).ok_or_else(|| missing("collection"))?;
        let shape = Shape::of(&loaded.json, container, fields.iter().map(String::as_str))
            .ok_or_else(|| not_a_collection(collection))?;
        let key = (collection.to_owned(), shape);
        let records = self.records.entry(key).or_insert_with(|| shape.records(&loaded.json, container));
        Ok((loaded, shape, Arc::clone(records)))
    }
}

/// The fields of a query: those wanted first, then those the filter looks at.
struct Query {
    fields: Vec<String>,
    test: Test,
}

impl Query {
    fn new(wanted: impl IntoIterator<Item = String>, filter: &Filter) -> Query {
        let mut fields: Vec<String> = wanted.into_iter().collect();
        let test = Test::new(filter, &mut |name| {
            fields.iter().position(|known| known == name).unwrap_or_else(|| {
                fields.push(name.to_owned());
                fields.len() - 1
            })
        });
        Query { fields, test }
    }

    /// Calls `each` with the number and fields of matching records from `start` on, until it says to stop.
    fn run(
        &self,
        (json, shape, records): (&Json, Shape, &[Element]),
        start: usize,
        mut each: impl FnMut(usize, &[Option<super::json::Span>]) -> bool,
    ) -> Result<()> {
        let fields = Fields::new(self.fields.iter().map(String::as_str), shape)?;
        let hint = Hint::of(&self.test);
        let mut found = vec![];
        for (n, record) in records.iter().enumerate().skip(start).filter(|(_, record)| hint.fits(json, **record)) {
            fields.find(json, *record, &mut found);
            if self.test.holds(json, &found) && !each(n, &found) {
                break;
            }
        }
        Ok(())
    }
}

impl StoreReader for DocumentsReader {
    fn select(&mut self, query: &Select) -> Result<Page> {
        let wanted = query.columns.len() + usize::from(query.same.is_some());
        let ready = Query::new(query.columns.iter().chain(&query.same).cloned(), &query.filter);
        let (loaded, shape, records) = self.open(&query.collection, &ready.fields)?;
        let limit = if query.limit == 0 { PAGE } else { query.limit.min(PAGE) } as usize;
        let mut page = Page { columns: query.columns.clone(), ..Page::default() };
        page.columns.extend(query.same.as_ref().map(|_| SAME.to_owned()));
        let json = &loaded.json;
        ready.run((json, shape, &records), cursor(&query.after)?, |n, found| {
            let cell = |span: &Option<_>| span.map_or(Value::Null, |span| json.value(span));
            page.rows.push(found[..wanted].iter().map(cell).collect());
            let full = page.rows.len() == limit;
            if full && n + 1 < records.len() {
                page.next = (n as u64 + 1).to_be_bytes().to_vec();
            }
            !full
        })?;
        Ok(page)
    }

    fn count_by(&mut self, collection: &str, field: &str, filter: &Filter) -> Result<Vec<(Value, u64)>> {
        let ready = Query::new([field.to_owned()], filter);
        let (loaded, shape, records) = self.open(collection, &ready.fields)?;
        let json = &loaded.json;
        let mut numbers: HashMap<String, usize> = HashMap::new();
        let mut counts: Vec<(Value, u64)> = vec![];
        ready.run((json, shape, &records), 0, |_, found| {
            let token = text::token(json, found[0]);
            let at = numbers.get(&*token).copied().unwrap_or_else(|| {
                numbers.insert(token.clone().into_owned(), counts.len());
                counts.push((found[0].map_or(Value::Null, |span| json.value(span)), 0));
                counts.len() - 1
            });
            counts[at].1 += 1;
            true
        })?;
        Ok(counts)
    }

    fn columns(&mut self, collection: &str) -> Result<Option<Vec<Column>>> {
        let address = Address::parse(collection)?;
        let Some(loaded) = self.load(&address.document)? else { return Ok(None) };
        let names = loaded.json.container(&address.pointer).and_then(|span| columns(&loaded.json, span));
        let column = |name| Column { name, nullable: true, ..Column::default() };
        Ok(names.map(|names| names.into_iter().map(column).collect()))
    }

    fn document(&mut self, name: &str) -> Result<Option<String>> {
        match &self.backup {
            Some(backup) => backup.text(self.path_of(name)),
            None => self.store.text(name),
        }
    }

    fn digest(&mut self, name: &str) -> Result<Option<String>> {
        match &self.backup {
            Some(backup) => Ok(backup.digest(self.path_of(name))),
            None => atomic::digest(&self.store.named(name)?),
        }
    }

    fn files(&mut self, glob: &str) -> Result<Vec<File>> {
        match &self.backup {
            Some(backup) => Ok(backup.files(|path| files::path_matches(glob, path))),
            None => self.store.glob(glob),
        }
    }

    fn lines(&mut self, file: &str, text: &str) -> Result<Vec<String>> {
        match &self.backup {
            Some(backup) => {
                let bytes = backup.bytes(file).unwrap_or_default();
                files::newest_lines(bytes, text).map_err(|why| atomic::explain(&why, Path::new(file), "read"))
            }
            None => self.store.lines(file, text),
        }
    }
}

/// The number of the record a page begins with.
fn cursor(after: &[u8]) -> Result<usize> {
    if after.is_empty() {
        return Ok(0);
    }
    let number = after.try_into().ok().map(u64::from_be_bytes).and_then(|n| usize::try_from(n).ok());
    number.ok_or_else(|| Error::new(Kind::Plugin, "the plugin asked for a page that was never offered"))
}
