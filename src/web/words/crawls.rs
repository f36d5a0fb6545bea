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
    none: "No site is known yet. An admin makes one here, or describes it in the configuration.", "尚无网站。由管理员在此创建，或写入配置文件。", "サイトがありません。管理者がここで作成するか、設定ファイルに記述します。";
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
    new_site: "New site", "新建网站", "新しいサイト";
    name: "Name", "名称", "名前";
    seeds_lines: "Where it begins: one address in each line", "起始网址：每行一个", "開始URL：1行に1つ";
    territory: "Territory whose licences are asked (two letters, such as CN)", "以哪个地域的许可为准（两位字母代码，如 CN）", "どの地域のライセンスで判定するか（CN などの2文字コード）";
    cron: "Schedule, as cron text such as 30 2 * * *; without one it is crawled when somebody says so", "计划（cron 表达式，如 30 2 * * *）；留空则只在手动启动时巡查", "スケジュール（30 2 * * * などの cron 形式）。空欄なら手動でのみ巡回します";
    time_zone: "Time zone of the schedule, such as Asia/Tokyo", "计划所用时区，如 Asia/Shanghai", "スケジュールのタイムゾーン（Asia/Tokyo など）";
    depth_max: "How many links away from there pages are read", "从起始网址起最多跟随几层链接", "開始URLから何回までリンクをたどるか";
    requests_max: "Requests of one run, at most", "每次巡查的请求数上限", "1回の巡回のリクエスト数の上限";
    delay_ms: "Milliseconds between two requests to one host, at least", "对同一主机两次请求的最短间隔（毫秒）", "同じホストへのリクエストの最短間隔（ミリ秒）";
    at_once: "With a schedule, the first crawl begins at once.", "设有计划时，首次巡查会立即开始。", "スケジュールがある場合、最初の巡回はすぐに始まります。";
    make: "Make the site", "创建网站", "サイトを作成";
    settings: "Settings", "设置", "設定";
    change: "Change", "更改", "変更";
    in_file: "This site is described in the configuration file, and is changed there.", "此网站写在配置文件中，请在该文件中更改。", "このサイトは設定ファイルに記述されています。変更はそのファイルで行います。";
    remove: "Remove this site", "移除此网站", "このサイトを削除";
    remove_what: "Its settings and all that is kept of its runs will be gone: which addresses were seen, heard and passed over. Cases and their evidence stay.", "其设置及巡查记录（看到、监听和跳过的网址）将被删除。案件及其证据会保留。", "設定と巡回の記録（見たURL、聴いたURL、スキップしたURL）が消えます。案件とその証拠は残ります。";
    remove_now: "Remove it", "确认移除", "削除する";
    keep: "Keep it", "保留", "残す";
    audio: "Hours of audio heard", "已监听音频小时数", "聴取した音声の時間";
}
