//! From the typed template to steps: bindings, then rules, each with what is known of it.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use super::bounds::exactly;
use super::given::Relations;
use super::level::Number;
use super::{
    Bound, Choice, NOWHERE, Op, Program, Register, Role, Slot, SlotId, Step, StepId, StreamId,
    Words,
};
use crate::check::typed::{self, ExprKind, Function, LocalId, Template};
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
    /// The bytes of the longest word of all pools, and whether all are in ASCII.
    pub words: Words,
    /// The values of names: the template's, and on top of them those of functions being inlined.
    pub frames: Vec<BTreeMap<LocalId, Value>>,
    /// The functions being inlined that call themselves, each with its first value.
    pub open_calls: Vec<(Arc<Function>, i64)>,
    /// While a function of another file is inlined: the call, where all of it stands.
    pub call_site: Option<Span>,
    /// Cells of memory made so far, at most.
    pub cells: u64,
    /// Bytes of texts made so far, at most: loops free none of them.
    pub text_bytes: u64,
    /// How often the steps of this place run in a sample, at most.
    pub runs: u64,
    /// False inside what may not run at all: nothing there is sure to error.
    pub certain: bool,
    /// True while a rule is lowered: its values may come from a reply, so that sizes are not known.
    pub in_rule: bool,
    /// True if rules are for the template's own samples only, whose sizes are known.
    pub own: bool,
    /// How many expressions were lowered, trial turns of folds and bodies of functions too.
    pub work: usize,
    /// How many of them in turns of folds that were followed.
    pub followed: usize,
    one_too_many: Option<Span>,
    /// What is wrong at this level.
    pub errors: Vec<Diagnostic>,
    streams: HashMap<String, StreamId>,
    texts: HashMap<String, u32>,
    /// The rules, and what in them no reply changes.
    pub relations: Relations<'a>,
    /// The slots of given values, and what is known of them.
    pub given: BTreeMap<LocalId, (SlotId, Bound)>,
}

/// The most cells (of 8 bytes) that making a sample may take: 512 MiB.
pub const CELLS_MAX: u64 = 1 << 26;

/// The most expressions that are lowered: functions that call functions twice each would else
/// become steps without end.
const WORK_MAX: usize = 1 << 18;

/// The steps of the whole program.
pub fn program(
    template: &Template,
    choice: &Choice,
    numbers: &[Number],
    own: bool,
) -> Result<Program, Vec<Diagnostic>> {
    let mut lower = Lower {
        template,
        numbers,
        program: empty(template, choice),
        pool_sizes: template.pools.iter().map(|pool| pool.words.len() as i64).collect(),
        words: words(template, choice.words),
        frames: vec![BTreeMap::new()],
        open_calls: Vec::new(),
        call_site: None,
        cells: 0,
        text_bytes: 0,
        runs: 1,
        certain: true,
        in_rule: false,
        own,
        work: 0,
        followed: 0,
        one_too_many: None,
        errors: Vec::new(),
        streams: HashMap::new(),
        texts: HashMap::new(),
        relations: Relations::new(template),
        given: BTreeMap::new(),
    };
    lower.pool_sizes[0] = choice.vocabulary as i64;
    lower.sample();
    lower.program.bounds.cells = lower.cells;
    lower.program.bounds.text_bytes = lower.text_bytes;
    let cells = lower.cells.saturating_add(lower.text_bytes / 8);
    if cells > CELLS_MAX {
        let error = too_large(template, cells);
        lower.errors.push(error);
    }
    lower.in_rule = true;
    lower.rules();
    let needs_texts = |step: &Step| matches!(step.op, Op::Call(it, _) if it.needs_texts());
    if lower.program.steps.iter().any(needs_texts) {
        let bytes = &mut lower.program.bounds.text_bytes;
        *bytes = (*bytes).max(1);
    }
    lower.errors.extend(lower.one_too_many.map(too_much));
    if lower.errors.is_empty() { Ok(lower.program) } else { Err(lower.errors) }
}

/// Of the words of `vocab` and of the other pools.
fn words(template: &Template, vocab: Words) -> Words {
    let own = template.pools.iter().flat_map(|pool| &pool.words);
    own.fold(vocab, |all, word| Words {
        longest: all.longest.max(word.len()),
        in_ascii: all.in_ascii && word.is_ascii(),
    })
}

fn empty(template: &Template, choice: &Choice) -> Program {
    Program {
        name: template.name.clone(),
        level: choice.level.clone(),
        registers: Vec::new(),
        steps: Vec::new(),
        sample: 0..0,
        given: Vec::new(),
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
        self.keep();
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
        let mut streams = Streams::default();
        streams.collect(sampler, name);
        if streams.has_recursion {
            streams.paths = self.streams_of(sampler, name);
        }
        for path in streams.paths {
            let stream = self.stream(&path);
            self.push(Op::Seed(stream), NOWHERE, sampler.span, true);
        }
        self.sampler(sampler, name)
    }

    /// The streams of a sampler that calls itself, by a trial whose steps are dropped.
    fn streams_of(&mut self, sampler: &typed::Expr, name: &str) -> Vec<String> {
        let start = self.program.steps.len();
        self.dropped(|lower| {
            lower.sampler(sampler, name);
            let drawn = lower.program.steps[start..].iter().filter_map(|step| match step.op {
                Op::Draw(_, stream, _) => Some(stream),
                _ => None,
            });
            let drawn: BTreeSet<StreamId> = drawn.collect();
            let path = |stream: StreamId| lower.program.streams[stream as usize].clone();
            drawn.into_iter().map(path).collect()
        })
    }

    /// Lowers something to learn of it; its steps and errors are dropped.
    pub fn dropped<T>(&mut self, lower: impl FnOnce(&mut Self) -> T) -> T {
        let (steps, registers) = (self.program.steps.len(), self.program.registers.len());
        let (cells, texts, errors) = (self.cells, self.text_bytes, self.errors.len());
        let certain = std::mem::replace(&mut self.certain, false);
        let learnt = lower(self);
        self.program.steps.truncate(steps);
        self.program.registers.truncate(registers);
        self.errors.truncate(errors);
        (self.cells, self.text_bytes, self.certain) = (cells, texts, certain);
        learnt
    }

    /// The stream of a path.
    pub fn stream(&mut self, path: &str) -> StreamId {
        if let Some(&known) = self.streams.get(path) {
            return known;
        }
        let id = self.program.streams.len() as StreamId;
        self.program.streams.push(path.to_string());
        self.streams.insert(path.to_string(), id);
        id
    }

    /// Counts an expression; false where there are too many. The error is reported at the end:
    /// those of trial turns are dropped.
    pub fn may_go_on(&mut self, span: Span) -> bool {
        self.work += 1;
        if self.work == WORK_MAX {
            self.one_too_many = Some(span);
        }
        self.work < WORK_MAX
    }

    /// Adds a step.
    pub fn push(&mut self, op: Op, into: Register, span: Span, proved: bool) -> StepId {
        self.program.steps.push(Step { op, into, span, proved });
        self.program.steps.len() as StepId - 1
    }

    /// A new register.
    pub fn register(&mut self, ty: &Type) -> Register {
        self.program.registers.push(ty.clone());
        self.program.registers.len() as Register - 1
    }

    /// A step with a result in a new register; it cannot error.
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
        if let Some(&known) = self.texts.get(text) {
            return known;
        }
        let symbol = self.program.texts.len() as u32;
        self.program.texts.push(text.to_string());
        self.texts.insert(text.to_string(), symbol);
        symbol
    }

    /// Counts the memory of the texts that a step makes: one, or those of a list.
    pub fn takes_text(&mut self, bound: &Bound) {
        let (most, text) = match bound {
            Bound::List { high, element, .. } => (*high, element.text()),
            _ => (1, bound.text()),
        };
        // A text takes some beside its own.
        let bytes = (most.max(0) as u64).saturating_mul(text.bytes.max(0) as u64 + 16);
        self.text_bytes = self.text_bytes.saturating_add(bytes);
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

/// The paths of the streams that a sampler draws from.
#[derive(Default)]
struct Streams {
    paths: Vec<String>,
    known: HashSet<String>,
    visits: usize,
    /// True if a function calls itself: how often is seen where it is lowered.
    has_recursion: bool,
}

impl Streams {
    fn collect(&mut self, sampler: &typed::Expr, path: &str) {
        self.visits += 1;
        // So many are refused where they are lowered.
        if self.visits > WORK_MAX {
            return;
        }
        match &sampler.kind {
            ExprKind::If(_, yes, no) => {
                self.collect(yes, path);
                self.collect(no, path);
            }
            ExprKind::Repeat(_, inner) => self.collect(inner, path),
            ExprKind::Each(_, it) => self.collect(&it.body, path),
            ExprKind::Sampler(..) if self.known.insert(path.to_string()) => {
                self.paths.push(path.to_string());
            }
            ExprKind::Apply(function, _) if function.recurs => self.has_recursion = true,
            ExprKind::Apply(function, _) => {
                let body = function.body.as_ref().expect("only natives have no body");
                for (local, drawn, value) in &body.bindings {
                    if *drawn {
                        let name = &function.locals[*local].name;
                        self.collect(value, &format!("{path}/{name}"));
                    }
                }
            }
            _ => {}
        }
    }
}

fn too_much(span: Span) -> Diagnostic {
    let title = format!("the template is more than {WORK_MAX} expressions, functions written out");
    Diagnostic::error("E505", title, span, "one too many")
        .help("call fewer functions that call functions, or use fewer folds within folds")
}

fn too_large(template: &Template, cells: u64) -> Diagnostic {
    let span = template.bindings.first().map_or(Span::default(), |binding| binding.value.span);
    let title = format!("a sample may take {} MiB of memory", cells >> 17);
    Diagnostic::error("E505", title, span, "the lists from here on").help(format!(
        "write smaller parameters or fewer nested loops: at most {} MiB",
        CELLS_MAX >> 17
    ))
}
