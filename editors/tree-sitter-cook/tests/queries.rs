//! The queries fit the grammar, and colour each kind of thing as it is meant to be.

use tree_sitter::{Parser, Query, QueryCursor, StreamingIterator};

const TEMPLATE: &str = r#"
/// Documentation.
use tokens: overlap
use template copy
param length in 2..8 = 4 // why four
level hard: length = 8
words ~ distinct(length, vocab)
part  ~ copy(level deep, length = 2)
same  = part.prompt
total = fold sum = 0 over x in words: sum + size([x])
rule right: not part.answer == "a {{" and 2 < 1
fn half(n: Int) ~> Int { return n / 2 }
reply "so {words}"
"#;

/// The first or the last capture of each place: its text and its name.
fn captures(query: &str, first: bool) -> Vec<(String, String)> {
    let language = tree_sitter_cook::LANGUAGE.into();
    let mut parser = Parser::new();
    parser.set_language(&language).expect("this version is known");
    let tree = parser.parse(TEMPLATE, None).expect("a language is set");
    assert!(!tree.root_node().has_error(), "{}", tree.root_node().to_sexp());
    let query = Query::new(&language, query).expect("the query fits the grammar");
    let mut cursor = QueryCursor::new();
    let mut found = cursor.captures(&query, tree.root_node(), TEMPLATE.as_bytes());
    let mut places = std::collections::BTreeMap::new();
    while let Some((matched, index)) = found.next() {
        let capture = matched.captures()[*index];
        let pattern = matched.pattern_index;
        let name = query.capture_names()[capture.index as usize].to_string();
        let place = places.entry(capture.node.byte_range().start).or_insert_with(Vec::new);
        place.push((pattern, name, TEMPLATE[capture.node.byte_range()].to_string()));
    }
    let chosen = |mut place: Vec<(usize, String, String)>| {
        place.sort();
        let (_, name, text) = place.swap_remove(if first { 0 } else { place.len() - 1 });
        (text, name)
    };
    places.into_values().map(chosen).collect()
}

#[test]
fn each_kind_of_thing_has_its_colour() {
    let found = captures(tree_sitter_cook::HIGHLIGHTS_QUERY, false);
    for (text, colour) in [
        ("/// Documentation.", "comment.documentation"),
        ("// why four", "comment"),
        ("use", "keyword"),
        ("tokens", "module"),
        ("overlap", "function"),
        ("template", "keyword"),
        ("copy", "function"),
        ("length", "variable.parameter"),
        ("hard", "label"),
        ("words", "variable"),
        ("~", "keyword.operator"),
        ("distinct", "function.call"),
        ("vocab", "variable.builtin"),
        ("length", "property"),
        ("fold", "keyword.repeat"),
        ("sum", "variable"),
        ("answer", "property"),
        ("prompt", "property"),
        ("deep", "label"),
        ("\"a {{\"", "string"),
        ("{{", "string.escape"),
        ("half", "function"),
        ("Int", "type"),
        ("~>", "operator"),
        ("return", "keyword.function"),
        ("reply", "keyword"),
        ("{", "punctuation.special"),
    ] {
        let shown = (text.to_string(), colour.to_string());
        assert!(found.contains(&shown), "{text} is {colour}: {found:#?}");
    }
}

#[test]
fn every_binding_is_a_definition_and_every_other_name_a_reference() {
    let found = captures(tree_sitter_cook::LOCALS_QUERY, true);
    let count = |name: &str, kind: &str| {
        found.iter().filter(|(text, found)| text == name && found == kind).count()
    };
    assert_eq!(count("sum", "local.definition"), 1);
    assert_eq!(count("sum", "local.reference"), 1);
    assert_eq!(count("n", "local.definition"), 1);
    assert_eq!(count("part", "local.definition"), 1);
}
