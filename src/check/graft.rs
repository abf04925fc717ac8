//! What was checked in another file, moved into this one: places, names, parameters and pools.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::typed::{Expr, ExprKind, Form, Function, Piece, Pool};
use crate::source::Span;

/// A move from one file into another.
pub struct Graft<'a> {
    /// The pools of the other file.
    pub from: &'a [Pool],
    /// What the names of its pools get before them here: `part.`
    pub prefix: &'a str,
    /// What is added to the number of each of its names.
    pub locals: usize,
    /// Likewise for its parameters.
    pub params: usize,
    /// Where everything is from now on.
    pub span: Span,
    /// How many expressions were moved.
    pub moved: usize,
    /// Where its functions are now, by where they were.
    functions: BTreeMap<usize, Arc<Function>>,
}

impl<'a> Graft<'a> {
    /// A move that changes no number yet.
    pub fn new(from: &'a [Pool], prefix: &'a str, span: Span) -> Graft<'a> {
        let functions = BTreeMap::new();
        Graft { from, prefix, locals: 0, params: 0, span, moved: 0, functions }
    }

    /// The number that a pool of the other file has here. A pool of the same words is the same.
    pub fn pool(&self, index: usize, pools: &mut Vec<Pool>) -> usize {
        let Pool { name, words } = &self.from[index];
        if index == 0 {
            return 0;
        }
        let known = pools.iter().skip(1).position(|pool| pool.words == *words);
        known.map_or_else(
            || {
                let name = format!("{}{name}", self.prefix);
                pools.push(Pool { name, words: words.clone() });
                pools.len() - 1
            },
            |at| at + 1,
        )
    }

    /// A value of the other template, as one of this.
    pub fn expr(&mut self, expr: &Expr, pools: &mut Vec<Pool>) -> Expr {
        let mut expr = expr.clone();
        let (locals, params, span) = (self.locals, self.params, self.span);
        expr.visit(&mut |expr| {
            expr.span = span;
            self.moved += 1;
            match &mut expr.kind {
                ExprKind::Local(id) => *id += locals,
                ExprKind::Each(_, each) => each.item += locals,
                ExprKind::Param(index) => *index += params,
                ExprKind::Fold(fold) => {
                    fold.item += locals;
                    fold.carried.iter_mut().for_each(|(id, _)| *id += locals);
                }
                _ => self.shared(expr, pools),
            }
        });
        expr
    }

    /// The pieces of a text of the other template.
    pub fn pieces(&mut self, pieces: &[Piece], pools: &mut Vec<Pool>) -> Vec<Piece> {
        let mut moved = pieces.to_vec();
        for piece in &mut moved {
            if let Piece::Rows(rows) = piece {
                rows.span = self.span;
            }
        }
        for placeholder in moved.iter_mut().flat_map(Piece::shown_mut) {
            placeholder.value = self.expr(&placeholder.value, pools);
            if let Form::Digits(_, count) = &mut placeholder.form {
                *count = self.expr(count, pools);
            }
        }
        moved
    }

    /// A function of the other file. Its names are its own and stay as they are.
    pub fn function(&mut self, function: &Arc<Function>, pools: &mut Vec<Pool>) -> Arc<Function> {
        let place = Arc::as_ptr(function).addr();
        if let Some(known) = self.functions.get(&place) {
            return known.clone();
        }
        let mut moved = Function { foreign: true, ..(**function).clone() };
        if let Some(body) = &mut moved.body {
            for value in
                body.bindings.iter_mut().map(|(_, _, value)| value).chain([&mut body.result])
            {
                value.visit(&mut |expr| self.shared(expr, pools));
            }
        }
        let moved = Arc::new(moved);
        self.functions.insert(place, moved.clone());
        moved
    }

    /// What the bodies of functions see of a file beside themselves.
    fn shared(&mut self, expr: &mut Expr, pools: &mut Vec<Pool>) {
        match &mut expr.kind {
            ExprKind::Pool(index) => *index = self.pool(*index, pools),
            ExprKind::Apply(function, _) => *function = self.function(function, pools),
            _ => {}
        }
    }
}
