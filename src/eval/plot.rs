//! The report's two drawings as inline SVG: a curve of the loss, and bars before and after.

use std::fmt::Write;

/// Points of a drawn curve: more than a screen shows beside each other.
const POINTS_MAX: usize = 400;

/// Left, right, top and bottom of a curve's plane, and the drawing's size.
const LEFT: f64 = 44.0;
const RIGHT: f64 = 708.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 208.0;
const SIZE: [u32; 2] = [720, 240];

/// The loss by step, from 0 up. Where there are many steps, a point is the mean of several.
pub(super) fn curve(losses: &[(u64, f64)]) -> String {
    let points: Vec<(f64, f64)> = losses
        .chunks(losses.len().div_ceil(POINTS_MAX).max(1))
        .map(|some| {
            let sum: f64 = some.iter().map(|(_, loss)| loss).sum();
            (some[some.len() - 1].0 as f64, sum / some.len() as f64)
        })
        .collect();
    let Some(&(last, _)) = points.last() else { return String::new() };
    let highest = points.iter().map(|point| point.1).fold(0.0, f64::max);
    let step = tick(highest / 4.0);
    let top = step * (highest / step).ceil().max(1.0);
    let x = |at: f64| LEFT + (RIGHT - LEFT) * at / last.max(1.0);
    let y = |loss: f64| BOTTOM - (BOTTOM - TOP) * loss / top;

    let mut svg = open(SIZE, &format!("Loss by step, {} steps", last));
    let lines = (top / step).round() as u64;
    for line in 0..=lines {
        let loss = line as f64 * step;
        let height = y(loss);
        push(
            &mut svg,
            format_args!(
                "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{RIGHT}\" y1=\"{height:.1}\" \
             y2=\"{height:.1}\"/><text class=\"end\" x=\"{:.0}\" y=\"{:.1}\">{}</text>",
                LEFT - 8.0,
                height + 4.0,
                short(loss),
            ),
        );
    }
    let steps = tick(last / 5.0).max(1.0);
    for mark in 0..=(last / steps).floor() as u64 {
        let at = mark as f64 * steps;
        push(
            &mut svg,
            format_args!(
                "<text class=\"middle\" x=\"{:.1}\" y=\"{:.0}\">{}</text>",
                x(at),
                BOTTOM + 20.0,
                short(at),
            ),
        );
    }
    let path: Vec<String> =
        points.iter().map(|&(at, loss)| format!("{:.1},{:.1}", x(at), y(loss))).collect();
    push(&mut svg, format_args!("<polyline class=\"curve\" points=\"{}\"/>", path.join(" ")));
    svg + "</svg>"
}

/// A line for each name: the share before, and below it the share after.
pub(super) fn bars(rows: &[(String, f64, f64)]) -> String {
    /// Height of a line, and where its bars begin and end.
    const ROW: f64 = 38.0;
    const START: f64 = 170.0;
    const END: f64 = 640.0;
    let mut svg = open([720, (ROW * rows.len() as f64) as u32 + 4], "Scores before and after");
    for (row, (name, before, after)) in rows.iter().enumerate() {
        let top = row as f64 * ROW + 6.0;
        push(
            &mut svg,
            format_args!(
                "<text class=\"end name\" x=\"{:.0}\" y=\"{:.1}\">{}</text>",
                START - 12.0,
                top + 16.0,
                escaped(name),
            ),
        );
        for (at, (class, share)) in [("before", before), ("after", after)].iter().enumerate() {
            let (height, whole) = (top + at as f64 * 13.0, END - START);
            // A share of 0 still shows where its bar would be.
            let width = (whole * *share).max(1.0);
            push(
                &mut svg,
                format_args!(
                    "<rect class=\"rest\" x=\"{START}\" y=\"{height:.1}\" width=\"{whole}\" \
                 height=\"11\"/><rect class=\"{class}\" x=\"{START}\" y=\"{height:.1}\" \
                 width=\"{width:.1}\" height=\"11\"/><text x=\"{:.0}\" y=\"{:.1}\">{share:.3}</text>",
                    END + 8.0,
                    height + 10.0,
                ),
            );
        }
    }
    svg + "</svg>"
}

/// Text with the escapes of HTML.
pub(crate) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// The head of a drawing.
pub(crate) fn open([width, height]: [u32; 2], title: &str) -> String {
    format!("<svg viewBox=\"0 0 {width} {height}\" role=\"img\"><title>{title}</title>")
}

/// Adds to a drawing.
pub(crate) fn push(svg: &mut String, part: std::fmt::Arguments) {
    svg.write_fmt(part).expect("writing to a String does not fail");
}

/// The next of 1, 2, 5, 10, 20 and so on, or of their tenths: a round distance between marks.
pub(crate) fn tick(least: f64) -> f64 {
    let power = 10f64.powf(least.max(1e-6).log10().floor());
    let steps = [1.0, 2.0, 5.0].map(|step| step * power);
    steps.into_iter().find(|&step| step >= least).unwrap_or(10.0 * power)
}

/// A number with as many decimals as it needs, up to three.
pub(crate) fn short(number: f64) -> String {
    let text = format!("{number:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_stand_at_round_numbers() {
        assert_eq!([tick(0.3), tick(1.5), tick(5.0), tick(60.0)], [0.5, 2.0, 5.0, 100.0]);
        assert_eq!([short(0.5), short(20.0), short(0.125)], ["0.5", "20", "0.125"]);
    }

    #[test]
    fn a_curve_of_one_step_and_of_none_are_drawn() {
        assert!(curve(&[(1, 2.0)]).contains("polyline"));
        assert_eq!(curve(&[]), "");
    }
}
