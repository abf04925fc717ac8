//! What `cookc check` promises: draws that can fail are reported, and nothing else is.

use cookc::data::preview;
use cookc::diagnostic::{Diagnostic, Severity};
use cookc::source::Source;

use crate::support::{shipped, template, vocabulary};

fn warnings(text: &str) -> Vec<Diagnostic> {
    let source = Source::new("promises.cook", text);
    let template = template(&source).unwrap_or_else(|errors| panic!("{errors}"));
    preview::warnings(&template, &source, &vocabulary())
}

/// A template with these statements, whose prompt shows all that they bind, and this rule.
fn template_with(statements: &str, rule: &str) -> String {
    // The lines of a function bind nothing that can be shown.
    let names = statements.lines().filter(|line| !line.starts_with(['f', ' ', '}']));
    let shown: String =
        names.filter_map(|line| Some(format!("{{{}}} ", line.split([' ', '=']).next()?))).collect();
    format!(
        "{statements}\nseen_ ~ pick(vocab)\nrule known: {rule}\nprompt \"{shown}\"\n\
         reply \"{{seen_}}\"\n"
    )
}

/// The codes of what a template with these statements is warned of.
fn codes(statements: &str) -> Vec<&'static str> {
    let text = template_with(statements, "seen_ in vocab");
    warnings(&text).iter().map(|one| one.code).collect()
}

#[test]
fn no_shipped_template_is_warned_of() {
    for (source, _) in shipped() {
        let template = template(&source).unwrap_or_else(|errors| panic!("{errors}"));
        let found = preview::warnings(&template, &source, &vocabulary());
        // The corpus shows what is hidden.
        let found: Vec<_> = found.iter().map(|one| (one.code, &one.title)).collect();
        let wanted = usize::from(source.name.ends_with("hidden_in_a_rule.cook"));
        assert!(found.len() <= wanted, "{}: {found:?}", source.name);
    }
}

#[test]
fn each_kind_of_draw_that_fails_for_some_values_is_warned_of() {
    let cases = [
        ("n ~ uniform(0..3)\nx = 12 / n", "L604"),
        ("n ~ uniform(-9..9)\nx = 12 % n", "L604"),
        ("n ~ uniform(0..1000)\nx = 12 / (n - 777)", "L604"),
        ("n ~ uniform(0..9)\nm ~ uniform(0..9)\nx = 12 / (n - m)", "L604"),
        ("n ~ pick([4, 2, 0])\nx = 12 / n", "L604"),
        ("n ~ weighted([4, 2, 0], [50, 50, 1])\nx = 12 / n", "L604"),
        ("xs ~ distinct(4, vocab)\nn ~ uniform(0..4)\nx = at(n, xs)", "L604"),
        ("xs ~ distinct(4, vocab)\nn ~ uniform(0..4)\nx = at(n - 1, xs)", "L604"),
        ("n ~ uniform(0..2)\nxs ~ draw(n, 1..9)\nx = max(xs)", "L604"),
        ("xs ~ distinct(4, 1..9)\nx = position(5, xs)", "L604"),
        ("n ~ uniform(1..9)\nx = n * 9223372036854775807", "L604"),
        ("n ~ uniform(0..2)\nxs ~ distinct(n, vocab)\nx ~ pick(xs)", "L605"),
        ("n ~ uniform(0..2)\nxs ~ distinct(n, vocab)\nx ~ draw(2, xs)", "L605"),
        ("xs ~ distinct(3, 1..9)\nys = for x in xs where x > 6: x\ny ~ pick(ys)", "L605"),
        ("n ~ uniform(1..9)\nx ~ uniform(n..5)", "L605"),
        ("n ~ uniform(0..1)\nx ~ weighted([1, 2], [n, 0])", "L605"),
        ("xs ~ distinct(4, vocab)\nn ~ uniform(1..5)\nys ~ distinct(n, xs)", "L606"),
        ("xs ~ distinct(4, vocab)\nn ~ uniform(1..5)\nys ~ span(n, xs)", "L606"),
        ("xs ~ distinct(4, vocab)\nn ~ uniform(0..4)\nys ~ split(n, xs)", "L606"),
        ("xs ~ distinct(4, vocab)\nn ~ uniform(0..2)\nys = chunks(n, xs)", "L606"),
        ("xs ~ distinct(4, vocab)\nn ~ uniform(3..5)\nys = take(n, xs)", "L606"),
        ("xs ~ distinct(4, vocab)\nn ~ uniform(0..5)\nys = drop(n - 1, xs)", "L606"),
        ("n ~ uniform(0..3)\nxs ~ repeat(n - 1, pick(vocab))", "L606"),
        ("xs ~ draw(4, vocab)\nys ~ distinct(3, unique(xs))", "L606"),
        ("fn f(n: Int) -> Int = 12 / n\nn ~ uniform(0..3)\nx = f(n)", "L604"),
        (
            "fn f(xs: [T]) ~> T {\n  y ~ pick(xs)\n  return y\n}\nn ~ uniform(0..3)\n\
          xs ~ distinct(n, vocab)\nx ~ f(xs)",
            "L605",
        ),
    ];
    for (statements, code) in cases {
        let found = codes(statements);
        assert!(
            !found.is_empty() && found.iter().all(|one| *one == code),
            "{statements}: {found:?}"
        );
    }
}

#[test]
fn a_guard_is_understood_however_it_is_written() {
    let right = [
        "n ~ uniform(0..3)\nx = if n == 0 then 0 else 12 / n",
        "n ~ uniform(0..3)\nx = if n > 0 then 12 / n else 0",
        "n ~ uniform(0..3)\nx = if n != 0 and 12 / n > 3 then 1 else 0",
        "n ~ uniform(0..3)\nx = if n == 0 or 12 / n > 3 then 1 else 0",
        "n ~ uniform(-3..3)\nx = 12 / (n * n + 1)",
        "n ~ uniform(0..3)\nx = 12 / (2 * n - 3)",
        "n ~ uniform(0..3)\nm ~ uniform(n + 1..9)\nx = 12 / (m - n)",
        "xs ~ distinct(4, vocab)\nn ~ uniform(0..size(xs) - 1)\nx = at(n, xs)",
        "n ~ uniform(1..4)\nxs ~ distinct(n, vocab)\nx = at(n - 1, xs)",
        "n ~ uniform(0..4)\nxs ~ distinct(n, vocab)\n\
         x = if size(xs) > 1 then at(1, xs) else at(0, vocab)",
        "n ~ uniform(0..4)\nxs ~ distinct(n, vocab)\nx ~ if n > 0 then pick(xs) else pick(vocab)",
        "n ~ uniform(0..4)\nxs ~ distinct(n, vocab)\nx ~ shuffle(xs)",
        "n ~ uniform(0..4)\nxs = for i in 1..n: 12 / i",
        "n ~ uniform(0..4)\nxs ~ draw(n, 0..9)\nys = for x in xs where x > 0: 12 / x",
        "xs ~ distinct(6, vocab)\nx ~ pick(xs)\ny = position(x, xs)\nz = around(1, [x], xs)",
        "xs ~ distinct(6, vocab)\nys ~ distinct(3, xs)\nz ~ pick(without(ys, xs))",
        "xs ~ draw(4, vocab)\nys ~ distinct(1, unique(xs))",
        "xs ~ distinct(4, 1..9)\nx = if 5 in xs then position(5, xs) else 0",
        "c ~ coin(0.0)\nx = if c then 1 / 0 else 2",
        "n ~ weighted([0, 1], [0, 5])\nx = 12 / n",
    ];
    for statements in right {
        assert_eq!(codes(statements), [""; 0], "{statements}");
    }
}

#[test]
fn a_warning_names_the_values_and_the_level_that_lead_there() {
    let text = "param most in 1..9 = 4\nlevel hard: most = 9\nxs ~ distinct(4, vocab)\n\
                n ~ uniform(1..most)\nanswer = take(n, xs)\nrule right: size(answer) == n\n\
                prompt \"{n} of {xs}\"\nreply \"{answer}\"\n";
    let found = warnings(text);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].title, "at level `hard`: more elements may be asked for than there are");
    let label = &found[0].labels[0].text;
    assert!(label.starts_with("`n` may be ") && label.ends_with(" while `xs` has 4 elements"));
}

#[test]
fn a_hidden_draw_is_reported_where_it_decides_and_only_there() {
    let template = |bound: &str, rule: &str, prompt: &str| {
        let text = format!(
            "document ~ distinct(8, vocab)\n{bound}\nrule right: {rule}\nprompt \"{prompt}\"\n\
             reply \"{{answer}}\"\n"
        );
        warnings(&text).iter().map(|one| one.code).collect::<Vec<_>>()
    };
    let take = "many ~ uniform(1..4)\nanswer = take(many, document)";
    assert_eq!(template(take, "size(answer) == many", "{document}"), ["L601"]);
    assert_eq!(template(take, "size(answer) == many", "{many}: {document}"), [""; 0]);
    // The number of the shown words shows it.
    let shown = "many ~ uniform(1..4)\nfew = take(many, document)\nanswer = reverse(few)";
    assert_eq!(template(shown, "size(answer) == many", "{few}"), [""; 0]);
    // An index that is drawn and not shown, of a word that is.
    let place = "at_ ~ uniform(1..6)\nword = at(at_, document)\nanswer = at(at_ - 1, document)";
    assert_eq!(template(place, "answer == at(at_ - 1, document)", "{document}: {word}"), [""; 0]);
    assert_eq!(template(place, "answer == at(at_ - 1, document)", "{document}"), ["L601"]);
    // What is shown leaves few numbers, seldom more than one.
    let digits = "k ~ uniform(0..99)\ntens = k / 10\nrest = k % 9\nanswer = k";
    assert_eq!(template(digits, "answer == k", "{tens} {rest} {document}"), [""; 0]);
    // Two hidden numbers of which the prompt shows the sum.
    let sum = "a ~ uniform(0..3)\nb ~ uniform(0..3)\ntotal = a + b\nanswer = a - b";
    assert!(!template(sum, "answer == a - b", "{total} {document}").is_empty());
    let both = "a ~ uniform(0..3)\nb ~ uniform(0..3)\ntotal = a + b\nanswer = a + b";
    assert_eq!(template(both, "answer == a + b", "{total} {document}"), [""; 0]);
}

#[test]
fn a_sum_or_a_product_that_is_seldom_zero_is_found() {
    let seldom = [
        "xs ~ draw(5, 1..100)\nx = 100 / (sum(xs) - 300)",
        "a ~ uniform(1..100)\nb ~ uniform(1..100)\nx = 1000 / (a*b - 899)",
        "xs ~ draw(20, 1..1000)\nx = 100 / (sum(xs) - 12345)",
        "xs ~ distinct(5, 1..100)\nx = 100 % (sum(xs) - 123)",
        "xs ~ repeat(5, uniform(1..100))\nx = 100 / (sum(xs) - 333)",
        "a ~ uniform(1..100000)\nb ~ uniform(1..100000)\nx = 7 / (a + 2*b - 123457)",
        "a ~ uniform(1..1000)\nx = 7 / (a*a - 961)",
        "a ~ uniform(1..1000)\nb ~ uniform(1..1000)\nx = 7 / (a*a + b*b - 1000)",
        "a ~ uniform(1..1000)\nx = 7 / (a / 7 - 77)",
        "xs ~ draw(30, 1..9)\nx = 100 / (max(xs) - 3)",
        "fn gap(a: Int, b: Int) -> Int = 100 / (a - b - 555)\na ~ uniform(1..1000)\n\
         b ~ uniform(1..1000)\nx = gap(a, b)",
        "xs ~ draw(4, 1..500)\nx = for y in xs: 9 / (y - 321)",
    ];
    for statements in seldom {
        assert_eq!(codes(statements), ["L604"], "{statements}");
    }
}

#[test]
fn a_divisor_that_is_never_zero_is_not_warned_of() {
    let never = [
        "xs ~ draw(5, 1..100)\nx = if sum(xs) == 300 then 0 else 100 / (sum(xs) - 300)",
        "xs ~ draw(5, 1..100)\nd = sum(xs) - 300\nx = if d != 0 then 100 % d else 1",
        "n ~ uniform(0..9)\nm ~ uniform(0..9)\nx = if n > m then 5 / (n - m) else 0",
        "xs ~ distinct(3, 1..9)\nx = 100 / (max(xs) - min(xs))",
        "xs ~ distinct(3, 1..9)\nx = 100 / (at(0, xs) - at(1, xs))",
        "xs ~ draw(5, [2, 4, 6, 8])\nx = 10 / (sum(xs) - 13)",
        "a ~ uniform(0..1000)\nb ~ uniform(0..1000)\nx = 10 / (a * 2 - b * 2 + 1)",
        "c ~ coin(0.5)\nn = if c then 3 else 5\nx = 15 / (n - 4)",
        "xs ~ distinct(6, 1..99)\nd = for x in xs where x > 50: 100 / (x - 50)",
        "n ~ uniform(1..9)\nm ~ uniform(1..9)\nx ~ if n <= m then uniform(n..m) else uniform(m..n)",
    ];
    for statements in never {
        assert_eq!(codes(statements), [""; 0], "{statements}");
    }
}

#[test]
fn what_fails_in_every_sample_is_an_error() {
    let cases = [
        ("n ~ uniform(1..3)\nx = 12 / (n - n)", "E504", "this always divides by zero"),
        (
            "n ~ uniform(1..4)\nxs ~ distinct(n, vocab)\nx = at(size(xs), xs)",
            "E504",
            "the index is always outside the list",
        ),
        (
            "xs ~ distinct(4, vocab)\nys = for x in xs where not (x in xs): x\ny ~ pick(ys)",
            "E510",
            "the list to draw from is always empty",
        ),
        (
            "n ~ uniform(1..4)\nx ~ uniform(n + 1..n)",
            "E510",
            "the range to draw from is always empty",
        ),
        (
            "n ~ uniform(1..4)\nxs ~ distinct(n, vocab)\nys = take(size(xs) + 1, xs)",
            "E511",
            "more elements are always asked for than there are",
        ),
    ];
    for (statements, code, title) in cases {
        let found = warnings(&template_with(statements, "seen_ in vocab"));
        assert_eq!(found.len(), 1, "{statements}: {found:?}");
        assert_eq!((found[0].severity, found[0].code), (Severity::Error, code), "{statements}");
        assert_eq!(found[0].title, title, "{statements}");
    }
    let some = "n ~ uniform(1..9)\nx = if n > 4 then 12 / (n - n) else 0";
    assert_eq!(codes(some), ["L604"]);
}

#[test]
fn a_rule_that_may_divide_by_a_drawn_zero_is_warned_of() {
    let of_rule = |statements: &str, rule: &str| {
        let found = warnings(&template_with(statements, rule));
        found.iter().map(|one| one.code).collect::<Vec<_>>()
    };
    let n = "n ~ uniform(0..9)";
    assert_eq!(of_rule(n, "100 / n >= 0 and seen_ in vocab"), ["L604"]);
    assert_eq!(of_rule(n, "n == 0 or 100 / n >= 0"), [""; 0]);
    assert_eq!(of_rule("n ~ uniform(1..9)", "100 / n >= 0"), [""; 0]);
    let two = "a ~ uniform(1..100)\nb ~ uniform(1..100)";
    assert_eq!(of_rule(two, "1000 / (a * b - 899) < 2000"), ["L604"]);
    let list = "xs ~ distinct(5, vocab)\nn ~ uniform(0..5)";
    assert_eq!(of_rule(list, "at(n, xs) in xs and seen_ in vocab"), ["L604"]);
    assert_eq!(of_rule("n ~ uniform(1..3)", "100 / (n - n) >= 0"), ["E504"]);
    // The sample cannot be drawn where the rule would fail too: that is reported once.
    assert_eq!(of_rule("n ~ uniform(0..9)\nx = 12 / n", "x == 12 / n"), ["L604"]);
}

/// The condition that a warning's help names.
fn condition(help: &str) -> &str {
    let start = help.find("`if ").map(|at| at + 4).expect("the help names a condition");
    let end = help[start..].find(" then … else …`").expect("the condition has an end");
    &help[start..start + end]
}

#[test]
fn the_guard_that_is_advised_names_the_operand_and_silences_the_warning() {
    let cases = [
        ("a ~ uniform(1..99)\nb ~ uniform(1..99)\nx = 9 / (a*b - 899)", "a*b - 899 == 0", "0"),
        ("n ~ uniform(0..3)\nm = n\nx = 12 % m", "m == 0", "0"),
        ("xs ~ draw(4, 0..9)\nx = 12 / (sum(xs) - 9)", "sum(xs) - 9 == 0", "0"),
        (
            "xs ~ distinct(4, vocab)\nn ~ uniform(0..6)\nx = at(n - 1, xs)",
            "n - 1 in 0..size(xs) - 1",
            "at(0, xs)",
        ),
        ("xs ~ distinct(4, 1..9)\nx = position(5, xs)", "5 in xs", "0"),
        (
            "n ~ uniform(0..3)\nxs ~ draw(n, 1..9)\nx = max(reverse(xs))",
            "size(reverse(xs)) > 0",
            "0",
        ),
        ("n ~ uniform(0..2)\nxs ~ distinct(n, vocab)\nx ~ pick(xs)", "size(xs) > 0", "pick(vocab)"),
        (
            "n ~ uniform(0..9)\nm ~ uniform(0..9)\nx ~ uniform(n..m - 1)",
            "n <= m - 1",
            "uniform(1..2)",
        ),
        (
            "xs ~ distinct(4, vocab)\nn ~ uniform(1..5)\nys ~ distinct(n, xs)",
            "n <= size(xs)",
            "distinct(1, xs)",
        ),
        (
            "n ~ uniform(0..3)\nxs ~ repeat(n - 1, pick(vocab))",
            "n - 1 >= 0",
            "repeat(0, pick(vocab))",
        ),
        (
            "xs ~ distinct(4, vocab)\nn ~ uniform(0..2)\nys = chunks(n, xs)",
            "n >= 1",
            "chunks(1, xs)",
        ),
        (
            "n ~ uniform(0..1)\nw = [n, 0]\nx ~ weighted([1, 2], w)",
            "size(w) == size([1, 2]) and size(w) > 0 and min(w) >= 0 and max(w) > 0",
            "pick([1, 2])",
        ),
        ("fn f(n: Int) -> Int = 12 / (n - 1)\nn ~ uniform(0..3)\nx = f(n)", "n - 1 == 0", "0"),
    ];
    for (statements, wanted, otherwise) in cases {
        let text = template_with(statements, "seen_ in vocab");
        let found = warnings(&text);
        assert_eq!(found.len(), 1, "{statements}: {found:?}");
        assert_eq!(condition(&found[0].help), wanted, "{statements}");
        let (span, all) = (found[0].span(), &text[found[0].span().start..found[0].span().end]);
        let guarded = match wanted.ends_with(" == 0") {
            true => format!("if {wanted} then {otherwise} else {all}"),
            false => format!("if {wanted} then {all} else {otherwise}"),
        };
        let text = format!("{}{guarded}{}", &text[..span.start], &text[span.end..]);
        assert_eq!(warnings(&text), [], "{text}");
    }
}
