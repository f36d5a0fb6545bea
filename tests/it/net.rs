//! The network room against real servers on loopback: friendly, broken and hostile ones.

mod codings;
mod hostile;
mod names;
mod pieces;
mod record;
mod secure;
mod sites;

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};

use earwitness::config::FetchSettings;
use earwitness::net::{Client, Error, Kind, LookedUp, Lookup, Opened, Request};

/// Settings that allow exactly the given servers and are impatient.
fn settings(allowed: &[SocketAddr]) -> FetchSettings {
    FetchSettings {
        private_allowed: allowed.iter().map(ToString::to_string).collect(),
        connect_timeout_s: 1,
        read_timeout_s: 1,
        page_timeout_s: 3,
        total_timeout_s: 3,
        rate_grace_s: 60,
        page_bytes_max: 1 << 20,
        media_bytes_max: 1 << 20,
        ..FetchSettings::default()
    }
}

fn client(allowed: &[SocketAddr]) -> Client {
    Client::new(&settings(allowed)).unwrap()
}

fn error_of<T>(result: Result<T, Error>) -> Error {
    result.err().expect("an error")
}

async fn open(client: &Client, url: &url::Url, kind: Kind) -> Opened {
    client.open(Request::new(url.clone(), kind)).await.unwrap()
}

/// Answers names from a list in turn, the last answer again and again; an empty list of answers is a failure.
struct Names {
    answers: Vec<(&'static str, Vec<Vec<IpAddr>>)>,
    asked: Mutex<Vec<String>>,
}

impl Names {
    fn new(answers: &[(&'static str, &[&[&str]])]) -> Arc<Self> {
        let addresses = |texts: &&[&str]| texts.iter().map(|text| text.parse().unwrap()).collect();
        let answers =
            answers.iter().map(|(name, turns)| (*name, turns.iter().map(addresses).collect())).collect();
        Arc::new(Self { answers, asked: Mutex::new(Vec::new()) })
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

impl Lookup for Names {
    fn lookup<'a>(&'a self, name: &'a str) -> LookedUp<'a> {
        let mut asked = self.asked.lock().unwrap();
        let turn = asked.iter().filter(|earlier| *earlier == name).count();
        asked.push(name.to_owned());
        let turns = self.answers.iter().find(|(known, _)| *known == name).map(|(_, turns)| turns);
        let answer = turns.and_then(|turns| turns.get(turn).or(turns.last())).cloned();
        Box::pin(async move { answer.ok_or_else(|| std::io::Error::other("no such name")) })
    }
}
