use super::{Change, Model, Moment};
use crate::store::{Action, Span, Value, Write};

fn put(key: &str, tag: u64) -> Write {
    Write::insert("ks", key, Value { tag, len: 10 })
}

fn gone(key: &str) -> Write {
    Write::remove("ks", key)
}

fn tag(model: &Model, key: &str, at: Moment) -> Option<u64> {
    model.get("ks", key.as_bytes(), at).map(|text| text.0[0].tag)
}

#[test]
fn each_moment_sees_its_own_versions() {
    let mut model = Model::default();
    model.commit(Change::Create("ks"));
    model.commit(Change::Writes(&[put("a", 1), put("b", 2), put("a", 3)]));
    model.commit(Change::Writes(&[gone("a")]));
    model.commit(Change::Clear("ks"));
    model.commit(Change::Writes(&[put("c", 4)]));
    assert_eq!((tag(&model, "a", 1), tag(&model, "a", 2), tag(&model, "a", 3)), (None, Some(3), None));
    assert_eq!(model.scan("ks", &Span::all(), 3).len(), 1, "a snapshot sees what clear removed");
    assert_eq!(model.scan("ks", &Span::all(), 5), [(b"c".to_vec(), Value { tag: 4, len: 10 }.into())]);
    model.commit(Change::Drop("ks"));
    model.commit(Change::Create("ks"));
    assert!(model.scan("ks", &Span::all(), 5).is_empty(), "the new keyspace never held that");
    assert_eq!(model.contents(5).len(), 1, "as the contents of that moment it did");
}

#[test]
fn contents_find_their_moment_and_roll_back_to_it() {
    let mut model = Model::default();
    model.commit(Change::Create("ks"));
    for tag in 2..20 {
        let key = ["a", "b", "c"][tag as usize % 3];
        let write = if tag % 5 == 0 { gone(key) } else { put(key, tag) };
        model.commit(Change::Writes(&[write]));
    }
    model.commit(Change::Clear("ks"));
    for moment in 0..=model.now() {
        assert_eq!(model.find(&model.contents(moment), moment..=moment), Some(moment));
    }
    let middle = model.contents(9);
    assert_eq!(model.find(&middle, 10..=model.now()), None);
    assert!(!middle.differences(&model.contents(10)).is_empty());
    model.roll_back(9);
    assert_eq!((model.now(), model.find(&middle, 0..=9)), (9, Some(9)));
}

#[test]
fn merges_append_and_erasing_takes_a_span() {
    let mut model = Model::default();
    let merge = |key: &str, tag| Write { keyspace: "ks".into(), action: Action::Merge(key.into(), Value { tag, len: 4 }) };
    let erase = Write { keyspace: "ks".into(), action: Action::Erase(Span::Prefix(b"a".into())) };
    model.commit(Change::Create("ks"));
    model.commit(Change::Writes(&[put("a", 1), merge("a", 2), merge("b", 3), put("ab", 4)]));
    let text = model.get("ks", b"a", 2).expect("it is there");
    assert_eq!(text.to_string(), "1x10,2x4");
    assert_eq!(text.bytes().len(), 14);
    model.commit(Change::Writes(&[erase, merge("a", 5)]));
    let left: Vec<String> = model.scan("ks", &Span::all(), 3).iter().map(|(_, text)| text.to_string()).collect();
    assert_eq!(left, ["5x4", "3x4"]);
    assert_eq!(model.find(&model.contents(3), 0..=3), Some(3));
}
