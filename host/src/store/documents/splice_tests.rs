use super::*;

fn apply(text: &str, removed: &[usize], inserted: Vec<Insertion>) -> (String, Vec<String>) {
    let json = Json::parse(text.to_owned()).unwrap();
    let mut edit = Edit::new(&json, json.root());
    edit.removed = removed.iter().copied().collect();
    edit.inserted = inserted;
    let raws = edit.raws(&json).into_iter().map(|(_, raw)| raw.to_owned()).collect();
    let splices = arrange(edit.splices(&json, &Style::of(&json)).unwrap()).unwrap();
    let bytes = spliced(text.to_owned(), &splices);
    (String::from_utf8(bytes).unwrap(), raws)
}

fn new(at: Option<u64>, value: i64) -> Insertion {
    Insertion { at, content: Content::New { key: None, value: Value::Int(value) } }
}

#[test]
fn an_element_goes_as_if_it_had_never_been_there() {
    assert_eq!(apply("[1, 2, 3]", &[1], vec![]).0, "[1, 3]");
    assert_eq!(apply("[1, 2, 3]", &[2], vec![]).0, "[1, 2]");
    assert_eq!(apply("[1, 2, 3]", &[0], vec![]).0, "[2, 3]");
    assert_eq!(apply("[1, 2, 3]", &[1, 2], vec![]).0, "[1]");
    assert_eq!(apply("[\n  1,\n  2\n]", &[0, 1], vec![]).0, "[]");
    assert_eq!(apply("{\n  \"a\": 1,\n  \"b\": 2\n}", &[1], vec![]).0, "{\n  \"a\": 1\n}");
}

#[test]
fn an_element_comes_in_the_style_of_its_neighbours() {
    assert_eq!(apply("[1, 3]", &[], vec![new(Some(1), 2)]).0, "[1, 2, 3]");
    assert_eq!(apply("[1,2]", &[], vec![new(None, 3), new(Some(0), 0)]).0, "[0,1,2,3]");
    assert_eq!(apply("[\n  1\n]", &[], vec![new(None, 2)]).0, "[\n  1,\n  2\n]");
    assert_eq!(apply("[\n  1,\n  2\n]", &[0, 1], vec![new(None, 3)]).0, "[\n  3\n]");
    assert_eq!(apply("[]", &[], vec![new(Some(9), 1)]).0, "[\n  1\n]");
    assert_eq!(apply("[1, 2, 3]", &[1], vec![new(Some(1), 9)]).0, "[1, 9, 3]");
    assert_eq!(apply("[1, 2]", &[1], vec![new(None, 9)]).0, "[1, 9]");
}

#[test]
fn an_empty_container_deep_inside_gets_its_lines() {
    let json = Json::parse("{\n  \"a\": {\n    \"b\": []\n  }\n}".to_owned()).unwrap();
    let container = json.find(json.root(), &["a".into(), "b".into()]).unwrap();
    let mut edit = Edit::new(&json, container);
    let value = Value::Map(vec![("x".into(), Value::List(vec![])), ("y".into(), Value::Map(vec![]))]);
    edit.inserted = vec![Insertion { at: None, content: Content::New { key: None, value } }];
    let splices = edit.splices(&json, &Style::of(&json)).unwrap();
    assert_eq!(splices[0].text, "\n      {\n        \"x\": [],\n        \"y\": {}\n      }\n    ");
}

/// A list of objects with white space nobody would write, and never twice the same.
fn strange(seed: &mut u64, keyed: bool) -> (String, usize) {
    let next = |seed: &mut u64, n: u64| super::super::tests::next(seed) % n;
    let space = |seed: &mut u64| ["", " ", "\n", "\n  ", "\t", "\r\n "][next(seed, 6) as usize];
    let count = next(seed, 6) as usize;
    let mut text = if keyed { "{" } else { "[" }.to_owned();
    for i in 0..count {
        text += space(seed);
        if keyed {
            text += &format!("\"k{i}\"{}:{}", space(seed), space(seed));
        }
        text += ["1", "\"a,]\\\"\"", "{ \"x\":[ ] }", "[1 ,2]", "null"][next(seed, 5) as usize];
        text += space(seed);
        text += if i + 1 < count { "," } else { "" };
    }
    text += if keyed { "}" } else { "]" };
    (text, count)
}

#[test]
fn what_was_removed_fits_back_to_the_byte() {
    let mut seed = 42;
    for round in 0..5_000 {
        let (text, count) = strange(&mut seed, round % 2 == 0);
        let bits = super::super::tests::next(&mut seed);
        let removed: Vec<usize> = (0..count).filter(|n| bits >> n & 1 == 1).collect();
        let (less, raws) = apply(&text, &removed, vec![]);
        assert!(Json::parse(less.clone()).is_ok(), "{text:?} without {removed:?} is {less:?}");
        // Backwards, as undo walks.
        let back = removed.iter().zip(raws).rev();
        let back = back.map(|(n, raw)| Insertion { at: Some(*n as u64), content: Content::Raw(raw) }).collect();
        assert_eq!(apply(&less, &[], back).0, text, "through {less:?}");
    }
}

#[test]
fn raw_text_between_new_neighbours_gets_new_separators() {
    let (_, raws) = apply("[1 , 2]", &[0, 1], vec![]);
    assert_eq!(raws, ["1 , ", "2"]);
    let back = |n: usize| Insertion { at: Some(n as u64), content: Content::Raw(raws[n].clone()) };
    assert_eq!(apply("[7]", &[], vec![back(0), back(1)]).0, "[1, 2, 7]");
    assert_eq!(apply("[7,8]", &[], vec![Insertion { at: None, ..back(0) }]).0, "[7,8,1]");
}

#[test]
fn raw_text_is_an_item_or_a_member() {
    assert_eq!(read_raw(" , {\"a\":1}").unwrap(), (None, Value::Map(vec![("a".into(), Value::Int(1))])));
    assert_eq!(read_raw("\"a\" : 1 ,\n").unwrap(), (Some("a".into()), Value::Int(1)));
    assert!(read_raw("1, 2").is_none());
    assert!(read_raw("\"a\":1,\"b\":2").is_none());
}

#[test]
fn texts_are_spliced_in_place_as_they_would_be_aside() {
    let text = "0123456789ä";
    let mut seed = 11u64;
    for _ in 0..500 {
        let mut cuts: Vec<usize> = (0..8).map(|_| (super::super::tests::next(&mut seed) % 11) as usize).collect();
        cuts.sort_unstable();
        let new = |n: u64| "ü-".repeat(n as usize % 4);
        let splices: Vec<Splice> = cuts
            .chunks(2)
            .map(|cut| Splice { start: cut[0], end: cut[1], text: new(super::super::tests::next(&mut seed)) })
            .collect();
        let (mut aside, mut at) = (String::new(), 0);
        for splice in &splices {
            aside += &text[at..splice.start];
            aside += &splice.text;
            at = splice.end;
        }
        aside += &text[at..];
        assert_eq!(spliced(text.to_owned(), &splices), aside.into_bytes(), "{splices:?}");
    }
}
