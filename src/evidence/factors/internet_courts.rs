//! Provisions on Internet Courts (法释〔2018〕16号), Article 11, paragraphs 1 and 2.

use super::law::{Rule, both, named, read};
use super::report::ArtefactKind::*;

pub(super) const ARTICLE_11_1: &[Rule] = &[
    Rule {
        place: both("第（一）项", "no. 1"),
        text: both(
            "电子数据生成、收集、存储、传输所依赖的计算机系统等硬件、软件环境是否安全、可靠；",
            "whether the hardware and software environment, such as the computer system, on which the generation, collection, \
             storage and transmission of the data rely is safe and reliable;",
        ),
        means: &[
            read(
                Environment,
                "记录取证所用软硬件环境及清洁性检查（代理、hosts 文件、域名解析）",
                "records the environment and its cleanliness (proxy, hosts file, resolver)",
            ),
            read(
                SelfTest,
                "取证前后以已知信号自检，结果一致",
                "checks the tool with a known signal before and after",
            ),
            read(Configuration, "记录工具的设置", "records how the tool was set up"),
        ],
        remark: Some(both(
            "硬件及机房的安全状况由提交人另行说明。",
            "The safety of the machine and its place is for the submitting party to show.",
        )),
    },
    Rule {
        place: both("第（二）项", "no. 2"),
        text: both(
            "电子数据的生成主体和时间是否明确，表现内容是否清晰、客观、准确；",
            "whether the subject that generated the data and its time are clear, and whether what it shows is clear, objective \
             and accurate;",
        ),
        means: &[
            read(
                Requests,
                "逐次记录请求与响应的时间、网址及服务器地址",
                "instant, address and server of each request and answer",
            ),
            read(
                Connections,
                "域名解析结果与服务器证书表明内容由谁提供",
                "DNS answers and certificates show who served it",
            ),
            read(
                Timestamp,
                "第三方证明该数据在该时间前已存在",
                "a third party shows that it existed by then",
            ),
            read(Screenshot, "显示访问者所见页面", "shows the page as a visitor saw it"),
            read(Match, "逐秒说明涉案音频与权利人录音的对应关系", "says second by second what is the same"),
        ],
        remark: Some(both(
            "TLS 证书表明所连接的服务器，不等于服务器对其内容的签名；网站经营者的身份须以备案等信息另行证明。",
            "A TLS certificate shows which server was reached; it does not sign the content. Who runs the site is to be proved \
             otherwise, for example by its ICP record.",
        )),
    },
    Rule {
        place: both("第（三）项", "no. 3"),
        text: both(
            "电子数据的存储、保管介质是否明确，保管方式和手段是否妥当；",
            "whether the medium on which the data is stored and kept is clear, and whether the way and means of keeping it are \
             proper;",
        ),
        means: &[
            read(
                Manifest,
                "全部文件的哈希值自固定时起可随时核对",
                "digests of all parts, to be checked at any time",
            ),
            read(Log, "以哈希链记录取证、审核与导出等操作", "a hash chain of captures, reviews and exports"),
        ],
        remark: Some(both(
            "存储介质的名称、编号、存放地点和保管人由提交人另行说明。",
            "The medium, its number, its place and its keeper are for the submitting party to state.",
        )),
    },
    Rule {
        place: both("第（四）项", "no. 4"),
        text: both(
            "电子数据提取和固定的主体、工具和方式是否可靠，提取过程是否可以重现；",
            "whether the subject, the tools and the way of extracting and fixing the data are reliable, and whether the \
             extraction can be reproduced;",
        ),
        means: &[
            read(Environment, "写明工具版本及程序哈希值", "names the tool with version and digest"),
            read(
                Log,
                "由程序按固定流程自动执行并留痕",
                "a fixed procedure that ran by itself and left a trace",
            ),
            read(Media, "保存取得的原始字节，供重新比对", "the bytes as they came, to be compared again"),
            read(ReferenceFingerprint, "比对所用的权利人录音指纹", "what they were compared with"),
            read(
                Replay,
                "以所存字节重新比对，结果逐位一致",
                "the match, repeated from the stored bytes to the last bit",
            ),
        ],
        remark: Some(both(
            "可重现的是对所存数据的比对；网站此后变更内容的，从该网站再次获取未必得到相同数据。",
            "What can be reproduced is the comparison of the stored data; the site itself may have changed since.",
        )),
    },
    Rule {
        place: both("第（五）项", "no. 5"),
        text: both(
            "电子数据的内容是否存在增加、删除、修改及不完整等情形；",
            "whether anything in the data was added, deleted or modified, or is incomplete;",
        ),
        means: &[
            read(
                Manifest,
                "任何增加、删除、修改均使哈希值不符",
                "any addition, deletion or change breaks a digest",
            ),
            read(Signature, "签名后的改动使签名失效", "a change after signing breaks the signature"),
            read(
                Requests,
                "未完整接收的响应均有截断标记",
                "answers that are not whole are marked as truncated",
            ),
        ],
        remark: None,
    },
    Rule {
        place: both("第（六）项", "no. 6"),
        text: both(
            "电子数据是否可以通过特定形式得到验证。",
            "whether the data can be verified in a specific form.",
        ),
        means: &[
            read(Manifest, "可用通用工具离线核对哈希值", "digests can be checked offline with common tools"),
            read(Signature, "可用公钥验证", "can be verified with the public key"),
            read(
                Timestamp,
                "可用时间戳机构的根证书验证",
                "can be verified with the authority's root certificate",
            ),
            read(Replay, "可离线重新比对", "the match can be repeated offline"),
        ],
        remark: None,
    },
];

pub(super) const ARTICLE_11_2: &[Rule] = &[Rule {
    place: both("第二款", "paragraph 2"),
    text: both(
        "当事人提交的电子数据，通过电子签名、可信时间戳、哈希值校验、区块链等证据收集、固定和防篡改的技术手段或者通过电子取证存证平台认证，\
         能够证明其真实性的，互联网法院应当确认。",
        "Electronic data submitted by a party whose authenticity can be proved by electronic signature, trusted time-stamp, hash \
         value verification, blockchain or other technical means of collecting, fixing and protecting evidence from tampering, or \
         by certification of a platform for electronic evidence, shall be confirmed by the Internet court.",
    ),
    means: &[
        named(Signature, "电子签名", "electronic signature"),
        named(Timestamp, "可信时间戳", "trusted time-stamp"),
        named(Manifest, "哈希值校验", "hash value verification"),
    ],
    remark: Some(both(
        "签名密钥由提交人自行生成，是否构成《电子签名法》上的可靠电子签名由律师判断；时间戳是否“可信”取决于签发机构。\
         本证据包未上链，亦未经取证存证平台认证；需要时可将默克尔根提交该等平台。",
        "The signing key is the submitting party's own: whether that is a reliable electronic signature under the Electronic \
         Signature Law is for counsel. Whether a time-stamp is “trusted” depends on its authority. The bundle is in no blockchain \
         and was certified by no platform; its Merkle root can be handed to one.",
    )),
}];
