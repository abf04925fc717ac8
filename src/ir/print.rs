//! A program as text, for people and for snapshots: a line a step.

use std::fmt::Write;

use super::{Bound, NOWHERE, Op, Program, Register, Role, Step};

/// The complete program.
pub fn print(program: &Program) -> String {
    let mut text = String::new();
    let level = if program.level.is_empty() { "defaults" } else { &program.level };
    line(&mut text, format!("program {} at {level}", program.name));
    let bounds = &program.bounds;
    line(
        &mut text,
        format!(
            "  at most {} cells, {} words, {} words of pools + {} bytes",
            bounds.cells, bounds.words, bounds.pool_words, bounds.literal_bytes
        ),
    );
    for (at, slot) in program.slots.iter().enumerate() {
        let name = match slot.role {
            Role::Placeholder => "(shown)",
            Role::Kept => "(kept)",
            _ => &slot.name,
        };
        let bound = bound(&slot.bound);
        line(&mut text, format!("slot {at} {name}: {} {bound} {:?}", slot.kind, slot.role));
    }
    for (at, stream) in program.streams.iter().enumerate() {
        line(&mut text, format!("stream {at} {stream}"));
    }
    for (at, literal) in program.texts.iter().enumerate() {
        line(&mut text, format!("text {at} {literal:?}"));
    }
    line(&mut text, "sample".to_string());
    steps(&mut text, program, &program.sample);
    for given in &program.given {
        line(&mut text, format!("given slot {}", given.slot));
        steps(&mut text, program, &given.steps);
    }
    for rule in &program.rules {
        line(&mut text, format!("rule {}", rule.name));
        steps(&mut text, program, &rule.steps);
        line(&mut text, format!("      score r{}", rule.score));
    }
    text
}

fn steps(text: &mut String, program: &Program, range: &std::ops::Range<u32>) {
    let mut depth = 1usize;
    for at in range.clone() {
        let step = &program.steps[at as usize];
        if matches!(step.op, Op::Else(_) | Op::EndIf | Op::EndLoop(_)) {
            depth -= 1;
        }
        line(text, format!("{at:5} {}{}", "  ".repeat(depth - 1), one(program, step)));
        if matches!(step.op, Op::If(..) | Op::Else(_) | Op::Loop { .. }) {
            depth += 1;
        }
    }
}

fn one(program: &Program, step: &Step) -> String {
    let into = match step.into {
        NOWHERE => String::new(),
        register => format!("r{register}: {} = ", program.registers[register as usize]),
    };
    let check = if step.proved { "" } else { "  ?" };
    format!("{into}{}{check}", op(program, &step.op))
}

fn op(program: &Program, op: &Op) -> String {
    match op {
        Op::Constant(value) => format!("{value}"),
        Op::Copy(a) => format!("r{a}"),
        Op::Load(slot) => format!("slot {slot}"),
        Op::Store(slot, a) => format!("slot {slot} = r{a}"),
        Op::Pool(pool) => format!("pool {}", program.pools[*pool as usize]),
        Op::Integer(kind, a, b) => format!("{} r{a} r{b}", lower(kind)),
        Op::Real(kind, a, b) => format!("{}_real r{a} r{b}", lower(kind)),
        Op::ToReal(a) => format!("to_real r{a}"),
        Op::Compare(kind, a, b) => format!("{} r{a} r{b}", lower(kind)),
        Op::Not(a) => format!("not r{a}"),
        Op::Size(a) => format!("size r{a}"),
        Op::Element(xs, i) => format!("element r{xs} r{i}"),
        Op::NewList(size) => format!("new_list r{size}"),
        Op::Put(xs, i, x) => format!("put r{xs} r{i} r{x}"),
        Op::Call(builtin, operands) => format!("{}{}", lower(builtin), registers(operands)),
        Op::Draw(sampler, stream, operands) => {
            let path = &program.streams[*stream as usize];
            format!("{}{} from {path}", lower(sampler), registers(operands))
        }
        Op::Seed(stream) => format!("seed {}", program.streams[*stream as usize]),
        Op::If(a, _) => format!("if r{a}"),
        Op::Else(_) => "else".to_string(),
        Op::EndIf => "end".to_string(),
        Op::Loop { index, count, .. } => format!("loop r{index} below r{count}"),
        Op::BreakIf(a, _) => format!("break if r{a}"),
        Op::EndLoop(_) => "end".to_string(),
        Op::Mark => "mark".to_string(),
        Op::Release(mark) => format!("release r{mark}"),
    }
}

fn registers(operands: &[Register; 3]) -> String {
    let used = operands.iter().filter(|operand| **operand != NOWHERE);
    used.map(|operand| format!(" r{operand}")).collect()
}

/// `DistinctWithout` as `distinct_without`.
fn lower(name: &impl std::fmt::Debug) -> String {
    let mut text = String::new();
    for character in format!("{name:?}").chars() {
        if character.is_ascii_uppercase() && !text.is_empty() {
            text.push('_');
        }
        text.push(character.to_ascii_lowercase());
    }
    text
}

/// A bound as people read it: `64..512`, `size 4 of 0..9`.
pub fn bound(bound: &Bound) -> String {
    let range = |low: &i64, high: &i64| match low == high {
        true => low.to_string(),
        false => format!("{low}..{high}"),
    };
    match bound {
        Bound::Int { low: i64::MIN, high: i64::MAX } | Bound::Any => "any".to_string(),
        Bound::Int { low, high } => range(low, high),
        Bound::List { low, high, element } => {
            format!("size {} of {}", range(low, high), self::bound(element))
        }
        Bound::Text(text) => match &text.literals {
            Some(texts) => format!("one of {} texts", texts.len()),
            None => format!("text of {} characters", range(&text.low, &text.high)),
        },
        Bound::Token(pool) => format!("pool {pool}"),
    }
}

fn line(text: &mut String, line: String) {
    writeln!(text, "{}", line.trim_end()).expect("writing to a String does not fail");
}
