//! What the page about webhooks says.

use super::words;

words! {
    /// What the page about webhooks says.
    HookWords:
    webhooks: "Webhooks", "Webhook", "Webhook";
    about: "Tell other programs what happens to cases: each event is sent as signed JSON, in order, and again until it is taken.",
        "将案件的变化通知其他程序：每个事件以带签名的 JSON 按顺序发送，对方未接收则重发。",
        "案件の変化を他のプログラムに知らせます。イベントは署名付き JSON で順番に送られ、受け取られるまで再送されます。";
    none: "There are none.", "暂无。", "ありません。";
    receiver: "Receiver's address", "接收地址", "受信先 URL";
    receiver_rule: "https, or http to a place of your own network that the configuration allows.",
        "须为 https；仅配置中允许的内部网络地址可用 http。",
        "https のみ。設定で許可した内部ネットワークのアドレスに限り http も使えます。";
    events: "Events", "事件", "イベント";
    events_rule: "none chosen: all", "不选即为全部", "選ばなければすべて";
    all: "all", "全部", "すべて";
    standing: "Standing", "状态", "状態";
    active: "active", "启用中", "有効";
    paused: "paused", "已暂停", "一時停止中";
    gone: "the receiver answered 410: it is gone for good", "接收方返回 410，已永久停用", "受信先が 410 を返しました（恒久的に廃止）";
    untaken: "nothing was taken for 3 days", "3 天内无一成功送达", "3 日間一度も受け取られませんでした";
    failures: "failures in a row", "连续失败次数", "連続失敗回数";
    next: "next try", "下次尝试", "次の試行";
    last: "Last try", "上次尝试", "前回の試行";
    never: "never", "从未", "なし";
    waiting: "Log entries to go", "待处理的日志条目", "未処理のログ件数";
    made: "Made", "创建", "作成";
    actions: "Actions", "操作", "操作";
    pause: "Pause", "暂停", "一時停止";
    resume: "Resume", "恢复", "再開";
    test: "Send a test", "发送测试", "テスト送信";
    test_taken: "The test was taken", "测试已被接收", "テストは受け取られました";
    test_failed: "The test was not taken", "测试未被接收", "テストは受け取られませんでした";
    new_secret: "New secret; the old one signs too for 24 h", "更换密钥（旧密钥 24 小时内仍同时签名）", "シークレットを再発行（旧シークレットも 24 時間は併せて署名）";
    new_secret_at_once: "New secret; the old one ends at once", "立即更换密钥（旧密钥即刻作废）", "直ちに再発行（旧シークレットは即時失効）";
    former_until: "old secret signs too until", "旧密钥同时签名至", "旧シークレットも併せて署名する期限";
    remove: "Remove", "删除", "削除";
    new: "New webhook", "新建 Webhook", "新しい Webhook";
    shown_once: "The secret, shown this once. Copy it now: the receiver verifies signatures with it.",
        "密钥仅显示这一次，请立即复制：接收方用它验证签名。",
        "シークレットの表示は今回限りです。今すぐ控えてください。受信側で署名の検証に使います。";
}
