//! Each sampler at its edges, and whether all its results are equally likely.

use std::collections::BTreeMap;

use super::*;

const NONE: [i64; 0] = [];

fn tokens() -> Type {
    Type::Token.list()
}

fn counted(sampler: Sampler, count: i64, list: &[i64]) -> Result<Vec<i64>, FaultKind> {
    let [narrow, wide] = [tokens(), Type::Int.list()].map(|kind| {
        let operands = [(Type::Int, count.into()), (kind.clone(), list.to_vec().into())];
        drawn(sampler, &operands, kind).map(|list| list.cells())
    });
    assert_eq!(narrow, wide);
    narrow
}

/// `distinct(count, without(gone, vocab))`, or `distinct(count, vocab)`, of a vocabulary of 100.
fn from_vocab(count: i64, gone: Option<&[i64]>) -> Result<Vec<i64>, FaultKind> {
    let mut sketch = Sketch::new();
    let count = sketch.int(count);
    let vocab = sketch.get(Op::Pool(0), tokens());
    let gone = gone.map(|gone| sketch.value(&gone.to_vec().into(), &tokens()));
    sketch.op(Op::Seed(0));
    let draw = match gone {
        Some(gone) => Op::Draw(Sampler::DistinctWithout, 0, [count, gone, vocab]),
        None => Op::Draw(Sampler::Distinct, 0, [count, vocab, NOWHERE]),
    };
    let list = sketch.get(draw, tokens());
    sketch.store(list);
    only_value(sketch.finish(), 5).map(|list| list.cells())
}

fn are_different(list: &[i64]) -> bool {
    let mut sorted = list.to_vec();
    sorted.sort_unstable();
    sorted.windows(2).all(|pair| pair[0] != pair[1])
}

#[test]
fn distinct_takes_none_some_or_all_but_not_more() {
    let list: Vec<i64> = (200..300).collect();
    for count in [0, 1, 31, 32, 50, 51, 99, 100] {
        let drawn = counted(Sampler::Distinct, count, &list).expect("there are enough");
        assert_eq!(drawn.len() as i64, count);
        assert!(are_different(&drawn) && drawn.iter().all(|it| list.contains(it)));
        let from_vocab = from_vocab(count, None).expect("there are enough");
        assert_eq!(from_vocab.len() as i64, count);
        assert!(are_different(&from_vocab) && from_vocab.iter().all(|it| (0..100).contains(it)));
    }
    for wrong in [101, i64::MAX] {
        assert_eq!(counted(Sampler::Distinct, wrong, &list), Err(FaultKind::TooFew));
        assert_eq!(from_vocab(wrong, None), Err(FaultKind::TooFew));
    }
    assert_eq!(counted(Sampler::Distinct, -1, &list), Err(FaultKind::Negative));
    assert_eq!(counted(Sampler::Distinct, 0, &[]), Ok(vec![]));
}

/// Draws up to where machine code stops making them itself, and beyond, from few elements and many.
#[test]
fn both_engines_draw_the_same_few_elements() {
    for size in [1, 2, 3, 4, 5, 8, 15, 16, 17, 31, 32, 33, 60] {
        let list: Vec<i64> = (0..size).map(|at| at * 7).collect();
        for count in [0, 1, 2, 3, 4, 5, 8, 9, 15, 16, 17] {
            let drawn = counted(Sampler::Draw, count, &list).expect("there is an element");
            assert_eq!(drawn.len() as i64, count);
            let different = counted(Sampler::Distinct, count, &list);
            match count <= size {
                true => assert!(are_different(&different.expect("there are enough"))),
                false => assert_eq!(different, Err(FaultKind::TooFew)),
            }
        }
        let operands = [(tokens(), list.clone().into())];
        let shuffled = drawn(Sampler::Shuffle, &operands, tokens()).expect("it does not fault");
        let mut sorted = shuffled.cells();
        sorted.sort_unstable();
        assert_eq!(sorted, list);
    }
}

#[test]
fn vocab_is_drawn_from_like_any_list_with_its_tokens() {
    for count in [3, 40, 80] {
        let list: Vec<i64> = (0..100).collect();
        let mut sketch = Sketch::new();
        let (count_register, list) = (sketch.int(count), sketch.value(&list.into(), &tokens()));
        sketch.op(Op::Seed(0));
        let draw = Op::Draw(Sampler::Distinct, 0, [count_register, list, NOWHERE]);
        let drawn = sketch.get(draw, tokens());
        sketch.store(drawn);
        let from_list = only_value(sketch.finish(), 5).map(|list| list.cells());
        assert_eq!(from_list, from_vocab(count, None));
    }
}

#[test]
fn what_is_gone_is_never_drawn_and_counts_once() {
    for gone in [vec![], vec![3, 3, 4], (0..70).collect(), vec![5, 1000, i64::from(u32::MAX)]] {
        let left = (0..100).filter(|it| !gone.contains(it)).count() as i64;
        for count in [0, 1, left / 3, left - 1, left] {
            let drawn = from_vocab(count, Some(&gone)).expect("there are enough");
            assert_eq!(drawn.len() as i64, count);
            assert!(are_different(&drawn) && drawn.iter().all(|it| !gone.contains(it)));
        }
        assert_eq!(from_vocab(left + 1, Some(&gone)), Err(FaultKind::TooFew));
        assert_eq!(from_vocab(-1, Some(&gone)), Err(FaultKind::Negative));
    }
}

#[test]
fn what_is_gone_from_any_list_is_gone_at_each_place() {
    for kind in [Type::Token, Type::Int] {
        let of = |count: i64| {
            let operands = [
                (Type::Int, count.into()),
                (kind.clone().list(), [1, 2].into()),
                (kind.clone().list(), [1, 5, 2, 5, 1, 6].into()),
            ];
            drawn(Sampler::DistinctWithout, &operands, kind.clone().list())
        };
        let mut all = of(3).expect("there are enough").cells();
        all.sort_unstable();
        assert_eq!(all, [5, 5, 6]);
        assert_eq!(of(4), Err(FaultKind::TooFew));
    }
}

#[test]
fn draw_repeats_and_needs_one_element_at_most() {
    for count in [0, 5, 31, 32, 500] {
        let drawn = counted(Sampler::Draw, count, &[7, 8]).expect("there are enough");
        assert_eq!(drawn.len() as i64, count);
        assert!(drawn.iter().all(|it| [7, 8].contains(it)));
    }
    assert_eq!(counted(Sampler::Draw, 0, &[]), Ok(vec![]));
    assert_eq!(counted(Sampler::Draw, 1, &[]), Err(FaultKind::Empty));
    assert_eq!(counted(Sampler::Draw, -1, &[]), Err(FaultKind::Negative));
    assert_eq!(counted(Sampler::Draw, 1 << 40, &[1]), Err(FaultKind::Memory));
    assert_eq!(counted(Sampler::Draw, 1 << 31, &[1]), Err(FaultKind::Memory));
}

#[test]
fn a_span_is_a_run_of_its_list() {
    let list = [5, 6, 7, 8];
    for count in 0..=4 {
        let span = counted(Sampler::Span, count, &list).expect("there are enough");
        assert!(list.windows(count.max(1) as usize).any(|run| run.starts_with(&span)));
        assert_eq!(span.len() as i64, count);
    }
    assert_eq!(counted(Sampler::Span, 0, &[]), Ok(vec![]));
    assert_eq!(counted(Sampler::Span, 5, &list), Err(FaultKind::TooFew));
    assert_eq!(counted(Sampler::Span, -1, &list), Err(FaultKind::Negative));
}

#[test]
fn pick_and_shuffle_work_on_every_kind_of_element() {
    let pick = |kind: Type, list: Value| drawn(Sampler::Pick, &[(kind.clone().list(), list)], kind);
    assert_eq!(pick(Type::Token, [4].into()), Ok(4.into()));
    assert_eq!(pick(Type::Real, [0.5].into()), Ok(0.5.into()));
    assert_eq!(pick(tokens(), [[4, 5]].into()), Ok([4, 5].into()));
    assert_eq!(pick(Type::Int, NONE.into()), Err(FaultKind::Empty));
    for size in [0, 1, 2, 31, 32, 90] {
        for kind in [Type::Token, Type::Int] {
            let list: Vec<i64> = (0..size).collect();
            let operands = [(kind.clone().list(), list.clone().into())];
            let shuffled = drawn(Sampler::Shuffle, &operands, kind.list());
            let mut shuffled = shuffled.expect("shuffling does not fault").cells();
            assert!(size < 31 || shuffled != list);
            shuffled.sort_unstable();
            assert_eq!(shuffled, list);
        }
    }
}

#[test]
fn coins_keep_to_their_probability() {
    let coin = |p: f64| drawn(Sampler::Coin, &[(Type::Real, p.into())], Type::Bool);
    assert_eq!(coin(0.0), Ok(0.into()));
    assert_eq!(coin(-0.0), Ok(0.into()));
    assert_eq!(coin(1.0), Ok(1.into()));
    for wrong in [-0.1, 1.1, f64::NAN, f64::INFINITY] {
        assert_eq!(coin(wrong), Err(FaultKind::Probability));
    }
}

#[test]
fn uniform_has_both_ends() {
    let uniform = |low: i64, high: i64| {
        let operands = [(Type::Int, low.into()), (Type::Int, high.into())];
        drawn(Sampler::Uniform, &operands, Type::Int).map(|value| value.cell())
    };
    assert_eq!(uniform(5, 5), Ok(5));
    assert_eq!(uniform(6, 5), Err(FaultKind::EmptyRange));
    assert_eq!(uniform(i64::MAX, i64::MIN), Err(FaultKind::EmptyRange));
    for width in [1, 2, (1 << 32) - 2, (1 << 32) - 1, 1 << 32, 1 << 40, i64::MAX] {
        for low in [i64::MIN, -1, 0] {
            let drawn = uniform(low, low.saturating_add(width)).expect("the range is not empty");
            assert!((low..=low.saturating_add(width)).contains(&drawn));
        }
    }
    assert!(uniform(i64::MIN, i64::MAX).is_ok());
}

#[test]
fn weights_say_how_likely_an_element_is() {
    let weighted = |list: Value, weights: Value| {
        let operands = [(tokens(), list), (Type::Int.list(), weights)];
        drawn(Sampler::Weighted, &operands, Type::Token)
    };
    assert_eq!(weighted([5, 6, 7].into(), [0, 3, 0].into()), Ok(6.into()));
    assert_eq!(weighted([5, 6].into(), [0, i64::MAX].into()), Ok(6.into()));
    for (list, weights) in [
        (Value::from([5, 6]), Value::from([1, -1])),
        ([5, 6].into(), [0, 0].into()),
        ([5, 6].into(), [i64::MAX, 1].into()),
        ([5, 6].into(), [1].into()),
        ([5].into(), [1, 1].into()),
        (NONE.into(), NONE.into()),
    ] {
        assert_eq!(weighted(list, weights), Err(FaultKind::Weights));
    }
}

#[test]
fn split_cuts_into_runs_none_of_them_empty() {
    let split = |count: i64, list: &[i64]| {
        let operands = [(Type::Int, count.into()), (tokens(), list.to_vec().into())];
        drawn(Sampler::Split, &operands, tokens().list())
    };
    let list: Vec<i64> = (0..80).collect();
    for count in [1, 2, 40, 79, 80] {
        let Ok(Value::List(parts)) = split(count, &list) else { panic!("there are enough") };
        assert_eq!(parts.len() as i64, count);
        assert!(parts.iter().all(|part| !part.cells().is_empty()));
        assert_eq!(parts.iter().flat_map(Value::cells).collect::<Vec<_>>(), list);
    }
    assert_eq!(split(0, &list), Err(FaultKind::NotPositive));
    assert_eq!(split(81, &list), Err(FaultKind::TooFew));
    assert_eq!(split(1, &[]), Err(FaultKind::TooFew));
}

/// How often each result comes in many samples.
fn tally(
    sampler: Sampler,
    operands: &[(Type, Value)],
    kind: Type,
    samples: u64,
) -> BTreeMap<String, u64> {
    let mut sketch = Sketch::new();
    let mut registers = [NOWHERE; 3];
    for (register, (kind, value)) in registers.iter_mut().zip(operands) {
        *register = sketch.value(value, kind);
    }
    sketch.op(Op::Seed(0));
    let result = sketch.get(Op::Draw(sampler, 0, registers), kind);
    sketch.store(result);
    let mut both = Both::new(sketch.finish(), &Pools::new(100, [vec![]]));
    let mut tally = BTreeMap::new();
    for index in 0..samples {
        let (values, _) = both.run(index).expect("nothing faults");
        *tally.entry(format!("{:?}", values[0])).or_default() += 1;
    }
    tally
}

/// Are counts as even as chance makes them? Five standard deviations of chi-square above its mean
/// come once in a million tests; the seed is fixed, so this one test passes or fails for ever.
fn are_even(counts: impl IntoIterator<Item = u64>, results: u64) -> bool {
    let counts: Vec<u64> = counts.into_iter().collect();
    let mean = counts.iter().sum::<u64>() as f64 / results as f64;
    let missing = (results - counts.len() as u64) as f64 * mean;
    let square = |count: u64| (count as f64 - mean).powi(2) / mean;
    let chi_square = counts.into_iter().map(square).sum::<f64>() + missing;
    let freedom = (results - 1) as f64;
    chi_square < freedom + 5.0 * (2.0 * freedom).sqrt()
}

#[test]
fn all_results_of_small_draws_are_equally_likely() {
    let list = || (tokens(), [1, 2, 3, 4, 5].into());
    let count = |count: i64| (Type::Int, count.into());
    let nested = || tokens().list();
    for (sampler, operands, kind, results) in [
        (Sampler::Distinct, vec![count(2), list()], tokens(), 20),
        (Sampler::Distinct, vec![count(4), list()], tokens(), 120),
        (Sampler::DistinctWithout, vec![count(2), (tokens(), [3].into()), list()], tokens(), 12),
        (Sampler::Draw, vec![count(2), list()], tokens(), 25),
        (Sampler::Span, vec![count(2), list()], tokens(), 4),
        (Sampler::Pick, vec![list()], Type::Token, 5),
        (Sampler::Shuffle, vec![list()], tokens(), 120),
        (Sampler::Coin, vec![(Type::Real, 0.5.into())], Type::Bool, 2),
        (Sampler::Uniform, vec![count(-3), count(3)], Type::Int, 7),
        (Sampler::Split, vec![count(3), list()], nested(), 6),
    ] {
        let tally = tally(sampler, &operands, kind, 100 * results);
        assert!(are_even(tally.values().copied(), results), "{sampler:?}: {tally:?}");
    }
}

#[test]
fn weighted_results_come_as_often_as_their_weights() {
    let operands = [(tokens(), [1, 2, 3].into()), (Type::Int.list(), [1, 2, 5].into())];
    let tally = tally(Sampler::Weighted, &operands, Type::Token, 8000);
    for (value, weight) in [(1, 1), (2, 2), (3, 5)] {
        let found = tally[&format!("{:?}", Value::Cell(value))] as f64;
        assert!((found - 1000.0 * weight as f64).abs() < 150.0, "{tally:?}");
    }
}

#[test]
fn bulk_draws_put_every_token_everywhere_equally_often() {
    for count in [40, 90] {
        let mut sketch = Sketch::new();
        let count_register = sketch.int(count);
        let vocab = sketch.get(Op::Pool(0), tokens());
        sketch.op(Op::Seed(0));
        let draw = Op::Draw(Sampler::Distinct, 0, [count_register, vocab, NOWHERE]);
        let list = sketch.get(draw, tokens());
        sketch.store(list);
        let mut both = Both::new(sketch.finish(), &Pools::new(100, [vec![]]));
        let (mut first, mut last, mut present) = ([0; 100], [0; 100], [0_u64; 100]);
        let samples = 5000;
        for index in 0..samples {
            let drawn = both.run(index).expect("nothing faults").0[0].cells();
            first[drawn[0] as usize] += 1;
            last[drawn[drawn.len() - 1] as usize] += 1;
            drawn.iter().for_each(|&token| present[token as usize] += 1);
        }
        assert!(are_even(first, 100) && are_even(last, 100));
        let mean = (samples as i64 * count / 100) as f64;
        assert!(present.iter().all(|&count| (count as f64 - mean).abs() < 5.0 * mean.sqrt()));
    }
}
