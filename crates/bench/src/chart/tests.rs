use super::{
    Chart, Colour, Panel, Points, Scale, Series,
    axis::{Axis, second_ticks},
};

fn texts(ticks: &[(f64, String)]) -> Vec<&str> {
    ticks.iter().map(|(_, text)| text.as_str()).collect()
}

#[test]
fn an_axis_of_times_goes_by_powers_of_ten() {
    let axis = Axis::around(Scale::Times, [3e4, 2e8].into_iter());
    assert_eq!(texts(&axis.ticks()), ["10 \u{b5}s", "100 \u{b5}s", "1 ms", "10 ms", "100 ms", "1 s"]);
    assert!((axis.place(1e4), axis.place(1e9)) == (0.0, 1.0));
    assert!((axis.place(1e6) - 0.4).abs() < 1e-9);
    assert!((axis.place(0.0), axis.place(1e12)) == (0.0, 1.0));
    assert_eq!(Axis::around(Scale::Times, std::iter::empty()).ticks().len(), 2);
}

#[test]
fn an_axis_of_counts_begins_at_zero_and_ends_round() {
    let axis = Axis::around(Scale::Counts, [100.0, 178_000.0].into_iter());
    assert_eq!(texts(&axis.ticks()), ["0", "50 k", "100 k", "150 k", "200 k"]);
    assert!((axis.place(50_000.0) - 0.25).abs() < 1e-9);
    assert_eq!(texts(&Axis::around(Scale::Counts, [0.0].into_iter()).ticks()).first(), Some(&"0"));
    assert_eq!(texts(&second_ticks(600.0)), ["0", "100", "200", "300", "400", "500", "600"]);
    assert_eq!(texts(&second_ticks(0.3)).len(), 7);
}

#[test]
fn windows_become_steps_and_gaps_stay_gaps() {
    let series = |name: &str, points| Series { name: name.to_owned(), colour: Colour::Blue, points };
    let windows = Points::Windows(1.0, vec![Some(10.0), Some(20.0), None, Some(10.0), Some(5.0)]);
    let chart = Chart {
        title: "a < b & c".to_owned(),
        subtitle: vec!["one".to_owned(), "two".to_owned()],
        seconds: 4.0,
        panels: vec![Panel {
            label: "rate".to_owned(),
            scale: Scale::Counts,
            series: vec![series("measured", windows), series("wanted", Points::Constant(20.0))],
        }],
    };
    let svg = chart.svg();
    assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
    for expected in ["a &lt; b &amp; c", ">one<", ">two<", ">rate<", ">measured<", ">wanted<", "stroke-dasharray"] {
        assert!(svg.contains(expected), "{expected} is missing");
    }
    // Four seconds are 900 wide; half of the height of 190 is below 10, and the panel begins at 118.
    assert!(svg.contains("d=\"M76.0 213.0H301.0V118.0H526.0M751.0 213.0H976.0\""), "{svg}");
    assert!(svg.contains("d=\"M76 118.0H976\""), "{svg}");
}
