//! Branches, loops, lists made element by element, rules, and memory.

use super::*;
use crate::ir::{Arithmetic, Comparison};

#[test]
fn a_branch_runs_one_side() {
    for (condition, expected) in [(1, 10), (0, 20)] {
        let mut sketch = Sketch::new();
        let condition = sketch.value(&condition.into(), &Type::Bool);
        let result = sketch.register(Type::Int);
        sketch.choose(
            condition,
            |sketch| _ = sketch.set(result, Op::Constant(10)),
            |sketch| _ = sketch.set(result, Op::Constant(20)),
        );
        sketch.store(result);
        assert_eq!(only_value(sketch.finish(), 0), Ok(expected.into()));
    }
}

/// Stores the sum of the indices, and the index after the loop.
fn loop_sum(count: i64, stop_at: i64) -> (i64, i64) {
    let mut sketch = Sketch::new();
    let (count, stop_at) = (sketch.int(count), sketch.int(stop_at));
    let total = sketch.int(0);
    let last = sketch.int(-1);
    sketch.repeat(count, |sketch, index| {
        sketch.set(total, Op::Integer(Arithmetic::Add, total, index));
        sketch.set(last, Op::Copy(index));
        Some(sketch.get(Op::Compare(Comparison::Equal, index, stop_at), Type::Bool))
    });
    sketch.store(total);
    sketch.store(last);
    let outcome = Both::new(sketch.finish(), &Pools::new(9, [vec![]])).run(0);
    let (values, _) = outcome.expect("nothing faults");
    (values[0].cell(), values[1].cell())
}

#[test]
fn a_loop_counts_up_until_its_count_or_a_break() {
    assert_eq!(loop_sum(5, 99), (10, 4));
    assert_eq!(loop_sum(5, 2), (3, 2));
    assert_eq!(loop_sum(5, 0), (0, 0));
    assert_eq!(loop_sum(0, 99), (0, -1));
    assert_eq!(loop_sum(-3, 99), (0, -1));
}

#[test]
fn nested_loops_fill_a_list_of_lists() {
    let mut sketch = Sketch::new();
    let count = sketch.int(3);
    let outer = sketch.get(Op::NewList(count), Type::Token.list().list());
    sketch.repeat(count, |sketch, row| {
        let inner = sketch.get(Op::NewList(row), Type::Token.list());
        sketch.repeat(row, |sketch, column| {
            let sum = sketch.get(Op::Integer(Arithmetic::Add, row, column), Type::Int);
            let token = sketch.get(Op::Copy(sum), Type::Token);
            sketch.op(Op::Put(inner, column, token));
            None
        });
        sketch.op(Op::Put(outer, row, inner));
        None
    });
    sketch.store(outer);
    let expected: Value = vec![vec![], vec![1_i64], vec![2, 3]].into();
    assert_eq!(only_value(sketch.finish(), 0), Ok(expected));
}

#[test]
fn elements_outside_a_list_fault_at_their_step() {
    for (index, expected) in [
        (-1, Err(FaultKind::OutsideList)),
        (0, Ok(5)),
        (2, Ok(7)),
        (3, Err(FaultKind::OutsideList)),
        (i64::MAX, Err(FaultKind::OutsideList)),
    ] {
        for element in [Type::Int, Type::Token] {
            let operands = [(element.clone().list(), [5, 6, 7].into()), (Type::Int, index.into())];
            let operation = |[list, index, _]: [Register; 3]| Op::Element(list, index);
            let result = result_of(operation, &operands, element);
            assert_eq!(result.map(|value| value.cell()), expected);
        }
    }
}

#[test]
fn a_new_list_faults_below_zero_and_where_memory_ends() {
    for (count, expected) in [
        (-1, FaultKind::Negative),
        (i64::MIN, FaultKind::Negative),
        (1 << 28, FaultKind::Memory),
        (1 << 40, FaultKind::Memory),
        (i64::MAX, FaultKind::Memory),
    ] {
        for kind in [Type::Int.list(), Type::Token.list()] {
            let operation = |[count, ..]: [Register; 3]| Op::NewList(count);
            let result = result_of(operation, &[(Type::Int, count.into())], kind);
            assert_eq!(result, Err(expected));
        }
    }
}

#[test]
fn memory_fills_to_the_last_cell() {
    let cells = 2 * (1 << 12) + (1 << 16);
    for (extra, fits) in [(0, true), (1, false)] {
        let mut sketch = Sketch::new();
        // The room that pools take is rounded up by a cell a pool.
        let slack = 2 + extra;
        let count = sketch.int(cells + slack);
        let list = sketch.get(Op::NewList(count), Type::Int.list());
        let size = sketch.get(Op::Size(list), Type::Int);
        sketch.store(size);
        let outcome = Both::new(sketch.finish(), &Pools::new(8, [vec![]])).run(0);
        assert_eq!(outcome.is_ok(), fits);
    }
}

#[test]
fn marked_memory_is_used_again() {
    let mut sketch = Sketch::new();
    let (rounds, size) = (sketch.int(1000), sketch.int(1000));
    sketch.repeat(rounds, |sketch, _| {
        let mark = sketch.get(Op::Mark, Type::Int);
        sketch.get(Op::NewList(size), Type::Int.list());
        sketch.op(Op::Release(mark));
        None
    });
    sketch.store(size);
    assert_eq!(only_value(sketch.finish(), 0), Ok(1000.into()));
}

#[test]
fn a_fault_names_its_step() {
    let mut sketch = Sketch::new();
    let (one, zero) = (sketch.int(1), sketch.int(0));
    let at = sketch.here();
    let result = sketch.get(Op::Integer(Arithmetic::Divide, one, zero), Type::Int);
    sketch.store(result);
    let outcome = Both::new(sketch.finish(), &Pools::new(8, [vec![]])).run(0);
    assert_eq!(outcome, Err(Fault { kind: FaultKind::DivisionByZero, step: at }));
}

#[test]
fn pools_are_lists_of_their_tokens() {
    for (pool, expected) in [(0, (0..100).collect()), (1, vec![7, 7, 30])] {
        let mut sketch = Sketch::new();
        let list = sketch.get(Op::Pool(pool), Type::Token.list());
        sketch.store(list);
        assert_eq!(only_value(sketch.finish(), 0).map(|list| list.cells()), Ok(expected));
    }
}

/// A program that stores the list 1, 2, 3 and has rules over it.
fn judged() -> Program {
    let mut sketch = Sketch::new();
    let list = sketch.value(&[1, 2, 3].into(), &Type::Token.list());
    let slot = sketch.store(list);
    sketch.end_sample();
    sketch.rule(|sketch| {
        let list = sketch.get(Op::Load(slot), Type::Token.list());
        let size = sketch.get(Op::Size(list), Type::Int);
        let three = sketch.int(3);
        sketch.get(Op::Compare(Comparison::Equal, size, three), Type::Bool)
    });
    sketch.rule(|sketch| {
        let list = sketch.get(Op::Load(slot), Type::Token.list());
        let both = sketch.get(Op::Call(Builtin::Append, [list, list, NOWHERE]), Type::Token.list());
        let index = sketch.int(5);
        let last = sketch.get(Op::Element(both, index), Type::Token);
        // A wrong proof in a rule must not be believed: a reply keeps to no bounds.
        sketch.prove_last();
        let three = sketch.get(Op::Constant(3), Type::Token);
        sketch.get(Op::Compare(Comparison::Equal, last, three), Type::Bool)
    });
    for score in [0.25, 1.5, -0.5, f64::NAN] {
        sketch.rule(|sketch| sketch.value(&score.into(), &Type::Real));
    }
    sketch.finish()
}

#[test]
fn rules_score_from_0_to_1_and_a_fault_scores_0() {
    let mut both = Both::new(judged(), &Pools::new(8, [vec![]]));
    let scores =
        |[first, second]: [f64; 2]| [first, second, 0.25, 0.0, 0.0, 0.0].map(f64::to_bits).to_vec();
    assert_eq!(both.run(0).map(|(_, scores)| scores), Ok(scores([1.0, 1.0])));
    for (reply, expected) in
        [(&[9, 9, 3][..], [1.0, 1.0]), (&[3, 3], [0.0, 0.0]), (&[], [0.0, 0.0])]
    {
        for runner in [&mut both.interpreter, &mut both.native] {
            let mark = runner.memory.mark();
            let list = runner.memory.push_narrow(reply).expect("there is room");
            runner.memory.bind(0, list);
            let mut found = vec![7.0];
            for _ in 0..2 {
                runner.engine.judge(&mut runner.memory, &mut found);
                let found: Vec<u64> = found.iter().map(|score| score.to_bits()).collect();
                assert_eq!(found, scores(expected));
            }
            assert_eq!(runner.memory.narrow(runner.memory.slot(0)), reply);
            runner.memory.release(mark);
        }
    }
}

#[test]
fn judging_frees_what_it_made() {
    let mut both = Both::new(judged(), &Pools::new(8, [vec![]]));
    for memory in both.memories() {
        memory.clear();
    }
    for runner in [&mut both.interpreter, &mut both.native] {
        runner.engine.sample(&mut runner.memory, 0).expect("nothing faults");
        let mark = runner.memory.mark();
        runner.engine.judge(&mut runner.memory, &mut Vec::new());
        assert_eq!(runner.memory.mark(), mark);
    }
}

#[test]
fn a_handle_from_elsewhere_cannot_be_bound() {
    let both = Both::new(judged(), &Pools::new(8, [vec![]]));
    let mut memory = both.native.memory;
    let far = (1_i64 << 60) | 5;
    let bound = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| memory.bind(0, far)));
    assert!(bound.is_err());
}
