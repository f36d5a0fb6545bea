//! What pictures say, in three languages.

use crate::base::ChannelView;
use crate::matching::Match;

/// The language of captions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// English.
    English,
    /// Chinese in simplified characters.
    Chinese,
    /// Japanese.
    Japanese,
}

/// Factors nearer to 1 than this are what resampling and rounding leave; they are not told as alterations.
const FACTOR_TOLERANCE: f64 = 0.003;
/// Pitch differences under this many semitones are not told.
const PITCH_TOLERANCE_SEMITONES: f64 = 0.05;

impl Language {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::English, Self::Chinese, Self::Japanese];

    /// Returns the language's tag (BCP 47), as it stands in the picture.
    #[must_use]
    pub const fn tag(self) -> &'static str {
        self.pick("en", "zh-CN", "ja")
    }

    /// Chooses among texts of one meaning.
    pub(super) const fn pick(
        self,
        english: &'static str,
        chinese: &'static str,
        japanese: &'static str,
    ) -> &'static str {
        match self {
            Self::English => english,
            Self::Chinese => chinese,
            Self::Japanese => japanese,
        }
    }

    /// Fonts that have the language's letters, the commonest systems' first. All end with one that has most letters, for
    /// titles in other scripts.
    pub(super) const fn fonts(self) -> &'static str {
        self.pick(
            "'Noto Sans','DejaVu Sans',Arial,'Noto Sans CJK SC','Droid Sans Fallback',sans-serif",
            "'Noto Sans CJK SC','Noto Sans SC','PingFang SC','Microsoft YaHei',SimHei,'Droid Sans Fallback',sans-serif",
            "'Noto Sans CJK JP','Noto Sans JP','Hiragino Sans','Yu Gothic',Meiryo,'Droid Sans Fallback',sans-serif",
        )
    }

    pub(super) const fn suspect(self) -> &'static str {
        self.pick("Suspect file", "涉案音频", "対象ファイル")
    }

    pub(super) const fn reference(self) -> &'static str {
        self.pick("Recording", "权利人录音", "権利者の録音")
    }

    /// A label with what it names.
    pub(super) fn labelled(self, label: &str, text: &str) -> String {
        format!("{label}{}{text}", self.pick(": ", "：", "："))
    }

    /// What was done to the copy, by the figures of the match.
    pub(super) fn alteration(self, found: &Match) -> String {
        let mut parts = Vec::new();
        if (found.speed - 1.0).abs() > FACTOR_TOLERANCE {
            parts.push(self.speed(found.speed));
        }
        if (found.tempo - 1.0).abs() > FACTOR_TOLERANCE {
            parts.push(self.tempo(found.tempo));
        }
        if found.pitch_semitones.abs() > PITCH_TOLERANCE_SEMITONES {
            parts.push(self.pitch(found.pitch_semitones));
        }
        parts.extend(self.channel(found.channel).map(str::to_owned));
        if parts.is_empty() {
            let plain = self.pick(
                "the copy plays at the recording’s speed and pitch",
                "未见变速、变调",
                "速度・音高の変更は認められない",
            );
            parts.push(plain.to_owned());
        }
        let told = parts.join(self.pick("; ", "；", "、"));
        self.labelled(self.pick("Alteration", "改动", "改変"), &told)
    }

    fn speed(self, factor: f64) -> String {
        match self {
            Self::English => {
                let how = if factor > 1.0 { "faster and higher" } else { "slower and lower" };
                format!("speed × {factor:.3} (the copy plays {how})")
            }
            Self::Chinese => format!("播放速度为原录音的 {factor:.3} 倍，音高随之改变"),
            Self::Japanese => format!("再生速度が録音の {factor:.3} 倍（音高も変化）"),
        }
    }

    fn tempo(self, factor: f64) -> String {
        match self {
            Self::English => format!("tempo × {factor:.3} (pitch kept)"),
            Self::Chinese => format!("节奏为原录音的 {factor:.3} 倍，音高不变"),
            Self::Japanese => format!("テンポが録音の {factor:.3} 倍（音高は不変）"),
        }
    }

    fn pitch(self, semitones: f64) -> String {
        match self {
            Self::English => format!("pitch {semitones:+.2} semitones"),
            Self::Chinese => {
                let how = if semitones > 0.0 { "升高" } else { "降低" };
                format!("音高{how} {:.2} 个半音", semitones.abs())
            }
            Self::Japanese => format!("音高 {semitones:+.2} 半音"),
        }
    }

    const fn channel(self, view: ChannelView) -> Option<&'static str> {
        match view {
            ChannelView::Mid => None,
            ChannelView::Side => Some(self.pick(
                "found in the difference of both channels (one is inverted)",
                "录音在左右声道的差信号中（一侧声道反相）",
                "左右チャンネルの差信号に含まれる（片側が逆相）",
            )),
            ChannelView::Left => {
                Some(self.pick("found in the left channel", "录音在左声道", "左チャンネルに含まれる"))
            }
            ChannelView::Right => {
                Some(self.pick("found in the right channel", "录音在右声道", "右チャンネルに含まれる"))
            }
        }
    }
}

/// Writes seconds as `1:02:03` or `2:03`, with as many decimals as wanted.
pub(super) fn clock(seconds: f64, decimals: usize) -> String {
    let scale = 10_u64.pow(decimals.min(3) as u32);
    let units = (seconds.clamp(0.0, 1e9) * scale as f64).round() as u64;
    let (whole, fraction) = (units / scale, units % scale);
    let (hours, minutes, rest) = (whole / 3600, whole / 60 % 60, whole % 60);
    let mut text =
        if hours > 0 { format!("{hours}:{minutes:02}:{rest:02}") } else { format!("{minutes}:{rest:02}") };
    if decimals > 0 {
        text.push_str(&format!(".{fraction:0width$}", width = decimals.min(3)));
    }
    text
}
