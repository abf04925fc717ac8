//! Roles, which nobody types: parent or child, output, hidden; and what they betray.

use std::collections::BTreeSet;

use super::typed::{Expr, ExprKind, Form, LocalId, Piece, Role, Template};
use crate::diagnostic::Diagnostic;

/// Sets the role of each binding, and whether it is shown.
pub fn infer(template: &mut Template) {
    let outputs = shown_names(&template.layout.reply);
    let mut shown = shown_names(&template.layout.prompt);
    shown.extend(shown_names(template.layout.system.as_deref().unwrap_or_default()));
    shown.extend(&outputs);
    let bound: BTreeSet<LocalId> = template.bindings.iter().map(|binding| binding.local).collect();
    for binding in &mut template.bindings {
        let uses = used(&binding.value);
        binding.shown = shown.contains(&binding.local);
        binding.role = match binding.drawn && uses.is_disjoint(&bound) {
            _ if outputs.contains(&binding.local) => Role::Output,
            true => Role::Parent,
            false => Role::Child,
        };
    }
}

/// The names that an expression uses, its own loops' names too.
pub fn used(expr: &Expr) -> BTreeSet<LocalId> {
    let mut found = BTreeSet::new();
    visit(expr, &mut |expr| {
        if let ExprKind::Local(id) = expr.kind {
            found.insert(id);
        }
    });
    found
}

/// Calls `see` for an expression and all in it; not for the bodies of functions.
pub fn visit(expr: &Expr, see: &mut dyn FnMut(&Expr)) {
    see(expr);
    match &expr.kind {
        ExprKind::Int(_)
        | ExprKind::Real(_)
        | ExprKind::Bool(_)
        | ExprKind::Text(_)
        | ExprKind::Local(_)
        | ExprKind::Param(_)
        | ExprKind::Pool(_) => {}
        ExprKind::Native(_, all)
        | ExprKind::Sampler(_, all)
        | ExprKind::Apply(_, all)
        | ExprKind::List(all) => all.iter().for_each(|each| visit(each, see)),
        ExprKind::Not(a) | ExprKind::ToReal(a) => visit(a, see),
        ExprKind::Repeat(a, b)
        | ExprKind::Range(a, b)
        | ExprKind::Binary(_, a, b)
        | ExprKind::Each(_, _, a, b) => {
            visit(a, see);
            visit(b, see);
        }
        ExprKind::If(a, b, c) => {
            visit(a, see);
            visit(b, see);
            visit(c, see);
        }
        ExprKind::Fold(fold) => {
            fold.carried.iter().for_each(|(_, first)| visit(first, see));
            visit(&fold.list, see);
            fold.next.iter().for_each(|next| visit(next, see));
        }
    }
}

/// What is probably not meant: rules on what the prompt does not tell, names that nothing uses.
pub fn lints(template: &Template) -> Vec<Diagnostic> {
    let mut lints = Vec::new();
    for rule in &template.rules {
        for local in needs(template, &rule.relation) {
            let Some(binding) = binding_of(template, local) else { continue };
            if binding.drawn && !binding.shown {
                let name = &template.locals[local].name;
                let title = format!("the rule `{}` needs `{name}`, which is not shown", rule.name);
                lints.push(
                    Diagnostic::lint("L601", title, rule.relation.span, "judges what is not told")
                        .and(template.locals[local].span, "drawn here, shown nowhere")
                        .help(format!("show it in the prompt: `{{{name}}}`")),
                );
            }
        }
    }
    lints.extend(unused(template));
    if template.rules.is_empty()
        && let Some(piece) = first_output(template)
    {
        lints.push(
            Diagnostic::lint("L603", "the template has no rule", piece, "only equality is judged")
                .help("write what must hold: `rule right: answer within document`"),
        );
    }
    lints
}

/// The names that a relation needs: what is computed and not shown is computed again, so it is
/// replaced by what it needs.
pub fn needs(template: &Template, expr: &Expr) -> BTreeSet<LocalId> {
    let mut found = BTreeSet::new();
    let mut open: Vec<LocalId> = used(expr).into_iter().collect();
    while let Some(local) = open.pop() {
        let Some(binding) = binding_of(template, local) else { continue };
        if binding.shown || binding.drawn {
            found.insert(local);
        } else {
            open.extend(used(&binding.value));
        }
    }
    found
}

/// The binding that binds a name; none for a loop's name.
pub fn binding_of(template: &Template, local: LocalId) -> Option<&super::typed::Binding> {
    template.bindings.iter().find(|binding| binding.local == local)
}

fn unused(template: &Template) -> Vec<Diagnostic> {
    let mut used_names: BTreeSet<LocalId> = BTreeSet::new();
    template.bindings.iter().for_each(|binding| used_names.extend(used(&binding.value)));
    template.rules.iter().for_each(|rule| used_names.extend(used(&rule.relation)));
    for pieces in all_pieces(template) {
        used_names.extend(locals_in(pieces));
    }
    let unused = template.bindings.iter().filter(|binding| !used_names.contains(&binding.local));
    let lint = |binding: &super::typed::Binding| {
        let local = &template.locals[binding.local];
        let title = format!("nothing uses `{}`", local.name);
        Diagnostic::lint("L602", title, local.span, "bound here, used nowhere")
            .help("leave the line out, or show the name in the prompt")
    };
    unused.map(lint).collect()
}

fn first_output(template: &Template) -> Option<crate::source::Span> {
    template.layout.reply.iter().find_map(|piece| match piece {
        Piece::Hole(hole) => Some(hole.value.span),
        Piece::Literal(_) => None,
    })
}

fn all_pieces(template: &Template) -> [&[Piece]; 3] {
    let system = template.layout.system.as_deref().unwrap_or_default();
    [system, &template.layout.prompt, &template.layout.reply]
}

/// The names that stand alone in a hole: those that are shown as they are.
fn shown_names(pieces: &[Piece]) -> BTreeSet<LocalId> {
    let mut names = BTreeSet::new();
    for piece in pieces {
        let Piece::Hole(hole) = piece else { continue };
        let keys = match &hole.form {
            Form::Lines(keys, _) | Form::Labelled(keys) => Some(keys),
            Form::Plain | Form::Joined(_) | Form::Numbered => None,
        };
        for expr in [Some(&hole.value), keys].into_iter().flatten() {
            if let ExprKind::Local(id) = expr.kind {
                names.insert(id);
            }
        }
    }
    names
}

fn locals_in(pieces: &[Piece]) -> BTreeSet<LocalId> {
    let mut names = BTreeSet::new();
    for piece in pieces {
        let Piece::Hole(hole) = piece else { continue };
        names.extend(used(&hole.value));
        if let Form::Lines(keys, _) | Form::Labelled(keys) = &hole.form {
            names.extend(used(keys));
        }
    }
    names
}
