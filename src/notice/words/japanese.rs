//! Japanese.

use super::Altered;
use crate::base::ChannelView;
use crate::cases::Field;

pub(super) const UNALTERED: &str = "速度及び音高の変更は認められない";

pub(super) const COLUMNS: [&str; 22] = [
    "番号",
    "案件番号",
    "権利者管理番号",
    "レコード名",
    "別名",
    "実演家",
    "ISRC",
    "音声ファイルのURL",
    "掲載ページ",
    "ページの表題",
    "確認日時（UTC）",
    "最終確認日時（UTC）",
    "SHA-256",
    "サーバーIP",
    "ファイル開始（秒）",
    "ファイル終了（秒）",
    "原盤開始（秒）",
    "原盤終了（秒）",
    "加工の内容",
    "誤照合の確率",
    "log10",
    "権利管理情報",
];

pub(super) fn altered(one: Altered) -> String {
    match one {
        Altered::Speed(by) => format!("再生速度を原盤の{by:.3}倍に変更（音高も変化）"),
        Altered::Tempo(by) => format!("音高を保ったままテンポを原盤の{by:.3}倍に変更"),
        Altered::Pitch(by) => {
            let how = if by > 0.0 { "上げ" } else { "下げ" };
            format!("音高を{:.2}半音{how}る加工", by.abs())
        }
        Altered::Channel(ChannelView::Side) => {
            "左右チャンネルの差信号に収録（一方のチャンネルの位相を反転）".to_owned()
        }
        Altered::Channel(ChannelView::Left) => "左チャンネルに収録".to_owned(),
        Altered::Channel(ChannelView::Right) => "右チャンネルに収録".to_owned(),
        Altered::Channel(ChannelView::Mid) => UNALTERED.to_owned(),
    }
}

pub(super) const fn information_field(field: Field) -> &'static str {
    match field {
        Field::Isrc => "ISRC",
        Field::PLine => "℗表示",
        Field::Owner => "ファイル記載の権利者",
        Field::CLine => "©表示",
        Field::Label => "レーベル",
        Field::RightsUrl => "権利情報のURL",
        Field::Upc => "UPC／EAN",
        Field::Title => "題名",
        Field::Artist => "実演家",
        Field::Album => "アルバム",
        Field::Cover => "ジャケット画像",
    }
}

pub(super) const fn information_outcome(is_removed: bool) -> &'static str {
    if is_removed { "除去" } else { "改変" }
}

pub(super) fn spans([from, to, reference_from, reference_to]: &[String; 4]) -> String {
    format!("当該ファイルの{from}から{to}までは、原盤の{reference_from}から{reference_to}までに相当する")
}

pub(super) fn probability(decades: Option<i32>) -> String {
    let words = match decades {
        Some(6) => "100万分の1",
        Some(4) => "1万分の1",
        Some(3) => "1,000分の1",
        Some(_) => "100分の1",
        None => return "誤照合の確率は算定できない".to_owned(),
    };
    format!("実測に基づく尺度による誤照合の確率の推定値は{words}以下")
}
