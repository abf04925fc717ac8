//! Functions and methods of other languages, a row each: what is written for them in this one.

use super::drawing;
use super::given::{Given, Written};
use super::reader::{ADD, ATOM, COMPARE, LOOSE, MULTIPLY, Reader};
use super::words::{has_name, renamed};

/// Names, how many values they take, and the text for them: `$a` is the first value, `$A` the same
/// so that any operator may stand beside it. A method's owner is its first value.
type Row = (&'static [&'static str], usize, &'static str, u8);

const ROWS: &[Row] = &[
    // Wrappers and conversions, of which nothing is left.
    (&["Some", "Ok", "Box", "Rc", "Number", "parseInt", "parseFloat", "parse_int"], 1, "$a", OWN),
    (&["int", "i32", "i64", "u8", "u32", "u64", "usize", "isize", "abs_int"], 1, "$a", OWN),
    (
        &["array", "asarray", "Series", "tolist", "iter", "cycle", "deque", "sorted_list"],
        1,
        "$a",
        OWN,
    ),
    (&["bool", "Boolean"], 1, "$A != 0", COMPARE),
    (&["unwrap_or", "unwrap_or_default", "unwrap_or_else", "expect", "or_default"], 2, "$a", OWN),
    (
        &[
            "unwrap_or_default",
            "item",
            "as_str",
            "as_slice",
            "to_owned",
            "valueOf",
            "into_boxed_slice",
        ],
        1,
        "$a",
        OWN,
    ),
    // Numbers.
    (&["pow", "power", "POWER"], 2, "fold power = 1 over i in 1..$B: power * $A", LOOSE),
    (&["pow"], 3, "(fold power = 1 over i in 1..$B: power * $A) % $C", MULTIPLY),
    (&["prod", "product", "PRODUCT"], 1, "fold product = 1 over x in $a: product * x", LOOSE),
    (&["factorial"], 1, "fold product = 1 over i in 1..$A: product * i", LOOSE),
    (&["sign", "signum", "sgn"], 1, "if $a > 0 then 1 else if $a < 0 then -1 else 0", LOOSE),
    (&["clip", "clamp"], 3, "max([$b, min([$a, $c])])", ATOM),
    (&["rem_euclid", "fmod", "remainder"], 2, "$A % $B", MULTIPLY),
    (&["div_euclid", "floordiv", "floor_divide"], 2, "$A / $B", MULTIPLY),
    (&["wrapping_add", "saturating_add", "checked_add"], 2, "$A + $B", ADD),
    (&["wrapping_sub", "saturating_sub", "checked_sub"], 2, "$A - $B", ADD),
    (&["wrapping_mul", "saturating_mul", "checked_mul"], 2, "$A * $B", MULTIPLY),
    (&["is_even", "isEven", "even"], 1, "$A % 2 == 0", COMPARE),
    (&["is_odd", "isOdd", "odd"], 1, "$A % 2 == 1", COMPARE),
    (&["abs", "fabs"], 1, "if $a < 0 then -$A else $a", LOOSE),
    (&["max"], 2, "max([$a, $b])", ATOM),
    (&["min"], 2, "min([$a, $b])", ATOM),
    (&["abs_diff"], 2, "if $a < $b then $B - $A else $A - $B", LOOSE),
    (&["round", "toFixed", "ROUND"], 2, "$a", OWN),
    // Lists.
    (&["sum"], 2, "$B + sum($a)", ADD),
    (&["chain", "concatenate", "hstack"], 2, "$A + $B", ADD),
    (&["concatenate", "from_iterable", "hstack"], 1, "concat($a)", ATOM),
    (&["median"], 1, "at(size($a) / 2, sort($a))", ATOM),
    (&["argmax"], 1, "position(max($a), $a)", ATOM),
    (&["argmin"], 1, "position(min($a), $a)", ATOM),
    (&["argsort"], 1, "for x in sort($a): position(x, $a)", LOOSE),
    (&["cumsum", "accumulate"], 1, "for i in 0..size($a) - 1: sum(take(i + 1, $a))", LOOSE),
    (&["splice"], 3, "take($c, drop($b, $a))", ATOM),
    (&["next"], 1, "at(0, $A)", ATOM),
    (&["next"], 2, "at(0, $A + [$b])", ATOM),
    (&["pairwise"], 1, "for i in 0..size($a) - 2: [at(i, $a), at(i + 1, $a)]", LOOSE),
    (&["windows"], 2, "for i in 0..size($a) - $B: take($b, drop(i, $a))", LOOSE),
    (&["step_by"], 2, "for i in 0..(size($a) - 1) / $B: at($B * i, $a)", LOOSE),
    (
        &["Counter", "value_counts", "bincount"],
        1,
        "for x in unique($a): count y in $a: y == x",
        LOOSE,
    ),
    (&["is_empty", "isEmpty", "empty"], 1, "size($a) == 0", COMPARE),
    (&["arange"], 1, "0..$A - 1", super::reader::RANGE),
    (&["zeros", "Array"], 1, "for i in 1..$a: 0", LOOSE),
    (&["ones"], 1, "for i in 1..$a: 1", LOOSE),
    (&["full", "times"], 2, "for i in 1..$a: $b", LOOSE),
    (&["fill"], 2, "for x in $a: $b", LOOSE),
    (&["dot", "inner"], 2, "sum(for i in 0..size($a) - 1: at(i, $a) * at(i, $b))", ATOM),
    (&["lastIndexOf", "rindex"], 2, "size($a) - 1 - position($b, reverse($a))", ADD),
    (&["zip"], 2, "for i in 0..size($a) - 1: [at(i, $a), at(i, $b)]", LOOSE),
    (&["enumerate", "entries"], 1, "for i in 0..size($a) - 1: [i, at(i, $a)]", LOOSE),
    (&["enumerate"], 2, "for i in 0..size($a) - 1: [$B + i, at(i, $a)]", LOOSE),
    (&["keys", "indices"], 1, "0..size($a) - 1", super::reader::RANGE),
    (&["nth_last"], 2, "at(size($a) - 1 - $B, $a)", ATOM),
    (&["slice", "copy", "sort_unstable_copy", "deepcopy"], 1, "$a", OWN),
    (&["sort_unstable"], 1, "sort($a)", ATOM),
    (&["init", "dropLast"], 1, "take(size($a) - 1, $a)", ATOM),
    (&["init", "dropLast"], 2, "take(size($a) - $B, $a)", ATOM),
    (&["takeRight", "takeLast", "tail"], 2, "drop(size($a) - $B, $a)", ATOM),
    (&["lookup", "getOrElse"], 3, "at(position($a, $b), $c)", ATOM),
    // Sets.
    (&["Set", "HashSet", "BTreeSet"], 1, "unique($a)", ATOM),
    (&["Set", "HashSet", "new", "with_capacity"], 0, "[]", ATOM),
    (&["from", "of"], 1, "$a", OWN),
    (&["isdisjoint", "isDisjointFrom", "is_disjoint"], 2, "size(intersect($a, $b)) == 0", COMPARE),
    (&["issubset", "isSubsetOf", "is_subset"], 2, "all x in $a: x in $b", LOOSE),
    (&["issuperset", "isSupersetOf", "is_superset"], 2, "all x in $b: x in $a", LOOSE),
    (&["symmetric_difference"], 2, "without($b, $a) + without($a, $b)", ADD),
    (&["update"], 2, "union($a, $b)", ATOM),
];

/// The same tightness as the one value has.
const OWN: u8 = u8::MAX;

/// What nothing here stands for, and what to do.
const ADVICE: &[(&[&str], &str)] = &[
    (
        &["ord", "chr", "fromCharCode", "charCodeAt", "hex", "bin", "oct", "hash"],
        "letters have no numbers here: write two lists, and look one up: \
         `at(position(letter, letters), numbers)`",
    ),
    (
        &["groupby", "groupBy", "group_by", "defaultdict", "partition", "chunk_by"],
        "write the keys, and the values of each: `keys = unique(xs)`, \
         `groups = for key in keys: for x in xs where x == key: x`",
    ),
    (
        &["permutations", "combinations", "cartesian", "itertools_product"],
        "write a loop in a loop: `concat(for x in xs: for y in ys: [x, y])`, or draw one: \
         `distinct(2, xs)`",
    ),
    (
        &["swap", "splice", "insert", "swap_remove", "setdefault"],
        "lists do not change: build the new one, as `take(i, xs) + [new] + drop(i + 1, xs)`",
    ),
    (
        &["ceil", "sqrt_ceil"],
        "Ints divide downwards: write `(a + b - 1) / b` for a quotient rounded up",
    ),
    (
        &["now", "time", "date", "today", "Date", "sleep", "seed", "set_seed"],
        "leave it out: a sample depends on its seed alone, `cookc sample my.cook --seed 7`",
    ),
    (
        &["eval", "exec", "require", "fetch", "json", "loads", "dumps", "stringify"],
        "write the text itself, with braces doubled: `reply \"{{\\\"answer\\\": {answer}}}\"`",
    ),
];

impl Reader<'_> {
    /// The row of a function, or of a method with its owner as the first value.
    pub fn of_tables(&self, name: &str, given: &[Given]) -> Written {
        if given
            .iter()
            .any(|one| one.name.is_some() && name != "enumerate" || one.node.of.is_some())
        {
            return None;
        }
        if let ("ceil", [one]) = (name, given)
            && let Some((above, below)) = one.said.split_once(" / ")
            && !below.contains(' ')
        {
            return Some((format!("({above} + {below} - 1) / {below}"), MULTIPLY, false));
        }
        if let ("range" | "arange", [a, b, c]) = (name, given) {
            let tight = |one: &Given| self.said(&one.node, ADD + 1);
            let i = self.fresh(&["i", "j", "k", "place"]);
            let step = tight(c);
            let text = match step.strip_prefix('-') {
                Some(step) => {
                    let (high, low) = (self.said(&a.node, ADD), tight(b));
                    format!("for {i} in 0..({high} - {low} - 1) / {step}: {high} - {step} * {i}")
                }
                None => {
                    let (low, high) = (tight(a), self.said(&b.node, ADD));
                    format!("for {i} in 0..({high} - 1 - {low}) / {step}: {low} + {step} * {i}")
                }
            };
            return Some((text, LOOSE, false));
        }
        let is_it = |row: &&Row| row.0.contains(&name) && row.1 == given.len();
        let (_, _, text, tight) = ROWS.iter().find(is_it)?;
        // What draws is not written twice: it would draw twice.
        let is_twice =
            |letter: &str| text.to_lowercase().matches(&format!("${letter}")).count() > 1;
        let mut letters = ["a", "b", "c"].iter().zip(given);
        if letters.any(|(letter, one)| !drawing::drawn(&one.said).is_empty() && is_twice(letter)) {
            return None;
        }
        // Names of the text that the values have too are others.
        let taken = |name: &&&str| given.iter().any(|one| has_name(&one.said, name));
        let new: Vec<(String, String)> = ["i", "x", "y"]
            .iter()
            .filter(taken)
            .map(|name| (name.to_string(), self.fresh(&["j", "k", "one", "place"]).to_string()))
            .collect();
        let mut written = renamed(text, &new);
        for (at, one) in given.iter().enumerate() {
            let letter = ["a", "b", "c"][at];
            let tight = self.said(&one.node, ATOM);
            let loose = if one.said.starts_with("for ") { &tight } else { &one.said };
            let loose = if *text == format!("${letter}") { &one.said } else { loose };
            written = written.replace(&format!("${letter}"), loose);
            written = written.replace(&format!("${}", letter.to_uppercase()), &tight);
        }
        let tight = if *tight == OWN { given[0].node.tight } else { *tight };
        Some((written, tight, false))
    }

    /// What to do in place of a function that nothing here stands for.
    pub fn has_advice(&self, name: &str) -> Option<&'static str> {
        ADVICE.iter().find(|(names, _)| names.contains(&name)).map(|(_, help)| *help)
    }
}
