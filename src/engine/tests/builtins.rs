//! Each builtin on tokens, numbers and nested lists, and at its edges.

use super::*;

const NONE: [i64; 0] = [];

fn ints() -> Type {
    Type::Int.list()
}

fn tokens() -> Type {
    Type::Token.list()
}

/// The builtin on lists of tokens and on lists of numbers, which must do the same.
fn on_lists<const N: usize>(builtin: Builtin, lists: [&[i64]; N]) -> Result<Vec<i64>, FaultKind> {
    let [narrow, wide] = [tokens(), ints()].map(|kind| {
        let operands = lists.map(|list| (kind.clone(), list.to_vec().into()));
        called(builtin, &operands, kind).map(|list| list.cells())
    });
    assert_eq!(narrow, wide);
    narrow
}

/// The builtin with a number before its list.
fn with_count(builtin: Builtin, count: i64, list: &[i64]) -> Result<Vec<i64>, FaultKind> {
    let [narrow, wide] = [tokens(), ints()].map(|kind| {
        let operands = [(Type::Int, count.into()), (kind.clone(), list.to_vec().into())];
        called(builtin, &operands, kind).map(|list| list.cells())
    });
    assert_eq!(narrow, wide);
    narrow
}

/// A relation of two lists.
fn holds(builtin: Builtin, kind: Type, left: impl Into<Value>, right: impl Into<Value>) -> bool {
    let operands = [(kind.clone(), left.into()), (kind, right.into())];
    called(builtin, &operands, Type::Bool).expect("relations do not fault").cell() == 1
}

#[test]
fn same_compares_in_depth() {
    assert!(holds(Builtin::Same, tokens(), [1, 2], [1, 2]));
    assert!(!holds(Builtin::Same, tokens(), [1, 2], [1, 2, 3]));
    assert!(!holds(Builtin::Same, ints(), [1, 2], [2, 1]));
    assert!(holds(Builtin::Same, ints().list(), [[1, 2], [3, 4]], [[1, 2], [3, 4]]));
    assert!(!holds(Builtin::Same, tokens().list(), [[1, 2], [3, 4]], [[1, 2], [3, 5]]));
    assert!(holds(Builtin::Same, Type::Real.list(), [0.0], [-0.0]));
    assert!(!holds(Builtin::Same, Type::Real.list(), [f64::NAN], [f64::NAN]));
}

#[test]
fn an_empty_list_of_no_known_type_equals_any_empty_list() {
    let nothing = (Type::Unknown.list(), Value::List(vec![]));
    for (value, expected) in [(vec![], 1), (vec![4_i64], 0)] {
        let operands = [nothing.clone(), (tokens(), value.clone().into())];
        assert_eq!(called(Builtin::Same, &operands, Type::Bool), Ok(expected.into()));
        let joined = called(Builtin::Append, &operands, tokens());
        assert_eq!(joined, Ok(value.into()));
    }
}

#[test]
fn contains_and_position_find_the_first_equal_element() {
    let cases: [(Type, Value, Value, Option<i64>); 7] = [
        (Type::Token, 5.into(), [4, 5, 5].into(), Some(1)),
        (Type::Int, (-5).into(), [4, -5, -5].into(), Some(1)),
        (Type::Int, 6.into(), [4, 5].into(), None),
        (Type::Token, 6.into(), NONE.into(), None),
        (Type::Real, 0.0.into(), [1.0, -0.0].into(), Some(1)),
        (tokens(), [1, 2].into(), vec![vec![1], vec![1, 2_i64]].into(), Some(1)),
        (tokens(), NONE.into(), vec![vec![1_i64]].into(), None),
    ];
    for (kind, value, list, place) in cases {
        let operands = [(kind.clone(), value), (kind.list(), list)];
        let found = called(Builtin::Contains, &operands, Type::Bool);
        assert_eq!(found, Ok((place.is_some() as i64).into()));
        let position = called(Builtin::Position, &operands, Type::Int);
        assert_eq!(position, place.map(Value::from).ok_or(FaultKind::NotFound));
    }
}

#[test]
fn within_means_a_contiguous_run() {
    for kind in [tokens(), ints()] {
        assert!(holds(Builtin::Within, kind.clone(), [2, 3], [1, 2, 2, 3]));
        assert!(!holds(Builtin::Within, kind.clone(), [1, 3], [1, 2, 3]));
        assert!(holds(Builtin::Within, kind.clone(), NONE, [1]));
        assert!(holds(Builtin::Within, kind.clone(), NONE, NONE));
        assert!(!holds(Builtin::Within, kind, [1, 2], [1]));
    }
    assert!(holds(Builtin::Within, tokens().list(), [[2], [3]], [[1], [2], [3]]));
    assert!(!holds(Builtin::Within, tokens().list(), [[2], [4]], [[1], [2], [3]]));
}

#[test]
fn lists_are_joined_reversed_and_sorted() {
    assert_eq!(on_lists(Builtin::Append, [&[3, 1], &[2]]), Ok(vec![3, 1, 2]));
    assert_eq!(on_lists(Builtin::Append, [&[], &[]]), Ok(vec![]));
    assert_eq!(on_lists(Builtin::Reverse, [&[3, 1, 2]]), Ok(vec![2, 1, 3]));
    assert_eq!(on_lists(Builtin::Sort, [&[3, 1, 2, 1]]), Ok(vec![1, 1, 2, 3]));
    let sorted = called(Builtin::Sort, &[(ints(), [3, -1, i64::MIN].into())], ints());
    assert_eq!(sorted, Ok([i64::MIN, -1, 3].into()));
    let reals = Type::Real.list();
    let sorted = called(Builtin::Sort, &[(reals.clone(), [1.5, -2.0, -3.0].into())], reals);
    assert_eq!(sorted, Ok([-3.0, -2.0, 1.5].into()));
}

#[test]
fn a_range_has_both_ends() {
    let range = |low: i64, high: i64| {
        called(Builtin::Range, &[(Type::Int, low.into()), (Type::Int, high.into())], ints())
            .map(|list| list.cells())
    };
    assert_eq!(range(2, 5), Ok(vec![2, 3, 4, 5]));
    assert_eq!(range(2, 2), Ok(vec![2]));
    assert_eq!(range(3, 2), Ok(vec![]));
    assert_eq!(range(i64::MAX - 1, i64::MAX), Ok(vec![i64::MAX - 1, i64::MAX]));
    assert_eq!(range(i64::MIN, i64::MAX), Err(FaultKind::Memory));
    assert_eq!(range(1, 1 << 32), Err(FaultKind::Memory));
}

#[test]
fn take_and_drop_part_a_list() {
    let list = [5, 6, 7];
    for count in 0..=3 {
        let (front, back) = list.split_at(count as usize);
        assert_eq!(with_count(Builtin::Take, count, &list), Ok(front.to_vec()));
        assert_eq!(with_count(Builtin::Drop, count, &list), Ok(back.to_vec()));
    }
    for builtin in [Builtin::Take, Builtin::Drop] {
        assert_eq!(with_count(builtin, -1, &list), Err(FaultKind::Negative));
        assert_eq!(with_count(builtin, 4, &list), Err(FaultKind::TooFew));
        assert_eq!(with_count(builtin, i64::MAX, &list), Err(FaultKind::TooFew));
    }
}

#[test]
fn chunks_are_full_but_for_the_last() {
    let chunks = |count: i64, list: &[i64]| {
        let operands = [(Type::Int, count.into()), (tokens(), list.to_vec().into())];
        called(Builtin::Chunks, &operands, tokens().list())
    };
    assert_eq!(chunks(2, &[1, 2, 3]), Ok(vec![vec![1, 2], vec![3_i64]].into()));
    assert_eq!(chunks(3, &[1, 2, 3]), Ok(vec![vec![1, 2, 3_i64]].into()));
    assert_eq!(chunks(i64::MAX, &[1]), Ok(vec![vec![1_i64]].into()));
    assert_eq!(chunks(2, &[]), Ok(Value::List(vec![])));
    assert_eq!(chunks(0, &[1]), Err(FaultKind::NotPositive));
}

#[test]
fn lists_work_as_sets_in_order_of_first_occurrence() {
    assert_eq!(on_lists(Builtin::Without, [&[2, 9], &[1, 2, 3, 2, 1]]), Ok(vec![1, 3, 1]));
    assert_eq!(on_lists(Builtin::Without, [&[], &[1, 1]]), Ok(vec![1, 1]));
    assert_eq!(on_lists(Builtin::Unique, [&[3, 1, 3, 2, 1]]), Ok(vec![3, 1, 2]));
    assert_eq!(on_lists(Builtin::Union, [&[3, 1, 3], &[2, 1]]), Ok(vec![3, 1, 2]));
    assert_eq!(on_lists(Builtin::Intersect, [&[3, 1, 3, 2], &[2, 3, 3]]), Ok(vec![3, 2]));
    assert_eq!(on_lists(Builtin::Intersect, [&[1], &[]]), Ok(vec![]));
}

#[test]
fn sets_of_reals_and_of_lists_compare_by_value() {
    let reals = Type::Real.list();
    let of_reals = |builtin, lists: [Value; 2]| {
        called(builtin, &lists.map(|list| (reals.clone(), list)), reals.clone())
    };
    let (left, right): (Value, Value) = ([0.0, 1.0, -0.0].into(), [-0.0, 2.0].into());
    let both = || [left.clone(), right.clone()];
    assert_eq!(of_reals(Builtin::Union, both()), Ok([0.0, 1.0, 2.0].into()));
    assert_eq!(of_reals(Builtin::Intersect, both()), Ok([0.0].into()));
    assert_eq!(of_reals(Builtin::Without, both()), Ok([2.0].into()));
    let nested = tokens().list();
    let unique = called(Builtin::Unique, &[(nested.clone(), [[1], [2], [1]].into())], nested);
    assert_eq!(unique, Ok([[1], [2]].into()));
}

#[test]
fn replace_changes_each_occurrence() {
    let replace = |kind: Type, [old, new, list]: [Value; 3]| {
        let operands = [(kind.clone(), old), (kind.clone(), new), (kind.clone().list(), list)];
        called(Builtin::Replace, &operands, kind.list())
    };
    for kind in [Type::Token, Type::Int] {
        let replaced = replace(kind, [1.into(), 9.into(), [1, 2, 1].into()]);
        assert_eq!(replaced, Ok([9, 2, 9].into()));
    }
    let replaced = replace(tokens(), [[1].into(), [8].into(), [[1], [2]].into()]);
    assert_eq!(replaced, Ok([[8], [2]].into()));
}

#[test]
fn around_after_and_before_part_a_list_at_a_run() {
    let list = [1, 2, 3, 4, 5];
    let around = |margin: i64, needle: &[i64]| {
        let operands = [
            (Type::Int, margin.into()),
            (tokens(), needle.to_vec().into()),
            (tokens(), list.into()),
        ];
        called(Builtin::Around, &operands, tokens()).map(|list| list.cells())
    };
    assert_eq!(around(1, &[3]), Ok(vec![2, 3, 4]));
    assert_eq!(around(0, &[3, 4]), Ok(vec![3, 4]));
    assert_eq!(around(9, &[2]), Ok(list.to_vec()));
    assert_eq!(around(i64::MAX, &[5]), Ok(list.to_vec()));
    assert_eq!(around(2, &[]), Ok(vec![1, 2]));
    assert_eq!(around(1, &[9]), Err(FaultKind::NotFound));
    assert_eq!(around(-1, &[3]), Err(FaultKind::Negative));
    assert_eq!(on_lists(Builtin::After, [&[2, 3], &list]), Ok(vec![4, 5]));
    assert_eq!(on_lists(Builtin::Before, [&[2, 3], &list]), Ok(vec![1]));
    assert_eq!(on_lists(Builtin::After, [&[], &list]), Ok(list.to_vec()));
    assert_eq!(on_lists(Builtin::Before, [&[], &list]), Ok(vec![]));
    assert_eq!(on_lists(Builtin::After, [&[3, 2], &list]), Err(FaultKind::NotFound));
    assert_eq!(on_lists(Builtin::Before, [&[9], &[]]), Err(FaultKind::NotFound));
}

#[test]
fn concat_joins_the_lists_of_a_list() {
    for kind in [tokens(), ints()] {
        let lists: Value = vec![vec![1, 2], vec![], vec![3_i64]].into();
        let joined = called(Builtin::Concat, &[(kind.clone().list(), lists)], kind.clone());
        assert_eq!(joined, Ok([1, 2, 3].into()));
        let joined = called(Builtin::Concat, &[(kind.clone().list(), NONE.into())], kind);
        assert_eq!(joined, Ok(NONE.into()));
    }
}

#[test]
fn numbers_are_summed_and_compared() {
    let int = |builtin, list: Value| called(builtin, &[(ints(), list)], Type::Int);
    let real = |builtin, list: Value| called(builtin, &[(Type::Real.list(), list)], Type::Real);
    assert_eq!(int(Builtin::Sum, [3, -5].into()), Ok((-2).into()));
    assert_eq!(int(Builtin::Sum, NONE.into()), Ok(0.into()));
    assert_eq!(int(Builtin::Sum, [i64::MAX, 1, -1].into()), Err(FaultKind::Overflow));
    assert_eq!(int(Builtin::Max, [3, -5, 4].into()), Ok(4.into()));
    assert_eq!(int(Builtin::Min, [3, -5, 4].into()), Ok((-5).into()));
    assert_eq!(int(Builtin::Max, NONE.into()), Err(FaultKind::Empty));
    assert_eq!(real(Builtin::Sum, [0.5, 0.25].into()), Ok(0.75.into()));
    assert_eq!(real(Builtin::Sum, NONE.into()), Ok(0.0.into()));
    assert_eq!(real(Builtin::Max, [-1.0, -2.0].into()), Ok((-1.0).into()));
    assert_eq!(real(Builtin::Min, NONE.into()), Err(FaultKind::Empty));
}

/// Short lists are worked on inline, long ones by a call.
#[test]
fn lists_of_any_length_are_joined_and_searched_alike() {
    for size in [0, 1, 2, 15, 16, 17, 18, 40] {
        let all: Vec<i64> = (0..size).map(|at| at * 3 % 64).collect();
        for cut in [0, size / 2, size] {
            let (left, right) = all.split_at(cut as usize);
            assert_eq!(on_lists(Builtin::Append, [left, right]), Ok(all.clone()));
        }
        for kind in [Type::Token, Type::Int] {
            let is_in = |cell: i64| {
                let list = (kind.clone().list(), all.clone().into());
                called(Builtin::Contains, &[(kind.clone(), cell.into()), list], Type::Bool)
            };
            assert_eq!(is_in(64), Ok(0.into()));
            for &cell in all.first().into_iter().chain(all.last()) {
                assert_eq!(is_in(cell), Ok(1.into()), "{cell} of {size}");
            }
        }
    }
}

/// Lists up to where machine code stops working on them itself, and beyond.
#[test]
fn builtins_do_the_same_to_lists_of_any_length() {
    for size in [0, 1, 2, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65] {
        let all: Vec<i64> = (0..size).map(|at| at * 37 % 101).collect();
        let mut wanted = all.clone();
        wanted.reverse();
        assert_eq!(on_lists(Builtin::Reverse, [&all]), Ok(wanted.clone()));
        wanted.sort_unstable();
        assert_eq!(on_lists(Builtin::Sort, [&all]), Ok(wanted.clone()));
        let number = |builtin: Builtin| {
            called(builtin, &[(ints(), all.clone().into())], Type::Int).map(|value| value.cell())
        };
        assert_eq!(number(Builtin::Sum), Ok(all.iter().sum()));
        assert_eq!(number(Builtin::Min), wanted.first().copied().ok_or(FaultKind::Empty));
        assert_eq!(number(Builtin::Max), wanted.last().copied().ok_or(FaultKind::Empty));
        for kind in [tokens(), ints()] {
            assert!(holds(Builtin::Same, kind.clone(), all.clone(), all.clone()));
            for at in [0, size - 1].into_iter().filter(|at| (0..size).contains(at)) {
                let mut other = all.clone();
                other[at as usize] += 1;
                assert!(!holds(Builtin::Same, kind.clone(), all.clone(), other));
            }
            for count in [1, 3, 16, 65] {
                let slices: Vec<Vec<i64>> = all.chunks(count).map(<[i64]>::to_vec).collect();
                let operands =
                    [(Type::Int, (count as i64).into()), (kind.clone(), all.clone().into())];
                let made = called(Builtin::Chunks, &operands, kind.clone().list());
                assert_eq!(made, Ok(slices.clone().into()));
                let joined = [(kind.clone().list(), Value::from(slices))];
                assert_eq!(called(Builtin::Concat, &joined, kind.clone()), Ok(all.clone().into()));
            }
        }
        let range = [(Type::Int, 5.into()), (Type::Int, (size + 4).into())];
        let numbers: Vec<i64> = (5..size + 5).collect();
        assert_eq!(called(Builtin::Range, &range, ints()), Ok(numbers.into()));
    }
}

/// `x in xs` and `position(x, xs)` search once, but not where `x` has changed or a branch did not
/// search.
#[test]
fn a_search_is_known_only_where_it_was_made_of_the_same_values() {
    for (looks_first, start) in [(0, 7), (1, 7), (0, 9), (1, 9)] {
        let mut sketch = Sketch::new();
        let list = sketch.value(&[9, 8, 7].into(), &ints());
        let cell = sketch.register(Type::Int);
        sketch.set(cell, Op::Constant(start));
        let condition = sketch.get(Op::Constant(looks_first), Type::Bool);
        let found = [(); 2].map(|()| sketch.register(Type::Int));
        let look = |sketch: &mut Sketch, into: Register| {
            sketch.set(into, Op::Call(Builtin::Position, [cell, list, NOWHERE]));
        };
        sketch.choose(
            condition,
            |sketch| {
                look(sketch, found[0]);
                sketch.set(cell, Op::Constant(8));
            },
            |sketch| _ = sketch.set(found[0], Op::Constant(-1)),
        );
        look(&mut sketch, found[1]);
        let one = sketch.int(1);
        let rounds = sketch.int(3);
        sketch.set(cell, Op::Constant(9));
        sketch.repeat(rounds, |sketch, _| {
            look(sketch, found[1]);
            sketch.set(cell, Op::Integer(crate::ir::Arithmetic::Subtract, cell, one));
            None
        });
        sketch.store(found[1]);
        assert_eq!(only_value(sketch.finish(), 5), Ok(2.into()));
    }
}
