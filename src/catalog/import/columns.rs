//! The header: which column is which field.

use std::collections::BTreeMap;

/// A field of a recording that a column can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Field {
    RecordingId,
    Filename,
    Isrc,
    Iswc,
    Upc,
    Title,
    TitleAlt,
    Version,
    Artist,
    Album,
    Label,
    PLine,
    CLine,
    FirstMade,
    ReleaseDate,
    Duration,
    RegistrationNo,
}

/// Each field with its names; the first that the header has wins. Names of the YouTube Content ID sound-recording
/// table, of distributors' tables and of Chinese and Japanese spreadsheets are among them.
const NAMES: [(Field, &[&str]); 17] = [
    (
        Field::RecordingId,
        &[
            "recording_id",
            "reference_id",
            "custom_id",
            "track_custom_id",
            "track_id",
            "id",
            "录音编号",
            "编号",
            "管理番号",
        ],
    ),
    (
        Field::Filename,
        &[
            "filename",
            "file_name",
            "track_filename",
            "audio_file",
            "file",
            "path",
            "文件名",
            "音频文件",
            "ファイル名",
        ],
    ),
    (Field::Isrc, &["isrc", "track_isrc", "isrc_code"]),
    (Field::Iswc, &["iswc", "iswc_code"]),
    (Field::Upc, &["upc", "ean", "upc_ean", "barcode", "album_upc", "jan"]),
    (Field::Title, &["title", "song_title", "track_title", "歌名", "歌曲名", "曲名", "标题", "タイトル"]),
    (Field::TitleAlt, &["title_alt", "alternative_title", "title_translit", "别名"]),
    (Field::Version, &["version", "title_version", "版本", "バージョン"]),
    (
        Field::Artist,
        &["artist", "main_artist", "track_artist", "performer", "歌手", "艺人", "表演者", "アーティスト"],
    ),
    (Field::Album, &["album", "album_title", "release_title", "专辑", "アルバム"]),
    (Field::Label, &["label", "album_label", "record_label", "唱片公司", "厂牌", "レーベル"]),
    (Field::PLine, &["p_line", "pline", "track_pline", "℗"]),
    (Field::CLine, &["c_line", "cline", "©"]),
    (
        Field::FirstMade,
        &["first_made_date", "first_made", "recording_date", "首次制作日期", "录制日期", "原盤制作日"],
    ),
    (
        Field::ReleaseDate,
        &["release_date", "original_release_date", "album_release_date", "发行日期", "発売日"],
    ),
    (Field::Duration, &["duration", "duration_s", "length", "时长"]),
    (Field::RegistrationNo, &["registration_no", "registration_number", "登记号"]),
];

/// The header of a table, understood.
pub(super) struct Columns {
    names: Vec<String>,
    fields: BTreeMap<Field, usize>,
}

impl Columns {
    pub(super) fn new(header: &[String]) -> Self {
        let keys: Vec<String> = header.iter().map(|name| normalise(name)).collect();
        let fields = NAMES
            .iter()
            .filter_map(|(field, names)| {
                let place = names.iter().find_map(|name| keys.iter().position(|key| key == name))?;
                Some((*field, place))
            })
            .collect();
        Self { names: header.to_vec(), fields }
    }

    /// Returns the place of a field's column.
    pub(super) fn place(&self, field: Field) -> Option<usize> {
        self.fields.get(&field).copied()
    }

    /// Returns the place of a column by its own name.
    pub(super) fn place_by_name(&self, name: &str) -> Option<usize> {
        let key = normalise(name);
        self.names.iter().position(|own| normalise(own) == key)
    }

    /// Returns a column's name as the table spells it.
    pub(super) fn name(&self, place: usize) -> &str {
        self.names.get(place).map_or("", String::as_str)
    }

    /// Returns all columns' names as the table spells them.
    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    /// Returns whether rows can be told apart at all.
    pub(super) fn can_identify(&self) -> bool {
        [Field::RecordingId, Field::Isrc, Field::Filename].iter().any(|field| self.fields.contains_key(field))
    }
}

/// Case, outer space, and the difference between space, hyphen and underscore do not count in column names.
fn normalise(name: &str) -> String {
    let name = name.trim().trim_start_matches('\u{feff}').to_lowercase();
    name.split(|c: char| c.is_whitespace() || matches!(c, '-' | '_' | '/')).collect::<Vec<_>>().join("_")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(header: &str) -> Columns {
        Columns::new(&header.split(',').map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn knows_names_in_any_order_and_case() {
        let columns = columns("Song Title,ISRC,add_asset_labels,Custom-ID,path,FILE");
        assert_eq!(columns.place(Field::Title), Some(0));
        assert_eq!(columns.place(Field::Isrc), Some(1));
        assert_eq!(columns.place(Field::RecordingId), Some(3));
        assert_eq!(columns.place(Field::Filename), Some(5), "`file` goes before `path`");
        assert_eq!(columns.place(Field::Album), None);
        assert_eq!(columns.place_by_name("ADD asset labels"), Some(2));
    }

    #[test]
    fn no_name_stands_for_two_fields() {
        let mut all: Vec<&str> = NAMES.iter().flat_map(|(_, names)| names.iter().copied()).collect();
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
        assert!(all.iter().all(|name| normalise(name) == *name));
    }
}
