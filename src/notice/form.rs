//! What a notice in the NCAC's model form says: the data behind the page, and the JSON file.

use serde::Serialize;

use crate::base::Digest;

/// A complete notice. Text from outside is already [inert](super::inert).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NcacNotice {
    /// `ncac-2007-1`.
    pub form: &'static str,
    /// The form's title.
    pub title: &'static str,
    /// Where the form comes from, and that it is for guidance only.
    pub source: &'static str,
    /// BCP 47.
    pub language: &'static str,
    /// 网络服务提供者.
    pub provider: Provider,
    /// 权利人.
    pub right_holder: Party,
    /// 代理人, if there is one.
    pub agent: Option<Party>,
    /// 涉嫌侵权网站.
    pub site: Site,
    /// 侵权内容, 网络地址, 侵权事实及证明材料, 通知要求.
    pub claim: Claim,
    /// 保证声明.
    pub guarantee: &'static str,
    /// 签字（盖章）和日期.
    pub signature: Signature,
    /// Papers that go with the notice.
    pub enclosures: Vec<String>,
    /// The works and addresses, one entry an address.
    pub annex: Vec<AnnexItem>,
}

/// The provider that is addressed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Provider {
    /// 姓名或名称.
    pub name: String,
    /// 通信地址.
    pub address: Option<String>,
    /// 邮政编码.
    pub post_code: Option<String>,
    /// 域名.
    pub domain: String,
    /// 电子邮件.
    pub email: Option<String>,
    /// 固定电话.
    pub telephone: Option<String>,
    /// 传真.
    pub fax: Option<String>,
}

/// The right holder or its agent.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Party {
    /// 姓名或名称.
    pub name: String,
    /// 有效身份证件: its kind.
    pub id_document_type: String,
    /// 有效身份证件: its number.
    pub id_document_number: String,
    /// 法定代表人.
    pub legal_representative: String,
    /// 通信地址.
    pub address: String,
    /// 邮政编码.
    pub post_code: String,
    /// 联系人.
    pub contact_person: String,
    /// 固定电话.
    pub telephone: String,
    /// 移动电话.
    pub mobile: Option<String>,
    /// 电子邮件.
    pub email: String,
    /// 传真.
    pub fax: Option<String>,
}

/// The site that carries the content.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Site {
    /// 域名.
    pub domain: String,
    /// ICP 备案号或经营许可证号.
    pub icp_number: Option<String>,
    /// IP 地址: as seen at capture, or as configured.
    pub ip_addresses: Vec<String>,
    /// 固定电话.
    pub telephone: Option<String>,
    /// 电子邮件.
    pub email: Option<String>,
    /// 传真.
    pub fax: Option<String>,
}

/// What is claimed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Claim {
    /// The recordings, one line each.
    pub infringing_content: Vec<String>,
    /// Where they are, one address each.
    pub addresses: Vec<String>,
    /// The facts and the preliminary proof, one paragraph each.
    pub facts: Vec<String>,
    /// What the provider is asked to do.
    pub request: String,
}

/// Who signs, and when.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Signature {
    /// The name under the notice.
    pub name: String,
    /// In which capacity.
    pub role: &'static str,
    /// ISO 8601.
    pub date: String,
    /// In Chinese.
    pub date_chinese: String,
}

/// One address of one recording.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AnnexItem {
    /// From 1.
    pub number: usize,
    /// The case.
    pub case_id: String,
    /// The owner's identifier of the recording.
    pub recording_id: String,
    /// Its title.
    pub title: String,
    /// Its title in other scripts.
    pub title_alt: Vec<String>,
    /// Its artist.
    pub artist: Option<String>,
    /// Its ISRC.
    pub isrc: Option<String>,
    /// Where the file is.
    pub media_url: String,
    /// The page that leads to it.
    pub page_url: Option<String>,
    /// That page's title.
    pub page_title: Option<String>,
    /// When it was captured, RFC 3339 in UTC.
    pub captured_at: String,
    /// The same in words, in China's time and UTC.
    pub captured: String,
    /// When it was last seen there, in words, if later.
    pub last_seen: Option<String>,
    /// SHA-256 of the file.
    pub sha256: Digest,
    /// The address that served it.
    pub ip_address: Option<String>,
    /// What of the recording is in the file.
    pub matches: Vec<AnnexMatch>,
}

/// One match, in words and as the logarithm it is.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AnnexMatch {
    /// Which part of the file is which part of the recording.
    pub spans: String,
    /// How it was altered.
    pub alteration: String,
    /// How probable a false match is.
    pub probability: String,
    /// Base-10 logarithm of that probability.
    pub log10_false_match: f64,
}
