//! Roles, which are inferred: parent or child, output, hidden; and what they betray.

use std::collections::BTreeSet;

use super::typed::{Expr, ExprKind, Form, LocalId, Piece, Placeholder, Role, Rule, Template};
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

/// The names that a reply sets: what it shows by itself, and keys of its lines that the prompt does
/// not show.
pub fn outputs(template: &Template) -> BTreeSet<LocalId> {
    let layout = &template.layout;
    let mut given = shown_names(&layout.prompt);
    given.extend(shown_names(layout.system.as_deref().unwrap_or_default()));
    let placeholders = layout.reply.iter().filter_map(|piece| match piece {
        Piece::Placeholder(placeholder) => Some(placeholder),
        Piece::Literal(_) => None,
    });
    let of_one = |placeholder: &Placeholder| {
        let value = local_of(&placeholder.value);
        let keys = keys_of(&placeholder.form).and_then(local_of);
        [value, keys.filter(|keys| !given.contains(keys))]
    };
    placeholders.flat_map(of_one).flatten().collect()
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
    template.layout.reply.iter().find_map(|piece| match piece {
        Piece::Placeholder(Placeholder { value, .. }) => match value.kind {
            ExprKind::Local(id) => Some((value.span, &*template.locals[id].name)),
            _ => None,
        },
        Piece::Literal(_) => None,
    })
}

/// The names that stand alone in a placeholder: those that are shown as they are.
pub fn shown_names(pieces: &[Piece]) -> BTreeSet<LocalId> {
    let mut names = BTreeSet::new();
    for piece in pieces {
        let Piece::Placeholder(placeholder) = piece else { continue };
        let all = [Some(&placeholder.value), keys_of(&placeholder.form)];
        names.extend(all.into_iter().flatten().filter_map(local_of));
    }
    names
}

/// What the lines of a list begin with.
fn keys_of(form: &Form) -> Option<&Expr> {
    match form {
        Form::Lines(keys, _) | Form::Labelled(keys) => Some(keys),
        Form::Plain | Form::Joined(_) | Form::Numbered | Form::Digits(..) => None,
    }
}

fn local_of(expr: &Expr) -> Option<LocalId> {
    match expr.kind {
        ExprKind::Local(id) => Some(id),
        _ => None,
    }
}

fn names_in(pieces: &mut [Piece]) -> BTreeSet<LocalId> {
    let mut names = BTreeSet::new();
    for piece in pieces {
        let Piece::Placeholder(placeholder) = piece else { continue };
        names.extend(placeholder.value.names());
        if let Form::Lines(keys, _) | Form::Labelled(keys) = &mut placeholder.form {
            names.extend(keys.names());
        }
    }
    names
}
