//! Texts: escapes resolved, the margin of a `"""` text removed, placeholders kept as expressions.

use pest::iterators::Pair;

use super::ast::{ExprKind, Text, TextPart};
use super::build::Build;
use super::error::meaning as error;
use super::grammar::Rule;
use crate::source::Span;

impl Build<'_> {
    /// A text with its placeholders, as a layout has it.
    pub fn text(&mut self, pair: Pair<'_, Rule>) -> Text {
        let span = self.span(&pair);
        let margin = self.margin(&pair);
        let mut parts = Parts::default();
        for part in pair.into_inner() {
            let at = self.span(&part);
            match part.as_rule() {
                Rule::quote | Rule::block_quote => {}
                Rule::placeholder => {
                    self.check_line_start(at, margin.as_deref());
                    let value = part.into_inner().find(|inner| inner.as_rule() == Rule::expression);
                    let value = value.expect("the grammar fills a placeholder");
                    parts.placeholder(self.expression(value));
                }
                Rule::escape => {
                    self.check_line_start(at, margin.as_deref());
                    parts.literal(&part.as_str()[..1]);
                }
                Rule::line_escape => parts.literal(escaped(part.as_str())),
                Rule::line_plain => parts.literal(part.as_str()),
                _ => parts.literal(&self.without_margin(part.as_str(), at, margin.as_deref())),
            }
        }
        if margin.is_some() {
            parts.drop_last_newline();
        }
        Text { span, parts: parts.done }
    }

    /// A text as an expression: a literal, or one with placeholders.
    pub fn text_value(&mut self, pair: Pair<'_, Rule>) -> ExprKind {
        let text = self.text(pair);
        match &text.parts[..] {
            [] => ExprKind::Text(String::new()),
            [TextPart::Literal(literal)] => ExprKind::Text(literal.clone()),
            _ => ExprKind::Filled(text),
        }
    }

    /// A text that may not have placeholders, as a path.
    pub fn literal(&mut self, pair: Pair<'_, Rule>) -> String {
        let mut literal = String::new();
        for part in self.text(pair).parts {
            match part {
                TextPart::Literal(text) => literal.push_str(&text),
                TextPart::Placeholder(value) => {
                    self.errors.push(error::placeholder_outside_layout(self.source, value.span));
                }
            }
        }
        literal
    }

    /// What is before the closing `"""` on its line; None for a text on one line.
    fn margin(&mut self, pair: &Pair<'_, Rule>) -> Option<String> {
        let inside = pair.as_str().strip_prefix("\"\"\"")?.strip_suffix("\"\"\"")?;
        let first = inside.lines().next().unwrap_or("");
        let margin = inside.rsplit('\n').next().unwrap_or("");
        if !inside.contains('\n') || !is_blank(first) || !is_blank(margin) {
            let opening_is_right = inside.contains('\n') && is_blank(first);
            self.errors.push(error::text_beside_quotes(
                self.source,
                self.span(pair),
                opening_is_right,
            ));
            return None;
        }
        Some(margin.to_string())
    }

    /// A stretch of a `"""` text between placeholders and escapes.
    fn without_margin(&mut self, stretch: &str, at: Span, margin: Option<&str>) -> String {
        let Some(margin) = margin else { return stretch.replace("\r\n", "\n") };
        let mut shown = String::new();
        let mut start = at.start;
        for line in stretch.split_inclusive('\n') {
            let span = Span::new(start, start + line.len());
            start = span.end;
            let text = line.strip_suffix('\n').unwrap_or(line);
            let text = text.strip_suffix('\r').unwrap_or(text);
            let ends = line.ends_with('\n');
            if self.source.text[..span.start].ends_with("\"\"\"") && ends && shown.is_empty() {
                continue; // the rest of the line that the text is opened on
            }
            if !self.begins_line(span.start) {
                shown.push_str(text);
            } else if let Some(rest) = text.strip_prefix(margin) {
                shown.push_str(rest);
            } else if !(is_blank(text) && ends) {
                self.errors.push(error::less_margin(self.source, span.start, margin));
                shown.push_str(text.trim_start());
            }
            if ends {
                shown.push('\n');
            }
        }
        shown
    }

    /// A placeholder or an escape at the start of a line has no margin.
    fn check_line_start(&mut self, at: Span, margin: Option<&str>) {
        if margin.is_some_and(|margin| !margin.is_empty()) && self.begins_line(at.start) {
            self.errors.push(error::less_margin(self.source, at.start, margin.unwrap_or("")));
        }
    }

    fn begins_line(&self, at: usize) -> bool {
        self.source.text[..at].ends_with('\n')
    }
}

/// The parts of a text while they are gathered.
#[derive(Default)]
struct Parts {
    done: Vec<TextPart>,
}

impl Parts {
    fn literal(&mut self, text: &str) {
        match self.done.last_mut() {
            Some(TextPart::Literal(last)) => last.push_str(text),
            _ if text.is_empty() => {}
            _ => self.done.push(TextPart::Literal(text.to_string())),
        }
    }

    fn placeholder(&mut self, value: super::ast::Expr) {
        self.done.push(TextPart::Placeholder(value));
    }

    /// The line break before the closing quotes is not part of the text.
    fn drop_last_newline(&mut self) {
        if let Some(TextPart::Literal(last)) = self.done.last_mut() {
            last.pop();
            if last.is_empty() {
                self.done.pop();
            }
        }
    }
}

fn escaped(escape: &str) -> &str {
    match escape {
        "\\n" => "\n",
        "\\t" => "\t",
        _ => &escape[1..],
    }
}

fn is_blank(text: &str) -> bool {
    text.chars().all(|letter| matches!(letter, ' ' | '\t' | '\r'))
}

#[cfg(test)]
mod tests {
    use crate::source::Source;
    use crate::syntax::ast::{File, StatementKind, TextPart};
    use crate::syntax::parse;

    fn literal(text: &str) -> String {
        let (file, errors) = parse(&Source::new("a.cook", text));
        assert_eq!(errors, []);
        shown(&file)
    }

    fn shown(file: &File) -> String {
        let Some(StatementKind::Prompt(text)) = file.statements.first().map(|first| &first.kind)
        else {
            return String::new();
        };
        let show = |part: &TextPart| match part {
            TextPart::Literal(text) => text.clone(),
            TextPart::Placeholder(_) => "<placeholder>".to_string(),
        };
        text.parts.iter().map(show).collect()
    }

    #[test]
    fn the_closing_quotes_set_the_margin() {
        let text = "prompt \"\"\"\n    one {x}\n\n      two {y}\n    \"\"\"\n";
        assert_eq!(literal(text), "one <placeholder>\n\n  two <placeholder>");
    }

    #[test]
    fn line_ends_of_any_system_are_one_line_feed_and_a_byte_order_mark_is_skipped() {
        let text = "\u{feff}prompt \"\"\"\r\n  one\r\n  {x} two\r\n  \"\"\"\r\n";
        assert_eq!(literal(text), "one\n<placeholder> two");
    }

    #[test]
    fn escapes_hold_on_one_line_and_a_backslash_is_itself_on_several() {
        assert_eq!(literal(r#"prompt "{{a}}\t\\\"\n""#), "{a}\t\\\"\n");
        assert_eq!(literal("prompt \"\"\"\n\\n {{a}}\n\"\"\""), "\\n {a}");
    }

    #[test]
    fn an_empty_text_has_no_part() {
        assert_eq!(literal("prompt \"\"\"\n  \"\"\""), "");
        assert_eq!(literal("prompt \"\""), "");
    }

    #[test]
    fn the_span_of_a_statement_ends_with_its_last_word() {
        let source = Source::new("a.cook", "reply \"ü {x }\" // text\n");
        let (file, _) = parse(&source);
        assert_eq!(source.slice(file.statements[0].span), "reply \"ü {x }\"");
        let source = Source::new("a.cook", "y = x // text\n");
        let (file, _) = parse(&source);
        assert_eq!(source.slice(file.statements[0].span), "y = x");
    }
}
