//! What the overview says.

use super::words;

words! {
    /// What the overview says.
    OverviewWords:
    overview: "Overview", "概览", "概要";
    found: "Found", "发现", "検出";
    open: "To be decided", "待处理", "未処理";
    upheld: "Upheld", "已确认侵权", "侵害と認定";
    dismissed: "Dismissed", "不予处理", "取り下げ";
    removed: "Removed", "已删除", "削除済み";
    days: "Days to removal (median)", "删除所需天数（中位数）", "削除までの日数（中央値）";
    weeks: "Opened and removed, by week", "每周立案与删除", "週別の登録と削除";
    opened: "opened", "立案", "登録";
    week_of: "Week", "周", "週";
    operators: "Operators", "网站经营者", "運営者";
    recordings: "Recordings", "录音制品", "音源";
    deadlines: "Next deadlines", "临近期限", "近い期限";
    no_deadlines: "Nothing is due.", "暂无到期事项。", "期限はありません。";
    empty: "Nothing was found yet", "尚未发现任何内容", "まだ何も見つかっていません";
    step_recordings: "Say what you own: recordings are listened for once their audio is in the catalogue.", "登记您的录音制品：音频入库后方可比对。", "保有する音源を登録してください。音声が登録されると照合が始まります。";
    step_licences: "Say who may use them, where and when: without licences nobody is accused.", "登记许可对象、地域与期限：没有许可信息则不会认定任何侵权。", "誰がいつどこで利用できるかを登録してください。許諾情報がなければ誰も指摘しません。";
    step_sites: "Say where to listen.", "指定要巡查的网站。", "巡回先を指定してください。";
    while_stopped: "These commands need the store: stop the service for them.", "以下命令需要使用数据库：请先停止服务。", "これらのコマンドはストアを使うため、サービスを停止して実行してください。";
}
