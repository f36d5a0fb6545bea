//! The sentences of Chinese notices that are made from figures.

use jiff::tz::TimeZone;

use crate::base::{ChannelView, Timestamp};
use crate::cases::Match;

/// Factors nearer to 1 than this are what resampling and rounding leave; they are not told as alterations.
const FACTOR_TOLERANCE: f64 = 0.003;

/// Pitch differences under this many semitones are not told.
const PITCH_TOLERANCE_SEMITONES: f64 = 0.05;

/// Describes how a copy was altered against the recording.
pub(super) fn alteration(found: &Match) -> String {
    let mut parts = Vec::new();
    if (found.speed - 1.0).abs() > FACTOR_TOLERANCE {
        let how = if found.speed > 1.0 { "加快" } else { "放慢" };
        parts.push(format!("变速（播放速度{how}为原录音的 {:.3} 倍，音高随之改变）", found.speed));
    }
    if (found.tempo - 1.0).abs() > FACTOR_TOLERANCE {
        let how = if found.tempo > 1.0 { "加快" } else { "放慢" };
        parts.push(format!("变速不变调（节奏{how}为原录音的 {:.3} 倍）", found.tempo));
    }
    if found.pitch_semitones.abs() > PITCH_TOLERANCE_SEMITONES {
        let how = if found.pitch_semitones > 0.0 { "升高" } else { "降低" };
        parts.push(format!("变调（音高{how} {:.2} 个半音）", found.pitch_semitones.abs()));
    }
    let channel = match found.channel {
        ChannelView::Mid => None,
        ChannelView::Side => Some("声道处理（录音内容在左右声道差信号中，即一侧声道被反相）"),
        ChannelView::Left => Some("声道处理（录音内容在左声道）"),
        ChannelView::Right => Some("声道处理（录音内容在右声道）"),
    };
    parts.extend(channel.map(str::to_owned));
    if parts.is_empty() { "未见变速、变调".to_owned() } else { parts.join("；") }
}

/// Describes which part of the file is which part of the recording.
pub(super) fn spans(found: &Match) -> String {
    format!(
        "涉案音频 {} 至 {}，对应权利人录音 {} 至 {}",
        clock(found.query_start_s),
        clock(found.query_end_s),
        clock(found.reference_start_s),
        clock(found.reference_end_s)
    )
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
pub(super) fn probability(log10: f64) -> String {
    const WORDS: [(f64, &str); 4] =
        [(-6.0, "百万分之一"), (-4.0, "万分之一"), (-3.0, "千分之一"), (-2.0, "百分之一")];
    let measured = log10 * MEASURED_SHARE;
    let words = WORDS.iter().find(|(bound, _)| log10.is_finite() && measured <= *bound);
    words.map_or_else(
        || "误匹配概率未能确定".to_owned(),
        |(_, words)| format!("按实测标度估算，误匹配概率不高于{words}"),
    )
}

/// Writes an instant in China's time (UTC+8 all year, so no time zone database is needed) and in UTC.
pub(super) fn instant(at: Timestamp) -> String {
    let shanghai = at.to_zoned(TimeZone::fixed(jiff::tz::offset(8)));
    format!(
        "{}（北京时间，UTC+8）／{}（UTC）",
        shanghai.strftime("%Y-%m-%d %H:%M:%S"),
        at.strftime("%Y-%m-%d %H:%M:%S")
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::base::RecordingId;

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
        assert_eq!(alteration(&found()), "未见变速、变调");
        let sped = Match { speed: 1.25, pitch_semitones: -2.0, channel: ChannelView::Side, ..found() };
        let told = alteration(&sped);
        assert!(
            told.contains("1.250 倍") && told.contains("降低 2.00 个半音") && told.contains("反相"),
            "{told}"
        );
        assert!(alteration(&Match { tempo: 0.9, ..found() }).contains("变速不变调（节奏放慢"));
    }

    #[test]
    fn words_never_promise_more_than_the_figure() {
        assert!(probability(-241.7).contains("不高于百万分之一"));
        assert!(probability(-18.0).contains("不高于百万分之一"));
        assert!(probability(-17.9).contains("不高于万分之一"));
        assert!(probability(-6.0).contains("不高于百分之一"));
        assert_eq!(probability(-5.9), "误匹配概率未能确定");
        assert_eq!(probability(f64::NAN), "误匹配概率未能确定");
    }

    #[test]
    fn times_are_in_both_zones() {
        let at: Timestamp = "2026-03-01T18:30:00Z".parse().unwrap();
        assert_eq!(instant(at), "2026-03-02 02:30:00（北京时间，UTC+8）／2026-03-01 18:30:00（UTC）");
        assert_eq!(spans(&found()), "涉案音频 0:00.0 至 0:10.0，对应权利人录音 1:01.5 至 1:01:14.0");
    }
}
