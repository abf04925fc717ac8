//! What a name is, in words: for hover, completion and signature help.

use super::analysis::Analysis;
use crate::check::index::{Definition, Named};
use crate::check::typed::{Function, Role, Template};
use crate::syntax;
use crate::syntax::ast::{Statement, StatementKind};

/// The words that begin a statement or build an expression: what each means, and what to write.
pub const KEYWORDS: [(&str, &str, &str); 27] = [
    ("param", "A number that the user may set.", "param ${1:length} in ${2:1..8} = ${3:4}"),
    ("level", "A named difficulty: parameters that it sets.", "level ${1:hard}: ${2:length} = $3"),
    ("rule", "What must hold between the shown values.", "rule ${1:name}: $0"),
    ("prompt", "What the model reads.", "prompt \"\"\"\n  $0\n  \"\"\""),
    ("reply", "What the model writes.", "reply \"{${1:answer}}\""),
    ("system", "What goes before the prompt.", "system \"$0\""),
    ("fn", "A function.", "fn ${1:name}(${2:xs: [Token]}) -> ${3:Int} = $0"),
    ("use", "Functions of a module.", "use ${1:tokens}: $0"),
    ("words", "A pool of words from a file.", "words ${1:names} = \"${2:names.txt}\""),
    ("return", "What a function's block returns.", "return $0"),
    ("if", "One of two values.", "if $1 then $2 else $0"),
    ("then", "The value if it is so.", "then "),
    ("else", "The value if it is not so.", "else "),
    ("and", "Both hold.", "and "),
    ("or", "One of both holds.", "or "),
    ("not", "It does not hold.", "not "),
    ("in", "Is it an element of the list?", "in "),
    ("within", "Is it a contiguous sublist of the list?", "within "),
    ("all", "Does it hold for all?", "all ${1:x} in ${2:xs}: $0"),
    ("any", "Does it hold for any?", "any ${1:x} in ${2:xs}: $0"),
    ("count", "For how many does it hold?", "count ${1:x} in ${2:xs}: $0"),
    ("for", "The list of what it evaluates to for each.", "for ${1:x} in ${2:xs}: $0"),
    (
        "fold",
        "One value, made step by step.",
        "fold ${1:total} = ${2:0} over ${3:x} in ${4:xs}: $0",
    ),
    ("over", "What a fold runs over.", "over "),
    ("where", "Only those elements for which it holds.", "where "),
    ("true", "It holds.", "true"),
    ("false", "It does not hold.", "false"),
];

/// How many of [`KEYWORDS`] begin a statement; the others stand in expressions.
pub const STATEMENTS: usize = 9;

/// The sampler that takes a sampler. No signature can say that, so it is no function.
pub const REPEAT: (&str, &str) =
    ("fn repeat(n: Int, sampler) ~> [T]", "What `sampler` draws, `n` times.");

/// `fn take(n: Int, xs: [T]) -> [T]`, and where each parameter is in it.
pub fn signature(function: &Function) -> (String, Vec<[u32; 2]>) {
    let mut text = format!("fn {}(", function.name);
    let mut places = Vec::new();
    for (name, ty) in function.param_names.iter().zip(&function.params) {
        if !places.is_empty() {
            text += ", ";
        }
        let start = text.len();
        text += &format!("{name}: {ty}");
        places.push([start as u32, text.len() as u32]);
    }
    let arrow = if function.draws { "~>" } else { "->" };
    text += &format!(") {arrow} {}", function.result);
    (text, places)
}

/// `copy_first(length: Int, quote: Int)`, and where each parameter is in it.
pub fn template(name: &str, template: &Template) -> (String, Vec<[u32; 2]>) {
    let params = template.params.iter().filter(|param| !param.name.contains('.'));
    let (mut text, mut places) = (format!("{name}("), Vec::new());
    for param in params {
        if !places.is_empty() {
            text += ", ";
        }
        let start = text.len();
        text += &format!("{}: {}", param.name, param.kind);
        places.push([start as u32, text.len() as u32]);
    }
    (text + ")", places)
}

/// The line of code that introduces a name.
pub fn headline(analysis: &Analysis, definition: &Definition) -> String {
    let (name, ty) = (&definition.name, &definition.ty);
    match &definition.kind {
        Named::Function(function) => signature(function).0,
        Named::Param | Named::Level | Named::Rule | Named::Part => statement(analysis, definition),
        Named::Pool if definition.name == "vocab" => format!("vocab: {ty}"),
        Named::Pool => statement(analysis, definition),
        Named::Module => format!("use {name}"),
        Named::Value(..) | Named::Inner | Named::Argument => format!("{name}: {ty}"),
    }
}

/// What a name is, as markdown.
pub fn markdown(analysis: &Analysis, definition: &Definition) -> String {
    let mut text = format!("```cook\n{}\n```\n", headline(analysis, definition));
    if let Some(part) = part(definition) {
        text += &format!("\n{part}\n");
    }
    if let Some(sizes) = sizes(analysis, definition) {
        text += &format!("\n{sizes}\n");
    }
    let docs = match (&definition.kind, &definition.home) {
        (Named::Module, Some(home)) => crate::syntax::parse(home).0.docs,
        _ => definition.docs.clone(),
    };
    if !docs.is_empty() {
        text += &format!("\n{}\n", docs.join("\n"));
    }
    text
}

/// The role that are inferred.
pub fn role(role: Role, shown: bool) -> &'static str {
    match (role, shown) {
        (Role::Output, _) => "output",
        (Role::Parent, true) => "parent",
        (Role::Parent, false) => "parent, hidden",
        (Role::Child, true) => "child",
        (Role::Child, false) => "child, hidden",
    }
}

/// The role of a value, and the file that it is from.
fn part(definition: &Definition) -> Option<String> {
    let role = match definition.kind {
        Named::Value(Role::Output, _) => "output: the reply shows it",
        Named::Value(Role::Parent, true) => "parent: drawn from no other value",
        Named::Value(Role::Parent, false) => {
            "parent: drawn from no other value; hidden: shown nowhere"
        }
        Named::Value(Role::Child, true) => "child: made from other values",
        Named::Value(Role::Child, false) => "child: made from other values; hidden: shown nowhere",
        _ => "",
    };
    let home = match (&definition.kind, &definition.home) {
        (Named::Module, _) | (_, None) => String::new(),
        (_, Some(home)) if &*home.name == "std:builtin" => String::new(),
        (_, Some(home)) => format!("from `{}`", home.name),
    };
    match (role, home.as_str()) {
        ("", "") => None,
        (one, "") | ("", one) => Some(one.to_string()),
        (role, home) => Some(format!("{role}; {home}")),
    }
}

/// The bound of a value: one for all levels, or one a level.
fn sizes(analysis: &Analysis, definition: &Definition) -> Option<String> {
    let (Named::Value(..), None) = (&definition.kind, &definition.home) else { return None };
    let levels = analysis.levels()?.bounds.iter();
    let known = levels.filter_map(|(level, all)| Some((level, all.get(&definition.name)?)));
    let known: Vec<(&String, &String)> = known.collect();
    let (_, first) = known.first()?;
    if known.iter().all(|(_, bound)| bound == first) {
        return Some(first.to_string());
    }
    let lines = known.iter().map(|(level, bound)| format!("- {level}: {bound}"));
    Some(lines.collect::<Vec<_>>().join("\n"))
}

/// The statement that binds a name, as written in its own file.
fn statement(analysis: &Analysis, definition: &Definition) -> String {
    let source = definition.home.as_ref().unwrap_or(analysis.source());
    let parsed = definition.home.as_ref().map(|home| syntax::parse(home).0);
    let file = parsed.as_ref().unwrap_or(&analysis.file);
    let place = definition.span;
    let holds = |it: &&Statement| it.span.start <= place.start && place.end <= it.span.end;
    match file.statements.iter().find(holds) {
        Some(it) if !matches!(it.kind, StatementKind::Function(_)) => source.slice(it.span).into(),
        _ => definition.name.clone(),
    }
}
