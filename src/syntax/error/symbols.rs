//! Errors of symbols: missing, doubled, or brought along from another language.

use super::miss::Miss;
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::syntax::grammar::Rule;
use crate::syntax::tokens::Kind;

/// `x = 1;`
pub fn semicolon(miss: &Miss) -> Option<Diagnostic> {
    let place = miss.place();
    if miss.found_text() == ";" && !miss.open.is_empty() {
        // `[0; 3]` is a value and how often it comes.
        let error = Diagnostic::error("E133", "no `;` is between values", place, "not known here");
        return Some(error.help("write `,` between values, or `for i in 1..3: 0` to repeat one"));
    }
    (miss.found_text() == ";").then(|| {
        // Without it, a symbol or a bracket would go on with the value before.
        let goes_on = matches!(miss.kind(miss.found + 1), Some(Kind::Symbol | Kind::Open));
        Diagnostic::error("E133", "statements end without `;`", place, "not needed")
            .help("delete `;`")
            .fix(place, "")
            .sure_if(!goes_on)
    })
}

/// `a && b`, `x := 3`: what another language writes.
pub fn foreign(miss: &Miss) -> Option<Diagnostic> {
    let found = miss.found_text();
    if miss.kind(miss.found) != Some(Kind::Symbol) {
        return None;
    }
    if found == "/*" {
        return Some(block_comment(miss));
    }
    // `&` and `|` are of numbers and sets too, `<-` computes in R, and `=>` implies or compares.
    let is_sure = matches!(found, "&&" | "||" | "<>" | ":=");
    let (write, place) = match found {
        "&&" | "&" => ("and", miss.place()),
        "||" | "|" => ("or", miss.place()),
        "!" => ("not ", miss.place()),
        "<>" => ("!=", miss.place()),
        "++" => ("+", miss.place()),
        ":=" => ("=", miss.place()),
        "<" if miss.text(miss.found + 1) == "-" && miss.expects(Rule::tilde) => {
            ("~", miss.place().to(miss.tokens[miss.found + 1].span))
        }
        "=>" if miss.expects(Rule::arrow) => ("->", miss.place()),
        "=>" | "->" if miss.expects(Rule::colon) => (":", miss.place()),
        "=>" => (">=", miss.place()),
        _ => return foreign_without_twin(miss),
    };
    let title = format!("`{}` is no symbol of this language", miss.source.slice(place));
    let error = Diagnostic::error("E132", title, place, "unknown symbol");
    Some(error.help(format!("write `{}`", write.trim())).fix(place, write).sure_if(is_sure))
}

/// `/* text */`
fn block_comment(miss: &Miss) -> Diagnostic {
    let start = miss.place().start;
    let title = "`/*` is no symbol of this language";
    let error = Diagnostic::error("E132", title, miss.place(), "a comment begins with `//`");
    let line = miss.source.text[start..].lines().next().unwrap_or("");
    match line.find("*/") {
        // What follows it on its line goes on with what is before.
        Some(end) => {
            let whole = Span::new(start, start + end + 2);
            let error = error.help("delete the comment, or write it after `//` above");
            let joins = line[end + 2..].starts_with(|letter: char| letter.is_alphanumeric());
            error.fix(whole, if joins { " " } else { "" }).sure()
        }
        None => error.help("write `//` before each line of the comment"),
    }
}

fn foreign_without_twin(miss: &Miss) -> Option<Diagnostic> {
    if let Some(product) = power(miss) {
        return Some(product);
    }
    let help = match miss.found_text() {
        "|>" => "write the call around its value: `f(x)`",
        "**" | "^" => "write the product: `x * x`",
        "+=" | "-=" | "*=" | "/=" => "give the new value a name of its own: `next = value + 1`",
        "?" => "write `if … then … else …`",
        "@" | "$" | "\\" | "*/" => "delete this symbol",
        _ => return None,
    };
    let title = format!("`{}` is no symbol of this language", miss.found_text());
    Some(Diagnostic::error("E132", title, miss.place(), "unknown symbol").help(help))
}

/// `xs[size(xs) // 2]`: a comment that takes the end of a bracket along.
pub fn divided(miss: &Miss) -> Option<Diagnostic> {
    let is_bracket = |&&open: &&usize| matches!(miss.text(open), "(" | "[");
    let open = miss.span(*miss.open.iter().rev().find(is_bracket)?).end;
    let line = miss.source.text[open..].lines().next().unwrap_or("");
    let at = line.find("//").filter(|&at| line[..at].matches('"').count().is_multiple_of(2))?;
    let count = |brackets: [char; 2]| line[at..].matches(brackets).count();
    if at == 0 || line[..at].trim().is_empty() || count([')', ']']) <= count(['(', '[']) {
        return None;
    }
    let symbol = Span::new(open + at, open + at + 2);
    let error = Diagnostic::error("E132", "`//` begins a comment", symbol, "no division");
    Some(error.help("write `/`: of two Ints it rounds down").fix(symbol, "/"))
}

/// `x ** 2`, `x ^ 3`
fn power(miss: &Miss) -> Option<Diagnostic> {
    let symbol = miss.found_text();
    let times: usize = miss.text(miss.found + 1).parse().ok().filter(|n| (2..=4).contains(n))?;
    let before = miss.found.checked_sub(1)?;
    let is_one = matches!(miss.kind(before), Some(Kind::Word | Kind::Number))
        && before.checked_sub(1).is_none_or(|other| miss.text(other) != ".");
    if !matches!(symbol, "**" | "^") || !is_one {
        return None;
    }
    let product = vec![miss.text(before); times].join(" * ");
    let whole = miss.before().to(miss.tokens[miss.found + 1].span);
    let title = format!("`{symbol}` is no symbol of this language");
    let error = Diagnostic::error("E132", title, miss.place(), "unknown symbol");
    Some(error.help(format!("write `{product}`")).fix(whole, product))
}

/// `xs[0]`
pub fn indexed(miss: &Miss) -> Option<Diagnostic> {
    let touches = miss.place().start == miss.after().end;
    if miss.found_text() != "[" || !miss.follows_value() || !touches {
        return None;
    }
    let close = closing(miss, miss.found);
    let error =
        Diagnostic::error("E134", "an element is taken with `at`", miss.place(), "an index");
    let is_name = miss.kind(miss.found.wrapping_sub(1)) == Some(Kind::Word);
    let Some(close) = close.filter(|_| is_name) else {
        return Some(error.help("write `at(0, xs)`"));
    };
    let inside = Span::new(miss.place().end, miss.tokens[close].span.start);
    let call = format!("at({}, {})", miss.source.slice(inside).trim(), miss.before_text());
    Some(error.help(format!("write `{call}`")).fix(miss.before().to(miss.tokens[close].span), call))
}

/// The bracket that closes this one.
fn closing(miss: &Miss, open: usize) -> Option<usize> {
    let mut depth = 0;
    (open..miss.tokens.len()).find(|&at| {
        depth += i32::from(miss.kind(at) == Some(Kind::Open));
        depth -= i32::from(miss.kind(at) == Some(Kind::Close));
        depth == 0
    })
}

/// `xs.size()`
pub fn method(miss: &Miss) -> Option<Diagnostic> {
    let at = miss.found.checked_sub(3)?;
    if miss.found_text() != "(" || miss.text(at + 1) != "." {
        return None;
    }
    let (owner, name) = (miss.text(at), miss.text(at + 2));
    let place = miss.tokens[at + 1].span.to(miss.place());
    let error = Diagnostic::error("E135", "there are no methods", place, "called with a dot");
    if miss.text(miss.found + 1) != ")" {
        let write = |given: &str| format!("write `{name}({given}, {owner})`: the list comes last");
        let Some(close) = closing(miss, miss.found) else { return Some(error.help(write("…"))) };
        let given = Span::new(miss.place().end, miss.tokens[close].span.start);
        let error = error.help(write(miss.source.slice(given).trim()));
        let end = miss.tokens[close].span.start;
        let owner_and_dot = Span::new(miss.tokens[at].span.start, miss.tokens[at + 2].span.start);
        return Some(error.fix(owner_and_dot, "").fix(Span::new(end, end), format!(", {owner}")));
    }
    let call = format!("{name}({owner})");
    let whole = miss.tokens[at].span.to(miss.tokens[miss.found + 1].span);
    Some(error.help(format!("write `{call}`")).fix(whole, call))
}

/// `x == 3` as a statement, `fold total == 0 …`
pub fn double_equals(miss: &Miss) -> Option<Diagnostic> {
    let place = miss.place();
    (miss.found_text() == "==" && miss.expects(Rule::equals)).then(|| {
        Diagnostic::error("E127", "`==` compares, `=` binds", place, "`=` was expected here")
            .help("write `=`")
            .fix(place, "=")
            // A statement may be a rule without its head.
            .sure_if(!miss.expects(Rule::tilde))
    })
}

/// `a =< b`, `a =! b`
pub fn turned_sign(miss: &Miss) -> Option<Diagnostic> {
    let (symbol, next) = (miss.found_text(), miss.text(miss.found + 1));
    let written = match (symbol, next) {
        ("=", "<") => "<=",
        ("=", "!") => "!=",
        _ => return None,
    };
    if !miss.follows_value() || !miss.touches(miss.found + 1) {
        return None;
    }
    let place = miss.place().to(miss.span(miss.found + 1));
    let title = format!("`{symbol}{next}` is no symbol of this language");
    let error = Diagnostic::error("E132", title, place, "unknown symbol");
    Some(error.help(format!("write `{written}`")).fix(place, written))
}

/// `rule best: a = b`
pub fn single_equals(miss: &Miss) -> Option<Diagnostic> {
    let place = miss.place();
    (miss.found_text() == "=" && miss.follows_value()).then(|| {
        Diagnostic::error("E127", "`=` binds, `==` compares", place, "`==` was expected here")
            .help("write `==`")
            .fix(place, "==")
            // `x = y = 3` binds both in other languages.
            .sure_if(miss.text(miss.statement()) == "rule" && miss.open.is_empty())
    })
}

/// `level easy length = 64`, `rule verbatim = …`, `all x in xs x > 1`
pub fn colon_missing(miss: &Miss) -> Option<Diagnostic> {
    if !miss.expects(Rule::colon) || miss.kind(miss.found) == Some(Kind::Close) {
        return None;
    }
    let before = miss.before_text();
    let first = miss.text(miss.statement());
    let after = match miss.text(miss.found.saturating_sub(2)) {
        "level" => format!("after the name of the level `{before}`"),
        "rule" => format!("after the name of the rule `{before}`"),
        "use" => format!("after the name of the module `{before}`"),
        _ if first == "fn" && !miss.follows_value() => format!("after `{before}`, before its type"),
        _ if keeps(miss) => "after the condition of the loop".to_string(),
        _ => "after the list that the loop runs over".to_string(),
    };
    let error = |place| {
        Diagnostic::error("E125", "a colon is missing", place, format!("`:` was expected {after}"))
    };
    if matches!(miss.found_text(), "=" | "~") {
        let symbol = Span::new(miss.after().end, miss.place().end);
        return Some(error(miss.place()).help("write `:`").fix(symbol, ":").sure());
    }
    let (found, place) = (miss.found_text(), miss.place());
    if miss.expects(Rule::kw_where) && matches!(found, "if" | "when") {
        let title = format!("a loop passes over elements with `where`, not with `{found}`");
        let error = Diagnostic::error("E125", title, place, "`:` or `where` was expected here");
        return Some(error.help("write `where`").fix(place, "where").sure());
    }
    Some(error(miss.after()).help(format!("write `{before}:`")).fix(miss.after(), ":").sure())
}

/// Is it the head of a loop that has its `where` already?
fn keeps(miss: &Miss) -> bool {
    let in_loop = |word: &&str| !matches!(*word, "all" | "any" | "count" | "for" | "over");
    let words = (0..miss.found).rev().map(|at| miss.text(at));
    words.take_while(in_loop).any(|word| word == "where")
}

/// `level hard: length 400`, `words names "names.txt"`, `fold total over …`
pub fn equals_missing(miss: &Miss) -> Option<Diagnostic> {
    if !miss.expects(Rule::equals) || miss.expects(Rule::tilde) || miss.follows_value() {
        return None;
    }
    let before = miss.before_text();
    let error = Diagnostic::error(
        "E126",
        "`=` is missing",
        miss.after(),
        format!("`=` and a value were expected after `{before}`"),
    );
    if matches!(miss.found_text(), ":" | "~") {
        return Some(error.help("write `=`").fix(miss.place(), "=").sure());
    }
    let error = error.help(format!("write `{before} = …`"));
    Some(match miss.begins_value(miss.found) {
        true => error.fix(miss.after(), " =").sure(),
        false => error,
    })
}

/// `1,000`, `5.`, `50%`
pub fn number_form(miss: &Miss) -> Option<Diagnostic> {
    let (at, symbol) = (miss.found, miss.found_text());
    let percent =
        at.checked_sub(1).filter(|&before| miss.text(before) == "%" && miss.touches(before));
    let sign_at = percent.unwrap_or(at);
    let number = sign_at.checked_sub(1).filter(|&at| miss.kind(at) == Some(Kind::Number))?;
    let text = miss.text(number);
    let (written, end) = match (percent, symbol) {
        (Some(_), _) => (format!("{}", text.parse::<f64>().ok()? / 100.0), sign_at),
        (_, ".") if miss.touches(at) => (format!("{text}.0"), at),
        (_, ",") if miss.open.is_empty() => {
            let is_group = |at: &usize| {
                miss.text(*at) == ","
                    && miss.touches(at + 1)
                    && miss.kind(at + 1) == Some(Kind::Number)
                    && miss.text(at + 1).len() == 3
            };
            let groups: Vec<usize> =
                (at..miss.tokens.len()).step_by(2).take_while(is_group).collect();
            let digits: String = groups.iter().map(|at| miss.text(at + 1)).collect();
            (format!("{text}{digits}"), groups.last()? + 1)
        }
        _ => return None,
    };
    let place = miss.span(number).to(miss.span(end));
    let error = Diagnostic::error("E112", "not a number", place, "digits, and at most one point");
    Some(error.help(format!("write `{written}`")).fix(place, written))
}

/// `.5`
pub fn dot_number(miss: &Miss) -> Option<Diagnostic> {
    let number = miss.found + 1;
    if miss.found_text() != "." || !miss.expects_value() || miss.kind(number) != Some(Kind::Number)
    {
        return None;
    }
    let whole = format!("0.{}", miss.text(number));
    let place = miss.place().to(miss.tokens[number].span);
    Some(
        Diagnostic::error("E112", "not a number", place, "a digit was expected before `.`")
            .help(format!("write `{whole}`"))
            .fix(place, whole)
            .sure(),
    )
}
