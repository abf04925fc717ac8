//! Tests: what the layout writes, the reader reads back.

use std::sync::Arc;

use super::layout::{Encoded, Escape, Fields, Part, TextWriter, TokenIds};
use super::read::Reader;
use super::vocab::Vocabulary;
use crate::check::types::Type;
use crate::ir::{Bound, Bounds, Cell, Form, Layout, Piece, Program, Role, Rows, Slot, SlotId};
use crate::runtime::{Memory, Pools};

struct Kitchen {
    program: Arc<Program>,
    vocabulary: Arc<Vocabulary>,
    memory: Memory,
}

/// A program without steps: its values are bound by hand.
fn kitchen(slots: &[(&str, Type)], prompt: Vec<Piece>, reply: Vec<Piece>) -> Kitchen {
    let slot = |(name, kind): &(&str, Type)| Slot {
        name: name.to_string(),
        kind: kind.clone(),
        role: Role::Output,
        shown: true,
        drawn: true,
        bound: Bound::Any,
    };
    let program = Arc::new(Program {
        name: "test".into(),
        level: String::new(),
        registers: Vec::new(),
        steps: Vec::new(),
        sample: 0..0,
        given: Vec::new(),
        rules: Vec::new(),
        slots: slots.iter().map(slot).collect(),
        streams: Vec::new(),
        texts: vec!["yes".into(), "not \"at\" all".into()],
        pools: vec!["vocab".into()],
        layout: Layout { system: None, prompt, reply },
        bounds: Bounds { words: 100, ..Bounds::default() },
    });
    let mut vocabulary = Vocabulary::new(["ada", "bob", "cy"]).expect("three words");
    let tokens = vocabulary.add_pools([]);
    let memory = Memory::new(&program, &Pools { tokens, words: vocabulary.shared() });
    Kitchen { program, vocabulary: Arc::new(vocabulary), memory }
}

fn literal(text: &str) -> Piece {
    Piece::Literal(text.to_string())
}

fn plain(slot: SlotId) -> Piece {
    Piece::Value(slot, Form::Plain)
}

fn rows(between: &str, cells: Vec<Cell>) -> Piece {
    Piece::Rows(Rows { between: between.to_string(), cells, nothing: None })
}

fn part(text: &str) -> Cell {
    Cell::Literal(text.to_string())
}

impl Kitchen {
    fn text(&self, part: Part) -> String {
        TextWriter::new(&self.program, self.vocabulary.clone(), Escape::None)
            .text(part, &self.memory)
    }

    fn read(&mut self, reply: &str) -> Result<(), String> {
        let reader = Reader::new(self.program.clone(), self.vocabulary.clone());
        reader.read(reply, &mut self.memory).map_err(|why| why.to_string())
    }

    fn narrow(&self, slot: SlotId) -> &[u32] {
        self.memory.narrow(self.memory.slot(slot))
    }

    fn bind_narrow(&mut self, slot: SlotId, symbols: &[u32]) {
        let list = self.memory.push_narrow(symbols).expect("room");
        self.memory.bind(slot, list);
    }

    fn bind_lists(&mut self, slot: SlotId, lists: &[&[u32]]) {
        let lists: Vec<i64> =
            lists.iter().map(|symbols| self.memory.push_narrow(symbols).expect("room")).collect();
        let list = self.memory.push_wide(&lists).expect("room");
        self.memory.bind(slot, list);
    }
}

#[test]
fn unknown_words_get_the_same_fresh_symbol_in_one_reply() {
    let reply = vec![literal("<"), plain(0), literal("> of "), plain(1)];
    let mut kitchen = kitchen(&[("xs", Type::Token.list()), ("y", Type::Token)], vec![], reply);
    kitchen.read(" <bob  new\n cy new other> of  other\n").expect("readable");
    assert_eq!(kitchen.narrow(0), [1, 3, 2, 3, 4]);
    assert_eq!(kitchen.memory.slot(1), 4);
}

#[test]
fn an_unreadable_reply_says_what_is_wrong() {
    let reply = vec![literal("n = "), plain(0), literal("; "), plain(1)];
    let mut kitchen = kitchen(&[("n", Type::Int), ("y", Type::Token)], vec![], reply);
    let mut why = |reply: &str| kitchen.read(reply).expect_err("unreadable");
    assert_eq!(why(""), "`n = ` is missing");
    assert_eq!(why("n = 5"), "`; ` is missing");
    assert_eq!(why("n = +5; bob"), "`n` must be an integer, and is `+5`");
    assert_eq!(why("n = 5; "), "`y` must be one word, and there is nothing");
    assert_eq!(why("n = 5; a b"), "`y` must be one word, and is `a b`");
    assert_eq!(
        why("n = 99999999999999999999; bob"),
        "`n` must be an integer, and is `99999999999999999999`"
    );
    let long = "word ".repeat(1000);
    assert_eq!(why(&long), "it has 1000 words, and a reply of up to 876 is read");
    kitchen.read("n = -5; bob").expect("readable");
    assert_eq!(kitchen.memory.slot(0), -5);
}

#[test]
fn text_and_truth_are_read_as_they_are_written() {
    let reply = vec![plain(0), literal(" | "), plain(1)];
    let mut kitchen = kitchen(&[("t", Type::Text), ("b", Type::Bool)], vec![], reply);
    kitchen.memory.bind(0, 1);
    kitchen.memory.bind(1, 1);
    assert_eq!(kitchen.text(Part::Reply), "not \"at\" all | true");
    kitchen.read("not \"at\" all | false").expect("readable");
    assert_eq!((kitchen.memory.slot(0), kitchen.memory.slot(1)), (1, 0));
    kitchen.read("maybe | true").expect("readable");
    assert_eq!((kitchen.memory.slot(0), kitchen.memory.slot(1)), (2, 1));
}

#[test]
fn every_form_of_a_list_is_read_back() {
    let own = || Cell::Column(0, Form::Plain);
    let keys = || Cell::Column(1, Form::Plain);
    let forms = [
        (Piece::Value(0, Form::Joined(", ".into())), "bob, ada, cy"),
        (rows("\n", vec![Cell::Number, part(". "), own()]), "1. bob\n2. ada\n3. cy"),
        (
            rows("\n", vec![keys(), part(" -> "), own()]),
            "yes -> bob\nnot \"at\" all -> ada\nyes -> cy",
        ),
        (
            rows("; ", vec![part("Say "), own(), part(" ("), keys(), part(") now")]),
            "Say bob (yes) now; Say ada (not \"at\" all) now; Say cy (yes) now",
        ),
    ];
    for (piece, text) in forms {
        let slots = [("xs", Type::Token.list()), ("labels", Type::Text.list())];
        let mut kitchen = kitchen(&slots, vec![], vec![piece]);
        kitchen.bind_narrow(1, &[0, 1, 0]);
        kitchen.bind_narrow(0, &[1, 0, 2]);
        assert_eq!(kitchen.text(Part::Reply), text);
        kitchen.bind_narrow(0, &[]);
        kitchen.bind_narrow(1, &[]);
        assert_eq!(kitchen.text(Part::Reply), "");
        kitchen.read(text).expect("readable");
        assert_eq!(kitchen.narrow(0), [1, 0, 2], "{text}");
        kitchen.read("").expect("readable");
        assert!(kitchen.narrow(0).is_empty());
    }
}

#[test]
fn a_list_of_lists_is_a_line_each() {
    let slots = [("xss", Type::Token.list().list()), ("labels", Type::Text.list())];
    let cells = |form| vec![Cell::Column(1, Form::Plain), part(". "), Cell::Column(0, form)];
    let joined = || Form::Joined(", ".into());
    let pieces = [plain(0), rows("\n", cells(Form::Plain)), rows("] [", cells(joined()))];
    for piece in pieces {
        let mut kitchen = kitchen(&slots, vec![], vec![piece]);
        kitchen.bind_narrow(1, &[0, 1, 0]);
        kitchen.bind_lists(0, &[&[0, 1], &[], &[2, 2, 2]]);
        let text = kitchen.text(Part::Reply);
        kitchen.bind_lists(0, &[]);
        kitchen.read(&text).expect("readable");
        let lists = kitchen.memory.wide(kitchen.memory.slot(0));
        let read: Vec<&[u32]> = lists.iter().map(|&list| kitchen.memory.narrow(list)).collect();
        let mut all = vec![&[0, 1][..], &[], &[2, 2, 2]];
        // A blank line says nothing: no template writes one, see E413.
        all.retain(|row| !row.is_empty() || !text.contains("\n\n"));
        assert_eq!(read, all, "{text:?}");
    }
}

#[test]
fn an_empty_first_value_is_read_back() {
    let reply = vec![plain(0), literal(" ; "), plain(1)];
    let slots = [("xs", Type::Token.list()), ("ys", Type::Token.list())];
    let mut kitchen = kitchen(&slots, vec![], reply);
    kitchen.bind_narrow(0, &[]);
    kitchen.bind_narrow(1, &[2]);
    let text = kitchen.text(Part::Reply);
    kitchen.bind_narrow(1, &[]);
    kitchen.read(&text).expect("readable");
    assert_eq!((kitchen.narrow(0), kitchen.narrow(1)), (&[][..], &[2][..]));
}

#[test]
fn ids_are_those_of_the_text_with_spaces_kept_before_words() {
    let prompt = vec![literal("Words: "), plain(0), literal(".\nOf "), plain(1), literal(":")];
    let slots = [("xs", Type::Token.list()), ("n", Type::Int)];
    let mut kitchen = kitchen(&slots, prompt, vec![plain(0)]);
    kitchen.bind_narrow(0, &[2, 0]);
    kitchen.memory.bind(1, 1234);
    // One id a byte, so that the ids are the text; with its mark for a space before a word.
    let tokenize = |text: &str| text.bytes().map(u32::from).collect();
    let ids = TokenIds::new(&kitchen.program, kitchen.vocabulary.clone(), Arc::new(tokenize));
    let mut encoded = Encoded::default();
    ids.encode(&kitchen.memory, &mut encoded).expect("ids");
    let bytes: Vec<u8> = encoded.ids.iter().map(|&id| id as u8).collect();
    assert_eq!(String::from_utf8_lossy(&bytes), "Words: cy ada.\nOf 1234: cy ada");
    assert_eq!(String::from_utf8_lossy(&bytes[encoded.reply()]), " cy ada");
    assert_eq!(encoded.mask().filter(|&counts| counts).count(), 7);
}

/// Words and single signs are ids; a space between two words is none.
fn word_by_word(text: &str) -> Vec<u32> {
    let mut pieces: Vec<String> = Vec::new();
    for character in text.chars() {
        match pieces.last_mut() {
            Some(last) if character.is_alphanumeric() && last.ends_with(char::is_alphanumeric) => {
                last.push(character);
            }
            _ => pieces.push(character.to_string()),
        }
    }
    let is_word = |at: usize| pieces.get(at).is_some_and(|p| p.ends_with(char::is_alphanumeric));
    let counts = |&at: &usize| !(at > 0 && pieces[at] == " " && is_word(at - 1) && is_word(at + 1));
    let id = |piece: &String| {
        piece.bytes().fold(0_u32, |id, byte| id.wrapping_mul(31) + u32::from(byte))
    };
    (0..pieces.len()).filter(counts).map(|at| id(&pieces[at])).collect()
}

#[test]
fn ids_of_pieces_are_the_ids_of_the_whole_text() {
    let pieces = ["Words of it: ", " and ", ", then (", ").\nOf ", "\n", " of: "];
    let prompt = pieces.iter().flat_map(|text| [literal(text), plain(0)]).chain([literal("\nA:")]);
    let slots = [("xs", Type::Token.list())];
    let mut kitchen = kitchen(&slots, prompt.collect(), vec![plain(0)]);
    kitchen.bind_narrow(0, &[2, 0, 1]);
    let tokenize = Arc::new(word_by_word);
    let ids = TokenIds::new(&kitchen.program, kitchen.vocabulary.clone(), tokenize);
    let mut encoded = Encoded::default();
    ids.encode(&kitchen.memory, &mut encoded).expect("ids");
    let text = format!("{} {}", kitchen.text(Part::Prompt), kitchen.text(Part::Reply));
    assert_eq!(encoded.ids, word_by_word(&text));
}

#[test]
fn fields_are_json_that_a_reader_takes_apart() {
    let slots = [
        ("xs", Type::Token.list()),
        ("xss", Type::Token.list().list()),
        ("t", Type::Text),
        ("ts", Type::Text.list()),
        ("r", Type::Real),
        ("b", Type::Bool),
    ];
    let mut kitchen = kitchen(&slots, vec![], vec![plain(0)]);
    kitchen.bind_narrow(0, &[0, 1]);
    kitchen.bind_lists(1, &[&[2], &[0, 0]]);
    kitchen.memory.bind(2, 1);
    kitchen.bind_narrow(3, &[0, 1]);
    kitchen.memory.bind(4, 1.0_f64.to_bits() as i64);
    kitchen.memory.bind(5, 1);
    let mut out = Vec::new();
    Fields::new(&kitchen.program, kitchen.vocabulary.clone()).write(&kitchen.memory, &mut out);
    let json: serde_json::Value = serde_json::from_slice(&out).expect("JSON");
    let wanted = serde_json::json!({
        "xs": "ada bob", "xss": ["cy", "ada ada"], "t": "not \"at\" all",
        "ts": ["yes", "not \"at\" all"], "r": 1.0, "b": true,
    });
    assert_eq!(json, wanted);
}

#[test]
fn fields_inside_a_json_text_are_the_same_fields() {
    let slots = [("xs", Type::Token.list()), ("t", Type::Text), ("same", Type::Token.list())];
    let mut kitchen = kitchen(&slots, vec![], vec![plain(0)]);
    // Long enough to be copied where it comes again.
    let long: Vec<u32> = (0..40).map(|at| at % 3).collect();
    kitchen.bind_narrow(0, &long);
    kitchen.memory.bind(1, 1);
    kitchen.memory.bind(2, kitchen.memory.slot(0));
    let (program, vocabulary) = (&kitchen.program, &kitchen.vocabulary);
    let mut plain = Vec::new();
    Fields::new(program, vocabulary.clone()).write(&kitchen.memory, &mut plain);
    let mut inside = b"\"".to_vec();
    Fields::in_json(program, vocabulary.clone()).write(&kitchen.memory, &mut inside);
    inside.push(b'"');
    let text: String = serde_json::from_slice(&inside).expect("a JSON text");
    assert_eq!(text.as_bytes(), plain);
    let json: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(json["same"], json["xs"]);
}

/// Replies of words alone take a way of their own.
#[test]
fn a_reply_of_words_alone_is_read_as_if_it_were_cut() {
    let words = Type::Token.list();
    let mut kitchen = kitchen(&[("words", words)], vec![], vec![plain(0)]);
    let reader = Reader::new(kitchen.program.clone(), kitchen.vocabulary.clone());
    let cutting = reader.clone().cutting();
    let parts = [
        "ada",
        "bob",
        "cy",
        "dan",
        "dan_2",
        "no,word",
        "né",
        "ada.",
        "",
        " ",
        "\n",
        "\t",
        "\r\n",
        "\u{b}",
        "\u{c}",
        "\u{1c}",
        "\u{85}",
        "\u{a0}",
        "\u{0}",
        "a-word-of-more-than-seven",
    ];
    let mut replies: Vec<String> = parts.iter().map(|part| part.to_string()).collect();
    for (at, one) in parts.iter().enumerate() {
        for other in parts {
            let last = parts[(at * 7 + other.len()) % parts.len()];
            replies.extend([[*one, other].concat(), [*one, " ", other, last].concat()]);
            replies.push(format!("{one} {other} ").repeat(40));
        }
    }
    // Too many words, and few words with much white space.
    replies.extend(["ada ".repeat(1000), format!("ada{}bob", " ".repeat(300_000))]);
    let mut has_failed = false;
    for reply in &replies {
        let mut read = |reader: &Reader| {
            let mark = kitchen.memory.mark();
            let read = reader.read(reply, &mut kitchen.memory);
            let list = read.map(|()| kitchen.narrow(0).to_vec());
            kitchen.bind_narrow(0, &[]);
            kitchen.memory.release(mark);
            list
        };
        let [alone, cut] = [&reader, &cutting].map(&mut read);
        has_failed |= alone.is_err();
        assert_eq!(alone, cut, "{reply:?}");
    }
    assert!(has_failed);
    kitchen.read(&replies[replies.len() - 1]).expect("two words");
    assert_eq!(kitchen.narrow(0), [0, 1]);
}
