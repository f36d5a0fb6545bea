//! The story that the demonstration tells: whose music it is, who may use it, and what is found where. All names are
//! made up.

use super::synth::{self, Style};
use crate::rights::Decision;

/// A recording of the label's catalogue.
pub(super) struct Title {
    pub(super) id: &'static str,
    pub(super) isrc: &'static str,
    pub(super) title: &'static str,
    /// Chinese and English.
    pub(super) translations: [&'static str; 2],
    pub(super) artist: &'static str,
    pub(super) label: &'static str,
    pub(super) first_made: &'static str,
    pub(super) style: &'static Style,
}

/// The label that owns the first four.
pub(super) const LABEL: &str = "Aoi Records";

/// The catalogue.
pub(super) const TITLES: [Title; 5] = [
    Title {
        id: "AOI-001",
        isrc: "JPXX02100001",
        title: "夜明けの駅",
        translations: ["黎明车站", "Station at Dawn"],
        artist: "三日月楽団",
        label: LABEL,
        first_made: "2021-02-14",
        style: &synth::STATION,
    },
    Title {
        id: "AOI-002",
        isrc: "JPXX02100002",
        title: "青い自転車",
        translations: ["蓝色自行车", "Blue Bicycle"],
        artist: "三日月楽団",
        label: LABEL,
        first_made: "2021-02-15",
        style: &synth::BICYCLE,
    },
    Title {
        id: "AOI-003",
        isrc: "JPXX02200001",
        title: "雨の喫茶店",
        translations: ["雨中的咖啡馆", "Café in the Rain"],
        artist: "ミナト五重奏団",
        label: LABEL,
        first_made: "2022-06-03",
        style: &synth::CAFE,
    },
    Title {
        id: "AOI-004",
        isrc: "JPXX02200002",
        title: "花火のあと",
        translations: ["烟花之后", "After the Fireworks"],
        artist: "ミナト五重奏団",
        label: LABEL,
        first_made: "2022-08-20",
        style: &synth::AFTER_FIREWORKS,
    },
    Title {
        id: "AOI-005",
        isrc: "JPXX01900005",
        title: "祖母の子守唄",
        translations: ["祖母的摇篮曲", "Grandmother's Lullaby"],
        artist: "葵民謡会",
        label: "Tsukimi Archive",
        first_made: "2019-11-01",
        style: &synth::LULLABY,
    },
];

/// A site of the demonstration, on a port of its own: an operator of its own.
pub(super) struct SiteStory {
    /// Its folder, and its name in the configuration.
    pub(super) key: &'static str,
    pub(super) name: &'static str,
    /// Its name as notices write it.
    pub(super) legal_name: &'static str,
}

/// Who holds the exclusive licence, as an index into [`SITES`].
pub(super) const PLATFORM: usize = 0;
/// Who holds a sub-licence for one recording.
pub(super) const RADIO: usize = 1;
/// Who holds none …
pub(super) const DOWNLOADS: usize = 2;
/// … and neither do these.
pub(super) const MIXES: usize = 3;
pub(super) const FORUM: usize = 4;
const BLOG: usize = 5;

/// The sites.
pub(super) const SITES: [SiteStory; 6] = [
    SiteStory { key: "platform", name: "Lizi Music", legal_name: "例子音乐（示例）有限公司" },
    SiteStory { key: "radio", name: "Yangli Radio", legal_name: "样例电台（示例）有限公司" },
    SiteStory { key: "downloads", name: "Moumou MP3", legal_name: "某某下载站（示例）" },
    SiteStory { key: "mixes", name: "Night Mixes", legal_name: "某夜混音站（示例）" },
    SiteStory { key: "forum", name: "Moumou Forum", legal_name: "某某论坛（示例）" },
    SiteStory { key: "blog", name: "Old Wang's Guitar", legal_name: "老王的吉他（示例）" },
];

/// One file on a site, and what must come out of it.
pub(super) struct Situation {
    /// What was done, in a few words.
    pub(super) what: &'static str,
    /// How the file was made.
    pub(super) copy: Copied,
    /// Index into [`SITES`].
    pub(super) site: usize,
    /// The page that shows the file.
    pub(super) page: &'static str,
    /// The page's title.
    pub(super) title: &'static str,
    /// The file's path on the site.
    pub(super) file: &'static str,
    pub(super) expected: Expected,
}

/// How a file was made; numbers are indices into [`TITLES`].
pub(super) enum Copied {
    /// The master, byte for byte.
    Verbatim(usize),
    /// Pressed into few bits.
    Lossy(usize),
    /// Played [`FAST`].
    Fast(usize),
    /// Both sides made one.
    Mono(usize),
    /// Two titles and a voice.
    Mix(usize, usize),
    /// Not even audio.
    Broken,
    /// Nobody's copy.
    Stranger,
}

/// What must come out.
pub(super) enum Expected {
    /// Exactly these recordings; none for a stranger.
    Recordings(&'static [Wanted]),
    /// One clear error.
    Unreadable,
}

/// One recording that must be found.
pub(super) struct Wanted {
    pub(super) recording: &'static str,
    pub(super) decision: Decision,
    pub(super) speed: f64,
    /// Where the recording is in the file, in seconds; found spans may miss a little at both ends.
    pub(super) span_s: (f64, f64),
}

const fn wanted(recording: &'static str, decision: Decision, span_s: (f64, f64)) -> Wanted {
    Wanted { recording, decision, speed: 1.0, span_s }
}

/// How much faster the fast copy is.
pub(super) const FAST: f64 = 1.25;

/// Everything that is found on the sites.
pub(super) const SITUATIONS: [Situation; 9] = [
    Situation {
        what: "the exclusive licensee's copy",
        copy: Copied::Verbatim(1),
        site: PLATFORM,
        page: "/album/aoi.html",
        title: "青い自転車 – 三日月楽団 – Lizi Music 例子音乐",
        file: "/stream/aoi-002.wav",
        expected: Expected::Recordings(&[wanted("AOI-002", Decision::Licensed, (0.0, 47.0))]),
    },
    Situation {
        what: "the sub-licensee's copy",
        copy: Copied::Verbatim(2),
        site: RADIO,
        page: "/shows/morning.html",
        title: "雨の喫茶店 – Morning show – Yangli Radio 样例电台",
        file: "/audio/morning.wav",
        expected: Expected::Recordings(&[wanted("AOI-003", Decision::Licensed, (0.0, 43.7))]),
    },
    Situation {
        what: "its copy of a title outside the sub-licence",
        copy: Copied::Verbatim(3),
        site: RADIO,
        page: "/shows/evening.html",
        title: "花火のあと – Evening show – Yangli Radio 样例电台",
        file: "/audio/evening.wav",
        expected: Expected::Recordings(&[wanted("AOI-004", Decision::Unlicensed, (0.0, 43.9))]),
    },
    Situation {
        what: "MP3-like copy under a false name",
        copy: Copied::Lossy(0),
        site: DOWNLOADS,
        page: "/song/10441.html",
        title: "City Lights (Original) – DJ Nobody – free MP3 download 免费下载",
        file: "/dl/dj-nobody-city-lights.wav",
        expected: Expected::Recordings(&[wanted("AOI-001", Decision::Unlicensed, (0.0, 48.9))]),
    },
    Situation {
        what: "copy played 25 % faster",
        copy: Copied::Fast(2),
        site: DOWNLOADS,
        page: "/song/10442.html",
        title: "coffee shop nightcore – free MP3 download 免费下载",
        file: "/dl/coffee-nightcore.wav",
        expected: Expected::Recordings(&[Wanted {
            recording: "AOI-003",
            decision: Decision::Unlicensed,
            speed: FAST,
            span_s: (0.0, 35.0),
        }]),
    },
    Situation {
        what: "broken file",
        copy: Copied::Broken,
        site: DOWNLOADS,
        page: "/song/10443.html",
        title: "new song!!! – free MP3 download 免费下载",
        file: "/dl/new-song.wav",
        expected: Expected::Unreadable,
    },
    Situation {
        what: "mix of two titles, talk over the first",
        copy: Copied::Mix(1, 3),
        site: MIXES,
        page: "/2026/episode-12.html",
        title: "Episode 12: late trains – Night Mixes",
        file: "/media/episode-12.wav",
        expected: Expected::Recordings(&[
            wanted("AOI-002", Decision::Unlicensed, (5.0, 35.0)),
            wanted("AOI-004", Decision::Unlicensed, (35.0, 63.0)),
        ]),
    },
    Situation {
        what: "copy of a title whose owner is not recorded",
        copy: Copied::Mono(4),
        site: FORUM,
        page: "/thread/77.html",
        title: "[分享] grandmother's song, does anyone know it? – Moumou Forum",
        file: "/attachments/77-1.wav",
        expected: Expected::Recordings(&[wanted("AOI-005", Decision::Undetermined, (0.0, 46.0))]),
    },
    Situation {
        what: "a stranger's own piece",
        copy: Copied::Stranger,
        site: BLOG,
        page: "/diary/my-first-song.html",
        title: "My first song! – Old Wang's Guitar 老王的吉他",
        file: "/music/my-first-song.wav",
        expected: Expected::Recordings(&[]),
    },
];
