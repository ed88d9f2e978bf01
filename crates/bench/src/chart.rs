//! Charts over time as SVG: panels below each other with one axis of seconds.
//!
//! Written by hand, because what is needed is little: steps over windows, a logarithmic or a linear axis, a legend. Colours are
//! told apart by everybody (after Okabe and Ito); the ground is white wherever the picture is shown.

mod axis;
mod svg;

pub(crate) use axis::Scale;

/// A picture.
#[derive(Clone, Debug)]
pub(crate) struct Chart {
    pub(crate) title: String,
    /// The parameters, a line each.
    pub(crate) subtitle: Vec<String>,
    /// How many seconds the axis shows.
    pub(crate) seconds: f64,
    pub(crate) panels: Vec<Panel>,
}

/// One pair of axes.
#[derive(Clone, Debug)]
pub(crate) struct Panel {
    /// What the vertical axis shows, with its unit.
    pub(crate) label: String,
    pub(crate) scale: Scale,
    pub(crate) series: Vec<Series>,
}

/// One line.
#[derive(Clone, Debug)]
pub(crate) struct Series {
    pub(crate) name: String,
    pub(crate) colour: Colour,
    pub(crate) points: Points,
}

/// The values of a line.
#[derive(Clone, Debug)]
pub(crate) enum Points {
    /// The same all the time; drawn dashed.
    Constant(f64),
    /// One for each window of so many seconds; none where there is nothing to show.
    Windows(f64, Vec<Option<f64>>),
}

/// What a line is drawn in.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Colour {
    Blue,
    Vermilion,
    Sky,
    Grey,
    Black,
}

impl Chart {
    /// The picture as the text of an SVG file.
    pub(crate) fn svg(&self) -> String {
        svg::draw(self)
    }
}

#[cfg(test)]
mod tests;
