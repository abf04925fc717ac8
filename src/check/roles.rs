//! Roles, which are inferred: parent or child, output, hidden; and what they betray.

use std::collections::BTreeSet;

use super::typed::{ExprKind, LocalId, Piece, Placeholder, Role, Rule, Template};
use crate::diagnostic::Diagnostic;
use crate::source::Span;

/// Sets the role of each binding, and whether it is shown.
pub fn infer(template: &mut Template) {
    let outputs = shown_names(&template.layout.reply);
    let mut shown = shown_names(&template.layout.prompt);
    shown.extend(shown_names(template.layout.system.as_deref().unwrap_or_default()));
    shown.extend(&outputs);
    let bound: BTreeSet<LocalId> = template.bindings.iter().map(|binding| binding.local).collect();
    for binding in &mut template.bindings {
        binding.shown = shown.contains(&binding.local);
        binding.role = match binding.drawn && binding.uses.is_disjoint(&bound) {
            _ if outputs.contains(&binding.local) => Role::Output,
            true => Role::Parent,
            false => Role::Child,
        };
    }
}

/// What is probably not meant: names that nothing uses, a template without a rule.
pub fn lints(template: &mut Template) -> Vec<Diagnostic> {
    let mut lints = unused(template);
    if template.rules.is_empty()
        && let Some((piece, name)) = first_output(template)
    {
        lints.push(
            Diagnostic::lint("L603", "the template has no rule", piece, "only equality is judged")
                .help(format!("write what must hold of it: `rule right: {name} == …`")),
        );
    }
    lints
}

/// The names that a reply sets: what it shows by itself, and the lists of its rows that the prompt
/// does not show; of rows that it shows all, the last.
pub fn outputs(template: &Template) -> BTreeSet<LocalId> {
    let layout = &template.layout;
    let mut given = shown_names(&layout.prompt);
    given.extend(shown_names(layout.system.as_deref().unwrap_or_default()));
    let mut outputs = BTreeSet::new();
    for piece in &layout.reply {
        let names = || piece.shown().filter_map(local_of);
        let is_row = matches!(piece, Piece::Rows(_));
        let before = outputs.len();
        outputs.extend(names().filter(|name| !is_row || !given.contains(name)));
        if outputs.len() == before {
            outputs.extend(names().last());
        }
    }
    outputs
}

/// Drops the rules of parts that are only shown: no reply to this template breaks them, so that
/// they would pay any.
pub fn drop_given_rules(template: &mut Template) {
    let outputs = outputs(template);
    let is_kept =
        |rule: &Rule| !rule.name.contains('.') || !needs(template, rule).is_disjoint(&outputs);
    let kept: Vec<bool> = template.rules.iter().map(is_kept).collect();
    let mut kept = kept.into_iter();
    template.rules.retain(|_| kept.next().unwrap_or(true));
}

/// The names that a rule needs: what is computed and not shown is computed again, so it is
/// replaced by what it needs.
pub fn needs(template: &Template, rule: &Rule) -> BTreeSet<LocalId> {
    let (mut found, mut seen) = (BTreeSet::new(), BTreeSet::new());
    let mut open: Vec<LocalId> = rule.uses.iter().copied().collect();
    while let Some(local) = open.pop() {
        let Some((_, binding)) = template.binding_of(local) else { continue };
        if binding.shown || binding.drawn {
            found.insert(local);
        } else if seen.insert(local) {
            open.extend(&binding.uses);
        }
    }
    found
}

fn unused(template: &mut Template) -> Vec<Diagnostic> {
    // What a part makes for itself is not this template's to use.
    let own = |name: &str| !name.contains('.');
    let mut used: BTreeSet<LocalId> = BTreeSet::new();
    let (locals, layout) = (&template.locals, &mut template.layout);
    let bindings = template.bindings.iter().filter(|binding| own(&locals[binding.local].name));
    bindings.clone().for_each(|binding| used.extend(&binding.uses));
    let rules = template.rules.iter().filter(|rule| own(&rule.name));
    rules.for_each(|rule| used.extend(&rule.uses));
    let system = layout.system.as_deref_mut().unwrap_or_default();
    for pieces in [system, &mut layout.prompt, &mut layout.reply] {
        used.extend(names_in(pieces));
    }
    let unused = bindings.filter(|binding| !used.contains(&binding.local));
    let unused = unused.map(|binding| (&locals[binding.local].name, locals[binding.local].span));
    let parts = template.parts.iter().filter(|part| {
        let of_part = |local: &LocalId| {
            locals[*local].name.strip_prefix(&part.name).is_some_and(|rest| rest.starts_with('.'))
        };
        own(&part.name) && !used.iter().any(of_part)
    });
    let lint = |(name, span): (&String, Span)| {
        Diagnostic::lint("L602", format!("nothing uses `{name}`"), span, "bound, used nowhere")
            .help("delete its line, or show it in the prompt")
    };
    unused.chain(parts.map(|part| (&part.name, part.span))).map(lint).collect()
}

fn first_output(template: &Template) -> Option<(Span, &str)> {
    // Rows begin with what is known, and end with what is asked.
    let mut shown = template.layout.reply.iter().filter_map(|piece| piece.shown().last());
    shown.find_map(|Placeholder { value, .. }| match value.kind {
        ExprKind::Local(id) => Some((value.span, &*template.locals[id].name)),
        _ => None,
    })
}

/// The names that stand alone in a placeholder: those that are shown as they are.
pub fn shown_names(pieces: &[Piece]) -> BTreeSet<LocalId> {
    pieces.iter().flat_map(Piece::shown).filter_map(local_of).collect()
}

fn local_of(placeholder: &Placeholder) -> Option<LocalId> {
    match placeholder.value.kind {
        ExprKind::Local(id) => Some(id),
        _ => None,
    }
}

fn names_in(pieces: &mut [Piece]) -> BTreeSet<LocalId> {
    let shown = pieces.iter_mut().flat_map(Piece::shown_mut);
    shown.flat_map(|placeholder| placeholder.value.names()).collect()
}
