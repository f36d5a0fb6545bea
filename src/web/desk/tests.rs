//! The list against a plain sort of everything.

#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::filter::{Filter, Order, Sort};
use super::rows::{Cursor, Row, Rows};
use crate::base::{Digest, RecordingId, Timestamp};
use crate::cases::{Case, State};
use crate::catalog::Recording;
use crate::rights::{LicenceGraph, Question, Right, verdict};

/// A case of few possible values, so that ties and filters are met.
fn case(number: u32, state: usize, operator: u8, created: i64) -> Case {
    let recording = Recording::new(RecordingId::new(&format!("r{}", operator % 2)).unwrap(), "t".to_owned());
    let at = Timestamp::from_second(1_700_000_000 + created).unwrap();
    let question = Question {
        recording: &recording,
        operator: None,
        territory: None,
        at,
        right: Right::MakingAvailable,
    };
    Case {
        case_id: format!("C-{number:010x}"),
        recording_id: recording.recording_id.clone(),
        domain: format!("site{operator}.example"),
        territory: operator.is_multiple_of(2).then(|| "CN".to_owned()),
        sha256: Digest::of(&number.to_le_bytes()),
        state: State::ALL[state % State::ALL.len()],
        sightings: Vec::new(),
        sightings_unlisted: 0,
        matches: Vec::new(),
        verdict: verdict(&LicenceGraph::default(), &question),
        created_at: at,
        reupload_of: None,
        gone_at: None,
        states_information: None,
        history: Vec::new(),
    }
}

/// Whether a word is in what is shown of a case.
fn holds(case: &Case, word: &str) -> bool {
    let title = if case.recording_id.as_str() == "r0" { "r0 zero" } else { case.recording_id.as_str() };
    [&case.case_id.to_lowercase(), case.domain.as_str(), title, case.recording_id.as_str()]
        .iter()
        .any(|text| text.contains(word))
}

fn id(row: &Row) -> String {
    row.case_id.to_string()
}

proptest! {
    #[test]
    fn pages_put_together_are_the_sorted_list(
        cases in prop::collection::vec((0u32..60, 0usize..13, 0u8..4, 0i64..5), 0..80),
        most in 1usize..7,
        is_descending in any::<bool>(),
        state in prop::option::of(0usize..13),
        operator in prop::option::of(0u8..4),
        about in prop::option::of(0u8..2),
        word in prop::option::of(prop::sample::select(vec!["site1", "R0", "00002", "none"])),
    ) {
        let mut rows = Rows::default();
        let mut kept = std::collections::BTreeMap::new();
        let filter = Filter {
            states: state.map(|at| State::ALL[at]).into_iter().collect(),
            operator: operator.map(|number| format!("site{number}.example")),
            recording_id: about.map(|number| format!("r{number}")),
            words: word.map(str::to_lowercase).into_iter().collect(),
            ..Filter::default()
        };
        let order = Order { sort: Sort::Created, is_descending };
        for (number, state, operator, created) in cases {
            let case = case(number, state, operator, created);
            rows.put(&case, None);
            kept.insert(case.case_id.clone(), case);
            // What was found is not what there is once another case is in.
            rows.page(&filter, order, None, most);
        }
        if let Some((gone, _)) = kept.pop_first() {
            rows.remove(&gone);
        }
        rows.retitle("r0", "R0 zero".to_owned());
        let mut expected: Vec<&Case> = kept
            .values()
            .filter(|case| filter.states.is_empty() || filter.states.contains(&case.state))
            .filter(|case| filter.operator.as_ref().is_none_or(|wanted| *wanted == case.domain))
            .filter(|case| filter.recording_id.as_ref().is_none_or(|wanted| *wanted == case.recording_id.as_str()))
            .filter(|case| filter.words.iter().all(|word| holds(case, word)))
            .collect();
        expected.sort_by(|a, b| (a.created_at, &a.case_id).cmp(&(b.created_at, &b.case_id)));
        if is_descending {
            expected.reverse();
        }
        let expected: Vec<String> = expected.into_iter().map(|case| case.case_id.clone()).collect();
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let page = rows.page(&filter, order, after.as_ref(), most);
            prop_assert_eq!(page.total, expected.len());
            prop_assert!(page.rows.len() <= most);
            found.extend(page.rows.iter().map(id));
            let Some(next) = page.next else { break };
            // As an address would carry it.
            after = Some(next.to_string().parse::<Cursor>().unwrap());
        }
        prop_assert_eq!(&found, &expected);
        for (at, case_id) in expected.iter().enumerate() {
            let (before, behind) = rows.neighbours(case_id, &filter, order);
            let text = |id: Option<std::sync::Arc<str>>| id.map(|id| id.to_string());
            prop_assert_eq!(text(before), at.checked_sub(1).map(|at| expected[at].clone()));
            prop_assert_eq!(text(behind), expected.get(at + 1).cloned());
        }
        for state in State::ALL {
            let count = kept.values().filter(|case| case.state == state).count();
            prop_assert_eq!(rows.count(state), count);
        }
    }

    #[test]
    fn any_text_is_a_filter_or_told_why_not(name in "(state|log10_max|due_before|q|operator)", value in any::<String>()) {
        if let Ok(filter) = Filter::read([(name.as_str(), value.as_str())]) {
            let pairs = filter.pairs();
            let again = Filter::read(pairs.iter().map(|(name, value)| (*name, value.as_str())));
            prop_assert_eq!(again, Ok(filter));
        }
        let _ = value.parse::<Cursor>();
        let _ = value.parse::<Order>();
    }
}
