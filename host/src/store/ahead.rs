//! Reading ahead: while a plugin works on one page, the store already reads the next.

use super::{PageAsBytes, StoreReader};
use crate::error::{Error, Kind, Result};
use latchlift_plugin_api::Select;
use std::sync::mpsc::sync_channel;
use std::thread::{Builder, JoinHandle};

/// A reader that begins with the next page of a long table as soon as one is given.
pub struct Ahead {
    /// The reader, unless it is away.
    here: Option<Box<dyn StoreReader>>,
    /// The thread that reads a page.
    away: Option<JoinHandle<Option<Back>>>,
    /// The page that was read and not asked for yet.
    ready: Option<Ready>,
    notice: Option<String>,
}

struct Ready {
    query: Select,
    page: Result<PageAsBytes>,
}

struct Back {
    reader: Box<dyn StoreReader>,
    ready: Ready,
}

impl Ahead {
    /// Reads ahead with `reader`.
    pub fn new(reader: Box<dyn StoreReader>) -> Ahead {
        Ahead { notice: reader.notice(), here: Some(reader), away: None, ready: None }
    }

    /// One page, which may have been read already.
    ///
    /// # Errors
    /// As [`StoreReader::select`].
    pub fn page(&mut self, query: &Select) -> Result<PageAsBytes> {
        self.reader()?;
        let page = match self.ready.take() {
            Some(ready) if ready.query == *query => ready.page?,
            _ => self.reader()?.select_bytes(query)?,
        };
        if !page.next.is_empty() && query.limit == 0 {
            self.send(Select { after: page.next.clone(), ..query.clone() });
        }
        Ok(page)
    }

    /// What a person should know about how the store was opened, if anything.
    pub fn notice(&self) -> Option<String> {
        self.notice.clone()
    }

    /// The reader, for every other question, once it is back.
    ///
    /// # Errors
    /// It did not come back.
    pub fn reader(&mut self) -> Result<&mut (dyn StoreReader + 'static)> {
        let lost = || Error::new(Kind::Failed, "latchlift failed while it read ahead");
        if let Some(thread) = self.away.take() {
            let Back { reader, ready } = thread.join().ok().flatten().ok_or_else(lost)?;
            (self.here, self.ready) = (Some(reader), Some(ready));
        }
        self.here.as_deref_mut().ok_or_else(lost)
    }

    /// Sends the reader for a page. Where no thread can be had, it stays.
    fn send(&mut self, query: Select) {
        let (give, take) = sync_channel::<Box<dyn StoreReader>>(1);
        let work = move || {
            let mut reader = take.recv().ok()?;
            let page = reader.select_bytes(&query);
            Some(Back { reader, ready: Ready { query, page } })
        };
        if let (Ok(thread), Some(reader)) = (Builder::new().spawn(work), self.here.take()) {
            give.send(reader).ok();
            self.away = Some(thread);
        }
    }
}

impl Drop for Ahead {
    /// A store is closed when its reader is dropped; nothing may go on reading it.
    fn drop(&mut self) {
        self.reader().ok();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use latchlift_plugin_api::{Column, Filter, Page, Value};
    use std::sync::{Arc, Mutex};

    /// Three pages of one row; says what it was asked.
    struct Pages(Arc<Mutex<Vec<String>>>);

    impl StoreReader for Pages {
        fn select(&mut self, query: &Select) -> Result<Page> {
            let number = query.after.first().copied().unwrap_or_default();
            self.0.lock().unwrap().push(format!("page {number}"));
            let next = if number < 2 { vec![number + 1] } else { vec![] };
            Ok(Page { columns: vec![], rows: vec![vec![Value::Int(number.into())]], next })
        }

        fn count_by(&mut self, _: &str, _: &str, _: &Filter) -> Result<Vec<(Value, u64)>> {
            self.0.lock().unwrap().push("count".to_owned());
            Ok(vec![])
        }

        fn columns(&mut self, _: &str) -> Result<Option<Vec<Column>>> {
            Err(Error::new(Kind::Unreachable, "gone"))
        }
    }

    fn ahead() -> (Ahead, Arc<Mutex<Vec<String>>>) {
        let asked = Arc::default();
        (Ahead::new(Box::new(Pages(Arc::clone(&asked)))), asked)
    }

    fn page(ahead: &mut Ahead, after: &[u8]) -> Vec<u8> {
        ahead.page(&Select { after: after.to_vec(), ..Select::from("t", ["a"]) }).unwrap().next
    }

    #[test]
    fn each_page_is_read_once_and_in_order() {
        let (mut ahead, asked) = ahead();
        let mut next = page(&mut ahead, &[]);
        while !next.is_empty() {
            next = page(&mut ahead, &next);
        }
        assert_eq!(*asked.lock().unwrap(), ["page 0", "page 1", "page 2"]);
    }

    #[test]
    fn another_question_in_between_is_answered_and_the_page_is_not_lost() {
        let (mut ahead, asked) = ahead();
        let next = page(&mut ahead, &[]);
        ahead.reader().unwrap().count_by("t", "a", &Filter::All).unwrap();
        assert_eq!(ahead.reader().unwrap().columns("t").unwrap_err().message, "gone");
        page(&mut ahead, &next);
        drop(ahead);
        assert_eq!(*asked.lock().unwrap(), ["page 0", "page 1", "count", "page 2"]);
    }

    #[test]
    fn nothing_reads_on_when_the_reader_is_closed() {
        let (mut ahead, asked) = ahead();
        page(&mut ahead, &[]);
        drop(ahead);
        assert_eq!(Arc::strong_count(&asked), 1);
    }
}
