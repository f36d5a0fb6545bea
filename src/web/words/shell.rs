//! What stands around every page, and at the door.

use super::words;

words! {
    /// What stands around every page, and at the door.
    ShellWords:
    skip: "Skip to content", "跳到正文", "本文へ移動";
    navigation: "Main navigation", "主导航", "メインナビゲーション";
    dashboard: "Overview", "概览", "概要";
    queue: "Cases", "案件", "案件";
    notices: "Notices", "通知文书", "通知書類";
    recordings: "Recordings", "录音制品", "音源";
    licences: "Licences", "许可", "ライセンス";
    crawls: "Crawls", "巡查", "巡回";
    verify: "Verify", "核验", "検証";
    accounts: "Accounts", "账号", "アカウント";
    webhooks: "Webhooks", "Webhook", "Webhook";
    api: "API", "API", "API";
    language: "Language", "语言", "言語";
    sign_in: "Sign in", "登录", "サインイン";
    sign_out: "Sign out", "退出", "サインアウト";
    name: "Name", "用户名", "ユーザー名";
    password: "Password", "密码", "パスワード";
    set_up: "First account", "创建首个账号", "最初のアカウント";
    set_up_why: "Nobody can sign in yet. This first account is an administrator; it can be made only from this machine.",
        "尚无可登录的账号。首个账号为管理员，仅可在本机创建。",
        "まだアカウントがありません。最初のアカウントは管理者で、このマシンからのみ作成できます。";
    password_rule: "At least 15 characters; several words will do.", "至少 15 个字符，可用多个词语组成。", "15 文字以上。複数の単語でもかまいません。";
    create: "Create", "创建", "作成";
    signed_in_as: "Signed in as", "当前用户", "サインイン中";
    trouble: "That did not work", "操作未完成", "処理できませんでした";
    back: "Back", "返回", "戻る";
}
