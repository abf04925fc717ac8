//! What `cookc check` promises: draws that cannot be made are told, and nothing else is.

use cookc::data::preview;
use cookc::diagnostic::Diagnostic;
use cookc::source::Source;

use crate::support::{shipped, template, vocabulary};

fn warnings(text: &str) -> Vec<Diagnostic> {
    let source = Source::new("promises.cook", text);
    let template = template(&source).unwrap_or_else(|faults| panic!("{faults}"));
    preview::warnings(&template, &vocabulary())
}

/// The codes of a template with these statements, whose prompt shows all that they bind.
fn codes(statements: &str) -> Vec<&'static str> {
    // The lines of a function bind nothing that can be shown.
    let names = statements.lines().filter(|line| !line.starts_with(['f', ' ', '}']));
    let shown: String =
        names.filter_map(|line| Some(format!("{{{}}} ", line.split([' ', '=']).next()?))).collect();
    let text = format!(
        "{statements}\nseen_ ~ pick(vocab)\nrule known: seen_ in vocab\nprompt \"{shown}\"\n\
         reply \"{{seen_}}\"\n"
    );
    warnings(&text).iter().map(|one| one.code).collect()
}

#[test]
fn no_shipped_template_is_warned_of() {
    for (source, _) in shipped() {
        let template = template(&source).unwrap_or_else(|faults| panic!("{faults}"));
        let found = preview::warnings(&template, &vocabulary());
        // The corpus shows what is hidden.
        let found: Vec<_> = found.iter().map(|one| (one.code, &one.title)).collect();
        let wanted = usize::from(source.name.ends_with("hidden_in_a_rule.cook"));
        assert!(found.len() <= wanted, "{}: {found:?}", source.name);
    }
}

#[test]
fn each_kind_of_draw_that_cannot_be_made_for_some_values_is_warned_of() {
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
fn a_hidden_draw_is_told_where_it_decides_and_only_there() {
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
    // The number of the shown words tells it.
    let shown = "many ~ uniform(1..4)\nfew = take(many, document)\nanswer = reverse(few)";
    assert_eq!(template(shown, "size(answer) == many", "{few}"), [""; 0]);
    // A place that is drawn and not shown, of a word that is.
    let place = "at_ ~ uniform(1..6)\nword = at(at_, document)\nanswer = at(at_ - 1, document)";
    assert_eq!(template(place, "answer == at(at_ - 1, document)", "{document}: {word}"), [""; 0]);
    assert_eq!(template(place, "answer == at(at_ - 1, document)", "{document}"), ["L601"]);
    // Two hidden numbers of which the prompt shows the sum.
    let sum = "a ~ uniform(0..3)\nb ~ uniform(0..3)\ntotal = a + b\nanswer = a - b";
    assert!(!template(sum, "answer == a - b", "{total} {document}").is_empty());
    let both = "a ~ uniform(0..3)\nb ~ uniform(0..3)\ntotal = a + b\nanswer = a + b";
    assert_eq!(template(both, "answer == a + b", "{total} {document}"), [""; 0]);
}
