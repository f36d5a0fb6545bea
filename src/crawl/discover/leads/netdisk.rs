//! The share links of netdisks: by host and path, brought to their shortest form.

use url::Url;

use super::{Lead, LeadKind, TARGET_BYTES_MAX, host_and_path};

/// Parameters of a query that hold the extraction code.
const CODE_PARAMETERS: &[&str] = &["pwd", "password", "passwd", "code", "accesscode"];

/// What in a text shows that a share link may be here: a piece of each host that [`share`] knows.
pub(super) const MARKERS: &[&str] = &[
    "pan.baidu.com",
    "yun.baidu.com",
    "pan.quark.cn",
    "aliyundrive.com",
    "alipan.com",
    "123pan.c",
    "123684.com",
    "123865.com",
    "123912.com",
    "123592.com",
    "lanzo",
    "lanzn.com",
    "woozooo.com",
    "115.com",
    "115cdn.com",
    "anxia.com",
    "pan.xunlei.com",
    "weiyun.com",
    "cloud.189.cn",
    "mega.nz",
    "mega.co.nz",
    "mediafire.com",
    "drive.google.com",
    "dropbox.com",
];

/// Reads `url` as a share link; `None` for any other page, those of the same services too.
pub(super) fn share(url: &Url) -> Option<Lead> {
    let (host, path) = host_and_path(url)?;
    let kind = service(&host)?;
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    let target = target(kind, url, &host, &segments)?;
    if target.len() > TARGET_BYTES_MAX {
        return None;
    }
    // In these, the parameters that look like codes are part of the address.
    let has_code =
        !matches!(kind, LeadKind::Mega | LeadKind::MediaFire | LeadKind::GoogleDrive | LeadKind::Dropbox);
    let code = if has_code { code(url, kind) } else { None };
    Some(Lead { kind, target, code, via: "link".to_owned() })
}

fn service(host: &str) -> Option<LeadKind> {
    let is =
        |domain: &str| host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    let any = |domains: &[&str]| domains.iter().any(|domain| is(domain));
    let known: [(LeadKind, &[&str]); 13] = [
        (LeadKind::Baidu, &["pan.baidu.com", "yun.baidu.com"]),
        (LeadKind::Quark, &["pan.quark.cn"]),
        (LeadKind::Aliyun, &["aliyundrive.com", "alipan.com"]),
        (
            LeadKind::Pan123,
            &["123pan.com", "123pan.cn", "123684.com", "123865.com", "123912.com", "123592.com"],
        ),
        (LeadKind::Pan115, &["115.com", "115cdn.com", "anxia.com"]),
        (LeadKind::Xunlei, &["pan.xunlei.com"]),
        (LeadKind::Weiyun, &["weiyun.com"]),
        (LeadKind::Tianyi, &["cloud.189.cn"]),
        (LeadKind::Mega, &["mega.nz", "mega.co.nz"]),
        (LeadKind::MediaFire, &["mediafire.com"]),
        (LeadKind::GoogleDrive, &["drive.google.com"]),
        (LeadKind::Dropbox, &["dropbox.com"]),
        (LeadKind::Lanzou, &["lanzn.com", "woozooo.com"]),
    ];
    let found = known.iter().find(|(_, domains)| any(domains)).map(|(kind, _)| *kind);
    found.or_else(|| is_lanzou(host).then_some(LeadKind::Lanzou))
}

/// Lanzou changes its domain often: lanzou, lanzoux, lanzoui … with one letter more.
fn is_lanzou(host: &str) -> bool {
    let name = host.strip_suffix(".com").and_then(|name| name.rsplit('.').next());
    let last = name.and_then(|name| name.strip_prefix("lanzou").or_else(|| name.strip_prefix("lanzo")));
    last.is_some_and(|last| last.len() <= 1 && last.bytes().all(|byte| byte.is_ascii_lowercase()))
}

/// The shortest address of a share.
fn target(kind: LeadKind, url: &Url, host: &str, segments: &[&str]) -> Option<String> {
    let query = |wanted: &str| {
        let value = url.query_pairs().find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned());
        value.filter(|value| is_id(value))
    };
    let at = |path: String| Some(format!("https://{host}/{path}"));
    match (kind, segments) {
        (LeadKind::Baidu, ["share", "init"]) => at(format!("s/1{}", query("surl")?)),
        (LeadKind::Baidu, ["share", "link"]) => {
            at(format!("share/link?shareid={}&uk={}", query("shareid")?, query("uk")?))
        }
        (LeadKind::Baidu, [.., "s", id]) if is_id(id) => at(format!("s/{id}")),
        (LeadKind::Quark | LeadKind::Aliyun | LeadKind::Pan115 | LeadKind::Xunlei, ["s", id, ..])
            if is_id(id) =>
        {
            at(format!("s/{id}"))
        }
        (LeadKind::Pan123, ["s", id, ..]) => {
            let id = id.split('.').next().unwrap_or_default();
            is_id(id).then(|| at(format!("s/{id}"))).flatten()
        }
        (LeadKind::Weiyun, [id]) if host.starts_with("share.") && is_id(id) => at((*id).to_owned()),
        (LeadKind::Tianyi, ["t", id]) if is_id(id) => at(format!("t/{id}")),
        (LeadKind::Tianyi, ["web", "share"]) => at(format!("t/{}", query("code")?)),
        (LeadKind::Lanzou, [id] | ["tp" | "b" | "s", id]) if is_id(id) && id.len() >= 5 => {
            at(segments.join("/"))
        }
        (LeadKind::Mega, ["file" | "folder", id]) if is_id(id) => at(with_fragment(&segments.join("/"), url)),
        (LeadKind::Mega, []) if url.fragment().is_some_and(|text| text.starts_with(['!', 'F'])) => {
            at(with_fragment("", url))
        }
        (LeadKind::MediaFire, ["file" | "folder" | "download" | "view", id, ..]) if is_id(id) => {
            at(segments[..2].join("/"))
        }
        (LeadKind::MediaFire, []) => url.query().filter(|id| is_id(id)).and_then(|id| at(format!("?{id}"))),
        (LeadKind::GoogleDrive, _) => google(segments, query("id")).and_then(at),
        (LeadKind::Dropbox, ["s" | "sh" | "scl", _, ..]) => {
            let key = query("rlkey").map(|key| format!("?rlkey={key}")).unwrap_or_default();
            at(segments.join("/") + &key)
        }
        _ => None,
    }
}

fn google(segments: &[&str], id_in_query: Option<String>) -> Option<String> {
    // `/u/0/` names the visitor's account.
    let rest = match segments {
        ["drive", "u", _, rest @ ..] => rest,
        ["drive", rest @ ..] => rest,
        rest => rest,
    };
    match rest {
        ["file", "d", id, ..] if is_id(id) => Some(format!("file/d/{id}")),
        ["folders", id, ..] if is_id(id) => Some(format!("drive/folders/{id}")),
        ["open" | "uc" | "folderview"] => Some(format!("open?id={}", id_in_query?)),
        _ => None,
    }
}

fn with_fragment(path: &str, url: &Url) -> String {
    match url.fragment() {
        Some(key) => format!("{path}#{key}"),
        None => path.to_owned(),
    }
}

/// Whether this can be a share's id: letters, digits, `-`, `_`.
fn is_id(text: &str) -> bool {
    (3..=200).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

fn code(url: &Url, kind: LeadKind) -> Option<String> {
    let in_query = url.query_pairs().find(|(name, value)| {
        let is_share_id = kind == LeadKind::Tianyi && name == "code";
        !is_share_id
            && CODE_PARAMETERS.contains(&name.to_ascii_lowercase().as_str())
            && super::code::is_code(value)
    });
    in_query.map(|(_, value)| value.into_owned()).or_else(|| {
        // Old links carry the code behind the mark, `#ab12`.
        url.fragment().filter(|text| text.len() == 4 && super::code::is_code(text)).map(str::to_owned)
    })
}
