#![allow(clippy::unwrap_used)]

use base64::Engine as _;
use proptest::prelude::*;

use super::*;
use crate::crawl::discover::sink::LEADS_MAX;
use crate::crawl::discover::{Discovered, discover};

const HEX: &str = "c12fe1c06bba254a9dc9f519b335aa7c1367a88a";

fn html(page: &str) -> Discovered {
    discover(&Url::parse("http://a.example/p").unwrap(), Some("text/html; charset=utf-8"), page.as_bytes())
}

fn leads(page: &str) -> Vec<(LeadKind, String, Option<String>)> {
    html(page).leads.into_iter().map(|lead| (lead.kind, lead.target, lead.code)).collect()
}

/// The one lead of a page: kind, target, code.
fn lead(page: &str) -> (LeadKind, String, Option<String>) {
    let mut leads = leads(page);
    assert_eq!(leads.len(), 1, "{page}: {leads:?}");
    leads.remove(0)
}

#[test]
fn peer_to_peer_links() {
    let magnet = format!("magnet:?xt=urn:btih:{HEX}");
    let wanted = (LeadKind::Magnet, magnet.clone(), None);
    // The same hash in Base32 (made with Python's base64.b32encode).
    for link in [
        format!("<a href='magnet:?dn=x&amp;xt=urn:btih:{}&amp;tr=udp://t'>x</a>", HEX.to_uppercase()),
        "<p>magnet:?xt=urn:btih:YEX6DQDLXISUVHOJ6UM3GNNKPQJWPKEK&dn=y</p>".to_owned(),
        format!("<a href='magnet:?xt=urn%3Abtih%3A{HEX}'>{magnet}</a>"),
    ] {
        assert_eq!(lead(&link), wanted, "{link}");
    }
    let v2 = format!("magnet:?xt=urn:btmh:1220{}", "ab".repeat(32));
    assert_eq!(lead(&format!("<a href='{v2}'>x</a>")).1, v2);
    let ed2k = "ed2k://|file|歌 曲.flac|123456|31D6CFE0D16AE931B73C59D7E0C089C0|h=XYZ|/";
    let wanted = "ed2k://|file|歌 曲.flac|123456|31d6cfe0d16ae931b73c59d7e0c089c0|/";
    assert_eq!(lead(&format!("<p>{ed2k}</p>")), (LeadKind::Ed2k, wanted.to_owned(), None));
    assert_eq!(lead(&format!("<a href=\"{ed2k}\">x</a>")).1, wanted);
    let packed = |text: &str| base64::engine::general_purpose::STANDARD.encode(format!("AA{text}ZZ"));
    let thunder = format!("<a href='thunder://{}'>x</a>", packed("http://b.example/x.rar"));
    assert_eq!(lead(&thunder), (LeadKind::Thunder, "http://b.example/x.rar".to_owned(), None));
    assert_eq!(lead(&format!("<a href='thunder://{}'>x</a>", packed(&magnet))).0, LeadKind::Magnet);
    assert_eq!(lead("<a href='/x.torrent?k=1'>x</a>").1, "http://a.example/x.torrent?k=1");
    for none in [
        "magnet:?xt=urn:btih:abc",
        "ed2k://|file|x|y|z|/",
        "thunder://AAAA",
        "magnet:",
        "ed2k://",
        "thunder://",
    ] {
        assert_eq!(leads(&format!("<a href='{none}'>{none}</a>")), [], "{none}");
    }
}

#[test]
fn shares_of_each_service() {
    for (link, kind, target) in [
        (
            "https://pan.baidu.com/s/1abcDEF_-x?pwd=ab12#list",
            LeadKind::Baidu,
            "https://pan.baidu.com/s/1abcDEF_-x",
        ),
        (
            "https://pan.baidu.com/share/init?surl=abcDEF&pwd=ab12",
            LeadKind::Baidu,
            "https://pan.baidu.com/s/1abcDEF",
        ),
        (
            "https://pan.quark.cn/s/0123456789ab?pwd=ab12",
            LeadKind::Quark,
            "https://pan.quark.cn/s/0123456789ab",
        ),
        ("https://www.alipan.com/s/AbC123?pwd=ab12", LeadKind::Aliyun, "https://www.alipan.com/s/AbC123"),
        (
            "https://www.123pan.com/s/abc-def.html?pwd=ab12",
            LeadKind::Pan123,
            "https://www.123pan.com/s/abc-def",
        ),
        ("https://wwx.lanzoui.com/iAbc123?pwd=ab12", LeadKind::Lanzou, "https://wwx.lanzoui.com/iAbc123"),
        ("https://115.com/s/sw3abc?password=ab12", LeadKind::Pan115, "https://115.com/s/sw3abc"),
        ("https://pan.xunlei.com/s/VNabc?pwd=ab12", LeadKind::Xunlei, "https://pan.xunlei.com/s/VNabc"),
        ("https://share.weiyun.com/Abc123?pwd=ab12", LeadKind::Weiyun, "https://share.weiyun.com/Abc123"),
        (
            "https://cloud.189.cn/web/share?code=AbC123&accessCode=ab12",
            LeadKind::Tianyi,
            "https://cloud.189.cn/t/AbC123",
        ),
    ] {
        let wanted = (kind, target.to_owned(), Some("ab12".to_owned()));
        assert_eq!(lead(&format!("<a href='{link}'>x</a>")), wanted, "{link}");
        let text = link.split_once("://").unwrap().1;
        assert_eq!(lead(&format!("<p>在{text}，下载</p>")), wanted, "{text}");
    }
    for (link, kind, target) in [
        ("https://mega.nz/file/AbC#K-y_1", LeadKind::Mega, "https://mega.nz/file/AbC#K-y_1"),
        ("https://mega.nz/#!AbC!Key", LeadKind::Mega, "https://mega.nz/#!AbC!Key"),
        (
            "http://www.mediafire.com/file/abc123/x.rar/file",
            LeadKind::MediaFire,
            "https://www.mediafire.com/file/abc123",
        ),
        (
            "https://drive.google.com/drive/u/0/folders/1AbC?usp=sharing",
            LeadKind::GoogleDrive,
            "https://drive.google.com/drive/folders/1AbC",
        ),
        (
            "https://drive.google.com/uc?export=download&id=1AbC",
            LeadKind::GoogleDrive,
            "https://drive.google.com/open?id=1AbC",
        ),
        (
            "https://www.dropbox.com/scl/fi/abc/x.rar?rlkey=k123&dl=0",
            LeadKind::Dropbox,
            "https://www.dropbox.com/scl/fi/abc/x.rar?rlkey=k123",
        ),
    ] {
        let page = format!("<a href='{}'>x</a>", link.replace('&', "&amp;"));
        assert_eq!(lead(&page), (kind, target.to_owned(), None), "{link}");
        assert_eq!(html(&page).links, [], "{link}");
    }
    for page in [
        "https://pan.baidu.com/",
        "https://115.com/about",
        "https://www.dropbox.com/plans",
        "https://drive.google.com/",
    ] {
        let found = html(&format!("<a href='{page}'>{page}</a>"));
        assert_eq!((found.leads.len(), found.links.len()), (0, 1), "{page}");
    }
    let direct = html(
        "<a href='https://www.dropbox.com/s/abc/x.mp3?dl=1'>x</a><iframe src='https://drive.google.com/file/d/1AbC/preview'></iframe>",
    );
    assert_eq!((direct.leads.len(), direct.media.len()), (2, 1));
}

#[test]
fn codes_near_the_link() {
    let share = "https://pan.baidu.com/s/1abcdef";
    for page in [
        format!("<p>链接：{share} 提取码：x1y2</p>"),
        format!("<p>链接: {share}<br>\n提取码 <b>x1y2</b> 复制这段内容</p>"),
        format!("<a href=\"{share}\" rel=nofollow>百度网盘</a><span>（访问码：x1y2）</span>"),
        format!("<a href=\"{share}\">{share}</a>&nbsp;密码:&nbsp;x1y2"),
        format!("<p>{share} 解压密码：www.b.example 提取碼: x1y2</p>"),
        format!("<p>密码：x1y2 链接：{share}</p>"),
        format!("<p>{share} (pwd: x1y2)</p>"),
        format!("<p>{share} Password is: x1y2.</p>"),
        format!("<script>x = {{\"url\":\"{}\",\"pwd\":\"x1y2\"}}</script>", share.replace('/', "\\/")),
    ] {
        assert_eq!(lead(&page), (LeadKind::Baidu, share.to_owned(), Some("x1y2".to_owned())), "{page}");
    }
    for page in [
        format!("<p>{share} barcode: x1y2</p>"),
        format!("<p>{share} code name</p>"),
        format!("<p>{share} 解压密码：x1y2</p>"),
        format!("<p>{share} 密码：http://b.example</p>"),
        format!("<p>{share} {} 提取码：x1y2</p>", "很远 ".repeat(40)),
    ] {
        assert_eq!(lead(&page).2, None, "{page}");
    }
}

#[test]
fn each_link_gets_its_own_code() {
    let share = |n: u32| format!("https://pan.baidu.com/s/1share{n}");
    let codes =
        |page: &str| leads(page).into_iter().map(|lead| lead.2.unwrap_or_default()).collect::<Vec<_>>();
    let behind: String = (0..3).map(|n| format!("<p>{} 提取码：aaa{n}</p>", share(n))).collect();
    assert_eq!(codes(&behind), ["aaa0", "aaa1", "aaa2"]);
    let before: String = (0..3).map(|n| format!("<p>提取码：bbb{n} {}</p>", share(n))).collect();
    assert_eq!(codes(&before), ["bbb0", "bbb1", "bbb2"]);
    let some = format!("{} {} 提取码：cccc", share(0), share(1));
    assert_eq!(codes(&some), ["", "cccc"]);
}

#[test]
fn encrypted_files_are_leads_and_media() {
    let found = html("<a href='/d/song.mflac?x=1'>x</a><audio src='b.NCM'></audio><a href=c.mp3>c</a>");
    assert_eq!((found.media.len(), found.leads.len()), (3, 2));
    assert_eq!(found.leads[0], Lead::new(LeadKind::Encrypted, "http://a.example/d/song.mflac?x=1", "link"));
}

#[test]
fn names_are_stable() {
    let lead = Lead { code: Some("ab12".to_owned()), ..Lead::new(LeadKind::GoogleDrive, "t", "text") };
    let json = serde_json::to_string(&lead).unwrap();
    assert_eq!(json, r#"{"kind":"googledrive","target":"t","code":"ab12","via":"text"}"#);
    assert_eq!(serde_json::from_str::<Lead>(&json).unwrap(), lead);
    let kinds = [LeadKind::Pan123, LeadKind::Ed2k, LeadKind::MediaFire, LeadKind::Encrypted];
    assert_eq!(serde_json::to_string(&kinds).unwrap(), r#"["pan123","ed2k","mediafire","encrypted"]"#);
}

#[test]
fn leads_are_capped() {
    let page: String = (0..3000).map(|n| format!("https://pan.baidu.com/s/1x{n} 提取码：a{n} ")).collect();
    assert_eq!(leads(&page).len(), LEADS_MAX);
    for piece in
        ["lanzo", "pan.baidu.com/s/", "magnet:?", "ed2k://|file|", "a.lanzou.com/<", "115.com/s/1abc 密码"]
    {
        assert!(leads(&piece.repeat((1 << 20) / piece.len())).len() <= LEADS_MAX);
    }
}

proptest! {
    #[test]
    fn any_text_is_searched(page in "(https?://|pan\\.baidu\\.com/s/1a|lanzoux?\\.com/|mega\\.nz/#!|提取码|密码|pwd|[:：= <>\"'&;#?/.|]|a1b2|magnet:\\?xt=urn:btih:|ed2k://\\|file\\||thunder://QUE|é|\\PC){0,60}") {
        let found = html(&page);
        prop_assert!(found.leads.len() <= LEADS_MAX);
        for lead in found.leads {
            prop_assert!(lead.target.len() <= 2 * TARGET_BYTES_MAX && lead.code.is_none_or(|code| code.len() <= 16));
        }
    }
}
