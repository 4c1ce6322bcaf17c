use super::*;
use crate::error::Kind;
use crate::store::Standing;
use latchlift_plugin_api::{Filter, delete, insert};

fn ban(address: &str) -> Change {
    delete("bans#", key("@key", address), Record::new())
}

fn text(place: &Place) -> String {
    place.text("bans.yaml")
}

#[test]
fn an_entry_goes_as_if_it_had_never_been_there_and_comes_back() {
    let all = ["127.0.0.1", "192.0.2.10", "2001:db8::5"];
    for bits in 1..8u32 {
        let place = Place::new();
        let gone: Vec<&str> = (0..3).filter(|n| bits >> n & 1 == 1).map(|n| all[n]).collect();
        let changes: Vec<Change> = gone.iter().map(|address| ban(address)).collect();
        let receipt = place.commit(changes.clone()).unwrap();
        let less = text(&place);
        let left: Vec<&str> = all.into_iter().filter(|address| !gone.contains(address)).collect();
        assert_eq!(less.matches("banned_at").count(), left.len(), "{less:?}");
        assert!(!less.contains("\n\n\n") && !less.ends_with("\n\n"), "{less:?}");
        assert_eq!(place.store.standing(&step(changes), &place.facts).unwrap(), Standing::Applied);
        let back = (0..gone.len()).rev().map(|n| Change::Insert {
            collection: "bans#".into(),
            after: Record::new().with("@raw", receipt.texts[n].as_deref().unwrap()),
            at: receipt.places[n],
        });
        place.commit(back.collect()).unwrap();
        assert_eq!(text(&place), BANS, "without {gone:?}: {less:?}");
    }
}

#[test]
fn a_new_entry_looks_like_the_others() {
    let place = Place::new();
    let entry = record([("@key", "10.0.0.1".into()), ("/banned_at", "2026-11-22T00:00:00+00:00".into())]);
    place.commit(vec![insert("bans#", entry.clone())]).unwrap();
    assert_eq!(text(&place), format!("{BANS}\n10.0.0.1:\n  banned_at: 2026-11-22T00:00:00+00:00\n"));
    for start in ["", "# none yet", "a: 1"] {
        place.put("bans.yaml", start);
        place.commit(vec![insert("bans#", entry.clone())]).unwrap();
        assert!(text(&place).starts_with(start) && text(&place).contains("\n10.0.0.1:\n"), "{:?}", text(&place));
    }
}

#[test]
fn comments_between_entries_stay() {
    let place = Place::new();
    place.put("bans.yaml", "# mine\na: 1\n# why\nb: 2\n# end\n");
    place
        .commit(vec![Change::Purge {
            collection: "bans#".into(),
            filter: Filter::eq("@key", "b"),
            count: 1,
            keep: false,
        }])
        .unwrap();
    assert_eq!(text(&place), "# mine\na: 1\n# why\n# end\n");
}

#[test]
fn what_lines_do_not_tell_is_left_alone() {
    let place = Place::new();
    for (start, change) in [
        ("{a: 1, b: 2}\n", ban("a")),
        ("a: &x 1\nb: *x\n", ban("a")),
        ("a:\n  b: 1\n", set("bans#", key("@key", "a"), "/b", 1, 2)),
        ("a:\n  b: 1\n", delete("bans#/a", key("@key", "b"), Record::new())),
    ] {
        place.put("bans.yaml", start);
        assert_eq!(place.commit(vec![change]).unwrap_err().kind, Kind::Unsupported, "{start}");
        assert_eq!(text(&place), start);
    }
    place.put("bans.yaml", "a: [\n");
    assert_eq!(place.commit(vec![ban("a")]).unwrap_err().kind, Kind::Conflict);
}
