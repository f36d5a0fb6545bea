//! A real browser, by the WebDriver protocol (W3C): Debian's chromium and chromedriver.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use base64::Engine as _;
use serde_json::{Value, json};

use super::http::Client;

/// What a WebDriver calls a reference to an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A browser, which ends with this.
pub(crate) struct Browser {
    driver: Child,
    client: Client,
    session: String,
}

impl Browser {
    /// Starts one in a language; `None`, told loudly, where chromium or chromedriver is not installed.
    pub(crate) fn start(language: &str) -> Option<Self> {
        let mut driver = match Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
        {
            Ok(driver) => driver,
            Err(error) => {
                eprintln!(
                    "SKIPPED: chromedriver cannot be started ({error}); pages were not tested in a browser"
                );
                return None;
            }
        };
        let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines().map_while(Result::ok);
        let port = lines.find_map(|line| {
            let port = line.split("started successfully on port ").nth(1)?;
            port.trim_end_matches('.').parse::<u16>().ok()
        });
        let Some(port) = port else {
            let _ = driver.kill();
            panic!("chromedriver did not tell its port");
        };
        // It goes on to write: somebody must read.
        std::thread::spawn(move || lines.for_each(drop));
        let mut client = Client::new(&format!("127.0.0.1:{port}"));
        client.headers.clear();
        let arguments = json!([
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--mute-audio",
            "--window-size=1280,1000",
            format!("--lang={language}"),
            format!("--accept-lang={language}")
        ]);
        let wanted = json!({"capabilities": {"alwaysMatch": {
            "browserName": "chrome",
            "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
            "goog:chromeOptions": {"args": arguments, "prefs": {"intl.accept_languages": language}}
        }}});
        let answer = client.send_json("POST", "/session", &wanted);
        let session = answer.json()["value"]["sessionId"].as_str().map(str::to_owned);
        let session = session.unwrap_or_else(|| panic!("no browser: {}", answer.text()));
        Some(Self { driver, client, session })
    }

    fn call(&mut self, method: &str, path: &str, body: &Value) -> Result<Value, String> {
        let path = format!("/session/{}{path}", self.session);
        let answer =
            if method == "GET" { self.client.get(&path) } else { self.client.send_json(method, &path, body) };
        let value = answer.json()["value"].clone();
        if answer.status == 200 { Ok(value) } else { Err(value.to_string()) }
    }

    pub(crate) fn go(&mut self, url: &str) {
        self.call("POST", "/url", &json!({ "url": url })).unwrap();
    }

    pub(crate) fn url(&mut self) -> String {
        self.call("GET", "/url", &Value::Null).unwrap().as_str().unwrap().to_owned()
    }

    /// The value that a script gives, the body of a function.
    pub(crate) fn run(&mut self, script: &str) -> Value {
        self.call("POST", "/execute/sync", &json!({"script": script, "args": []}))
            .unwrap_or_else(|error| panic!("{script}: {error}"))
    }

    pub(crate) fn text(&mut self) -> String {
        self.run("return document.body.innerText").as_str().unwrap_or_default().to_owned()
    }

    fn find(&mut self, css: &str) -> Result<String, String> {
        let found = self.call("POST", "/element", &json!({"using": "css selector", "value": css}))?;
        Ok(found[ELEMENT].as_str().unwrap_or_default().to_owned())
    }

    pub(crate) fn click(&mut self, css: &str) {
        let element = self.find(css).unwrap();
        self.call("POST", &format!("/element/{element}/click"), &json!({})).unwrap();
    }

    pub(crate) fn fill(&mut self, css: &str, text: &str) {
        let element = self.find(css).unwrap();
        self.call("POST", &format!("/element/{element}/clear"), &json!({})).unwrap();
        self.call("POST", &format!("/element/{element}/value"), &json!({ "text": text })).unwrap();
    }

    /// Chooses a file of this machine.
    pub(crate) fn choose(&mut self, css: &str, file: &std::path::Path) {
        let element = self.find(css).unwrap();
        self.call("POST", &format!("/element/{element}/value"), &json!({ "text": file })).unwrap();
    }

    /// Presses a key of the keyboard, wherever the focus is.
    pub(crate) fn press(&mut self, key: &str) {
        let strokes = json!([{"type": "keyDown", "value": key}, {"type": "keyUp", "value": key}]);
        let actions = json!({"actions": [{"type": "key", "id": "keyboard", "actions": strokes}]});
        self.call("POST", "/actions", &actions).unwrap();
    }

    /// Waits until a script says yes.
    pub(crate) fn wait(&mut self, what: &str, script: &str) {
        let until = Instant::now() + Duration::from_secs(60);
        while self.call("POST", "/execute/sync", &json!({"script": script, "args": []}))
            != Ok(Value::Bool(true))
        {
            assert!(Instant::now() < until, "{what}: {script}\n{}", self.text());
            let (end, pause) = std::sync::mpsc::channel::<()>();
            let _ = pause.recv_timeout(Duration::from_millis(100));
            drop(end);
        }
    }

    /// The size of the window.
    pub(crate) fn resize(&mut self, width: u32, height: u32) {
        self.call("POST", "/window/rect", &json!({ "width": width, "height": height })).unwrap();
    }

    /// Light or dark, as the system would wish it.
    pub(crate) fn prefer(&mut self, scheme: &str) {
        let features = json!([{"name": "prefers-color-scheme", "value": scheme}]);
        let command = json!({"cmd": "Emulation.setEmulatedMedia", "params": {"features": features}});
        self.call("POST", "/goog/cdp/execute", &command).unwrap();
    }

    /// What the page and the browser have said since the last call.
    pub(crate) fn log(&mut self) -> Vec<String> {
        let said = self.call("POST", "/se/log", &json!({"type": "browser"})).unwrap_or_default();
        said.as_array().into_iter().flatten().map(|entry| entry["message"].to_string()).collect()
    }

    /// The addresses that were asked since the last call.
    pub(crate) fn requests(&mut self) -> Vec<String> {
        let said = self.call("POST", "/se/log", &json!({"type": "performance"})).unwrap_or_default();
        let entries = said.as_array().into_iter().flatten();
        let messages =
            entries.filter_map(|entry| serde_json::from_str::<Value>(entry["message"].as_str()?).ok());
        let sent = messages.filter(|message| message["message"]["method"] == "Network.requestWillBeSent");
        sent.filter_map(|message| Some(message["message"]["params"]["request"]["url"].as_str()?.to_owned()))
            .collect()
    }

    /// Puts what the window shows into the folder that `EARWITNESS_SCREENSHOTS` names, for people to look at.
    pub(crate) fn picture(&mut self, name: &str) {
        let Some(folder) = std::env::var_os("EARWITNESS_SCREENSHOTS") else { return };
        let picture = self.call("GET", "/screenshot", &Value::Null).unwrap();
        let bytes = base64::engine::general_purpose::STANDARD.decode(picture.as_str().unwrap()).unwrap();
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(std::path::Path::new(&folder).join(format!("{name}.png")), bytes).unwrap();
    }

    /// As tall as the page, so that a picture shows all of it.
    pub(crate) fn stretch(&mut self, width: u32) {
        self.resize(width, 1000);
        let tall =
            self.run("return Math.min(6000, document.documentElement.scrollHeight + 150)").as_f64().unwrap();
        self.resize(width, tall as u32);
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.client.try_send("DELETE", &format!("/session/{}", self.session), &[], b"");
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}
