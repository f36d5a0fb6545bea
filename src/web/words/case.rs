//! What the page of one case says.

use super::words;

words! {
    /// What the page of one case says.
    CaseWords:
    list: "All cases", "全部案件", "案件一覧";
    before: "Previous case", "上一件", "前の案件";
    behind: "Next case", "下一件", "次の案件";
    found: "What was found", "发现内容", "検出内容";
    match_span: "Where", "对应位置", "対応箇所";
    altered: "How it was altered", "改动方式", "改変の態様";
    listen: "Listen", "试听", "聴き比べ";
    suspect: "Copy", "被诉内容", "複製物";
    reference: "Recording", "录音制品", "音源";
    play_suspect: "Play the copy", "播放被诉内容", "複製物を再生";
    play_reference: "Play the recording", "播放录音制品", "音源を再生";
    switch: "Switch between both", "切换", "切り替え";
    same_tempo: "The recording plays at the copy's tempo", "录音按被诉内容速度播放", "音源を複製物の速さで再生";
    pictures: "Pictures", "图示", "図";
    coverage: "How much of both is the same", "重合范围", "一致範囲";
    spectrograms: "Both spectrograms, common peaks joined", "频谱对照", "スペクトログラムの対照";
    time_map: "Which second is which", "时间对应图", "時間対応図";
    why: "Why this verdict", "结论依据", "判定の理由";
    licence_path: "The way through the licences", "许可链路径", "許諾の経路";
    no_path: "No licence may cover this use.", "无任何许可可能涵盖该使用。", "この利用を対象としうる許諾はありません。";
    all_steps: "Every step", "全部步骤", "全手順";
    holds: "holds", "成立", "成立";
    fails: "fails", "不成立", "不成立";
    unknown: "not known", "不明", "不明";
    remark: "remark", "备注", "備考";
    r#where: "Where it was seen", "发现地址", "発見場所";
    address: "Address", "网址", "URL";
    page: "Page", "所在页面", "掲載ページ";
    captured: "First captured", "首次取证", "初回取得";
    times: "Times", "次数", "回数";
    live: "Last look", "最近复查", "最終確認";
    more_addresses: "more addresses are counted, not listed", "个地址仅计数未列出", "件のURLは件数のみ";
    screenshot: "The page as it was shown", "页面截图", "ページの画面";
    archived: "The page's text as it was archived", "页面存档文字", "保存されたページの文字";
    clocks: "What is due", "待办期限", "期限";
    until: "Until", "截止", "期日";
    what: "What", "事项", "内容";
    source: "By", "依据", "根拠";
    over: "over", "已逾期", "経過";
    history: "History", "经过", "経緯";
    when: "When", "时间", "日時";
    who: "Who", "人员", "担当";
    happened: "What happened", "事件", "出来事";
    note: "Note", "说明", "備考";
    decision: "Decision", "处理", "判断";
    note_doubt: "The verdict is UNDETERMINED: say why you know better.", "结论为无法判定：请说明确认理由。", "判定不能です。認定の根拠を記してください。";
    papers: "Papers", "文书与证据", "書類";
    file_digest: "SHA-256 of the file", "文件 SHA-256", "ファイルの SHA-256";
    keys: "Keys: a approve, d dismiss, r look into, l ask for licence data, u undo, n next, p previous, space play, s switch", "快捷键：a 确认，d 不予处理，r 核查，l 请求许可信息，u 撤销，n 下一件，p 上一件，空格 播放，s 切换", "キー：a 認定、d 取り下げ、r 調査、l 許諾情報を求める、u 元に戻す、n 次、p 前、スペース 再生、s 切替";
    asked: "Licence data was asked for", "已请求许可信息：", "許諾情報を照会中：";
    again: "The same came again after case", "此前案件后再次出现：", "以前の案件の後の再掲載：";
}
