//! The study's drawings as inline SVG: intervals beside numbers, and cells as points.

use super::figures::Figure;
use super::report::{Cell, OfRecipe};
use crate::eval::plot::{escaped, open, push, short, tick};

/// The drawing of an interval, in pixels.
const WIDTH: f64 = 130.0;
const HEIGHT: f64 = 16.0;
const DOT: f64 = 3.0;
/// That of the cells, its plane, and a point.
const SIZE: [u32; 2] = [360, 300];
const LEFT: f64 = 46.0;
const RIGHT: f64 = 350.0;
const TOP: f64 = 10.0;
const BOTTOM: f64 = 256.0;
const POINT: f64 = 3.6;

/// The end of a scale that goes from its negative to it and holds all of these figures.
pub fn scale<'a>(figures: impl Iterator<Item = &'a Figure>) -> f64 {
    let most = figures.flat_map(|it| [Some(it.value), it.low, it.high]).flatten();
    tick(most.map(f64::abs).fold(0.0, f64::max).max(0.01))
}

/// An interval on a scale around 0.
pub fn interval(figure: &Figure, scale: f64) -> String {
    let x = |value: f64| WIDTH / 2.0 + (WIDTH / 2.0 - DOT) * (value / scale).clamp(-1.0, 1.0);
    let (middle, half) = (x(0.0), HEIGHT / 2.0);
    let class = if figure.is_significant() { "sure" } else { "unsure" };
    let mut svg = format!(
        "<svg class=\"interval\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" width=\"{WIDTH}\" \
         height=\"{HEIGHT}\" aria-hidden=\"true\"><line class=\"grid\" x1=\"{middle}\" \
         x2=\"{middle}\" y1=\"0\" y2=\"{HEIGHT}\"/>"
    );
    if let Some((low, high)) = figure.low.zip(figure.high) {
        push(
            &mut svg,
            format_args!(
                "<line class=\"{class}\" x1=\"{:.1}\" x2=\"{:.1}\" y1=\"{half}\" y2=\"{half}\"/>",
                x(low),
                x(high)
            ),
        );
    }
    push(
        &mut svg,
        format_args!(
            "<circle class=\"{class}\" cx=\"{:.1}\" cy=\"{half}\" r=\"{DOT}\"/>",
            x(figure.value)
        ),
    );
    svg + "</svg>"
}

/// The colours of the cells: what is trained, in the order of the key.
pub const KINDS: [(&str, &str); 5] = [
    ("own", "a template alone, its own rules"),
    ("other", "a template alone, rules of another"),
    ("mixed", "a mixture"),
    ("control", "shuffled replies"),
    ("text", "natural text"),
];

/// The kind of a cell.
pub fn kind(cell: &Cell) -> &'static str {
    match (cell.arm, cell.is_own) {
        ("shuffled", _) => "control",
        ("text", _) => "text",
        ("singles", true) => "own",
        ("singles", false) => "other",
        _ => "mixed",
    }
}

/// The cells on tasks as points: the change in alignment, and up the change in accuracy.
pub fn cells(recipes: &[OfRecipe]) -> String {
    let all = || {
        let cells = recipes.iter().flat_map(|it| it.cells.iter().map(move |cell| (it, cell)));
        cells.filter(|(_, cell)| cell.kind == "task")
    };
    if all().next().is_none() {
        return String::new();
    }
    let ends = |of: &dyn Fn(&Cell) -> f64| {
        let (low, high) = all()
            .map(|(_, cell)| of(cell))
            .fold((0.0f64, 0.0f64), |ends, value| (ends.0.min(value), ends.1.max(value)));
        let step = tick(((high - low) / 4.0).max(0.005));
        (step * (low / step).floor(), step * (high / step).ceil().max(1.0), step)
    };
    let (across, up) = (ends(&|cell| cell.alignment.value), ends(&|cell| cell.accuracy.value));
    let x = |value: f64| LEFT + (RIGHT - LEFT) * (value - across.0) / (across.1 - across.0);
    let y = |value: f64| BOTTOM - (BOTTOM - TOP) * (value - up.0) / (up.1 - up.0);
    let mut svg = open(SIZE, "Change in accuracy by change in alignment, a point a cell");
    marks(&mut svg, across, |svg, at| {
        let (x, below) = (x(at), BOTTOM + 16.0);
        push(
            svg,
            format_args!(
                "<line class=\"grid\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{TOP}\" y2=\"{BOTTOM}\"/>\
                 <text class=\"middle\" x=\"{x:.1}\" y=\"{below}\">{}</text>",
                short(at)
            ),
        );
    });
    marks(&mut svg, up, |svg, at| {
        let (y, before) = (y(at), LEFT - 6.0);
        push(
            svg,
            format_args!(
                "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{RIGHT}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>\
                 <text class=\"end\" x=\"{before}\" y=\"{:.1}\">{}</text>",
                y + 4.0,
                short(at)
            ),
        );
    });
    for (recipe, cell) in all() {
        point(&mut svg, (recipe, cell), [x(cell.alignment.value), y(cell.accuracy.value)]);
    }
    push(
        &mut svg,
        format_args!(
            "<text class=\"middle\" x=\"{:.0}\" y=\"{:.0}\">change in alignment</text>",
            (LEFT + RIGHT) / 2.0,
            BOTTOM + 36.0
        ),
    );
    svg + "</svg>"
}

/// A cell at a place, and what it is.
fn point(svg: &mut String, (recipe, cell): (&OfRecipe, &Cell), [x, y]: [f64; 2]) {
    push(
        svg,
        format_args!(
            "<circle class=\"{}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{POINT}\" \
             fill-opacity=\"0.75\"><title>{}: {}, rules of {} on {}: {:+.3}, \
             {:+.3}</title></circle>",
            kind(cell),
            escaped(&recipe.name),
            escaped(&cell.model),
            escaped(&cell.template),
            escaped(&cell.target),
            cell.alignment.value,
            cell.accuracy.value
        ),
    );
}

/// Draws something at each round number of a scale.
fn marks(svg: &mut String, (low, high, step): (f64, f64, f64), draw: impl Fn(&mut String, f64)) {
    let count = ((high - low) / step).round() as u64;
    for at in 0..=count {
        // The sum of a low end and steps is 0 but for rounding.
        let value = low + at as f64 * step;
        draw(svg, if value.abs() < step / 1e3 { 0.0 } else { value });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_beyond_the_scale_ends_at_its_ends() {
        let drawn = interval(&Figure::new(0.5, Some(2.0), 9), 1.0);
        assert!(drawn.contains("x1=\"3.0\" x2=\"127.0\"") && drawn.contains("unsure"), "{drawn}");
        assert!(interval(&Figure::new(0.5, None, 1), 1.0).contains("cx=\"96.0\""));
    }

    #[test]
    fn a_study_without_tasks_has_no_points() {
        assert_eq!(cells(&[]), "");
    }
}
