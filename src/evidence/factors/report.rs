//! The report: the law's factors with what a bundle has for each.

use serde::{Deserialize, Serialize};

use super::law::{LAWS, Means, Rule};

/// A part of a bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ArtefactKind {
    /// Every request and answer with its instant, address and digests (WARC).
    Requests,
    /// DNS answers, peer addresses, TLS versions and certificates.
    Connections,
    /// The media bytes as they came.
    Media,
    /// The page as a visitor saw it.
    Screenshot,
    /// The match: which part of the file is which part of the recording, and how sure that is.
    Match,
    /// The fingerprint of the recording that was compared with.
    ReferenceFingerprint,
    /// The record of a replay of the match from the stored bytes.
    Replay,
    /// The licences as of the capture, with the verdict and its proof.
    Licences,
    /// The recording with its identifiers and its owner.
    Recording,
    /// The case with its history of review.
    Case,
    /// Tool, its digest, system, resolver, hosts file, proxy.
    Environment,
    /// The self-tests before and after.
    SelfTest,
    /// The configuration under which it ran.
    Configuration,
    /// The log of operations as a hash chain.
    Log,
    /// The digests of all parts with their Merkle root.
    Manifest,
    /// The electronic signature over the root.
    Signature,
    /// The time-stamp of a third party over the root.
    Timestamp,
    /// Pictures of the comparison.
    Pictures,
    /// Excerpts of both as audio.
    Excerpts,
}

/// A part of a bundle, there or missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Artefact {
    /// What it is.
    pub kind: ArtefactKind,
    /// Its name in the bundle; `None` where it is missing.
    pub path: Option<String>,
}

/// One text in both languages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Bilingual {
    /// Chinese.
    pub zh: &'static str,
    /// English.
    pub en: &'static str,
}

/// Why an artefact is said to answer a factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// The law itself names this means.
    Named,
    /// Our reading of the law.
    Inferred,
}

/// How far a bundle answers a factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// All that a bundle can have for it is there.
    Present,
    /// Some of it is there.
    Partly,
    /// None of it is there.
    Missing,
    /// No bundle can answer it: it needs something else.
    Outside,
}

/// One artefact that answers a factor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Answer {
    /// Which artefact.
    pub artefact: ArtefactKind,
    /// What it is called.
    pub name: Bilingual,
    /// Where it is in the bundle, each name; empty where it is missing.
    pub paths: Vec<String>,
    /// How it answers the factor.
    pub how: Bilingual,
    /// Whether the law says so or we do.
    pub basis: Basis,
}

/// One factor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Factor {
    /// Where it stands.
    pub place: Bilingual,
    /// The law's words, and our translation.
    pub text: Bilingual,
    /// How far the bundle answers it.
    pub state: State,
    /// With what.
    pub answers: Vec<Answer>,
    /// What a bundle leaves open, for counsel.
    pub remark: Option<Bilingual>,
}

/// The factors of one law.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Section {
    /// The law with its number.
    pub law: Bilingual,
    /// The words that lead to its factors.
    pub lead: Bilingual,
    /// Its factors, in the law's order.
    pub factors: Vec<Factor>,
}

/// The report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FactorsReport {
    /// Says that this is a draft, and what is inferred.
    pub notice: Bilingual,
    /// One section for each list of factors.
    pub sections: Vec<Section>,
}

/// Draws up the report on a bundle that holds these parts. What is not listed counts as missing; of what is listed more
/// than once, all names are told.
#[must_use]
pub fn factors(artefacts: &[Artefact]) -> FactorsReport {
    let section = |law: &super::law::Law| Section {
        law: law.law,
        lead: law.lead,
        factors: law.rules.iter().map(|rule| factor(rule, artefacts)).collect(),
    };
    FactorsReport { notice: super::law::NOTICE, sections: LAWS.iter().map(section).collect() }
}

fn factor(rule: &Rule, artefacts: &[Artefact]) -> Factor {
    let answers: Vec<Answer> = rule.means.iter().map(|means| answer(means, artefacts)).collect();
    let present = answers.iter().filter(|answer| !answer.paths.is_empty()).count();
    let state = match (answers.len(), present) {
        (0, _) => State::Outside,
        (_, 0) => State::Missing,
        (all, present) if all == present => State::Present,
        _ => State::Partly,
    };
    Factor { place: rule.place, text: rule.text, state, answers, remark: rule.remark }
}

fn answer(means: &Means, artefacts: &[Artefact]) -> Answer {
    let of_kind = artefacts.iter().filter(|artefact| artefact.kind == means.kind);
    Answer {
        artefact: means.kind,
        name: means.kind.name(),
        paths: of_kind.filter_map(|artefact| artefact.path.clone()).collect(),
        how: means.how,
        basis: means.basis,
    }
}

impl ArtefactKind {
    /// Returns what it is called.
    #[must_use]
    pub const fn name(self) -> Bilingual {
        let (zh, en) = match self {
            Self::Requests => ("网络请求与响应记录（WARC）", "requests and answers (WARC)"),
            Self::Connections => {
                ("域名解析、服务器地址与 TLS 证书记录", "DNS, server addresses and TLS certificates")
            }
            Self::Media => ("涉案音频原始字节", "the media bytes as they came"),
            Self::Screenshot => ("网页截图", "picture of the page"),
            Self::Match => ("比对结果记录", "record of the match"),
            Self::ReferenceFingerprint => ("权利人录音的音频指纹", "fingerprint of the recording"),
            Self::Replay => ("比对重现记录", "record of the replay"),
            Self::Licences => {
                ("取证时的授权状态及判断依据", "licences as of the capture, with the verdict's proof")
            }
            Self::Recording => ("录音信息（标识、权利人）", "the recording with identifiers and owner"),
            Self::Case => ("案件记录（含审核经过）", "the case with its review"),
            Self::Environment => (
                "取证环境记录（工具版本、程序哈希值、系统、代理、hosts 文件、域名解析、时钟偏差估计）",
                "environment (tool, its digest, system, proxy, hosts file, resolver, the clock's estimated offset)",
            ),
            Self::SelfTest => ("取证前后自检记录", "self-tests before and after"),
            Self::Configuration => ("工具配置", "configuration of the tool"),
            Self::Log => ("操作日志（哈希链）", "log of operations (hash chain)"),
            Self::Manifest => ("哈希值清单及默克尔根", "list of digests with Merkle root"),
            Self::Signature => ("电子签名", "electronic signature"),
            Self::Timestamp => ("时间戳（RFC 3161）", "time-stamp (RFC 3161)"),
            Self::Pictures => ("比对图示", "pictures of the comparison"),
            Self::Excerpts => ("双方音频片段", "excerpts of both as audio"),
        };
        Bilingual { zh, en }
    }
}
