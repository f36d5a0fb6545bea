//! The review desk: the real binary serving, asked by a plain HTTP client and by a real browser.

mod access;
mod api;
mod backup;
mod browser;
mod deciding;
mod fuzzed;
mod goes_on;
mod hooks;
mod http;
mod kill;
mod limits;
mod logs;
mod owned;
mod papers;
mod scale;
mod sites;
mod verify;
mod webdriver;

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

pub(crate) use http::{Answer, Client};

/// The password of all accounts here.
pub(crate) const PASSWORD: &str = "correct horse battery";

/// A service on loopback, which ends with this.
pub(crate) struct Desk {
    child: Child,
    pub(crate) address: String,
}

impl Desk {
    /// Serves the store in `dir/store`.
    pub(crate) fn serve(dir: &Path) -> Self {
        Self::serve_with(dir, &[])
    }

    pub(crate) fn serve_with(dir: &Path, args: &[&str]) -> Self {
        Self::serve_into(dir, args, Stdio::inherit())
    }

    /// Serves, and writes what it says on stderr into `log`.
    pub(crate) fn serve_into(dir: &Path, args: &[&str], log: Stdio) -> Self {
        let mut command = Command::new(assert_cmd::cargo::cargo_bin!("earwitness"));
        command.current_dir(dir).env("EARWITNESS_STORE", dir.join("store")).env_remove("EARWITNESS_CONFIG");
        command.args(args).args(["serve", "--json", "--listen", "127.0.0.1:0"]);
        let mut child = command.stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let told: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("it said {line:?}"));
        let address = told["address"].as_str().unwrap().strip_prefix("http://").unwrap().to_owned();
        Self { child, address }
    }

    pub(crate) fn client(&self) -> Client {
        Client::new(&self.address)
    }

    /// A client that has made the first account, `mika`, and is signed in.
    pub(crate) fn set_up(&self) -> Client {
        let mut client = self.client();
        let made = client.post_form("/set-up", &[("name", "mika"), ("password", PASSWORD)]);
        assert_eq!(made.status, 303, "{}", made.text());
        client
    }

    /// A client that is signed in.
    pub(crate) fn signed_in(&self, name: &str) -> Client {
        let mut client = self.client();
        let answer = client.post_form("/sign-in", &[("name", name), ("password", PASSWORD)]);
        assert_eq!(answer.status, 303, "{}", answer.text());
        client
    }

    /// Kills it as the machine would.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to end, and gives its exit code.
    pub(crate) fn end(mut self) -> i32 {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        self.child.wait().unwrap().code().unwrap()
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
