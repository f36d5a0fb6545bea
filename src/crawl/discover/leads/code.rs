//! Extraction codes: what stands behind "提取码" or "password" near a share link.

/// The words that announce a code, and whether they are letters that need a colon or the like behind them.
const WORDS: &[(&str, bool)] = &[
    ("提取码", false),
    ("提取碼", false),
    ("访问码", false),
    ("訪問碼", false),
    ("分享码", false),
    ("分享碼", false),
    ("验证码", false),
    ("密码", false),
    ("密碼", false),
    ("口令", false),
    ("パスワード", false),
    ("비밀번호", false),
    ("password", true),
    ("passwd", true),
    ("passcode", true),
    ("pass", true),
    ("pwd", true),
    ("pw", true),
    ("code", true),
];

/// The shortest and the longest code: services give four to six characters, some let the owner choose.
const CODE_CHARS: std::ops::RangeInclusive<usize> = 2..=16;
/// Characters that may stand between the word and the code.
const GAP_CHARS_MAX: usize = 6;

/// Whether this can be an extraction code.
pub(super) fn is_code(text: &str) -> bool {
    CODE_CHARS.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// The first code in `text`.
pub(super) fn first(text: &str) -> Option<&str> {
    all(text).into_iter().min_by_key(|(_, end)| *end).map(|(code, _)| code)
}

/// The last code in `text`.
pub(super) fn last(text: &str) -> Option<&str> {
    all(text).into_iter().max_by_key(|(_, end)| *end).map(|(code, _)| code)
}

/// The codes in `text` with their ends. The text is short: windows around links.
fn all(text: &str) -> Vec<(&str, usize)> {
    // Lower-casing ASCII moves no offset.
    let lower = text.to_ascii_lowercase();
    let mut found = Vec::new();
    for &(word, needs_mark) in WORDS {
        for (at, _) in lower.match_indices(word) {
            let is_within_word = needs_mark && lower[..at].ends_with(|c: char| c.is_ascii_alphanumeric());
            // The password of an archive is another matter.
            let is_archive =
                ["解压", "解壓", "unzip ", "rar ", "zip "].iter().any(|before| lower[..at].ends_with(before));
            let start = at + word.len();
            if !is_within_word
                && !is_archive
                && let Some((code, end)) = behind(&text[start..], needs_mark)
            {
                found.push((code, start + end));
            }
        }
    }
    found
}

/// The code at the start of `text`, behind "is", colons, blanks and the like.
fn behind(text: &str, needs_mark: bool) -> Option<(&str, usize)> {
    if let Some(after) = text.strip_prefix(" is").filter(|after| after.starts_with([' ', ':', '\u{a0}'])) {
        return behind(after, false).map(|(code, end)| (code, end + " is".len()));
    }
    let is_mark = |c: char| matches!(c, ':' | '：' | '=' | '﹕' | '∶' | '→');
    let is_gap = |c: char| is_mark(c) || c.is_whitespace() || "为是は【[「“\"'（(>|".contains(c);
    let start = text.find(|c: char| !is_gap(c))?;
    let gap = &text[..start];
    if gap.chars().count() > GAP_CHARS_MAX || needs_mark && !gap.contains(is_mark) {
        return None;
    }
    let rest = &text[start..];
    let length = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
    let code = &rest[..length];
    // `http://…`, `www.a.example`: an address, or the end of it.
    let mut after = rest[length..].chars();
    let is_address = matches!((after.next(), after.next()), (Some('.' | ':' | '/' | '@'), Some(c)) if c == '/' || c.is_ascii_alphanumeric());
    (is_code(code) && !is_address).then_some((code, start + length))
}
