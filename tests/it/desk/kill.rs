//! Killed while it decides: what was answered is there, nothing is half there.

use std::time::Duration;

use super::Desk;
use super::deciding::{Answered, Deciding, assert_holds, decided, fill, token};
use crate::evidence::House;

#[test]
fn what_was_answered_outlives_a_kill() {
    let house = House::new();
    fill(&house);
    let desk = Desk::serve(house.path());
    let token = token(&desk);
    desk.kill();
    let mut before = Answered::new();
    for _ in 0..4 {
        let desk = Desk::serve(house.path());
        let deciding = Deciding::begin(&desk.address, &token);
        let (end, pause) = std::sync::mpsc::channel::<()>();
        let _ = pause.recv_timeout(Duration::from_millis(700));
        drop(end);
        desk.kill();
        let answered = deciding.stop();
        assert!(answered.len() > 4, "too few were decided to tell anything");
        let now = decided(&house.path().join("store"));
        assert_holds(&now, &answered, &before);
        before = now;
    }
}
