//! Trees without their places, to compare what two texts say.

use super::ast::{
    Argument, Binding, Body, Expr, ExprKind, File, Name, Statement, StatementKind, Text, TextPart,
    Type, TypeKind,
};
use crate::source::Span;

/// Do two trees say the same, wherever it stands?
pub fn same(one: &File, other: &File) -> bool {
    let erased = |file: &File| {
        let mut file = file.clone();
        file.statements.iter_mut().for_each(statement);
        file
    };
    erased(one) == erased(other)
}

fn statement(statement: &mut Statement) {
    statement.span = Span::default();
    match &mut statement.kind {
        StatementKind::Use { module, names } => {
            name(module);
            names.iter_mut().for_each(name);
        }
        StatementKind::UseTemplate(template) => name(template),
        StatementKind::Words { name: pool, path_span, .. } => {
            name(pool);
            *path_span = Span::default();
        }
        StatementKind::Param(param) => {
            name(&mut param.name);
            param.names.iter_mut().for_each(expression);
            expression(&mut param.low);
            expression(&mut param.high);
            expression(&mut param.default);
        }
        StatementKind::Level { name: level, settings } => {
            name(level);
            settings.iter_mut().for_each(setting);
        }
        StatementKind::Draw(bound) | StatementKind::Compute(bound) | StatementKind::Rule(bound) => {
            binding(bound);
        }
        StatementKind::System(shown)
        | StatementKind::Prompt(shown)
        | StatementKind::Reply(shown) => {
            text(shown);
        }
        StatementKind::Function(function) => {
            name(&mut function.name);
            function.params.iter_mut().for_each(|(param, its_type)| {
                name(param);
                written_type(its_type);
            });
            written_type(&mut function.result);
            function.body.iter_mut().for_each(body);
        }
    }
}

fn binding(binding: &mut Binding) {
    name(&mut binding.name);
    binding.symbol = Span::default();
    expression(&mut binding.value);
}

fn body(body: &mut Body) {
    body.statements.iter_mut().for_each(statement);
    expression(&mut body.result);
}

fn text(text: &mut Text) {
    text.span = Span::default();
    for part in &mut text.parts {
        if let TextPart::Placeholder(value) = part {
            expression(value);
        }
    }
}

fn written_type(written: &mut Type) {
    written.span = Span::default();
    if let TypeKind::List(element) = &mut written.kind {
        written_type(element);
    }
}

fn name(name: &mut Name) {
    name.span = Span::default();
}

fn setting((set, value): &mut (Name, Expr)) {
    name(set);
    expression(value);
}

fn expression(expr: &mut Expr) {
    expr.span = Span::default();
    match &mut expr.kind {
        ExprKind::Int(_)
        | ExprKind::Real(_)
        | ExprKind::Bool(_)
        | ExprKind::Text(_)
        | ExprKind::Name(_) => {}
        ExprKind::Filled(filled) => text(filled),
        ExprKind::Field(owner, field) => {
            name(owner);
            name(field);
        }
        ExprKind::Call(function, arguments) => {
            name(function);
            arguments.iter_mut().for_each(argument);
        }
        ExprKind::List(elements) => elements.iter_mut().for_each(expression),
        ExprKind::Range(low, high) => {
            expression(low);
            expression(high);
        }
        ExprKind::Negate(value) | ExprKind::Not(value) => expression(value),
        ExprKind::Binary(_, symbol, left, right) => {
            *symbol = Span::default();
            expression(left);
            expression(right);
        }
        ExprKind::If(condition, yes, no) => {
            expression(condition);
            expression(yes);
            expression(no);
        }
        ExprKind::Each(_, each) => {
            name(&mut each.item);
            expression(&mut each.list);
            each.filter.iter_mut().for_each(expression);
            expression(&mut each.body);
        }
        ExprKind::Fold(fold) => {
            fold.carried.iter_mut().for_each(setting);
            name(&mut fold.item);
            expression(&mut fold.list);
            fold.filter.iter_mut().for_each(expression);
            fold.next.iter_mut().for_each(expression);
        }
    }
}

fn argument(argument: &mut Argument) {
    argument.name.iter_mut().for_each(name);
    expression(&mut argument.value);
}
