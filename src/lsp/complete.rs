//! What could be written at the cursor.

use std::path::Path;

use lsp_types::{
    CompletionItem, CompletionItemKind, Documentation, InsertTextFormat, MarkupContent, MarkupKind,
};

use super::analysis::Analysis;
use super::context::Context;
use super::describe::{self, KEYWORDS, REPEAT, STATEMENTS};
use super::server::Server;
use crate::check;
use crate::check::index::{Definition, Named};
use crate::check::typed::{Function, Template};
use crate::source::Source;
use crate::{stdlib, syntax};

/// The types that a signature may name.
const TYPES: [&str; 5] = ["Int", "Real", "Bool", "Text", "Token"];

/// The items for a byte, those that fit best first.
pub fn complete(server: &Server, analysis: &Analysis, byte: usize) -> Vec<CompletionItem> {
    let Some(context) = Context::at(analysis, byte) else { return Vec::new() };
    let drawn = drawn(analysis, &context);
    let mut items = match (context.token(0), context.before(1)) {
        _ if context.begins_line() => keywords(server, true),
        (_, ".") => of_part(analysis, context.before(2)),
        (_, "level") if drawn.is_some() => drawn.map(levels_of).unwrap_or_default(),
        (_, "(" | ",") if drawn.is_some() => drawn.map(params_of).unwrap_or_default(),
        ("use", "use") => modules(server, analysis),
        ("use", "template") => templates(server, analysis),
        ("use", ":" | ",") => of_module(server, analysis, context.token(1)),
        ("use" | "words", _) | (_, "param" | "level" | "rule" | "fn") => Vec::new(),
        ("level", ":" | ",") if context.call().is_none() => params(analysis),
        ("fn", ":" | "->" | "~>" | "[") if !has_body(&context) => types(),
        _ => expression(server, analysis, &context),
    };
    for (at, item) in items.iter_mut().enumerate() {
        item.sort_text = Some(format!("{at:04}"));
    }
    items
}

fn has_body(context: &Context) -> bool {
    (0..context.end - context.first).any(|at| matches!(context.token(at), "=" | "{"))
}

/// The template whose values are being given: `copy_first(` or `copy_first(length = 10, `.
fn drawn<'a>(analysis: &'a Analysis, context: &Context) -> Option<&'a Template> {
    let (name, _) = context.call()?;
    let taken = analysis.survey.index.templates.get(analysis.token(name))?;
    Some(&taken.template)
}

/// What is after `part.`
fn of_part(analysis: &Analysis, part: &str) -> Vec<CompletionItem> {
    let index = &analysis.survey.index;
    let taken = index.parts.get(part).and_then(|template| index.templates.get(template));
    let Some(template) = taken.map(|taken| &taken.template) else { return Vec::new() };
    let values = template.bindings.iter().map(|binding| {
        let local = &template.locals[binding.local];
        let docs = binding.docs.join("\n");
        item(&local.name, CompletionItemKind::VARIABLE, local.kind.to_string(), docs)
    });
    let text =
        |word: &&str| item(word, CompletionItemKind::TEXT, format!("its {word}"), String::new());
    values.chain(["prompt", "reply"].iter().map(text)).chain(params_named(template)).collect()
}

fn levels_of(template: &Template) -> Vec<CompletionItem> {
    let level =
        |name: &str| item(name, CompletionItemKind::ENUM_MEMBER, String::new(), String::new());
    template.levels.iter().map(|it| level(&it.name)).collect()
}

fn params_of(template: &Template) -> Vec<CompletionItem> {
    let mut items: Vec<CompletionItem> = params_named(template).collect();
    for item in &mut items {
        item.insert_text = Some(format!("{} = ", item.label));
    }
    if !template.levels.is_empty() {
        let docs = "One of its levels.".to_string();
        items.push(item("level", CompletionItemKind::KEYWORD, docs, String::new()));
    }
    items
}

/// The parameters of a template, without those of its own parts.
fn params_named(template: &Template) -> impl Iterator<Item = CompletionItem> {
    let params = template.params.iter().filter(|param| !param.name.contains('.'));
    params.map(|param| {
        let docs = param.docs.join("\n");
        item(&param.name, CompletionItemKind::CONSTANT, param.kind.to_string(), docs)
    })
}

/// Names of the statement, of the file and of the language, in this order.
fn expression(server: &Server, analysis: &Analysis, context: &Context) -> Vec<CompletionItem> {
    let own = context.bound();
    let index = &analysis.survey.index;
    let mut items: Vec<CompletionItem> = own.iter().map(|name| inner(name)).collect();
    let is_function = context.token(0) == "fn";
    let statement = analysis.tokens.get(context.first).map_or(0, |token| token.span.start);
    let seen = |definition: &&Definition| match definition.kind {
        Named::Value(..) => definition.span.start < statement && !is_function,
        Named::Param => !is_function,
        Named::Part => definition.span.start < statement && !is_function,
        Named::Pool => true,
        _ => false,
    };
    let known = index.definitions.iter().filter(|it| it.home.is_none()).filter(seen);
    let known: Vec<&Definition> = known.filter(|it| !own.contains(&it.name)).collect();
    // What was bound last is used next, most often.
    items.extend(known.iter().rev().map(|definition| value(analysis, definition)));
    items.extend(bound_in_faulty_lines(analysis, statement, &known).filter(|_| !is_function));
    let may_draw = context.may_draw() && !context.in_hole();
    let mut functions: Vec<&Function> = index.functions.values().map(|it| &**it).collect();
    functions.retain(|function| may_draw || !function.draws);
    functions.sort_by_key(|function| !function.draws);
    items.extend(functions.into_iter().map(|it| function(server, it)));
    if may_draw {
        items.extend(index.templates.iter().map(|(name, taken)| {
            let detail = describe::template(name, &taken.template).0;
            let docs = taken.template.docs.join("\n");
            let item = item(name, CompletionItemKind::MODULE, detail, docs);
            snippet(server, item, &format!("{name}($1)"))
        }));
        let (detail, docs) = (REPEAT.0.to_string(), REPEAT.1.to_string());
        let item = item("repeat", CompletionItemKind::FUNCTION, detail, docs);
        items.push(snippet(server, item, "repeat(${1:n}, ${2:sampler})"));
    }
    items.extend(keywords(server, false));
    items
}

/// The names that begin a line above, which an error keeps from being known.
fn bound_in_faulty_lines<'a>(
    analysis: &'a Analysis,
    before: usize,
    known: &'a [&Definition],
) -> impl Iterator<Item = CompletionItem> + 'a {
    let tokens = analysis.tokens.windows(2).filter(move |pair| {
        let [name, symbol] = pair else { return false };
        let start = name.span.start;
        start < before
            && analysis.text.line_start(start) == start
            && matches!(analysis.source().slice(symbol.span), "~" | "=")
    });
    let names = tokens.map(|pair| analysis.source().slice(pair[0].span));
    names.filter(|name| !known.iter().any(|it| it.name == **name)).map(inner)
}

fn value(analysis: &Analysis, definition: &Definition) -> CompletionItem {
    let kind = match definition.kind {
        Named::Param | Named::Pool => CompletionItemKind::CONSTANT,
        _ => CompletionItemKind::VARIABLE,
    };
    let detail = match definition.kind {
        Named::Param | Named::Part => describe::headline(analysis, definition),
        _ => definition.ty.to_string(),
    };
    item(&definition.name, kind, detail, definition.docs.join("\n"))
}

fn inner(name: &str) -> CompletionItem {
    item(name, CompletionItemKind::VARIABLE, String::new(), String::new())
}

fn function(server: &Server, function: &Function) -> CompletionItem {
    let (label, docs) = (describe::signature(function).0, function.docs.join("\n"));
    let item = item(&function.name, CompletionItemKind::FUNCTION, label, docs);
    let places = function.param_names.iter().enumerate();
    let places: Vec<String> = places.map(|(at, name)| format!("${{{}:{name}}}", at + 1)).collect();
    let text = format!("{}({})", function.name, places.join(", "));
    snippet(server, item, &text)
}

/// The words that begin a statement, or those that stand in expressions.
fn keywords(server: &Server, statements: bool) -> Vec<CompletionItem> {
    let words = if statements { &KEYWORDS[..STATEMENTS] } else { &KEYWORDS[STATEMENTS..] };
    let keyword = |(word, meaning, text): &(&str, &str, &str)| {
        let item = item(word, CompletionItemKind::KEYWORD, meaning.to_string(), String::new());
        snippet(server, item, text)
    };
    words.iter().map(keyword).collect()
}

fn params(analysis: &Analysis) -> Vec<CompletionItem> {
    let definitions = analysis.survey.index.definitions.iter();
    let params = definitions.filter(|it| matches!(it.kind, Named::Param));
    params.map(|definition| value(analysis, definition)).collect()
}

fn types() -> Vec<CompletionItem> {
    let kind = CompletionItemKind::STRUCT;
    TYPES.iter().map(|name| item(name, kind, String::new(), String::new())).collect()
}

fn modules(server: &Server, analysis: &Analysis) -> Vec<CompletionItem> {
    let built_in = stdlib::MODULES.iter().map(|(name, text)| Source::new(name, *text));
    let beside = neighbours(server, analysis).into_iter().filter(|source| !is_template(source));
    let mut items: Vec<CompletionItem> = built_in.chain(beside).map(|it| file(&it)).collect();
    items.push(item("template", CompletionItemKind::KEYWORD, String::new(), String::new()));
    items
}

fn templates(server: &Server, analysis: &Analysis) -> Vec<CompletionItem> {
    let built_in = stdlib::TEMPLATES.iter().map(|(name, text)| Source::new(name, *text));
    let beside = neighbours(server, analysis).into_iter().filter(is_template);
    beside.chain(built_in).map(|source| file(&source)).collect()
}

/// Has a file a prompt? It is not parsed for that: there may be many, and a letter is typed.
fn is_template(source: &Source) -> bool {
    source.text.lines().any(|line| line.starts_with("prompt "))
}

/// The functions of a module.
fn of_module(server: &Server, analysis: &Analysis, module: &str) -> Vec<CompletionItem> {
    let beside = || {
        let path = format!("{module}.cook");
        Some(Source::new(&path, server.read(&analysis.uri, &path).ok()?))
    };
    let Some(source) = stdlib::module(module).or_else(beside) else { return Vec::new() };
    let (file, _) = syntax::parse(&source);
    let survey = check::survey(&file, &source, &|_| Err("not looked at".into()));
    let own = survey.index.definitions.iter().filter_map(|definition| match &definition.kind {
        Named::Function(function) if definition.home.is_none() => Some(function),
        _ => None,
    });
    // A `use` names functions without calling them.
    own.map(|it| CompletionItem {
        insert_text: None,
        insert_text_format: None,
        ..function(server, it)
    })
    .collect()
}

/// The other `.cook` files of the document's folder.
fn neighbours(server: &Server, analysis: &Analysis) -> Vec<Source> {
    let Some(folder) = server.folder(&analysis.uri) else { return Vec::new() };
    let own = super::place::path(&analysis.uri);
    let paths =
        (server.outside.list)(&folder).into_iter().filter(|path| Some(path) != own.as_ref());
    let read = |path: std::path::PathBuf| {
        let text = server.read(&analysis.uri, path.file_name()?.to_str()?).ok()?;
        Some(Source::new(Path::new(&path).file_name()?.to_str()?, text))
    };
    paths.filter_map(read).collect()
}

fn file(source: &Source) -> CompletionItem {
    let lines = source.text.lines().map_while(|line| line.strip_prefix("///"));
    let docs: Vec<&str> = lines.map(str::trim).collect();
    let first = docs.first().map(|line| line.to_string()).unwrap_or_default();
    item(source.stem(), CompletionItemKind::MODULE, first, docs.join("\n"))
}

fn item(name: &str, kind: CompletionItemKind, detail: String, docs: String) -> CompletionItem {
    let markup = MarkupContent { kind: MarkupKind::Markdown, value: docs };
    CompletionItem {
        label: name.to_string(),
        kind: Some(kind),
        detail: (!detail.is_empty()).then_some(detail),
        documentation: (!markup.value.is_empty()).then_some(Documentation::MarkupContent(markup)),
        ..CompletionItem::default()
    }
}

/// The item with text to fill in, if the client can do that.
fn snippet(server: &Server, item: CompletionItem, text: &str) -> CompletionItem {
    if !server.client.snippets {
        return item;
    }
    CompletionItem {
        insert_text: Some(text.to_string()),
        insert_text_format: Some(InsertTextFormat::SNIPPET),
        ..item
    }
}
