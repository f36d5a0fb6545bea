//! English, American and European.

use super::Altered;
use crate::base::ChannelView;
use crate::cases::Field;

pub(super) const UNALTERED: &str = "no change of speed or pitch found";

pub(super) const COLUMNS: [&str; 22] = [
    "No.",
    "Case",
    "Recording ID",
    "Title",
    "Other titles",
    "Artist",
    "ISRC",
    "Address of the media file",
    "Page",
    "Page title",
    "Captured (UTC)",
    "Last seen (UTC)",
    "SHA-256",
    "Server IP",
    "File from (s)",
    "File to (s)",
    "Recording from (s)",
    "Recording to (s)",
    "Alteration",
    "False match",
    "log10",
    "Rights information",
];

pub(super) fn altered(one: Altered) -> String {
    match one {
        Altered::Speed(by) => {
            format!("played at {by:.3} times the original speed, with the pitch changed along")
        }
        Altered::Tempo(by) => format!("tempo {by:.3} times the original, pitch kept"),
        Altered::Pitch(by) => {
            let how = if by > 0.0 { "raised" } else { "lowered" };
            format!("pitch {how} by {:.2} semitones", by.abs())
        }
        Altered::Channel(ChannelView::Side) => {
            "hidden in the difference of the channels (one channel inverted)".to_owned()
        }
        Altered::Channel(ChannelView::Left) => "in the left channel".to_owned(),
        Altered::Channel(ChannelView::Right) => "in the right channel".to_owned(),
        Altered::Channel(ChannelView::Mid) => UNALTERED.to_owned(),
    }
}

pub(super) const fn information_field(field: Field) -> &'static str {
    match field {
        Field::Isrc => "ISRC",
        Field::PLine => "℗ line",
        Field::Owner => "owner",
        Field::CLine => "© line",
        Field::Label => "label",
        Field::RightsUrl => "rights page",
        Field::Upc => "UPC or EAN",
        Field::Title => "title",
        Field::Artist => "artist",
        Field::Album => "album",
        Field::Cover => "cover",
    }
}

pub(super) const fn information_outcome(is_removed: bool) -> &'static str {
    if is_removed { "removed" } else { "altered" }
}

pub(super) fn spans([from, to, reference_from, reference_to]: &[String; 4]) -> String {
    format!("{from} to {to} of the file is {reference_from} to {reference_to} of the recording")
}

pub(super) fn probability(decades: Option<i32>) -> String {
    let words = match decades {
        Some(6) => "one in a million",
        Some(4) => "one in ten thousand",
        Some(3) => "one in a thousand",
        Some(_) => "one in a hundred",
        None => return "the probability of a false match could not be determined".to_owned(),
    };
    format!("by the measured scale, a false match is estimated no more likely than {words}")
}

/// The name of a month, 1 to 12.
pub(super) const fn month(month: i8) -> &'static str {
    match month {
        1 => "January",
        2 => "February",
        3 => "March",
        4 => "April",
        5 => "May",
        6 => "June",
        7 => "July",
        8 => "August",
        9 => "September",
        10 => "October",
        11 => "November",
        _ => "December",
    }
}
