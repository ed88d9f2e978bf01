//! The text of the picture.

use super::{
    Chart, Colour, Panel, Points,
    axis::{Axis, second_ticks},
};
use std::fmt::Write;

const WIDTH: f64 = 1000.0;
const LEFT: f64 = 76.0;
const RIGHT: f64 = 24.0;
const PANEL_HEIGHT: f64 = 190.0;
/// Above each panel, for its label and legend.
const PANEL_GAP: f64 = 50.0;
/// Below the last panel, for the axis of seconds.
const BOTTOM: f64 = 46.0;
const TITLE_HEIGHT: f64 = 34.0;
const LINE_HEIGHT: f64 = 17.0;
/// Width of a letter in the legend, about.
const LETTER: f64 = 6.6;

impl Colour {
    fn code(self) -> &'static str {
        match self {
            Self::Blue => "#0072b2",
            Self::Vermilion => "#d55e00",
            Self::Sky => "#56b4e9",
            Self::Grey => "#a8a8a8",
            Self::Black => "#404040",
        }
    }
}

/// The whole picture.
pub(super) fn draw(chart: &Chart) -> String {
    let head = TITLE_HEIGHT + LINE_HEIGHT * chart.subtitle.len() as f64;
    let height = head + (PANEL_GAP + PANEL_HEIGHT) * chart.panels.len() as f64 + BOTTOM;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" height=\"{height}\" \
         font-family=\"Helvetica, Arial, sans-serif\" font-size=\"12\" fill=\"#202020\">\n\
         <rect width=\"{WIDTH}\" height=\"{height}\" fill=\"#ffffff\"/>\n"
    );
    text(&mut svg, (LEFT, 26.0), "font-size=\"17\" font-weight=\"bold\"", &chart.title);
    for (number, line) in chart.subtitle.iter().enumerate() {
        text(&mut svg, (LEFT, TITLE_HEIGHT + 11.0 + LINE_HEIGHT * number as f64), "fill=\"#606060\"", line);
    }
    let mut top = head + PANEL_GAP;
    for panel in &chart.panels {
        draw_panel(&mut svg, panel, chart.seconds, top);
        top += PANEL_HEIGHT + PANEL_GAP;
    }
    let axis = top - PANEL_GAP + 17.0;
    for (second, label) in second_ticks(chart.seconds) {
        text(&mut svg, (x(second, chart.seconds), axis), "text-anchor=\"middle\"", &label);
    }
    text(&mut svg, (x(chart.seconds / 2.0, chart.seconds), axis + 20.0), "text-anchor=\"middle\"", "seconds since the start");
    svg.push_str("</svg>\n");
    svg
}

fn draw_panel(svg: &mut String, panel: &Panel, seconds: f64, top: f64) {
    let axis = Axis::around(panel.scale, panel.series.iter().flat_map(|series| series.points.values()));
    let y = |value: f64| top + PANEL_HEIGHT * (1.0 - axis.place(value));
    for (value, label) in axis.ticks() {
        line(svg, (LEFT, y(value)), (WIDTH - RIGHT, y(value)), "stroke=\"#e4e4e4\"");
        text(svg, (LEFT - 8.0, y(value) + 4.0), "text-anchor=\"end\"", &label);
    }
    for (second, _) in second_ticks(seconds) {
        line(svg, (x(second, seconds), top), (x(second, seconds), top + PANEL_HEIGHT), "stroke=\"#f2f2f2\"");
    }
    for series in &panel.series {
        let path = match &series.points {
            Points::Constant(value) => format!("M{LEFT} {:.1}H{}", y(*value), WIDTH - RIGHT),
            Points::Windows(width, values) => steps(*width, values, seconds, y),
        };
        let style = style(&series.points);
        let colour = series.colour.code();
        let _ = writeln!(svg, "<path d=\"{path}\" fill=\"none\" stroke=\"{colour}\" {style}/>");
    }
    line(svg, (LEFT, top), (LEFT, top + PANEL_HEIGHT), "stroke=\"#808080\"");
    line(svg, (LEFT, top + PANEL_HEIGHT), (WIDTH - RIGHT, top + PANEL_HEIGHT), "stroke=\"#808080\"");
    text(svg, (LEFT, top - 10.0), "font-weight=\"bold\"", &panel.label);
    draw_legend(svg, panel, top - 10.0);
}

/// From right to left, above the panel.
fn draw_legend(svg: &mut String, panel: &Panel, baseline: f64) {
    let mut right = WIDTH - RIGHT;
    for series in panel.series.iter().rev() {
        let begin = right - LETTER * series.name.chars().count() as f64;
        text(svg, (begin, baseline), "", &series.name);
        let style = format!("stroke=\"{}\" {}", series.colour.code(), style(&series.points));
        line(svg, (begin - 26.0, baseline - 4.0), (begin - 6.0, baseline - 4.0), &style);
        right = begin - 44.0;
    }
}

/// A horizontal piece for each window, joined where windows meet. A last window of which less than a half is shown says little, and
/// is left out.
fn steps(width: f64, values: &[Option<f64>], seconds: f64, y: impl Fn(f64) -> f64) -> String {
    let mut path = String::new();
    let mut pen_is_down = false;
    for (number, value) in values.iter().enumerate() {
        let begin = number as f64 * width;
        let Some(value) = value.filter(|_| number == 0 || begin + width / 2.0 <= seconds) else {
            pen_is_down = false;
            continue;
        };
        if pen_is_down {
            let _ = write!(path, "V{:.1}", y(value));
        } else {
            let _ = write!(path, "M{:.1} {:.1}", x(begin, seconds), y(value));
        }
        let _ = write!(path, "H{:.1}", x((begin + width).min(seconds), seconds));
        pen_is_down = true;
    }
    path
}

fn x(second: f64, seconds: f64) -> f64 {
    LEFT + (WIDTH - LEFT - RIGHT) * second / seconds
}

fn style(points: &Points) -> &'static str {
    match points {
        Points::Constant(_) => "stroke-width=\"1.2\" stroke-dasharray=\"6 4\"",
        Points::Windows(..) => "stroke-width=\"1.4\"",
    }
}

fn line(svg: &mut String, from: (f64, f64), to: (f64, f64), style: &str) {
    let _ = writeln!(svg, "<path d=\"M{:.1} {:.1}L{:.1} {:.1}\" {style}/>", from.0, from.1, to.0, to.1);
}

fn text(svg: &mut String, at: (f64, f64), style: &str, words: &str) {
    let words = words.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let _ = writeln!(svg, "<text x=\"{:.1}\" y=\"{:.1}\" {style}>{words}</text>", at.0, at.1);
}

impl Points {
    fn values(&self) -> impl Iterator<Item = f64> + Clone {
        let (constant, windows) = match self {
            Self::Constant(value) => (Some(*value), &[][..]),
            Self::Windows(_, values) => (None, &values[..]),
        };
        constant.into_iter().chain(windows.iter().copied().flatten())
    }
}
