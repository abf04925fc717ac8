//! Arithmetic and comparisons at their edges.

use super::*;
use crate::ir::{Arithmetic, Comparison};

fn integer(operator: Arithmetic, left: i64, right: i64) -> Result<i64, FaultKind> {
    let operands = [(Type::Int, left.into()), (Type::Int, right.into())];
    let operation = |[left, right, _]: [Register; 3]| Op::Integer(operator, left, right);
    result_of(operation, &operands, Type::Int).map(|value| value.cell())
}

fn real(operator: Arithmetic, left: f64, right: f64) -> f64 {
    let operands = [(Type::Real, left.into()), (Type::Real, right.into())];
    let operation = |[left, right, _]: [Register; 3]| Op::Real(operator, left, right);
    let result = result_of(operation, &operands, Type::Real);
    f64::from_bits(result.expect("reals do not fault").cell() as u64)
}

#[test]
fn whole_numbers_fault_where_64_bits_end() {
    use Arithmetic::*;
    let (least, most) = (i64::MIN, i64::MAX);
    for (operator, left, right) in [
        (Add, most, 1),
        (Add, least, -1),
        (Subtract, least, 1),
        (Subtract, 0, least),
        (Multiply, most, 2),
        (Multiply, least, -1),
        (Multiply, 1 << 32, 1 << 31),
        (Divide, least, -1),
    ] {
        assert_eq!(integer(operator, left, right), Err(FaultKind::Overflow), "{operator:?}");
    }
    assert_eq!(integer(Add, most, 0), Ok(most));
    assert_eq!(integer(Subtract, -1, most), Ok(least));
    assert_eq!(integer(Multiply, -(1 << 32), 1 << 31), Ok(least));
    assert_eq!(integer(Remainder, least, -1), Ok(0));
}

#[test]
fn both_engines_compute_integers_as_constants_are_folded() {
    use Arithmetic::*;
    let edges = [0, 1, -1, 7, -10, 1 << 32, i64::MAX, i64::MIN, i64::MIN + 1];
    for operator in [Add, Subtract, Multiply, Divide, Remainder] {
        for (left, right) in edges.iter().flat_map(|&a| edges.map(|b| (a, b))) {
            let folded = operator.apply(left, right);
            assert_eq!(integer(operator, left, right), folded, "{left} {operator:?} {right}");
        }
    }
}

#[test]
fn division_rounds_down_and_a_remainder_has_its_divisors_sign() {
    use Arithmetic::*;
    for (left, right, quotient, remainder) in [
        (7, 2, 3, 1),
        (-7, 2, -4, 1),
        (7, -2, -4, -1),
        (-7, -2, 3, -1),
        (6, -2, -3, 0),
        (-6, 2, -3, 0),
        (0, -5, 0, 0),
        (i64::MIN, 3, -3074457345618258603, 1),
        (i64::MIN, i64::MAX, -2, i64::MAX - 1),
        (i64::MAX, i64::MIN, -1, -1),
    ] {
        assert_eq!(integer(Divide, left, right), Ok(quotient), "{left} / {right}");
        assert_eq!(integer(Remainder, left, right), Ok(remainder), "{left} % {right}");
    }
    for operator in [Divide, Remainder] {
        assert_eq!(integer(operator, 5, 0), Err(FaultKind::DivisionByZero));
        assert_eq!(integer(operator, i64::MIN, 0), Err(FaultKind::DivisionByZero));
    }
}

#[test]
fn reals_never_fault_and_what_is_no_number_has_one_bit_pattern() {
    use Arithmetic::*;
    assert_eq!(real(Divide, 1.0, 0.0), f64::INFINITY);
    assert_eq!(real(Subtract, 0.5, 0.25), 0.25);
    let infinite = f64::INFINITY;
    for (operator, left, right) in
        [(Divide, 0.0, 0.0), (Subtract, infinite, infinite), (Multiply, 0.0, -infinite)]
    {
        assert_eq!(real(operator, left, right).to_bits(), f64::NAN.to_bits());
    }
}

#[test]
fn reals_compare_by_value_and_all_else_as_whole_numbers() {
    use Comparison::*;
    let compare = |comparison, kind: Type, left: Value, right: Value| {
        let operation = |[left, right, _]: [Register; 3]| Op::Compare(comparison, left, right);
        let operands = [(kind.clone(), left), (kind, right)];
        result_of(operation, &operands, Type::Bool).expect("comparing does not fault").cell() == 1
    };
    let booleans = |kind: Type, left: Value, right: Value| {
        [Equal, NotEqual, Less, LessEqual, Greater, GreaterEqual]
            .map(|comparison| compare(comparison, kind.clone(), left.clone(), right.clone()))
    };
    let less = [false, true, true, true, false, false];
    let equal = [true, false, false, true, false, true];
    let unordered = [false, true, false, false, false, false];
    assert_eq!(booleans(Type::Int, (-1).into(), 1.into()), less);
    assert_eq!(booleans(Type::Token, 5.into(), 5.into()), equal);
    assert_eq!(booleans(Type::Real, (-1.0).into(), 1.0.into()), less);
    assert_eq!(booleans(Type::Real, (-0.0).into(), 0.0.into()), equal);
    assert_eq!(booleans(Type::Real, f64::NAN.into(), f64::NAN.into()), unordered);
}

#[test]
fn whole_numbers_become_reals_and_truths_turn_over() {
    let operation = |[value, ..]: [Register; 3]| Op::ToReal(value);
    let real = result_of(operation, &[(Type::Int, i64::MAX.into())], Type::Real);
    assert_eq!(real, Ok((i64::MAX as f64).into()));
    let operation = |[value, ..]: [Register; 3]| Op::Not(value);
    assert_eq!(result_of(operation, &[(Type::Bool, 1.into())], Type::Bool), Ok(0.into()));
    assert_eq!(result_of(operation, &[(Type::Bool, 0.into())], Type::Bool), Ok(1.into()));
}

#[test]
fn proved_arithmetic_gives_the_same() {
    for operator in [
        Arithmetic::Add,
        Arithmetic::Subtract,
        Arithmetic::Multiply,
        Arithmetic::Divide,
        Arithmetic::Remainder,
    ] {
        let mut sketch = Sketch::new();
        let (left, right) = (sketch.int(-17), sketch.int(5));
        let result = sketch.get(Op::Integer(operator, left, right), Type::Int);
        sketch.prove_last();
        sketch.store(result);
        let proved = only_value(sketch.finish(), 0).map(|value| value.cell());
        assert_eq!(proved, integer(operator, -17, 5));
    }
}
