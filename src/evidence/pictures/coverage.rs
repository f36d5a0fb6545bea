//! How much of the one is in the other.

use super::Side;
use super::axis::Axis;
use super::lines::fitted;
use super::svg::{Anchor, COMMON, INK, LETTER, Svg};
use super::words::{Language, clock};
use crate::matching::Match;

const LEFT: f64 = 40.0;
const RIGHT: f64 = 960.0;
const BAR_HEIGHT: f64 = 46.0;
const UPPER_TOP: f64 = 140.0;
const LOWER_TOP: f64 = UPPER_TOP + BAR_HEIGHT + 84.0;
const LOWER_END: f64 = LOWER_TOP + BAR_HEIGHT;
/// Matches that are drawn; more than these cannot be told apart on a page.
const MATCHES_MAX: usize = 200;

/// Draws both files as bars over their whole length, each on a scale of its own, with what they have in common marked and
/// joined. `matches` are those of this recording in this file.
#[must_use]
pub fn coverage(suspect: &Side<'_>, reference: &Side<'_>, matches: &[Match], language: Language) -> String {
    let upper = Axis::new(0.0, suspect.fingerprint.duration_s(), LEFT, RIGHT);
    let lower = Axis::new(0.0, reference.fingerprint.duration_s(), LEFT, RIGHT);
    let shares = [
        share(matches.iter().map(|one| (one.query_start_s, one.query_end_s)), &upper),
        share(matches.iter().map(|one| (one.reference_start_s, one.reference_end_s)), &lower),
    ];
    let mut svg = Svg::new(language);
    let title = language.pick("How much of both is the same", "双方重合部分示意图", "一致部分の範囲");
    let below = match language {
        Language::English => format!(
            "{:.1} % of the suspect file is this recording; {:.1} % of the recording is in the file",
            shares[0], shares[1]
        ),
        Language::Chinese => {
            format!("涉案音频的 {:.1}% 为该录音；该录音的 {:.1}% 出现在涉案音频中", shares[0], shares[1])
        }
        Language::Japanese => format!(
            "対象ファイルの {:.1}% がこの録音であり、録音の {:.1}% がファイルに含まれる",
            shares[0], shares[1]
        ),
    };
    svg.heading(title, &below);
    bar(&mut svg, UPPER_TOP, &upper, -1.0);
    bar(&mut svg, LOWER_TOP, &lower, 1.0);
    label(&mut svg, UPPER_TOP - 40.0, language, language.suspect(), suspect);
    label(&mut svg, LOWER_END + 50.0, language, language.reference(), reference);
    for one in matches.iter().take(MATCHES_MAX) {
        draw(&mut svg, one, &upper, &lower);
    }
    for top in [UPPER_TOP, LOWER_TOP] {
        svg.rect([LEFT, top, RIGHT - LEFT, BAR_HEIGHT], &format!(r#"fill="none" stroke="{INK}""#));
    }
    let y = LOWER_END + 88.0;
    svg.rect([LEFT, y - 15.0, 34.0, 17.0], &format!(r#"fill="{COMMON}""#));
    let legend = language.pick(
        "held by both; each joined to its place in the other",
        "双方共有部分，连线为其对应位置",
        "双方に共通する部分（帯は対応する位置を結ぶ）",
    );
    svg.text(LEFT + 44.0, y, Anchor::Start, legend);
    let caption = language.pick(
        "Each bar is a whole file from its first second to its last, on a scale of its own; times in minutes:seconds.",
        "每条为一个完整文件，自首秒至末秒，各用其自身刻度；时间为分:秒。",
        "各帯はファイル全体（最初から最後まで）を表し、目盛りはそれぞれ独自である。時刻は分:秒。",
    );
    let end = svg.caption(y + 30.0, caption);
    svg.finish(end + 4.0, title)
}

fn label(svg: &mut Svg, y: f64, language: Language, name: &str, side: &Side<'_>) {
    svg.text(RIGHT, y, Anchor::End, &clock(side.fingerprint.duration_s(), 1));
    let title = fitted(&language.labelled(name, side.title), 800.0 / LETTER);
    svg.text_with(LEFT, y, Anchor::Start, r#"font-weight="bold""#, &title);
}

fn bar(svg: &mut Svg, top: f64, axis: &Axis, direction: f64) {
    svg.rect([LEFT, top, RIGHT - LEFT, BAR_HEIGHT], r##"fill="#dfe5ee""##);
    let (edge, text_y) =
        if direction < 0.0 { (top, top - 10.0) } else { (top + BAR_HEIGHT, top + BAR_HEIGHT + 22.0) };
    for (x, text) in axis.ticks(10) {
        svg.line([x, edge, x, edge + 6.0 * direction], &format!(r#"stroke="{INK}""#));
        svg.text_with(x, text_y, Anchor::Middle, r#"font-size="15""#, &text);
    }
}

fn draw(svg: &mut Svg, one: &Match, upper: &Axis, lower: &Axis) {
    let (a, b) = (upper.at(one.query_start_s), upper.at(one.query_end_s));
    let (c, d) = (lower.at(one.reference_start_s), lower.at(one.reference_end_s));
    let between = [(a, UPPER_TOP + BAR_HEIGHT), (b, UPPER_TOP + BAR_HEIGHT), (d, LOWER_TOP), (c, LOWER_TOP)];
    svg.polygon(&between, &format!(r#"fill="{COMMON}" fill-opacity="0.22""#));
    for (from, to, top) in [(a, b, UPPER_TOP), (c, d, LOWER_TOP)] {
        // What is too short for the scale is still seen.
        svg.rect([from, top, (to - from).max(1.5), BAR_HEIGHT], &format!(r#"fill="{COMMON}""#));
    }
}

/// How much of the axis the spans cover together, in percent.
fn share(spans: impl Iterator<Item = (f64, f64)>, axis: &Axis) -> f64 {
    let inside = |at: f64| if at.is_nan() { axis.from_s } else { at.clamp(axis.from_s, axis.to_s) };
    let mut spans: Vec<(f64, f64)> = spans.map(|(from, to)| (inside(from), inside(to))).collect();
    spans.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut covered, mut reached) = (0.0, axis.from_s);
    for (from, to) in spans {
        if to > reached {
            covered += to - from.max(reached);
            reached = to;
        }
    }
    100.0 * covered / (axis.to_s - axis.from_s)
}
