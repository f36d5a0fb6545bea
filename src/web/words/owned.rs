//! What the pages about recordings and licences say.

use super::words;

words! {
    /// What the pages about recordings and licences say.
    OwnedWords:
    recordings: "Recordings", "录音制品", "音源";
    search: "Words", "关键词", "語句";
    find: "Search", "搜索", "検索";
    title: "Title", "标题", "タイトル";
    artist: "Artist", "表演者", "アーティスト";
    isrc: "ISRC", "ISRC", "ISRC";
    label: "Label", "厂牌", "レーベル";
    audio: "Listened for", "可比对", "照合対象";
    yes: "yes", "是", "はい";
    no: "no audio", "无音频", "音声なし";
    licences_of: "Licences", "许可", "ライセンス";
    none: "none: nobody can be accused", "无：无法认定侵权", "なし：指摘できません";
    cases_of: "Cases", "案件", "案件";
    next_page: "Next page", "下一页", "次のページ";
    first_page: "First page", "第一页", "最初のページ";
    nothing: "Nothing fits.", "没有符合条件的内容。", "該当するものはありません。";
    with_audio: "with audio", "有音频", "音声あり";
    facts: "What is known", "登记信息", "登録情報";
    licences: "Licences", "许可", "ライセンス";
    parties: "Parties", "许可方 → 被许可方", "許諾者 → 被許諾者";
    scope: "Recordings", "录音制品范围", "対象音源";
    territories: "Territories", "地域", "地域";
    period: "Period", "期间", "期間";
    exclusive: "exclusive", "专有", "独占";
    operators: "Sites", "网站", "サイト";
    ended: "ended", "已终止", "終了";
    in_force: "in force", "有效", "有効";
    asked_for: "Licence data asked for", "待提供的许可信息", "照会中の許諾情報";
    none_asked: "Nothing is asked for.", "暂无请求。", "照会はありません。";
    about_asked: "Import the missing licences (earwitness licence import), then look at the cases again.", "请导入缺失的许可（earwitness licence import），然后复查案件。", "不足している許諾を取り込み（earwitness licence import）、案件を再確認してください。";
    asked_by: "Asked by", "请求人", "照会者";
    question: "What is to be found out", "待查明事项", "確認事項";
    conflicts: "Contradictions and gaps", "矛盾与空缺", "矛盾と空白";
    no_conflicts: "None.", "无。", "ありません。";
    more: "more", "更多", "他";
    when_it_ends: "What turns unlicensed when it ends", "终止后将成为无许可的网址", "終了後に無許諾となるURL";
    never_ends: "It has no end.", "无终止日期。", "終了日はありません。";
    nothing_turns: "No address that was listened to and is licensed now turns unlicensed then.", "目前有许可且已监测的网址中，没有届时成为无许可的。", "現在許諾されている確認済みのURLで、その時点で無許諾になるものはありません。";
    address: "Address", "网址", "URL";
    then: "Then", "届时", "その時点";
    looked_through: "addresses were looked through", "个网址已检查", "件のURLを確認";
}
