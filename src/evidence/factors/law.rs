//! The law's factors in its own words, and which means answer each.
//!
//! Sources: 最高人民法院关于互联网法院审理案件若干问题的规定 (法释〔2018〕16号), Article 11; 最高人民法院关于民事诉讼证据的若干规定
//! (amended 2019, in force 1 May 2020), Articles 93 and 94. Both were read in a copy, not at the court's own site.

use super::evidence_rules::{ARTICLE_93, ARTICLE_94};
use super::internet_courts::{ARTICLE_11_1, ARTICLE_11_2};
use super::report::{ArtefactKind, Basis, Bilingual};

/// A list of factors in one law.
pub(super) struct Law {
    pub(super) law: Bilingual,
    pub(super) lead: Bilingual,
    pub(super) rules: &'static [Rule],
}

/// One factor.
pub(super) struct Rule {
    pub(super) place: Bilingual,
    pub(super) text: Bilingual,
    pub(super) means: &'static [Means],
    pub(super) remark: Option<Bilingual>,
}

/// What answers a factor, and how.
pub(super) struct Means {
    pub(super) kind: ArtefactKind,
    pub(super) how: Bilingual,
    pub(super) basis: Basis,
}

pub(super) const fn both(zh: &'static str, en: &'static str) -> Bilingual {
    Bilingual { zh, en }
}

/// Our reading.
pub(super) const fn read(kind: ArtefactKind, zh: &'static str, en: &'static str) -> Means {
    Means { kind, how: both(zh, en), basis: Basis::Inferred }
}

/// The law's own word.
pub(super) const fn named(kind: ArtefactKind, zh: &'static str, en: &'static str) -> Means {
    Means { kind, how: both(zh, en), basis: Basis::Named }
}

pub(super) const NOTICE: Bilingual = both(
    "本表为供律师审核的草稿，不构成法律意见。法条原文依公开文本录入，引用前请核对现行有效版本；英文为非官方译文。\
     除标注“法条所列”者外，证据材料与审查因素的对应关系均为编制者的推断，须经律师确认。",
    "A draft for counsel, not legal advice. The law's text was taken from a public copy: check that it is current before citing \
     it. The English is no official translation. Which material answers which factor is inferred, and to be confirmed by \
     counsel, except where it is marked as named by the law.",
);

pub(super) const LAWS: [Law; 4] = [
    Law {
        law: both(
            "《最高人民法院关于互联网法院审理案件若干问题的规定》（法释〔2018〕16号）第十一条第一款",
            "Supreme People's Court, Provisions on Several Issues concerning the Trial of Cases by Internet Courts (Fa Shi \
             [2018] No. 16), Article 11, paragraph 1",
        ),
        lead: both(
            "当事人对电子数据真实性提出异议的，互联网法院应当结合质证情况，审查判断电子数据生成、收集、存储、传输过程的真实性，并着重审查以下内容：",
            "Where a party disputes the authenticity of electronic data, the Internet court examines, in the light of the \
             cross-examination, the authenticity of the process by which the data was generated, collected, stored and \
             transmitted, and in particular:",
        ),
        rules: ARTICLE_11_1,
    },
    Law {
        law: both(
            "《最高人民法院关于互联网法院审理案件若干问题的规定》（法释〔2018〕16号）第十一条第二款",
            "The same Provisions, Article 11, paragraph 2",
        ),
        lead: both(
            "能够证明其真实性的，互联网法院应当确认。",
            "What proves its authenticity in this way shall be confirmed by the Internet court.",
        ),
        rules: ARTICLE_11_2,
    },
    Law {
        law: both(
            "《最高人民法院关于民事诉讼证据的若干规定》（2019年修正）第九十三条第一款",
            "Supreme People's Court, Several Provisions on Evidence in Civil Proceedings (as amended 2019), Article 93, \
             paragraph 1",
        ),
        lead: both(
            "人民法院对于电子数据的真实性，应当结合下列因素综合判断：",
            "The people's court judges the authenticity of electronic data by the following factors together:",
        ),
        rules: ARTICLE_93,
    },
    Law {
        law: both(
            "《最高人民法院关于民事诉讼证据的若干规定》（2019年修正）第九十四条",
            "The same Provisions on Evidence, Article 94",
        ),
        lead: both(
            "电子数据存在下列情形的，人民法院可以确认其真实性，但有足以反驳的相反证据的除外：",
            "In the following cases the people's court may confirm the authenticity of electronic data, unless there is \
             contrary evidence sufficient to rebut it:",
        ),
        rules: ARTICLE_94,
    },
];
