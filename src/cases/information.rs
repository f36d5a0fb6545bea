//! What a copy's file says of the rights in it, beside what the owner's own file says: facts, and how far they go.
//!
//! A master with an ISRC does not prove that a copy comes from a file that had one. So the comparison is kept and shown as
//! it is; whether it becomes a claim is another question, which [`Case::claims_information`] answers.

use serde::{Deserialize, Serialize};

use super::case::Case;
use super::spelling::{is_isrc, spelt};
use crate::base::{Cover, MediaTags};
use crate::catalog::TAG_CHARS_MAX;
use crate::matching::Match;
use crate::store::Record;

/// Factors of speed and tempo nearer to 1 than this are what resampling leaves.
const FACTOR_TOLERANCE: f64 = 0.003;

/// Pitch differences under this many semitones are likewise none.
const PITCH_TOLERANCE_SEMITONES: f64 = 0.05;

/// A file of which less than this share is the recording is not a copy of the recording's file, and has tags of its own.
const WHOLE_SHARE: f64 = 0.8;

/// One thing that tags say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Field {
    /// International Standard Recording Code.
    Isrc,
    /// The ℗ line.
    PLine,
    /// The file's owner or licensee.
    Owner,
    /// The © line.
    CLine,
    /// Label or publisher.
    Label,
    /// The address of a page on the rights.
    RightsUrl,
    /// UPC or EAN of the release.
    Upc,
    /// Title.
    Title,
    /// Main artist.
    Artist,
    /// Album.
    Album,
    /// The front cover, by its digest.
    Cover,
}

impl Field {
    /// All, in the order in which they are shown.
    pub const ALL: [Self; 11] = [
        Self::Isrc,
        Self::PLine,
        Self::Owner,
        Self::CLine,
        Self::Label,
        Self::RightsUrl,
        Self::Upc,
        Self::Title,
        Self::Artist,
        Self::Album,
        Self::Cover,
    ];

    /// Returns the word used in JSON and tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Isrc => "isrc",
            Self::PLine => "p_line",
            Self::Owner => "owner",
            Self::CLine => "c_line",
            Self::Label => "label",
            Self::RightsUrl => "rights_url",
            Self::Upc => "upc",
            Self::Title => "title",
            Self::Artist => "artist",
            Self::Album => "album",
            Self::Cover => "cover",
        }
    }

    /// Whether the field is about the rights, so that a claim can rest on it. People spell titles as they like, pictures are
    /// made smaller, and a recording stands in releases with several UPCs.
    #[must_use]
    pub const fn is_of_rights(self) -> bool {
        matches!(self, Self::Isrc | Self::PLine | Self::Owner | Self::CLine | Self::Label | Self::RightsUrl)
    }

    fn of(self, tags: &MediaTags) -> Option<String> {
        let text = match self {
            Self::Isrc => &tags.isrc,
            Self::PLine => &tags.p_line,
            Self::Owner => &tags.owner,
            Self::CLine => &tags.c_line,
            Self::Label => &tags.label,
            Self::RightsUrl => &tags.rights_url,
            Self::Upc => &tags.upc,
            Self::Title => &tags.title,
            Self::Artist => &tags.artist,
            Self::Album => &tags.album,
            Self::Cover => {
                return tags.cover.map(|Cover { sha256, bytes }| format!("{sha256} ({bytes} bytes)"));
            }
        };
        // What is nothing but white space or hyphens says nothing.
        text.clone().filter(|text| !spelt(self, text).is_empty())
    }
}

/// What became of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldOutcome {
    /// The copy says the same.
    Kept,
    /// The owner's file says it, the copy does not.
    Removed,
    /// The copy says something else.
    Altered,
    /// The owner's file does not say it, so there is nothing to state.
    NotInReference,
    /// The copy's tags could not be read, or not all of them.
    Unknown,
}

impl FieldOutcome {
    /// Returns the outcome in words.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::Removed => "removed",
            Self::Altered => "altered",
            Self::NotInReference => "not in the reference",
            Self::Unknown => "unknown",
        }
    }
}

/// One field in both files, each as the file writes it, cut to 200 characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldCompared {
    /// Which.
    pub field: Field,
    /// What became of it.
    pub outcome: FieldOutcome,
    /// What the owner's file says.
    pub reference: Option<String>,
    /// What the copy says.
    pub copy: Option<String>,
}

impl FieldCompared {
    /// Whether the owner's file, read anew, still says what was compared.
    #[must_use]
    pub fn is_still_said(&self, reference: &MediaTags) -> bool {
        self.field.of(&reference.shortened(TAG_CHARS_MAX)) == self.reference
    }

    /// Whether the copy lacks what the owner's file says, or says something else.
    #[must_use]
    pub const fn is_changed(&self) -> bool {
        matches!(self.outcome, FieldOutcome::Removed | FieldOutcome::Altered)
    }
}

/// What speaks against drawing conclusions from a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Caveat {
    /// The copy is of a kind whose tags are not read: a bare stream, WAV, Matroska, what only ffmpeg decodes.
    CopyUnread,
    /// A part of the copy's tags is cut, damaged, encrypted or of a second kind that is not read.
    CopyPartlyRead,
    /// Several recordings are in the file: a mix has no tags of one of them.
    SeveralRecordings,
    /// Much of the file is not the recording.
    PartOfTheFile,
    /// Speed, pitch or channels were altered: the file was made anew.
    SoundAltered,
    /// Its ISRC is that of another recording of the catalogue, whose file it may be.
    NamesAnotherRecording,
    /// The copy says nothing at all: a platform that makes files anew leaves all tags out.
    BareCopy,
    /// The copy has another kind of tags than the owner's file: a program that converts may have no place for a field.
    OtherScheme,
}

impl Caveat {
    /// Returns the caveat in a clause.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CopyUnread => "tags of this kind of file are not read",
            Self::CopyPartlyRead => "a part of the copy's tags could not be read",
            Self::SeveralRecordings => "several recordings are in the file",
            Self::PartOfTheFile => "much of the file is not the recording",
            Self::SoundAltered => "speed, pitch or channels were altered",
            Self::NamesAnotherRecording => "the copy's ISRC is that of another recording of the catalogue",
            Self::BareCopy => "the copy has no tags at all, as files that a platform makes anew",
            Self::OtherScheme => "the copy has another kind of tags than the owner's file",
        }
    }

    /// Whether nobody can draw a conclusion in spite of it.
    const fn is_final(self) -> bool {
        !matches!(self, Self::BareCopy | Self::OtherScheme)
    }
}

/// How far a comparison goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sign {
    /// Nothing that a claim could rest on.
    None,
    /// Something, but with another explanation: only a person who knows more can claim it.
    Weak,
    /// The copy's ISRC is another one, or it kept other tags of the same kind and lost its ISRC or ℗ line.
    Strong,
}

/// The tags of a copy beside those of the owner's own file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comparison {
    /// What at least one of both says, in the order of [`Field::ALL`].
    pub fields: Vec<FieldCompared>,
    /// What speaks against drawing conclusions from it.
    pub caveats: Vec<Caveat>,
}

/// A copy whose tags are compared.
#[derive(Debug, Clone, Copy)]
pub struct CopyHeard<'a> {
    /// What its file says of itself.
    pub tags: &'a MediaTags,
    /// How long it is, in seconds.
    pub duration_s: f64,
    /// Where the recording is in it.
    pub matches: &'a [Match],
    /// Whether other recordings were found in it too.
    pub has_others: bool,
    /// Whether its ISRC is the name of another recording of the catalogue.
    pub names_another: bool,
}

/// Compares what a copy says of itself with what the owner's own file says.
#[must_use]
pub fn compare(reference: &MediaTags, copy: &CopyHeard<'_>) -> Comparison {
    let (reference, said) = (reference.shortened(TAG_CHARS_MAX), copy.tags.shortened(TAG_CHARS_MAX));
    let fields: Vec<FieldCompared> =
        Field::ALL.into_iter().filter_map(|field| compared(field, &reference, &said)).collect();
    let is_bare = Field::ALL.iter().all(|field| field.of(&said).is_none());
    let checks = [
        (said.scheme.is_none(), Caveat::CopyUnread),
        (said.is_partly_read, Caveat::CopyPartlyRead),
        (copy.has_others, Caveat::SeveralRecordings),
        (share(copy) < WHOLE_SHARE, Caveat::PartOfTheFile),
        (copy.matches.iter().any(is_altered), Caveat::SoundAltered),
        (copy.names_another, Caveat::NamesAnotherRecording),
        (is_bare, Caveat::BareCopy),
        (said.scheme.is_some() && reference.scheme != said.scheme, Caveat::OtherScheme),
    ];
    Comparison {
        fields,
        caveats: checks.into_iter().filter_map(|(holds, what)| holds.then_some(what)).collect(),
    }
}

fn compared(field: Field, reference: &MediaTags, copy: &MediaTags) -> Option<FieldCompared> {
    let (own, other) = (field.of(reference), field.of(copy));
    let is_whole = copy.scheme.is_some() && !copy.is_partly_read;
    let outcome = match (&own, &other) {
        (None, None) => return None,
        (None, Some(_)) => FieldOutcome::NotInReference,
        (Some(own), Some(other)) if is_same(field, own, other) => FieldOutcome::Kept,
        (Some(_), Some(_)) => FieldOutcome::Altered,
        // There is something, in letters that no code has.
        (Some(_), None) if field == Field::Isrc && copy.isrc.is_some() => FieldOutcome::Unknown,
        (Some(_), None) if is_whole => FieldOutcome::Removed,
        (Some(_), None) => FieldOutcome::Unknown,
    };
    Some(FieldCompared { field, outcome, reference: own, copy: other })
}

/// Whether two texts say the same. Of several ISRCs in one tag, ours among them, none is another.
fn is_same(field: Field, own: &str, other: &str) -> bool {
    let (own, other) = (spelt(field, own), spelt(field, other));
    own == other || (field == Field::Isrc && own.len() == 12 && other.contains(&own))
}

/// Which share of the copy is the recording, 0 to 1; matches that overlap count once.
fn share(copy: &CopyHeard<'_>) -> f64 {
    let mut spans: Vec<(f64, f64)> =
        copy.matches.iter().map(|one| (one.query_start_s, one.query_end_s)).collect();
    spans.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut covered_s, mut end_s) = (0.0, 0.0f64);
    for (from, to) in spans {
        covered_s += (to - from.max(end_s)).max(0.0);
        end_s = end_s.max(to);
    }
    if copy.duration_s > 0.0 { covered_s / copy.duration_s } else { 0.0 }
}

fn is_altered(found: &Match) -> bool {
    (found.speed - 1.0).abs() > FACTOR_TOLERANCE
        || (found.tempo - 1.0).abs() > FACTOR_TOLERANCE
        || found.pitch_semitones.abs() > PITCH_TOLERANCE_SEMITONES
        || found.channel != crate::base::ChannelView::Mid
}

impl Comparison {
    /// The fields about the rights that the copy lacks or says otherwise.
    pub fn changed(&self) -> impl Iterator<Item = &FieldCompared> {
        self.fields.iter().filter(|one| one.is_changed() && one.field.is_of_rights())
    }

    /// Says how far the comparison goes.
    #[must_use]
    pub fn sign(&self) -> Sign {
        if self.caveats.iter().any(|caveat| caveat.is_final()) || self.changed().next().is_none() {
            return Sign::None;
        }
        if self.strong().next().is_some() { Sign::Strong } else { Sign::Weak }
    }

    /// Those of the changed fields that are a strong sign each by itself. An ISRC names the recording wherever it is released. A
    /// ℗ line does too, but licensees add to it; label, owner (which may be a buyer) and © line differ between lawful releases.
    pub fn strong(&self) -> impl Iterator<Item = &FieldCompared> {
        self.changed().filter(|one| match (one.field, one.outcome) {
            // Another code, and not what somebody wrote in place of one.
            (Field::Isrc, FieldOutcome::Altered) => one.copy.as_deref().is_some_and(is_isrc),
            (Field::Isrc | Field::PLine, FieldOutcome::Removed) => self.caveats.is_empty(),
            _ => false,
        })
    }

    /// What a notice may state of it: each strong sign, or, where a person has said yes, every change.
    #[must_use]
    pub fn stated(&self, by_person: bool) -> Vec<&FieldCompared> {
        if by_person { self.changed().collect() } else { self.strong().collect() }
    }
}

impl Case {
    /// Whether a notice about the case may state that rights information was removed or altered.
    ///
    /// `is_distributed`: the owner confirms that every file of these recordings that is lawfully distributed carries what
    /// the catalogue's file carries. Without that nothing is stated. With it, a strong sign is, where the verdict itself is
    /// UNLICENSED and nobody has said no; a weak one only where a person has said yes.
    #[must_use]
    pub fn claims_information(&self, comparison: &Comparison, is_distributed: bool) -> bool {
        let sign = comparison.sign();
        is_distributed
            && sign != Sign::None
            && self
                .states_information
                .unwrap_or_else(|| sign == Sign::Strong && self.is_unlicensed_by_verdict())
    }
}

/// The comparison of a case's file, as it was when the case was opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct InformationRecord {
    pub(super) case_id: String,
    pub(super) comparison: Comparison,
}

impl Record for InformationRecord {
    const KIND: &'static str = "case_information";
    const JOURNALLED: bool = true;

    fn key(&self) -> String {
        self.case_id.clone()
    }
}
