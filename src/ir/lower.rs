//! From the typed template to steps: bindings, then rules, each with what is known of it.

use std::collections::{BTreeMap, BTreeSet};

use super::bounds::{exactly, of_type};
use super::level::Number;
use super::{
    Bound, Choice, NOWHERE, Op, Program, Register, Role, Rule, Slot, SlotId, Step, StepId, StreamId,
};
use crate::check::roles::needs;
use crate::check::typed::{self, ExprKind, LocalId, Template};
use crate::check::types::Type;
use crate::diagnostic::Diagnostic;
use crate::source::Span;

/// A value on its way: the register that holds it and what is known of it.
#[derive(Clone, Debug)]
pub struct Value {
    /// Where it is.
    pub register: Register,
    /// What it can be.
    pub bound: Bound,
}

/// What lowering knows at one place.
pub struct Lower<'a> {
    /// The template that is lowered.
    pub template: &'a Template,
    /// The parameters' values.
    pub numbers: &'a [Number],
    /// The steps so far.
    pub program: Program,
    /// How many tokens each pool has.
    pub pool_sizes: Vec<i64>,
    /// The values of names: the template's, and on top of them those of functions being inlined.
    pub frames: Vec<BTreeMap<LocalId, Value>>,
    /// While a function of another file is inlined: the call, which all its steps point to.
    pub call_site: Option<Span>,
    /// Cells of memory made so far, at most.
    pub cells: u64,
    /// How often the steps of this place run in a sample, at most.
    pub runs: u64,
    /// False inside what may not run at all: nothing there is sure to fault.
    pub certain: bool,
    /// True while a rule is lowered: its values may come from a reply, so that sizes are not known.
    pub in_rule: bool,
    /// What is wrong at this level.
    pub faults: Vec<Diagnostic>,
}

/// The most cells (of 8 bytes) that making a sample may take: 512 MiB.
const CELLS_MAX: u64 = 1 << 26;

/// The steps of the whole program.
pub fn program(
    template: &Template,
    choice: &Choice,
    numbers: &[Number],
) -> Result<Program, Vec<Diagnostic>> {
    let mut lower = Lower {
        template,
        numbers,
        program: empty(template, choice),
        pool_sizes: template.pools.iter().map(|pool| pool.words.len() as i64).collect(),
        frames: vec![BTreeMap::new()],
        call_site: None,
        cells: 0,
        runs: 1,
        certain: true,
        in_rule: false,
        faults: Vec::new(),
    };
    lower.pool_sizes[0] = choice.vocabulary as i64;
    lower.sample();
    lower.program.bounds.cells = lower.cells;
    if lower.cells > CELLS_MAX {
        let fault = too_large(template, lower.cells);
        lower.faults.push(fault);
    }
    lower.in_rule = true;
    for rule in &template.rules {
        lower.rule(rule);
    }
    if lower.faults.is_empty() { Ok(lower.program) } else { Err(lower.faults) }
}

fn empty(template: &Template, choice: &Choice) -> Program {
    Program {
        name: template.name.clone(),
        level: choice.level.clone(),
        registers: Vec::new(),
        steps: Vec::new(),
        sample: 0..0,
        rules: Vec::new(),
        slots: Vec::new(),
        streams: Vec::new(),
        texts: Vec::new(),
        pools: template.pools.iter().map(|pool| pool.name.clone()).collect(),
        layout: super::Layout::default(),
        bounds: super::Bounds::default(),
    }
}

impl Lower<'_> {
    fn sample(&mut self) {
        for binding in &self.template.bindings {
            let local = &self.template.locals[binding.local];
            let value = if binding.drawn {
                self.draw(&binding.value, &local.name)
            } else {
                self.expr(&binding.value)
            };
            let role = match binding.role {
                typed::Role::Parent => Role::Parent,
                typed::Role::Child => Role::Child,
                typed::Role::Output => Role::Output,
            };
            self.slot(
                Slot {
                    name: local.name.clone(),
                    kind: binding.value.ty.clone(),
                    role,
                    shown: binding.shown,
                    drawn: binding.drawn,
                    bound: value.bound.clone(),
                },
                &value,
                local.span,
            );
            self.frames[0].insert(binding.local, value);
        }
        self.layout();
        self.program.sample = 0..self.program.steps.len() as StepId;
    }

    /// Makes a slot and stores a value in it.
    pub fn slot(&mut self, slot: Slot, value: &Value, span: Span) -> SlotId {
        let id = self.program.slots.len() as SlotId;
        self.program.slots.push(slot);
        self.push(Op::Store(id, value.register), NOWHERE, span, true);
        id
    }

    /// A draw: its streams are set first, so that a loop goes on in them.
    fn draw(&mut self, sampler: &typed::Expr, name: &str) -> Value {
        let mut paths = Vec::new();
        streams(sampler, name, &mut paths);
        for path in paths {
            let stream = self.stream(&path);
            self.push(Op::Seed(stream), NOWHERE, sampler.span, true);
        }
        self.sampler(sampler, name)
    }

    /// The stream of a path.
    pub fn stream(&mut self, path: &str) -> StreamId {
        let known = self.program.streams.iter().position(|known| known == path);
        let at = known.unwrap_or_else(|| {
            self.program.streams.push(path.to_string());
            self.program.streams.len() - 1
        });
        at as StreamId
    }

    /// A rule sees what a reply and a prompt show, and computes the rest again.
    fn rule(&mut self, rule: &typed::Rule) {
        let start = self.program.steps.len() as StepId;
        self.frames = vec![BTreeMap::new()];
        (self.cells, self.runs) = (0, 1);
        // What a reply holds is not known: nothing about it is sure.
        self.certain = false;
        let bound = needs(self.template, rule);
        let mut loaded = Vec::new();
        let wanted = again(self.template, rule, &bound);
        for (at, binding) in self.template.bindings.iter().enumerate() {
            let local = &self.template.locals[binding.local];
            let value = if bound.contains(&binding.local) {
                let slot = &self.program.slots[at];
                let known = if binding.shown { of_type(&slot.kind) } else { slot.bound.clone() };
                loaded.push(at as SlotId);
                self.make(Op::Load(at as SlotId), &binding.value.ty, known, local.span)
            } else if wanted.contains(&binding.local) {
                self.expr(&binding.value)
            } else {
                continue;
            };
            self.frames[0].insert(binding.local, value);
        }
        let score = self.expr(&rule.relation);
        self.program.rules.push(Rule {
            name: rule.name.clone(),
            span: rule.span,
            steps: start..self.program.steps.len() as StepId,
            score: score.register,
            needs: loaded,
        });
    }

    /// Adds a step.
    pub fn push(&mut self, op: Op, into: Register, span: Span, proved: bool) -> StepId {
        let span = self.call_site.unwrap_or(span);
        self.program.steps.push(Step { op, into, span, proved });
        self.program.steps.len() as StepId - 1
    }

    /// A new register.
    pub fn register(&mut self, ty: &Type) -> Register {
        self.program.registers.push(ty.clone());
        self.program.registers.len() as Register - 1
    }

    /// A step with a result in a new register; it cannot fault.
    pub fn make(&mut self, op: Op, ty: &Type, bound: Bound, span: Span) -> Value {
        self.step(op, ty, bound, span, true)
    }

    /// A step with a result in a new register.
    pub fn step(&mut self, op: Op, ty: &Type, bound: Bound, span: Span, proved: bool) -> Value {
        let register = self.register(ty);
        self.push(op, register, span, proved);
        Value { register, bound }
    }

    /// A number that is known.
    pub fn number(&mut self, value: i64, span: Span) -> Value {
        self.make(Op::Constant(value), &Type::Int, exactly(value), span)
    }

    /// The text literal's symbol.
    pub fn text(&mut self, text: &str) -> u32 {
        let known = self.program.texts.iter().position(|known| known == text);
        known.unwrap_or_else(|| {
            self.program.texts.push(text.to_string());
            self.program.texts.len() - 1
        }) as u32
    }

    /// Counts the memory of a list of at most `high` elements.
    pub fn takes(&mut self, ty: &Type, high: i64) {
        let narrow = matches!(ty.element(), Some(Type::Token | Type::Text | Type::Bool));
        let width = if narrow { 2 } else { 1 };
        // Four cells more: runtimes round up, and copy in blocks.
        let cells = (high.max(0) as u64).div_ceil(width) + 4;
        self.cells = self.cells.saturating_add(cells);
    }
}

/// The computed names that a rule needs and that are not shown: they are computed again.
fn again(
    template: &Template,
    rule: &typed::Rule,
    loaded: &BTreeSet<LocalId>,
) -> BTreeSet<LocalId> {
    let mut found = BTreeSet::new();
    let mut open: Vec<LocalId> = rule.uses.iter().copied().collect();
    while let Some(local) = open.pop() {
        if loaded.contains(&local) {
            continue;
        }
        if let Some((_, binding)) = template.binding_of(local)
            && found.insert(local)
        {
            open.extend(&binding.uses);
        }
    }
    found
}

/// The paths of the streams that a sampler draws from.
fn streams(sampler: &typed::Expr, path: &str, paths: &mut Vec<String>) {
    match &sampler.kind {
        ExprKind::If(_, yes, no) => {
            streams(yes, path, paths);
            streams(no, path, paths);
        }
        ExprKind::Repeat(_, inner) => streams(inner, path, paths),
        ExprKind::Sampler(..) if !paths.iter().any(|known| known == path) => {
            paths.push(path.to_string());
        }
        ExprKind::Apply(function, _) => {
            let body = function.body.as_ref().expect("only natives have no body");
            for (local, drawn, value) in &body.bindings {
                if *drawn {
                    let name = &function.locals[*local].name;
                    streams(value, &format!("{path}/{name}"), paths);
                }
            }
        }
        _ => {}
    }
}

fn too_large(template: &Template, cells: u64) -> Diagnostic {
    let span = template.bindings.first().map_or(Span::default(), |binding| binding.value.span);
    let title = format!("a sample may take {} MiB of memory", cells >> 17);
    Diagnostic::fault("E505", title, span, "the lists from here on").help(format!(
        "write smaller parameters or fewer nested loops: at most {} MiB",
        CELLS_MAX >> 17
    ))
}
