//! What the pages about crawls say.

use super::words;

words! {
    /// What the pages about crawls say.
    CrawlWords:
    crawls: "Crawls", "巡查", "巡回";
    site: "Site", "网站", "サイト";
    schedule: "Schedule", "计划", "スケジュール";
    due: "Due", "下次", "次回";
    last: "Last run", "上次", "前回";
    none: "No site is known yet. Add one on the command line while the service is stopped, or in the configuration:", "尚无网站。请在服务停止时用命令行添加，或写入配置：", "サイトがありません。サービス停止中にコマンドで追加するか、設定に記述してください：";
    running: "running", "进行中", "実行中";
    never: "never", "从未", "なし";
    now: "now", "现在", "今すぐ";
    begin: "Crawl now", "立即巡查", "今すぐ巡回";
    stop: "Stop", "停止", "停止";
    pause: "Pause", "暂停", "一時停止";
    resume: "Resume", "恢复", "再開";
    pause_all: "Pause all schedules", "暂停全部计划", "全スケジュールを一時停止";
    resume_all: "Resume all schedules", "恢复全部计划", "全スケジュールを再開";
    paused: "paused", "已暂停", "一時停止中";
    paused_by: "paused by", "暂停者", "停止者";
    short: "The disk is nearly full: no crawl begins before there is more room.", "磁盘空间不足：腾出空间前不会开始巡查。", "ディスクの空きが不足しています。空きができるまで巡回は始まりません。";
    requests: "Requests", "请求", "リクエスト";
    pages: "Pages", "页面", "ページ";
    media: "Media", "媒体", "メディア";
    skipped: "Skipped", "跳过", "スキップ";
    failed: "Failed", "失败", "失敗";
    waiting: "Waiting", "等待", "待機";
    reason: "Reason", "原因", "理由";
    address: "Address", "网址", "URL";
    skips: "What was passed over, and why", "跳过的内容及原因", "スキップした内容と理由";
    no_skips: "Nothing.", "无。", "ありません。";
    seeds: "Where it begins", "起始网址", "開始URL";
    audio: "Hours of audio heard", "已监听音频小时数", "聴取した音声の時間";
}
