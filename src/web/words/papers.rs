//! What the pages about notices and bundles say.

use super::words;

words! {
    /// What the pages about notices and bundles say.
    PaperWords:
    notices: "Notices", "通知文书", "通知書類";
    form: "Form", "文书种类", "書式";
    which: "For these cases; all approved ones where none is named", "所列案件；未指定则为全部已确认案件", "対象案件（指定がなければ認定済みすべて）";
    preview: "Preview", "预览", "プレビュー";
    write: "Write and record", "出具并记录", "作成して記録";
    write_what: "Writing puts the documents into the histories of their cases. A person signs and sends them.", "出具后将记入各案件经过。须由人员签署并发送。", "作成すると各案件の経緯に記録されます。署名と送付は人が行います。";
    no_approved: "No case is approved.", "没有已确认的案件。", "認定済みの案件はありません。";
    expected_wrong: "Wrong accusations to be expected by chance, at most", "偶然误认的期望数（上限）", "偶然による誤認の期待値（上限）";
    left_out: "Left out", "未列入", "除外";
    written: "Documents", "文书", "書類";
    none_written: "Nothing was written yet.", "尚未出具文书。", "まだ書類はありません。";
    older: "Older documents", "更早的文书", "以前の書類";
    bundle: "Evidence bundle", "证据包", "証拠一式";
    make_bundle: "Make a bundle", "制作证据包", "証拠一式を作成";
    bundle_what: "One signed file that anybody can verify offline.", "一个签名文件，任何人可离线核验。", "誰でもオフラインで検証できる署名付きファイルです。";
    download: "Download", "下载", "ダウンロード";
    checks: "Checks", "核验项目", "検証項目";
    result: "Result", "结果", "結果";
    good: "No check failed.", "没有未通过的核验项目。", "失敗した検証項目はありません。";
    bad: "At least one check failed: do not rely on this file.", "有核验项目未通过，请勿采信此文件。", "失敗した検証項目があります。このファイルに依拠しないでください。";
    case: "Case", "案件", "案件";
    detail: "Detail", "说明", "詳細";
}
