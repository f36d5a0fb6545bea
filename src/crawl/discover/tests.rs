#![allow(clippy::unwrap_used, clippy::panic)]

use proptest::prelude::*;

use super::*;

fn at(url: &str) -> Url {
    Url::parse(url).unwrap()
}

fn html(page: &str) -> Discovered {
    discover(&at("http://a.example/dir/page"), Some("text/html"), page.as_bytes())
}

fn media(found: &Discovered) -> Vec<(String, String)> {
    found.media.iter().map(|link| (link.url.to_string(), link.via.clone())).collect()
}
