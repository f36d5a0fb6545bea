//! Civil Evidence Rules (as amended 2019), Articles 93 and 94.

use super::law::{Rule, both, read};
use super::report::ArtefactKind::*;

pub(super) const ARTICLE_93: &[Rule] = &[
    Rule {
        place: both("第（一）项", "no. 1"),
        text: both(
            "电子数据的生成、存储、传输所依赖的计算机系统的硬件、软件环境是否完整、可靠；",
            "whether the hardware and software environment of the computer system on which the generation, storage and \
             transmission of the data rely is complete and reliable;",
        ),
        means: &[
            read(Environment, "记录软硬件环境", "records the environment"),
            read(Configuration, "记录工具的设置", "records how the tool was set up"),
        ],
        remark: None,
    },
    Rule {
        place: both("第（二）项", "no. 2"),
        text: both(
            "电子数据的生成、存储、传输所依赖的计算机系统的硬件、软件环境是否处于正常运行状态，或者不处于正常运行状态时对电子数据的生成、存储、\
             传输是否有影响；",
            "whether that environment was running normally or, where it was not, whether this affected the generation, storage \
             and transmission of the data;",
        ),
        means: &[
            read(SelfTest, "取证前后自检结果一致", "the same result before and after"),
            read(Log, "记录运行过程", "records the run"),
        ],
        remark: None,
    },
    Rule {
        place: both("第（三）项", "no. 3"),
        text: both(
            "电子数据的生成、存储、传输所依赖的计算机系统的硬件、软件环境是否具备有效的防止出错的监测、核查手段；",
            "whether that environment has effective means of monitoring and checking that prevent errors;",
        ),
        means: &[
            read(SelfTest, "以已知信号检查工具", "checks the tool with a known signal"),
            read(
                Manifest,
                "存储与传输中的差错可由哈希值发现",
                "digests find errors of storage and transmission",
            ),
            read(Replay, "重新比对以核查结果", "checks the result by repeating it"),
        ],
        remark: None,
    },
    Rule {
        place: both("第（四）项", "no. 4"),
        text: both(
            "电子数据是否被完整地保存、传输、提取，保存、传输、提取的方法是否可靠；",
            "whether the data was saved, transmitted and extracted completely, and by reliable methods;",
        ),
        means: &[
            read(
                Requests,
                "完整记录请求与响应，未完整者有标记",
                "whole requests and answers, or marked where not",
            ),
            read(Media, "保存取得的原始字节", "the bytes as they came"),
            read(Manifest, "哈希值证明此后未变", "digests show that nothing changed since"),
        ],
        remark: None,
    },
    Rule {
        place: both("第（五）项", "no. 5"),
        text: both(
            "电子数据是否在正常的往来活动中形成和存储；",
            "whether the data was formed and stored in the ordinary course of dealings;",
        ),
        means: &[
            read(
                Log,
                "取证系按固定流程进行，并非为个案临时制作",
                "a standing procedure, not made for this case",
            ),
            read(Case, "案件记录显示发现与审核经过", "how it was found and reviewed"),
        ],
        remark: Some(both(
            "取证行为本身由权利人一方进行，是否属于“正常的往来活动”由律师论证。",
            "The capture is the right holder's own act: whether that is the ordinary course of dealings is for counsel to argue.",
        )),
    },
    Rule {
        place: both("第（六）项", "no. 6"),
        text: both(
            "保存、传输、提取电子数据的主体是否适当；",
            "whether the subject that saved, transmitted and extracted the data is a suitable one;",
        ),
        means: &[
            read(Signature, "签名密钥指明制作者", "the key says who made the bundle"),
            read(Log, "记录操作者", "records who acted"),
        ],
        remark: Some(both(
            "权利人自行取证的，主体的中立性可能受到质疑；可委托公证或第三方取证。",
            "A right holder's own capture may be questioned as not neutral; a notary or a third party can repeat it.",
        )),
    },
    Rule {
        place: both("第（七）项", "no. 7"),
        text: both(
            "影响电子数据完整性和可靠性的其他因素。",
            "other factors that affect the completeness and reliability of the data.",
        ),
        means: &[
            read(Timestamp, "第三方证明固定时间", "a third party shows when it was fixed"),
            read(Pictures, "以图示说明比对结果，便于核对", "shows the comparison so that it can be followed"),
            read(Excerpts, "可直接聆听比对", "can be compared by ear"),
        ],
        remark: None,
    },
];

pub(super) const ARTICLE_94: &[Rule] = &[
    Rule {
        place: both("第一款第（一）项", "paragraph 1, no. 1"),
        text: both(
            "由当事人提交或者保管的于己不利的电子数据；",
            "data submitted or kept by a party against its own interest;",
        ),
        means: &[],
        remark: Some(both(
            "本证据包由权利人保管，不适用；对方自认或其提交的数据可适用。",
            "The bundle is kept by the right holder, so this does not apply to it; it may to what the other side admits or submits.",
        )),
    },
    Rule {
        place: both("第一款第（二）项", "paragraph 1, no. 2"),
        text: both(
            "由记录和保存电子数据的中立第三方平台提供或者确认的；",
            "data provided or confirmed by a neutral third-party platform that records and keeps electronic data;",
        ),
        means: &[read(
            Timestamp,
            "时间戳机构仅确认哈希值及其时间，并不记录和保存数据本身",
            "the authority confirms the digest and its instant only; it neither records nor keeps the data",
        )],
        remark: Some(both(
            "欲适用本项，须将证据包或其默克尔根提交中立的存证平台。",
            "To rely on this, hand the bundle or its Merkle root to a neutral platform.",
        )),
    },
    Rule {
        place: both("第一款第（三）项", "paragraph 1, no. 3"),
        text: both("在正常业务活动中形成的；", "data formed in ordinary business activity;"),
        means: &[read(Log, "记录日常、自动的监测流程", "records the daily, automatic monitoring")],
        remark: Some(both(
            "监测属于日常业务这一点，由提交人以业务资料佐证。",
            "That monitoring is daily business is to be supported by the submitting party's own records.",
        )),
    },
    Rule {
        place: both("第一款第（四）项", "paragraph 1, no. 4"),
        text: both("以档案管理方式保管的；", "data kept by way of archives management;"),
        means: &[
            read(Manifest, "以清单与哈希值归档", "filed with a list and digests"),
            read(Log, "记录保管过程", "records how it was kept"),
        ],
        remark: Some(both(
            "是否建立档案管理制度由提交人说明。",
            "Whether there is a system of archives is for the submitting party to state.",
        )),
    },
    Rule {
        place: both("第一款第（五）项", "paragraph 1, no. 5"),
        text: both(
            "以当事人约定的方式保存、传输、提取的。",
            "data saved, transmitted and extracted in a way agreed by the parties.",
        ),
        means: &[],
        remark: Some(both("须有当事人的约定。", "It needs an agreement of the parties.")),
    },
    Rule {
        place: both("第二款", "paragraph 2"),
        text: both(
            "电子数据的内容经公证机关公证的，人民法院应当确认其真实性，但有相反证据足以推翻的除外。",
            "Where the content of the data was notarised by a notary office, the people's court shall confirm its authenticity, \
             unless contrary evidence suffices to overturn it.",
        ),
        means: &[],
        remark: Some(both(
            "须另行办理公证；本证据包可作为公证的线索和对照。",
            "It needs a notary; the bundle can serve as lead and comparison.",
        )),
    },
];
