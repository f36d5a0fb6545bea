//! What the list of cases and a case say.

use super::words;
use crate::cases::State;
use crate::rights::Decision;

words! {
    /// What the list of cases and a case say.
    DeskWords:
    cases: "Cases", "案件", "案件";
    no_cases: "No case fits.", "没有符合条件的案件。", "該当する案件はありません。";
    filter: "Filter", "筛选", "絞り込み";
    apply: "Apply", "应用", "適用";
    clear: "Clear", "清除", "解除";
    search: "Words", "关键词", "語句";
    state: "State", "状态", "状態";
    verdict: "Verdict", "结论", "判定";
    recording: "Recording", "录音制品", "音源";
    operator: "Operator", "网站经营者", "運営者";
    territory: "Territory", "地域", "地域";
    significance: "Chance of error", "误认概率", "誤認の確率";
    at_most: "at most 10^", "不高于 10^", "最大 10^";
    created: "Opened", "立案", "登録";
    seen: "Last seen", "最近发现", "最終確認";
    due: "Next deadline", "下一期限", "次の期限";
    sort: "Sort by", "排序", "並べ替え";
    descending: "other way round", "倒序", "逆順";
    next_page: "Next page", "下一页", "次のページ";
    first_page: "First page", "第一页", "最初のページ";
    of: "of", "／共", "／全";
    select: "Select", "选择", "選択";
    selected: "With the selected cases", "对所选案件", "選択した案件を";
    all_states: "all", "全部", "すべて";
    approve: "Approve", "确认侵权", "侵害と認める";
    dismiss: "Dismiss", "不予处理", "取り下げる";
    review: "Look into it", "进一步核查", "調査する";
    ask: "Ask for licence data", "请求许可信息", "許諾情報を求める";
    asked: "licence data asked for", "已请求许可信息", "許諾情報を照会中";
    reason: "Reason", "理由", "理由";
    undo: "Undo", "撤销", "元に戻す";
    decided: "Decided", "已决定", "決定済み";
}

impl DeskWords {
    /// A state, for people.
    pub(in crate::web) const fn state_name(lang: super::Lang, state: State) -> &'static str {
        let [en, zh, ja] = match state {
            State::Queued => ["to be decided", "待处理", "未処理"],
            State::Undetermined => ["undetermined", "无法判定", "判定不能"],
            State::Review => ["being looked into", "核查中", "調査中"],
            State::Approved => ["approved", "已确认侵权", "侵害と認定"],
            State::Dismissed => ["dismissed", "不予处理", "取り下げ"],
            State::Noticed => ["noticed", "已出具通知", "通知済み"],
            State::Forwarded => ["forwarded", "已转送", "転送済み"],
            State::Removed => ["removed", "已删除", "削除済み"],
            State::Countered => ["counter-noticed", "已有反通知", "反論通知あり"],
            State::Ignored => ["ignored", "未获处理", "未対応"],
            State::Escalated => ["escalated", "已投诉或起诉", "申立て・提訴中"],
            State::Closed => ["closed", "已结案", "終了"],
            State::Retracted => ["retracted", "已撤回", "撤回"],
        };
        match lang {
            super::Lang::English => en,
            super::Lang::Chinese => zh,
            super::Lang::Japanese => ja,
        }
    }

    /// A verdict, for people.
    pub(in crate::web) const fn verdict_name(lang: super::Lang, verdict: Decision) -> &'static str {
        let [en, zh, ja] = match verdict {
            Decision::Licensed => ["LICENSED", "有许可", "許諾あり"],
            Decision::Unlicensed => ["UNLICENSED", "无许可", "無許諾"],
            Decision::Undetermined => ["UNDETERMINED", "无法判定", "判定不能"],
        };
        match lang {
            super::Lang::English => en,
            super::Lang::Chinese => zh,
            super::Lang::Japanese => ja,
        }
    }
}
