//! What the page says on which bundles of others are verified.

use super::words;

words! {
    /// What the page says on which bundles of others are verified.
    VerifyWords:
    verify: "Verify a bundle", "核验证据包", "証拠一式を検証";
    what: "Checks a bundle of evidence, whoever made it: every byte, the signature, the time-stamp, and the match itself, which is made again on this machine. The file is not kept.",
        "核验任何人制作的证据包：逐字节、签名、时间戳，并在本机重新进行比对。文件不会保留。",
        "誰が作成した証拠一式でも検証できます。全バイト、署名、タイムスタンプを確認し、照合をこのマシンでやり直します。ファイルは保存されません。";
    verified: "Verified", "已核验", "検証した証拠一式";
    another: "Verify another", "核验其他证据包", "別の証拠一式を検証";
    file: "Bundle (.wacz)", "证据包（.wacz）", "証拠一式（.wacz）";
    most: "Largest file", "文件大小上限", "ファイルサイズの上限";
    root: "Merkle root that it must have", "须具有的 Merkle 根", "一致すべき Merkle ルート";
    key: "Public key that must have signed it (PEM)", "须由此公钥签名（PEM）", "署名を確認する公開鍵（PEM）";
    known: "It must be the newest bundle of its case that was made here", "须为本系统就该案件制作的最新证据包", "ここで作成された、その案件の最新の証拠一式であること";
    free: "What it is held against, beside what it says itself; all of it may be left out.",
        "除证据包自身内容外另行比对的依据，均可留空。",
        "証拠一式自身の記載のほかに照合する内容です。いずれも省略できます。";
}
