//! The engine; the rules themselves are tested on captures, in `tests/lint.rs`.

use super::rules;

#[test]
fn ids_are_unique_and_begin_with_their_layer() {
    let ids: Vec<&str> = rules::all().map(|rule| rule.id).collect();
    for rule in rules::all() {
        assert_eq!(ids.iter().filter(|id| **id == rule.id).count(), 1, "{}", rule.id);
        // Rules of the conformance catalogue keep the id that they have there.
        let own = rule.id.split('/').next() == Some(rule.layer.name());
        assert!(own || rule.covers.contains(&rule.id), "{}", rule.id);
        assert!(!rule.checks.is_empty(), "{} looks for nothing", rule.id);
        assert!(rule.escalates.is_none_or(|worse| worse > rule.severity), "{}", rule.id);
        for text in [rule.explanation, rule.advice] {
            assert!(text.ends_with('.') && !text.contains("  "), "{}: {text}", rule.id);
        }
        assert!(!rule.title.ends_with('.'), "{}", rule.id);
    }
}

#[test]
fn rules_are_selected_by_id_and_layer() {
    let select = |words: &[&str]| {
        let words: Vec<String> = words.iter().map(|word| word.to_string()).collect();
        rules::select(&words).map(|rules| rules.iter().map(|rule| rule.id).collect::<Vec<_>>())
    };
    assert_eq!(select(&["amf/truncated"]).unwrap(), ["amf/truncated"]);
    let layer = |id: &str| rules::find(id).map(|rule| rule.layer.name());
    assert!(select(&["chunk"]).unwrap().iter().all(|id| layer(id) == Some("chunk")));
    let without = select(&["-chunk/*"]).unwrap();
    assert!(without.contains(&"amf/truncated"));
    assert!(!without.contains(&"chunk/message-too-large"));
    assert!(
        !select(&["chunk", "-chunk/message-too-large"])
            .unwrap()
            .contains(&"chunk/message-too-large")
    );
    assert!(select(&["nothing/here"]).is_err());
    assert_eq!(select(&[]).unwrap().len(), rules::all().count());
}
