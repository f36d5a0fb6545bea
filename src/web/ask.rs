//! A request as handlers see it: small, whole, and not yet believed.

use std::collections::BTreeMap;
use std::fs::File;
use std::net::IpAddr;

use axum::http::{HeaderMap, Method, header};
use serde::de::DeserializeOwned;

use super::access::{Role, Visitor};
use super::fault::Fault;
use super::upload::Upload;
use super::words::Lang;
use crate::base::Timestamp;

/// Fields of one form; bulk decisions name a page of cases.
const FIELDS_MAX: usize = 2000;

/// A request; its body is there once the guard has let it in.
pub(super) struct Ask {
    pub(super) method: Method,
    /// The path, as it was sent.
    pub(super) path: String,
    /// What the route's `{names}` stand for, decoded.
    pub(super) params: BTreeMap<String, String>,
    /// The part behind `?`, decoded, in order.
    pub(super) query: Vec<(String, String)>,
    pub(super) headers: HeaderMap,
    /// The body; empty where it was put into a file.
    pub(super) body: Vec<u8>,
    /// What was sent to a route whose body is put into a file.
    pub(super) upload: Option<Upload>,
    /// Who is connected: a proxy's address where one stands between.
    pub(super) peer: IpAddr,
    /// Who asks, as far as proxies that are trusted tell.
    pub(super) client: IpAddr,
    pub(super) now: Timestamp,
    /// The language that the answer is to be in.
    pub(super) lang: Lang,
    /// Who asks; none where nobody is signed in.
    pub(super) visitor: Option<Visitor>,
}

impl Ask {
    /// What the route's `{name}` stands for.
    pub(super) fn param(&self, name: &str) -> &str {
        self.params.get(name).map_or("", String::as_str)
    }

    /// The first value of a name in the query, unless empty.
    pub(super) fn query(&self, name: &str) -> Option<&str> {
        let found = self.query.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// A header's text.
    pub(super) fn header(&self, name: header::HeaderName) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// A cookie's value.
    pub(super) fn cookie(&self, name: &str) -> Option<&str> {
        let all = self.headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        let mut pairs = all.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
        pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
    }

    /// Who asks; the guard has seen to it that there is somebody where a route needs one.
    pub(super) fn visitor(&self) -> Result<&Visitor, Fault> {
        self.visitor.as_ref().ok_or_else(Fault::sign_in)
    }

    /// Whether whoever asks has this role.
    pub(super) fn may(&self, role: Role) -> bool {
        self.visitor.as_ref().is_some_and(|visitor| visitor.role >= role)
    }

    /// Whether the answer goes to a program.
    pub(super) fn is_api(&self) -> bool {
        self.path.starts_with("/api/")
    }

    /// The fields of a form that was sent.
    ///
    /// # Errors
    /// [`Fault`] where the body is no form, or has too many fields.
    pub(super) fn form(&self) -> Result<Form, Fault> {
        if let Some(upload) = &self.upload {
            return Ok(Form { fields: upload.fields.clone() });
        }
        let kind = self.header(header::CONTENT_TYPE).unwrap_or_default();
        if !kind.starts_with("application/x-www-form-urlencoded") {
            return Err(Fault::bad_request("a form is to be sent as application/x-www-form-urlencoded"));
        }
        let fields: Vec<(String, String)> =
            url::form_urlencoded::parse(&self.body).into_owned().take(FIELDS_MAX + 1).collect();
        if fields.len() > FIELDS_MAX {
            return Err(Fault::bad_request(format!("a form has at most {FIELDS_MAX} fields")));
        }
        Ok(Form { fields })
    }

    /// The file that was sent.
    ///
    /// # Errors
    /// [`Fault`] where there is none, or nothing in it.
    pub(super) fn file(&self) -> Result<&File, Fault> {
        let upload = self.upload.as_ref().filter(|upload| upload.bytes > 0);
        upload
            .and_then(|upload| upload.file.as_ref())
            .ok_or_else(|| Fault::bad_request("choose a file to send"))
    }

    /// The JSON object that was sent.
    ///
    /// # Errors
    /// [`Fault`] that says where it is not what it should be.
    pub(super) fn json<T: DeserializeOwned>(&self) -> Result<T, Fault> {
        let kind = self.header(header::CONTENT_TYPE).unwrap_or_default();
        if kind.split(';').next().map(str::trim) != Some("application/json") {
            return Err(Fault::unsupported("the body is to be sent as application/json"));
        }
        serde_json::from_slice(&self.body)
            .map_err(|error| Fault::bad_request(format!("the body is not what it should be: {error}")))
    }
}

/// The fields of a form.
pub(super) struct Form {
    fields: Vec<(String, String)>,
}

impl Form {
    /// The first value of a field, without outer white space; none where it is empty.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let found = self.fields.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.trim()).filter(|value| !value.is_empty())
    }

    /// A field as it was typed: passwords may end in a space.
    pub(super) fn raw(&self, name: &str) -> &str {
        self.fields.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }

    /// All values of a field.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.fields.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}
