//! The same passage of both files, one above the other.

use super::axis::Axis;
use super::lines::fitted;
use super::passage::{Passage, seconds};
use super::raster::{RANGE_DB, legend, png};
use super::svg::{Anchor, COMMON, FAINT, INK, LETTER, Svg};
use super::words::{Language, clock};
use super::{Comparison, Side};
use crate::fingerprint::{BINS, LOWEST_HZ, PITCH_STEPS_PER_BIN, PITCH_STEPS_PER_OCTAVE, Peak};

const LEFT: f64 = 96.0;
const RIGHT: f64 = 980.0;
const PANEL_HEIGHT: f64 = 270.0;
const UPPER_TOP: f64 = 140.0;
const LOWER_TOP: f64 = UPPER_TOP + PANEL_HEIGHT + 44.0;
const LOWER_END: f64 = LOWER_TOP + PANEL_HEIGHT;
/// Frequencies that are labelled, in Hz.
const FREQUENCIES_HZ: [u32; 6] = [125, 250, 500, 1000, 2000, 4000];
/// Peaks that are circled in each panel, and all others that are drawn where there is no sound.
const CIRCLES_MAX: usize = 800;
/// Pairs that are joined by a line: the passage is divided into so many parts, and of each the strongest are taken, so
/// that the lines are spread over it and can be followed one by one.
const PARTS: usize = 20;
const JOINS_PER_PART: usize = 2;

/// One of the two panels.
struct Panel<'a> {
    side: Side<'a>,
    axis: Axis,
    top: f64,
}

impl Panel<'_> {
    fn place(&self, peak: &Peak) -> (f64, f64) {
        let share = f64::from(peak.pitch) / f64::from(BINS as u16 * PITCH_STEPS_PER_BIN);
        (self.axis.at(seconds(peak)), self.top + PANEL_HEIGHT * (1.0 - share.clamp(0.0, 1.0)))
    }
}

/// Draws a passage of the match: both spectrograms on axes of their own time, so that the same instant of the music stands
/// above itself, with the peaks that were found in both circled, and the strongest joined.
#[must_use]
pub fn spectrograms(comparison: &Comparison<'_>, language: Language) -> String {
    let [upper, lower] = panels(comparison, &comparison.passage);
    let within =
        |pair: &&(Peak, Peak)| upper.axis.holds(seconds(&pair.0)) && lower.axis.holds(seconds(&pair.1));
    let pairs: Vec<&(Peak, Peak)> = comparison.pairs.iter().filter(within).collect();
    let mut svg = Svg::new(language);
    let title = language.pick(
        "The same passage of both, as spectrograms",
        "同一段落的频谱对照图",
        "同一箇所のスペクトログラム比較",
    );
    svg.heading(title, &fitted(&language.alteration(comparison.found), 55.0));
    label(&mut svg, UPPER_TOP - 42.0, language, language.suspect(), &upper);
    label(&mut svg, LOWER_END + 50.0, language, language.reference(), &lower);
    let heard = [&upper, &lower].map(|panel| draw(&mut svg, panel, language));
    time_axis(&mut svg, &upper.axis, UPPER_TOP, -1.0, language);
    time_axis(&mut svg, &lower.axis, LOWER_END, 1.0, language);
    join(&mut svg, &pairs, &upper, &lower);
    let below = explain(&mut svg, language, (pairs.len(), comparison.pairs.len()), heard);
    svg.finish(below + 4.0, title)
}

fn panels<'a>(comparison: &Comparison<'a>, passage: &Passage) -> [Panel<'a>; 2] {
    let panel = |side: Side<'a>, (from, to): (f64, f64), top: f64| Panel {
        side,
        axis: Axis::new(from, to, LEFT, RIGHT),
        top,
    };
    [
        panel(comparison.suspect, passage.suspect, UPPER_TOP),
        panel(comparison.reference, passage.reference, LOWER_TOP),
    ]
}

/// Whose panel it is, and which stretch.
fn label(svg: &mut Svg, y: f64, language: Language, name: &str, panel: &Panel<'_>) {
    let stretch = format!("{} – {}", clock(panel.axis.from_s, 1), clock(panel.axis.to_s, 1));
    svg.text(RIGHT, y, Anchor::End, &stretch);
    let title = fitted(&language.labelled(name, panel.side.title), 740.0 / LETTER);
    svg.text_with(30.0, y, Anchor::Start, r#"font-weight="bold""#, &title);
}

/// Draws a panel's content and its scale of pitch. Returns whether its sound was drawn.
fn draw(svg: &mut Svg, panel: &Panel<'_>, language: Language) -> bool {
    let frame = [LEFT, panel.top, RIGHT - LEFT, PANEL_HEIGHT];
    let image = panel.side.sound.and_then(|sound| png(&sound, panel.axis.from_s, panel.axis.to_s));
    match &image {
        Some(image) => svg.image(frame, image),
        None => peaks(svg, panel),
    }
    for hertz in FREQUENCIES_HZ {
        let octaves = (f64::from(hertz) / LOWEST_HZ).log2();
        let share =
            octaves * f64::from(PITCH_STEPS_PER_OCTAVE) / f64::from(BINS as u16 * PITCH_STEPS_PER_BIN);
        let y = panel.top + PANEL_HEIGHT * (1.0 - share);
        svg.line([LEFT - 6.0, y, LEFT, y], &format!(r#"stroke="{INK}""#));
        svg.text_with(LEFT - 10.0, y + 5.0, Anchor::End, r#"font-size="15""#, &hertz.to_string());
    }
    svg.rect(frame, &format!(r#"fill="none" stroke="{INK}""#));
    let (x, y) = (28.0, panel.top + PANEL_HEIGHT / 2.0);
    let turned = format!(r#"transform="rotate(-90 {x} {y})""#);
    svg.text_with(
        x,
        y,
        Anchor::Middle,
        &turned,
        language.pick("Frequency (Hz)", "频率（Hz）", "周波数（Hz）"),
    );
    image.is_some()
}

/// The peaks of a file whose sound is not shown, the stronger the larger.
fn peaks(svg: &mut Svg, panel: &Panel<'_>) {
    let shown = panel.side.fingerprint.peaks.iter().filter(|peak| panel.axis.holds(seconds(peak)));
    for peak in shown.take(CIRCLES_MAX) {
        let (x, y) = panel.place(peak);
        svg.circle(x, y, 1.2 + f64::from(peak.strength) / 40.0, r##"fill="#4a6b96""##);
    }
}

fn time_axis(svg: &mut Svg, axis: &Axis, y: f64, direction: f64, language: Language) {
    let text_y = if direction < 0.0 { y - 10.0 } else { y + 22.0 };
    for (x, text) in axis.ticks(10) {
        svg.line([x, y, x, y + 6.0 * direction], &format!(r#"stroke="{INK}""#));
        svg.text_with(x, text_y, Anchor::Middle, r#"font-size="15""#, &text);
    }
    let unit = language.pick("min:s", "分:秒", "分:秒");
    svg.text_with(LEFT - 28.0, text_y, Anchor::End, r#"font-size="15""#, unit);
}

/// Circles the pairs, and joins the strongest.
fn join(svg: &mut Svg, pairs: &[&(Peak, Peak)], upper: &Panel<'_>, lower: &Panel<'_>) {
    for (own, other) in strongest(pairs, &upper.axis) {
        let ((x1, y1), (x2, y2)) = (upper.place(own), lower.place(other));
        svg.line([x1, y1, x2, y2], &format!(r#"stroke="{COMMON}" stroke-width="1.1" stroke-opacity="0.6""#));
    }
    let paint = format!(r#"fill="none" stroke="{COMMON}" stroke-width="1.8""#);
    for (own, other) in pairs.iter().take(CIRCLES_MAX) {
        for (x, y) in [upper.place(own), lower.place(other)] {
            svg.circle(x, y, 4.5, &paint);
        }
    }
}

fn strongest<'a>(pairs: &[&'a (Peak, Peak)], axis: &Axis) -> Vec<&'a (Peak, Peak)> {
    let part_s = (axis.to_s - axis.from_s) / PARTS as f64;
    let mut chosen = Vec::new();
    for part in 0..PARTS {
        let from = axis.from_s + part as f64 * part_s;
        let mut here: Vec<&(Peak, Peak)> =
            pairs.iter().copied().filter(|(own, _)| (from..from + part_s).contains(&seconds(own))).collect();
        here.sort_by_key(|(own, other)| (std::cmp::Reverse(own.strength.min(other.strength)), *own));
        chosen.extend(here.into_iter().take(JOINS_PER_PART));
    }
    chosen
}

/// The legend and the caption; gives where they end.
fn explain(svg: &mut Svg, language: Language, (here, all): (usize, usize), heard: [bool; 2]) -> f64 {
    let y = LOWER_END + 88.0;
    svg.line([30.0, y - 14.0, 970.0, y - 14.0], &format!(r#"stroke="{FAINT}""#));
    let y = y + 14.0;
    svg.circle(42.0, y - 6.0, 4.5, &format!(r#"fill="none" stroke="{COMMON}" stroke-width="1.8""#));
    let counted = match language {
        Language::English => format!("peak found in both: {here} in this passage, {all} in the whole match"),
        Language::Chinese => format!("双方共有的谱峰：本段 {here} 个，全部匹配 {all} 个"),
        Language::Japanese => format!("双方に共通するピーク：この箇所 {here} 個、一致全体 {all} 個"),
    };
    svg.text(58.0, y, Anchor::Start, &counted);
    let y = y + 28.0;
    svg.line([30.0, y - 6.0, 54.0, y - 6.0], &format!(r#"stroke="{COMMON}" stroke-width="1.6""#));
    let joined = language.pick("joins the same peak in both", "连接双方的同一谱峰", "同一のピークを結ぶ線");
    svg.text(64.0, y, Anchor::Start, joined);
    let mut y = y + 28.0;
    if heard.contains(&true) {
        ramp(svg, y, language);
        y += 28.0;
    }
    let caption = language.pick(
        "Upwards are higher notes, to the right is later time. Both panels show the same stretch of music on the same scale of \
         pitch. Peaks are the places where the sound is strongest; they are what the comparison rests on.",
        "纵轴向上为高音，横轴向右为时间先后。上下两图为同一段音乐，频率刻度相同。谱峰是声音最强之处，比对即以此为据。",
        "上に行くほど高い音、右に行くほど後の時刻を示す。上下の図は同じ箇所の音楽で、周波数の目盛りは同一である。ピークは音が最も強い点であり、\
         比較はこれに基づく。",
    );
    y = svg.caption(y, caption);
    if let Some(silent) = not_drawn(language, heard) {
        y = svg.caption(y, silent);
    }
    y
}

/// What is told where the sound of a panel, or of both, is not drawn.
const fn not_drawn(language: Language, heard: [bool; 2]) -> Option<&'static str> {
    Some(match heard {
        [true, true] => return None,
        [false, false] => language.pick(
            "The sound itself is not drawn; dots are all peaks of the fingerprint.",
            "未绘出声音本身；圆点为指纹的全部谱峰。",
            "音そのものは描かれておらず、点は指紋の全ピークである。",
        ),
        [true, false] => language.pick(
            "Of the recording the sound is not drawn; its dots are all peaks of its fingerprint.",
            "未绘出权利人录音的声音；其圆点为其指纹的全部谱峰。",
            "権利者の録音の音は描かれておらず、その点は指紋の全ピークである。",
        ),
        [false, true] => language.pick(
            "Of the suspect file the sound is not drawn; its dots are all peaks of its fingerprint.",
            "未绘出涉案音频的声音；其圆点为其指纹的全部谱峰。",
            "対象ファイルの音は描かれておらず、その点は指紋の全ピークである。",
        ),
    })
}

fn ramp(svg: &mut Svg, y: f64, language: Language) {
    const STEP: f64 = 7.0;
    let shades = legend(24);
    let end = 34.0 + STEP * shades.len() as f64;
    for (step, shade) in shades.iter().enumerate() {
        svg.rect([34.0 + STEP * step as f64, y - 13.0, STEP + 0.5, 14.0], &format!(r#"fill="{shade}""#));
    }
    svg.rect(
        [34.0, y - 13.0, end - 34.0, 14.0],
        &format!(r#"fill="none" stroke="{INK}" stroke-width="0.7""#),
    );
    let text = match language {
        Language::English => format!("faint to loud, {RANGE_DB:.0} dB"),
        Language::Chinese => format!("由弱到强，范围 {RANGE_DB:.0} dB"),
        Language::Japanese => format!("弱い音から強い音まで、幅 {RANGE_DB:.0} dB"),
    };
    svg.text(end + 12.0, y, Anchor::Start, &text);
}
