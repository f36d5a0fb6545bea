//! A letter that takes a notice back, in the language of its forum. The wording is a draft for counsel.

use jiff::civil::Date;

use crate::base::{inert, without_user};
use crate::cases::{Forum, Notification, Purpose};

/// What the letter says.
#[derive(Debug, Clone, Copy)]
pub struct Retraction<'a> {
    /// The notice that is taken back.
    pub notification: &'a Notification,
    /// Whom the notice went to: the provider's name, or its key in the settings where no name is known; of a complaint the
    /// authority.
    pub addressee: &'a str,
    /// When the notice was sent.
    pub sent: Date,
    /// Why it is taken back.
    pub reason: &'a str,
    /// Who signs; a line to be filled in where nobody is named.
    pub signature: Option<&'a str>,
    /// The letter's date.
    pub date: Date,
}

/// Writes the letter: plain text in Chinese for notices under Chinese law, in Japanese under Japanese, else in English.
#[must_use]
pub fn render_retraction(letter: &Retraction<'_>) -> String {
    let (id, addressee) = (inert(&letter.notification.notice_id), inert(letter.addressee));
    let (reason, case_id) = (inert(letter.reason), &letter.notification.case_id);
    let signature = letter.signature.map_or_else(|| "________________".to_owned(), inert);
    let urls = addresses(letter.notification);
    // A complaint is in Chinese whatever the forum of its site.
    let is_complaint = letter.notification.purpose == Purpose::Complaint;
    let date = |date: Date| match letter.notification.forum {
        _ if is_complaint => format!("{}年{}月{}日", date.year(), date.month(), date.day()),
        Forum::Cn | Forum::CnSector | Forum::CnEcommerce | Forum::Jp => {
            format!("{}年{}月{}日", date.year(), date.month(), date.day())
        }
        Forum::Us => date.strftime("%B %-d, %Y").to_string(),
        Forum::Eu => date.strftime("%-d %B %Y").to_string(),
    };
    let (sent, today) = (date(letter.sent), date(letter.date));
    match letter.notification.forum {
        _ if is_complaint => format!(
            "撤回投诉申请\n\n致：{addressee}\n\n我方于{sent}就下列网络地址的内容向贵机关提交的投诉（文件编号：{id}；案件编号：{case_id}），\
             现予撤回。\n\n撤回原因：{reason}\n\n涉及的网络地址：\n{urls}\n请贵机关终止就该投诉开展的处理。\n\n签字（盖章）：{signature}\n\
             日期：{today}\n"
        ),
        Forum::Cn | Forum::CnSector | Forum::CnEcommerce => format!(
            "撤回通知\n\n致：{addressee}\n\n我方于{sent}就下列网络地址的内容向贵方发出的通知（通知编号：{id}；案件编号：{case_id}），\
             现予撤回。\n\n撤回原因：{reason}\n\n涉及的网络地址：\n{urls}\n请贵方恢复因该通知而删除的内容或者断开的链接，并将本撤回通知转送\
             相关服务对象。\n\n签字（盖章）：{signature}\n日期：{today}\n"
        ),
        Forum::Jp => format!(
            "申出の撤回\n\n{addressee} 御中\n\n当方が{sent}に送付した下記の情報に関する申出（通知番号：{id}、案件番号：{case_id}）を\
             撤回いたします。\n\n撤回の理由：{reason}\n\n対象の情報（URL）：\n{urls}\n当該申出により削除された情報の復元、及び発信者への\
             ご連絡をお願いいたします。\n\n署名：{signature}\n日付：{today}\n"
        ),
        Forum::Us | Forum::Eu => format!(
            "Retraction of a notice\n\nTo: {addressee}\n\nWe withdraw the notice (no. {id}, case {case_id}) that we sent to you \
             on {sent} about the material at the addresses below.\n\nReason: {reason}\n\nAddresses:\n{urls}\nPlease restore \
             what was removed or disabled because of that notice, and tell the user concerned.\n\nSignature: {signature}\n\
             Date: {today}\n"
        ),
    }
}

fn addresses(notification: &Notification) -> String {
    let mut text = String::new();
    for (at, url) in notification.urls.iter().enumerate() {
        text.push_str(&format!("{}. {}\n", at + 1, inert(&without_user(url))));
    }
    if notification.urls_unlisted > 0 {
        text.push_str(&format!("+ {}\n", notification.urls_unlisted));
    }
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use jiff::civil::date;

    use super::*;

    fn letter(forum: &str) -> String {
        letter_about(forum, "takedown")
    }

    fn letter_about(forum: &str, purpose: &str) -> String {
        let json = serde_json::json!({
            "case_id": "C-0123456789", "number": 1, "notice_id": "N-7\u{1b}[2J", "form": "ncac", "forum": forum,
            "purpose": purpose, "provider": "pirate.example",
            "urls": ["https://u:p@pirate.example/a\u{202e}.mp3?token=secret"],
            "urls_unlisted": 3, "written_at": "2026-03-01T00:00:00Z", "standing": "retracted", "events": [],
        });
        let notification: Notification = serde_json::from_value(json).unwrap();
        render_retraction(&Retraction {
            notification: &notification,
            addressee: "某某网络科技有限公司",
            sent: date(2026, 3, 2),
            reason: "licensed since 2025",
            signature: Some("Label Inc."),
            date: date(2026, 11, 26),
        })
    }

    #[test]
    fn a_complaint_is_taken_back_from_its_authority() {
        for forum in ["cn", "us"] {
            let text = letter_about(forum, "complaint");
            assert!(
                text.contains("撤回投诉申请") && text.contains("贵机关") && !text.contains("服务对象"),
                "{text}"
            );
        }
    }

    #[test]
    fn speaks_the_forum_s_language_and_names_everything() {
        for (forum, words) in [
            ("cn", ["撤回通知", "2026年3月2日", "2026年11月26日"]),
            ("cn-sector", ["现予撤回", "转送", "签字（盖章）"]),
            ("jp", ["申出の撤回", "御中", "2026年3月2日"]),
            ("us", ["Retraction of a notice", "March 2, 2026", "November 26, 2026"]),
            ("eu", ["We withdraw", "2 March 2026", "26 November 2026"]),
        ] {
            let text = letter(forum);
            let always = ["C-0123456789", "某某网络科技有限公司", "licensed since 2025", "Label Inc.", "+ 3"];
            for word in words.into_iter().chain(always) {
                assert!(text.contains(word), "no `{word}` in {text}");
            }
            assert!(
                text.contains("https://pirate.example/a%E2%80%AE.mp3?token=secret")
                    && !text.contains(['\u{202e}', '\u{1b}']),
                "{text}"
            );
        }
    }
}
