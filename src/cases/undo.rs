//! Taking back a person's decision that nothing has followed yet.

use super::case::{Case, MoveError};
use super::review::Error;
use super::state::{Event, State};
use crate::base::Timestamp;

/// Whether a person decides by this event.
const fn is_decision(event: Event) -> bool {
    matches!(event, Event::Review | Event::Approved | Event::Dismissed)
}

impl Case {
    /// Takes back the decision that was made at `decided_at`: the case stands again where it stood before. Only the newest
    /// decision can be taken back, and only while nothing has moved the case since.
    ///
    /// # Errors
    /// [`Error::Move`] where something has followed, or there was no such decision.
    pub fn undo(&mut self, decided_at: Timestamp, now: Timestamp, actor: &str) -> Result<(), Error> {
        let refused = MoveError { case_id: self.case_id.clone(), state: self.state, event: Event::Undone };
        let Some((at, before)) = self.last_decision().filter(|(at, _)| *at == decided_at) else {
            return Err(refused.into());
        };
        let note = format!("the decision of {at}: it was {}", self.state);
        self.state = before;
        self.log(Event::Undone, now, actor, Some(note));
        Ok(())
    }

    /// When the decision was made that can be taken back, if there is one, and where the case stood before it.
    #[must_use]
    pub fn last_decision(&self) -> Option<(Timestamp, State)> {
        // Decisions that stand, each with the state before it; whatever else moves the case makes them stand for good.
        let mut standing: Vec<(Timestamp, State)> = Vec::new();
        let mut state: Option<State> = None;
        for entry in &self.history {
            let before = state;
            if entry.event == Event::Undone {
                state = standing.pop().map(|(_, before)| before).or(before);
                continue;
            }
            let next = match before {
                Some(before) => before.after(entry.event),
                None if entry.event == Event::Undetermined => Some(State::Undetermined),
                None => Some(State::Queued),
            };
            state = next.or(before);
            let moved = state != before;
            match before.filter(|_| is_decision(entry.event)) {
                Some(before) if moved => standing.push((entry.at, before)),
                // An approval that was said again, after a doubt, stands for good.
                Some(_) => standing.clear(),
                None if moved => standing.clear(),
                None => {}
            }
        }
        // A history that does not lead to where the case stands is from another time: nothing is undone by it.
        standing.pop().filter(|_| state == Some(self.state))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;
    use crate::cases::tests::approved;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    /// A case that waits for a decision.
    fn waiting() -> Case {
        let mut case = approved(at(0)).case;
        let (when, _) = case.last_decision().unwrap();
        case.undo(when, at(0), "mika").unwrap();
        case
    }

    #[test]
    fn a_decision_is_undone_while_nothing_follows() {
        let mut case = waiting();
        assert_eq!(case.last_decision(), None);
        case.apply(Event::Review, at(1), "mika", None).unwrap();
        case.apply(Event::Approved, at(2), "mika", None).unwrap();
        case.apply(Event::Joined, at(3), "earwitness", None).unwrap();
        assert!(case.undo(at(1), at(4), "mika").is_err());
        case.undo(at(2), at(4), "mika").unwrap();
        assert_eq!(case.state, State::Review);
        case.undo(at(1), at(5), "jun").unwrap();
        assert_eq!(case.state, State::Queued);
        assert!(case.undo(at(1), at(6), "jun").is_err());
        case.apply(Event::Approved, at(7), "mika", None).unwrap();
        case.apply(Event::Noticed, at(8), "mika", None).unwrap();
        assert!(case.undo(at(7), at(9), "mika").is_err());
    }

    proptest! {
        #[test]
        fn undoing_leads_back_exactly(moves in prop::collection::vec(0usize..20, 0..40)) {
            let mut case = waiting();
            let mut states = vec![case.state];
            for (second, number) in (1..).zip(moves) {
                let decisions = [Event::Review, Event::Approved, Event::Dismissed];
                match number {
                    0..12 => {
                        if case.apply(decisions[number % 3], at(second), "mika", None).is_ok() {
                            states.push(case.state);
                        }
                    }
                    12..16 => {
                        let decided = case.last_decision();
                        prop_assert_eq!(decided.map(|(_, before)| before), states.len().checked_sub(2).map(|i| states[i]));
                        if let Some((when, _)) = decided {
                            case.undo(when, at(second), "jun").unwrap();
                            states.pop();
                            prop_assert_eq!(case.state, *states.last().unwrap());
                        }
                    }
                    16..19 => case.apply(Event::Joined, at(second), "earwitness", None).unwrap(),
                    _ => {
                        if case.apply(Event::Noticed, at(second), "mika", None).is_ok() {
                            states = vec![case.state];
                        }
                    }
                }
            }
        }
    }
}
