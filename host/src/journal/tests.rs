//! An entry from its beginning to its end.

use super::*;
use latchlift_plugin_api::{Record, plan};

fn begun() -> Begun {
    let step = plan::insert("user", Record::new().with("id", "1"));
    Begun { app: "homarr".into(), plan: Plan::new("test").step(vec![step]), ..Begun::default() }
}

#[test]
fn an_entry_tells_how_far_it_got() {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::new(dir.path());
    let mut open = journal.begin(begun()).unwrap();
    assert!(journal.entries().unwrap().0[0].is_unfinished());
    open.committed(0).unwrap();
    let id = open.id.clone();
    open.end(End::Done).unwrap();
    let entry = journal.find(&id[..4]).unwrap();
    assert!(entry.can_be_undone() && entry.committed[0] && entry.state() == "done");
    let undo = Begun { undoes: Some(id.clone()), ..begun() };
    journal.begin(undo).unwrap().end(End::Done).unwrap();
    let entry = journal.find(&id).unwrap();
    assert!(!entry.can_be_undone() && entry.state() == "undone");
}

#[test]
fn an_entry_being_written_is_not_taken_for_an_interrupted_one() {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::new(dir.path());
    let writing = journal.begin(begun()).unwrap();
    let entry = journal.unfinished().unwrap().remove(0);
    assert_eq!(journal.reopen(&entry).err().map(|error| error.kind), Some(Kind::Locked));
    drop(writing);
    assert!(journal.reopen(&entry).is_ok());
}

#[test]
fn a_line_cut_short_by_a_crash_is_as_if_not_written() {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::new(dir.path());
    let open = journal.begin(begun()).unwrap();
    let path = open.path.clone();
    drop(open);
    OpenOptions::new().append(true).open(&path).unwrap().write_all(b"{\"ended\":\"do").unwrap();
    let entry = journal.entries().unwrap().0.remove(0);
    assert!(entry.is_unfinished());
    journal.reopen(&entry).unwrap().end(End::Failed).unwrap();
    assert_eq!(journal.entries().unwrap().0[0].end, Some(End::Failed));
}

#[test]
fn the_directory_is_private() {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::new(dir.path());
    let open = journal.begin(begun()).unwrap();
    assert_eq!(std::fs::metadata(journal.dir()).unwrap().mode() & 0o777, 0o700);
    assert_eq!(std::fs::metadata(&open.path).unwrap().mode() & 0o777, 0o600);
}
