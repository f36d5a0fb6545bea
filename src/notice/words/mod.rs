//! The sentences of documents that are made from figures, in the language and the way of the forum.

mod chinese;
mod english;
mod japanese;

use jiff::civil::Date;
use jiff::tz::{Offset, TimeZone};
use serde::{Serialize, Serializer};

use crate::base::{ChannelView, Timestamp};
use crate::cases::{Field, Match};

/// The language of a document, with the forum's way of writing dates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lang {
    /// Simplified Chinese, China's time.
    Chinese,
    /// Japanese, Japan's time.
    Japanese,
    /// English with American dates.
    AmericanEnglish,
    /// English with European dates.
    English,
}

impl Lang {
    /// Returns the language's tag (BCP 47).
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Chinese => "zh-CN",
            Self::Japanese => "ja-JP",
            Self::AmericanEnglish => "en-US",
            Self::English => "en",
        }
    }
}

impl Serialize for Lang {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.tag())
    }
}

/// Factors nearer to 1 than this are what resampling and rounding leave; they are not told as alterations.
const FACTOR_TOLERANCE: f64 = 0.003;

/// Pitch differences under this many semitones are not told.
const PITCH_TOLERANCE_SEMITONES: f64 = 0.05;

/// One alteration of a copy.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Altered {
    /// Time and pitch together, as a factor.
    Speed(f64),
    /// Time alone, as a factor.
    Tempo(f64),
    /// Pitch alone, in semitones.
    Pitch(f64),
    /// Where in the channels the recording is.
    Channel(ChannelView),
}

/// Describes how a copy was altered against the recording.
#[must_use]
pub fn alteration(lang: Lang, found: &Match) -> String {
    let mut altered = Vec::new();
    if (found.speed - 1.0).abs() > FACTOR_TOLERANCE {
        altered.push(Altered::Speed(found.speed));
    }
    if (found.tempo - 1.0).abs() > FACTOR_TOLERANCE {
        altered.push(Altered::Tempo(found.tempo));
    }
    if found.pitch_semitones.abs() > PITCH_TOLERANCE_SEMITONES {
        altered.push(Altered::Pitch(found.pitch_semitones));
    }
    if found.channel != ChannelView::Mid {
        altered.push(Altered::Channel(found.channel));
    }
    let (word, none, between): (fn(Altered) -> String, &str, &str) = match lang {
        Lang::Chinese => (chinese::altered, chinese::UNALTERED, "；"),
        Lang::Japanese => (japanese::altered, japanese::UNALTERED, "、"),
        Lang::AmericanEnglish | Lang::English => (english::altered, english::UNALTERED, "; "),
    };
    if altered.is_empty() {
        return none.to_owned();
    }
    altered.into_iter().map(word).collect::<Vec<_>>().join(between)
}

/// Describes which part of the file is which part of the recording.
#[must_use]
pub fn spans(lang: Lang, found: &Match) -> String {
    let clocks =
        [found.query_start_s, found.query_end_s, found.reference_start_s, found.reference_end_s].map(clock);
    match lang {
        Lang::Chinese => chinese::spans(&clocks),
        Lang::Japanese => japanese::spans(&clocks),
        Lang::AmericanEnglish | Lang::English => english::spans(&clocks),
    }
}

/// Names a piece of rights information.
pub(super) const fn information_field(lang: Lang, field: Field) -> &'static str {
    match lang {
        Lang::Chinese => chinese::information_field(field),
        Lang::Japanese => japanese::information_field(field),
        Lang::AmericanEnglish | Lang::English => english::information_field(field),
    }
}

/// Says what became of it.
pub(super) const fn information_outcome(lang: Lang, is_removed: bool) -> &'static str {
    match lang {
        Lang::Chinese => chinese::information_outcome(is_removed),
        Lang::Japanese => japanese::information_outcome(is_removed),
        Lang::AmericanEnglish | Lang::English => english::information_outcome(is_removed),
    }
}

/// Writes seconds as `1:02:03.4`.
fn clock(seconds: f64) -> String {
    let tenths = (seconds.max(0.0) * 10.0).round().min(1e12) as u64;
    let (hours, minutes, rest) = (tenths / 36_000, tenths / 600 % 60, tenths % 600);
    let (whole, tenth) = (rest / 10, rest % 10);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{whole:02}.{tenth}")
    } else {
        format!("{minutes}:{whole:02}.{tenth}")
    }
}

/// Of the decades that `log10_false_match` names, the share that was seen to hold on audio which holds nothing of the
/// catalogue (`docs/engine.md`).
const MEASURED_SHARE: f64 = 1.0 / 3.0;

/// Puts the logarithm of a false match's probability into words that promise no more than was measured: a third of
/// its decades, and never less than one in a million, which no test has reached.
#[must_use]
pub fn probability(lang: Lang, log10: f64) -> String {
    const BOUNDS: [i32; 4] = [6, 4, 3, 2];
    let measured = log10 * MEASURED_SHARE;
    let decades = BOUNDS.into_iter().find(|decades| log10.is_finite() && measured <= -f64::from(*decades));
    match lang {
        Lang::Chinese => chinese::probability(decades),
        Lang::Japanese => japanese::probability(decades),
        Lang::AmericanEnglish | Lang::English => english::probability(decades),
    }
}

/// Writes an instant in the forum's time and in UTC. China's and Japan's offsets hold all year, so no time zone
/// database is needed.
pub(super) fn instant(lang: Lang, at: Timestamp) -> String {
    let local = |hours: i8| {
        at.to_zoned(TimeZone::fixed(jiff::tz::offset(hours))).strftime("%Y-%m-%d %H:%M:%S").to_string()
    };
    let utc = at.to_zoned(TimeZone::fixed(Offset::UTC));
    match lang {
        Lang::Chinese => format!("{}（北京时间，UTC+8）／{}（UTC）", local(8), local(0)),
        Lang::Japanese => format!("{}（日本時間、UTC+9）／{}（UTC）", local(9), local(0)),
        Lang::AmericanEnglish | Lang::English => {
            format!("{}, {} UTC", date(lang, utc.date()), utc.strftime("%H:%M:%S"))
        }
    }
}

/// Writes a date in the forum's way.
pub(super) fn date(lang: Lang, date: Date) -> String {
    let (year, month, day) = (date.year(), date.month(), date.day());
    match lang {
        Lang::Chinese | Lang::Japanese => format!("{year}年{month}月{day}日"),
        Lang::AmericanEnglish => format!("{} {day}, {year}", english::month(month)),
        Lang::English => format!("{day} {} {year}", english::month(month)),
    }
}

/// Writes a count in the forum's way: English groups thousands.
pub(super) fn count(lang: Lang, count: usize) -> String {
    let digits = count.to_string();
    if matches!(lang, Lang::Chinese | Lang::Japanese) {
        return digits;
    }
    let mut grouped = String::new();
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// The headings of lists of works and addresses, in the order of the columns.
pub(super) const fn columns(lang: Lang) -> &'static [&'static str; 22] {
    match lang {
        Lang::Chinese => &chinese::COLUMNS,
        Lang::Japanese => &japanese::COLUMNS,
        Lang::AmericanEnglish | Lang::English => &english::COLUMNS,
    }
}

/// What stands before a list where it was cut.
pub(super) const fn list_name(lang: Lang) -> &'static str {
    match lang {
        Lang::Chinese => "作品与网络地址",
        Lang::Japanese => "著作物等とURL",
        Lang::AmericanEnglish | Lang::English => "Works and addresses",
    }
}

/// The heading of what counsel is to confirm, and what stands under it.
pub(super) const fn draft(lang: Lang) -> (&'static str, &'static str) {
    match lang {
        Lang::Chinese => (
            "草稿说明（供律师确认，不属于文书内容）",
            "下列表述并非直接取自法律条文或官方示范格式，寄送前请由律师确认：",
        ),
        Lang::Japanese => (
            "下書きに関する注記（弁護士の確認用。本書面の一部ではない）",
            "次の記載は法令又はガイドラインの原文によらない部分を含むため、送付前に弁護士の確認を要する。",
        ),
        Lang::AmericanEnglish | Lang::English => (
            "Draft, to be confirmed by counsel (not part of the document)",
            "The following does not come straight from the law's text or an official form. Have counsel confirm it before \
             the document is sent:",
        ),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::base::RecordingId;

    const ALL: [Lang; 4] = [Lang::Chinese, Lang::Japanese, Lang::AmericanEnglish, Lang::English];

    fn found() -> Match {
        Match {
            recording_id: RecordingId::new("R").unwrap(),
            query_start_s: 0.0,
            query_end_s: 10.0,
            reference_start_s: 61.52,
            reference_end_s: 3_674.02,
            speed: 1.0,
            tempo: 1.0,
            pitch_semitones: 0.0,
            channel: ChannelView::Mid,
            matched_peaks: 143,
            log10_false_match: -41.7,
        }
    }

    #[test]
    fn alterations_are_told_and_only_those() {
        assert_eq!(alteration(Lang::Chinese, &found()), "未见变速、变调");
        let sped = Match { speed: 1.25, pitch_semitones: -2.0, channel: ChannelView::Side, ..found() };
        let told = alteration(Lang::Chinese, &sped);
        assert!(
            told.contains("1.250 倍") && told.contains("降低 2.00 个半音") && told.contains("反相"),
            "{told}"
        );
        assert!(alteration(Lang::Chinese, &Match { tempo: 0.9, ..found() }).contains("变速不变调（节奏放慢"));
        for lang in ALL {
            let told = alteration(lang, &sped);
            assert!(told.contains("1.250") && told.contains("2.00"), "{told}");
            assert_ne!(alteration(lang, &found()), told);
        }
    }

    #[test]
    fn words_never_promise_more_than_the_figure() {
        let chinese = |log10| probability(Lang::Chinese, log10);
        assert!(chinese(-241.7).contains("不高于百万分之一"));
        assert!(chinese(-18.0).contains("不高于百万分之一"));
        assert!(chinese(-17.9).contains("不高于万分之一"));
        assert!(chinese(-6.0).contains("不高于百分之一"));
        assert_eq!(chinese(-5.9), "误匹配概率未能确定");
        assert_eq!(chinese(f64::NAN), "误匹配概率未能确定");
        assert!(probability(Lang::English, -18.0).contains("one in a million"));
        assert!(probability(Lang::English, -17.9).contains("one in ten thousand"));
        assert!(probability(Lang::Japanese, -9.0).contains("1,000分の1"));
    }

    #[test]
    fn times_dates_and_counts_are_in_the_forum_s_way() {
        let at: Timestamp = "2026-03-01T18:30:00Z".parse().unwrap();
        assert_eq!(
            instant(Lang::Chinese, at),
            "2026-03-02 02:30:00（北京时间，UTC+8）／2026-03-01 18:30:00（UTC）"
        );
        assert_eq!(instant(Lang::AmericanEnglish, at), "March 1, 2026, 18:30:00 UTC");
        let day = jiff::civil::date(2026, 11, 26);
        let dates = ALL.map(|lang| date(lang, day));
        assert_eq!(dates, ["2026年11月26日", "2026年11月26日", "November 26, 2026", "26 November 2026"]);
        assert_eq!(ALL.map(|lang| count(lang, 1_234_567)), ["1234567", "1234567", "1,234,567", "1,234,567"]);
        assert_eq!(count(Lang::English, 100), "100");
        assert_eq!(
            spans(Lang::Chinese, &found()),
            "涉案音频 0:00.0 至 0:10.0，对应权利人录音 1:01.5 至 1:01:14.0"
        );
    }
}
