//! What the pages about accounts, tokens and the API say.

use super::words;

words! {
    /// What the pages about accounts, tokens and the API say.
    PeopleWords:
    accounts: "Accounts", "账号", "アカウント";
    own: "My account", "我的账号", "自分のアカウント";
    role: "Role", "角色", "役割";
    made: "Made", "创建时间", "作成日時";
    standing: "Standing", "状态", "状態";
    enabled: "may sign in", "可登录", "サインイン可";
    disabled: "disabled", "已停用", "無効";
    change: "Change", "更改", "変更";
    new_account: "New account", "新建账号", "新しいアカウント";
    new_password: "New password", "新密码", "新しいパスワード";
    role_rule: "Each role may also do what those before it may: viewer looks, reviewer decides, legal writes notices and takes evidence, admin looks after accounts and the service.",
        "各角色同时具有其前角色的权限：viewer 查看，reviewer 决定，legal 出具通知与证据，admin 管理账号与服务。",
        "各役割はその前の役割の権限も含みます。viewer は閲覧、reviewer は判断、legal は通知と証拠、admin はアカウントとサービスの管理。";
    tokens: "Tokens for programs", "程序令牌", "プログラム用トークン";
    no_tokens: "There are none.", "暂无。", "ありません。";
    token_for: "What it is for", "用途", "用途";
    owner: "Whose", "所有者", "所有者";
    expires: "Ends", "到期", "有効期限";
    revoke: "Take back", "撤销", "取り消す";
    revoked: "taken back", "已撤销", "取り消し済み";
    new_token: "New token", "新建令牌", "新しいトークン";
    shown_once: "Copy it now: it is kept nowhere and cannot be shown again.", "请立即复制：不作保存，无法再次显示。", "今すぐ控えてください。保存されず、再表示できません。";
    api: "What programs can do", "程序接口", "プログラムからの利用";
    description: "Description (OpenAPI 3.1)", "接口描述（OpenAPI 3.1）", "記述（OpenAPI 3.1）";
    sends: "sends", "发送", "送信";
    answers: "answers", "返回", "応答";
    values: "Values in the address", "查询参数", "クエリ";
}
