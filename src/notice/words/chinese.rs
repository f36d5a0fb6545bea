//! Chinese.

use super::Altered;
use crate::base::ChannelView;
use crate::cases::Field;

pub(super) const UNALTERED: &str = "未见变速、变调";

pub(super) const COLUMNS: [&str; 22] = [
    "序号",
    "案件编号",
    "权利人编号",
    "录音制品名称",
    "其他名称",
    "表演者",
    "ISRC",
    "媒体文件网络地址",
    "所在页面",
    "页面标题",
    "取证时间（UTC）",
    "最近一次复核（UTC）",
    "SHA-256",
    "服务器 IP",
    "涉案音频起（秒）",
    "涉案音频止（秒）",
    "权利人录音起（秒）",
    "权利人录音止（秒）",
    "处理方式",
    "误匹配概率",
    "log10",
    "权利管理电子信息",
];

pub(super) fn altered(one: Altered) -> String {
    match one {
        Altered::Speed(by) => {
            let how = if by > 1.0 { "加快" } else { "放慢" };
            format!("变速（播放速度{how}为原录音的 {by:.3} 倍，音高随之改变）")
        }
        Altered::Tempo(by) => {
            let how = if by > 1.0 { "加快" } else { "放慢" };
            format!("变速不变调（节奏{how}为原录音的 {by:.3} 倍）")
        }
        Altered::Pitch(by) => {
            let how = if by > 0.0 { "升高" } else { "降低" };
            format!("变调（音高{how} {:.2} 个半音）", by.abs())
        }
        Altered::Channel(ChannelView::Side) => {
            "声道处理（录音内容在左右声道差信号中，即一侧声道被反相）".to_owned()
        }
        Altered::Channel(ChannelView::Left) => "声道处理（录音内容在左声道）".to_owned(),
        Altered::Channel(ChannelView::Right) => "声道处理（录音内容在右声道）".to_owned(),
        Altered::Channel(ChannelView::Mid) => UNALTERED.to_owned(),
    }
}

pub(super) const fn information_field(field: Field) -> &'static str {
    match field {
        Field::Isrc => "ISRC",
        Field::PLine => "录音制作者标识（℗）",
        Field::Owner => "文件所载权利人",
        Field::CLine => "著作权标识（©）",
        Field::Label => "厂牌／出版者",
        Field::RightsUrl => "权利信息网址",
        Field::Upc => "UPC／EAN",
        Field::Title => "名称",
        Field::Artist => "表演者",
        Field::Album => "专辑",
        Field::Cover => "封面",
    }
}

pub(super) const fn information_outcome(is_removed: bool) -> &'static str {
    if is_removed { "已删除" } else { "已改变" }
}

pub(super) fn spans([from, to, reference_from, reference_to]: &[String; 4]) -> String {
    format!("涉案音频 {from} 至 {to}，对应权利人录音 {reference_from} 至 {reference_to}")
}

pub(super) fn probability(decades: Option<i32>) -> String {
    let words = match decades {
        Some(6) => "百万分之一",
        Some(4) => "万分之一",
        Some(3) => "千分之一",
        Some(_) => "百分之一",
        None => return "误匹配概率未能确定".to_owned(),
    };
    format!("按实测标度估算，误匹配概率不高于{words}")
}
