//! Seconds of the suspect file against seconds of the recording.

use super::Comparison;
use super::axis::Axis;
use super::lines::fitted;
use super::passage::{rate, seconds};
use super::svg::{Anchor, COMMON, FAINT, INK, Svg};
use super::words::{Language, clock};

const LEFT: f64 = 130.0;
const RIGHT: f64 = 970.0;
const TOP: f64 = 96.0;
const BOTTOM: f64 = 596.0;
/// Dots that are drawn; of more, every second, third, … is.
const DOTS_MAX: usize = 3000;
/// What is shown beyond the match, as a share of it.
const MARGIN: f64 = 0.06;

/// Draws each peak that both have as a dot: its time in the file to the right, in the recording upwards. Copied music lies on
/// a straight line whose slope is the speed; other music makes a cloud.
#[must_use]
pub fn time_map(comparison: &Comparison<'_>, language: Language) -> String {
    let found = comparison.found;
    let around = |from: f64, to: f64, start: f64, end: f64| {
        let margin = MARGIN * (to - from);
        Axis::new(from - margin, to + margin, start, end)
    };
    let across = around(found.query_start_s, found.query_end_s, LEFT, RIGHT);
    let up = around(found.reference_start_s, found.reference_end_s, BOTTOM, TOP);
    let mut svg = Svg::new(language);
    let title = language.pick("Which second is which", "时间对应图", "時刻の対応図");
    svg.heading(title, &fitted(&language.alteration(found), 55.0));
    grid(&mut svg, &across, &up);
    names(&mut svg, comparison, language);
    unaltered(&mut svg, comparison, &across, &up);
    svg.line(
        [
            across.at(found.query_start_s),
            up.at(found.reference_start_s),
            across.at(found.query_end_s),
            up.at(found.reference_end_s),
        ],
        &format!(r#"stroke="{COMMON}" stroke-width="1.4""#),
    );
    let every = comparison.pairs.len().div_ceil(DOTS_MAX).max(1);
    for (own, other) in comparison.pairs.iter().step_by(every) {
        let (own, other) = (seconds(own), seconds(other));
        if across.holds(own) && up.holds(other) {
            svg.circle(across.at(own), up.at(other), 2.6, r##"fill="#10356b" fill-opacity="0.75""##);
        }
    }
    svg.rect([LEFT, TOP, RIGHT - LEFT, BOTTOM - TOP], &format!(r#"fill="none" stroke="{INK}""#));
    let below = explain(&mut svg, comparison, language);
    svg.finish(below + 4.0, title)
}

fn grid(svg: &mut Svg, across: &Axis, up: &Axis) {
    let faint = format!(r#"stroke="{FAINT}""#);
    for (x, text) in across.ticks(10) {
        svg.line([x, TOP, x, BOTTOM], &faint);
        svg.text_with(x, BOTTOM + 22.0, Anchor::Middle, r#"font-size="15""#, &text);
    }
    for (y, text) in up.ticks(8) {
        svg.line([LEFT, y, RIGHT, y], &faint);
        svg.text_with(LEFT - 8.0, y + 5.0, Anchor::End, r#"font-size="15""#, &text);
    }
}

fn names(svg: &mut Svg, comparison: &Comparison<'_>, language: Language) {
    let unit = language.pick("min:s", "分:秒", "分:秒");
    let name = |label: &str, title: &str, most: f64| {
        format!("{} ({unit})", fitted(&language.labelled(label, title), most))
    };
    let (x, y) = (f64::midpoint(LEFT, RIGHT), BOTTOM + 50.0);
    svg.text(x, y, Anchor::Middle, &name(language.suspect(), comparison.suspect.title, 44.0));
    let (x, y) = (34.0, f64::midpoint(TOP, BOTTOM));
    let turned = format!(r#"transform="rotate(-90 {x} {y})""#);
    let reference = name(language.reference(), comparison.reference.title, 25.0);
    svg.text_with(x, y, Anchor::Middle, &turned, &reference);
}

/// Where the dots would lie if the copy played at the recording's speed.
fn unaltered(svg: &mut Svg, comparison: &Comparison<'_>, across: &Axis, up: &Axis) {
    let found = comparison.found;
    let length = (found.query_end_s - found.query_start_s).min(up.to_s - found.reference_start_s);
    svg.line(
        [
            across.at(found.query_start_s),
            up.at(found.reference_start_s),
            across.at(found.query_start_s + length),
            up.at(found.reference_start_s + length),
        ],
        r##"stroke="#6b6f76" stroke-width="1.4" stroke-dasharray="7 5""##,
    );
}

fn explain(svg: &mut Svg, comparison: &Comparison<'_>, language: Language) -> f64 {
    let found = comparison.found;
    let y = BOTTOM + 86.0;
    svg.circle(42.0, y - 6.0, 3.2, r##"fill="#10356b""##);
    let dots = comparison.pairs.len();
    let counted = match language {
        Language::English => format!("peak found in both ({dots})"),
        Language::Chinese => format!("双方共有的谱峰（{dots} 个）"),
        Language::Japanese => format!("双方に共通するピーク（{dots} 個）"),
    };
    svg.text(56.0, y, Anchor::Start, &counted);
    svg.line([350.0, y - 6.0, 390.0, y - 6.0], &format!(r#"stroke="{COMMON}" stroke-width="2""#));
    let slope = rate(comparison);
    let line = match language {
        Language::English => format!("the match: slope {slope:.3}"),
        Language::Chinese => format!("匹配：斜率 {slope:.3}"),
        Language::Japanese => format!("一致：傾き {slope:.3}"),
    };
    svg.text(400.0, y, Anchor::Start, &line);
    let dashes = r##"stroke="#6b6f76" stroke-width="2" stroke-dasharray="7 5""##;
    svg.line([660.0, y - 6.0, 700.0, y - 6.0], dashes);
    svg.text(
        710.0,
        y,
        Anchor::Start,
        language.pick("unaltered speed: slope 1", "原速：斜率 1", "原速：傾き 1"),
    );
    let (from, to) = (clock(found.query_start_s, 1), clock(found.query_end_s, 1));
    let (there, until) = (clock(found.reference_start_s, 1), clock(found.reference_end_s, 1));
    let caption = match language {
        Language::English => format!(
            "{from} to {to} of the suspect file is {there} to {until} of the recording: each second of the file holds \
             {slope:.3} s of the recording. Music that was copied lies on one straight line; other music would make a cloud."
        ),
        Language::Chinese => format!(
            "涉案音频 {from} 至 {to} 对应权利人录音 {there} 至 {until}：涉案音频每秒含有权利人录音 {slope:.3} 秒。\
             复制的音乐落在一条直线上，无关的音乐则呈散点状。"
        ),
        Language::Japanese => format!(
            "対象ファイルの {from} から {to} は、権利者の録音の {there} から {until} に当たる。ファイルの1秒は録音の {slope:.3} 秒を含む。\
             複製された音楽は一直線上に並び、無関係な音楽は散らばる。"
        ),
    };
    svg.caption(y + 32.0, &caption)
}
