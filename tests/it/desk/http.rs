//! A plain HTTP client: it sends just what it is told to.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

/// An answer.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Names in lower case; of several the last.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) cookies: Vec<String>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("{} {}", self.status, self.text()))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }
}

/// A client with one cookie jar.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    pub(crate) address: String,
    pub(crate) cookies: BTreeMap<String, String>,
    /// Sent with every request; by default what a browser on the desk's own pages sends.
    pub(crate) headers: Vec<(String, String)>,
}

impl Client {
    pub(crate) fn new(address: &str) -> Self {
        let headers = vec![("origin".to_owned(), format!("http://{address}"))];
        Self { address: address.to_owned(), cookies: BTreeMap::new(), headers }
    }

    pub(crate) fn bearer(address: &str, token: &str) -> Self {
        let mut client = Self::new(address);
        client.headers = vec![("authorization".to_owned(), format!("Bearer {token}"))];
        client
    }

    pub(crate) fn get(&mut self, path: &str) -> Answer {
        self.send("GET", path, &[], b"")
    }

    /// The form token of the session.
    pub(crate) fn csrf(&mut self) -> String {
        let page = self.get("/accounts").text();
        let part = page.split("name=\"csrf\" content=\"").nth(1).unwrap_or_else(|| panic!("{page}"));
        part.split('"').next().unwrap().to_owned()
    }

    /// Sends a form, with the session's form token where there is a session.
    pub(crate) fn post_form(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let csrf = if self.cookies.contains_key("earwitness") { self.csrf() } else { String::new() };
        let body = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("csrf", &csrf)
            .extend_pairs(fields)
            .finish();
        let kind = [("content-type", "application/x-www-form-urlencoded")];
        self.send("POST", path, &kind, body.as_bytes())
    }

    pub(crate) fn send_json(&mut self, method: &str, path: &str, value: &Value) -> Answer {
        let body = serde_json::to_vec(value).unwrap();
        self.send(method, path, &[("content-type", "application/json")], &body)
    }

    /// Sends a request on a connection of its own.
    pub(crate) fn send(&mut self, method: &str, path: &str, extra: &[(&str, &str)], body: &[u8]) -> Answer {
        self.try_send(method, path, extra, body).unwrap()
    }

    pub(crate) fn try_send(
        &mut self,
        method: &str,
        path: &str,
        extra: &[(&str, &str)],
        body: &[u8],
    ) -> std::io::Result<Answer> {
        let mut stream = TcpStream::connect(&self.address)?;
        stream.set_read_timeout(Some(Duration::from_secs(120)))?;
        let mut head = format!("{method} {path} HTTP/1.1\r\nconnection: close\r\n");
        let own = self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let all: Vec<(&str, &str)> = own.chain(extra.iter().copied()).collect();
        if all.iter().all(|(name, _)| *name != "host") {
            head.push_str(&format!("host: {}\r\n", self.address));
        }
        for (name, value) in all {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if !self.cookies.is_empty() {
            let cookies: Vec<String> =
                self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            head.push_str(&format!("cookie: {}\r\n", cookies.join("; ")));
        }
        if !body.is_empty() || method != "GET" {
            head.push_str(&format!("content-length: {}\r\n", body.len()));
        }
        stream.write_all(format!("{head}\r\n").as_bytes())?;
        stream.write_all(body)?;
        let (mut bytes, mut piece) = (Vec::new(), [0; 16 << 10]);
        // Not every server closes the connection when it is asked to.
        let answer = loop {
            let count = stream.read(&mut piece)?;
            bytes.extend(&piece[..count]);
            match read(&bytes, count == 0) {
                Some(answer) => break answer,
                None if count == 0 => return Err(std::io::Error::other("no whole answer")),
                None => {}
            }
        };
        for cookie in &answer.cookies {
            let pair = cookie.split(';').next().unwrap_or_default();
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            if value.is_empty() {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        Ok(answer)
    }
}

/// Reads an answer that is whole; one without a length is when nothing more comes.
fn read(bytes: &[u8], is_end: bool) -> Option<Answer> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let mut lines = head.lines();
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let (mut headers, mut cookies) = (BTreeMap::new(), Vec::new());
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        let (name, value) = (name.to_lowercase(), value.trim().to_owned());
        if name == "set-cookie" {
            cookies.push(value.clone());
        }
        headers.insert(name, value);
    }
    let rest = &bytes[end + 4..];
    let body = if headers.get("transfer-encoding").is_some_and(|coding| coding == "chunked") {
        unchunked(rest)?
    } else {
        let length = headers.get("content-length").and_then(|text| text.parse::<usize>().ok());
        match length {
            Some(length) => rest.get(..length)?.to_vec(),
            None if is_end => rest.to_vec(),
            None => return None,
        }
    };
    Some(Answer { status, headers, cookies, body })
}

fn unchunked(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let end = rest.windows(2).position(|two| two == b"\r\n")?;
        let length = usize::from_str_radix(std::str::from_utf8(&rest[..end]).ok()?.trim(), 16).ok()?;
        rest = rest.get(end + 2..)?;
        if length == 0 {
            return Some(body);
        }
        body.extend(rest.get(..length)?);
        rest = rest.get(length + 2..)?;
    }
}
