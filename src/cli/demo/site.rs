//! The demonstration's sites: their pages, and the servers on loopback that serve them from the folder.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use tokio::net::TcpListener;

use super::folder::Folder;
use super::story::{DOWNLOADS, FORUM, MIXES, SITES, SITUATIONS, Situation};

/// Takes a port for each site. Its address is its operator's name in licences.
pub(super) async fn listen() -> anyhow::Result<Vec<TcpListener>> {
    let mut listeners = Vec::with_capacity(SITES.len());
    for _ in &SITES {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await;
        listeners.push(listener.context("cannot take a port of 127.0.0.1 for the demonstration's sites")?);
    }
    Ok(listeners)
}

/// Where a situation's file is on disk, below the demonstration's folder.
pub(super) fn media_path(situation: &Situation) -> PathBuf {
    below(situation.site, situation.file)
}

fn below(site: usize, path: &str) -> PathBuf {
    Path::new("site").join(SITES[site].key).join(path.trim_start_matches('/'))
}

/// Writes the pages of all sites.
pub(super) fn write_pages(folder: &Folder) -> anyhow::Result<()> {
    for (number, site) in SITES.iter().enumerate() {
        let shown: Vec<&Situation> = SITUATIONS.iter().filter(|one| one.site == number).collect();
        folder.write(&below(number, "/index.html"), index(site.name, &shown).as_bytes())?;
        folder.write(&below(number, "/robots.txt"), ROBOTS.as_bytes())?;
        folder.write(&below(number, "/about.html"), page(site.name, ABOUT).as_bytes())?;
        folder.write(&below(number, "/all.m3u"), playlist(&shown).as_bytes())?;
        for situation in shown {
            folder.write(&below(number, situation.page), song(situation).as_bytes())?;
        }
    }
    Ok(())
}

const ROBOTS: &str = "User-agent: *\nDisallow: /admin/\n";
/// The playlist is linked from here only, last of all pages: a file's own page says more in a notice than a playlist.
const ABOUT: &str = "<p>We love music. Write to us.</p>\n\
    <p><a href=\"/all.m3u\">Play all</a> · <a href=\"/\">Home</a></p>";

fn page(title: &str, body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"zh-CN\">\n<head><meta charset=\"utf-8\"><title>{title}</title></head>\n\
         <body>\n<h1>{title}</h1>\n{body}\n</body>\n</html>\n"
    )
}

fn index(name: &str, shown: &[&Situation]) -> String {
    let mut body = "<ul>\n".to_owned();
    for situation in shown {
        body += &format!("<li><a href=\"{}\">{}</a></li>\n", situation.page, situation.title);
    }
    body += "</ul>\n<p><a href=\"/about.html\">About</a> · <a href=\"/admin/\">Staff</a></p>";
    page(name, &body)
}

/// The page of one file. Sites show music in different ways, and so do these.
fn song(situation: &Situation) -> String {
    let (title, file) = (situation.title, situation.file);
    let home = "<p><a href=\"/\">Home</a></p>";
    match situation.site {
        DOWNLOADS => format!(
            "<!doctype html>\n<html lang=\"zh-CN\">\n<head><meta charset=\"utf-8\"><title>{title}</title>\n\
             <meta property=\"og:type\" content=\"music.song\"><meta property=\"og:audio\" content=\"{file}\">\n\
             </head>\n<body>\n<h1>{title}</h1>\n<p><a href=\"{file}\" download>Download (320 kbps)</a></p>\n{home}\n\
             </body>\n</html>\n"
        ),
        MIXES => page(
            title,
            &format!(
                "<script type=\"application/ld+json\">{{\"@context\":\"https://schema.org\",\
                 \"@type\":\"AudioObject\",\"contentUrl\":\"{file}\"}}</script>\n\
                 <audio controls><source src=\"{file}\" type=\"audio/wav\"></audio>\n{home}"
            ),
        ),
        FORUM => page(title, &format!("<p>Attachment: <a href=\"{file}\">1.wav</a></p>\n{home}")),
        _ => page(title, &format!("<audio controls src=\"{file}\"></audio>\n{home}")),
    }
}

fn playlist(shown: &[&Situation]) -> String {
    let entries = shown.iter().map(|one| format!("#EXTINF:-1,{}\n{}\n", one.title, one.file));
    format!("#EXTM3U\n{}", entries.collect::<String>())
}

/// Everything that a site has, by path.
type Files = Arc<BTreeMap<String, PathBuf>>;

/// Serves each site from the folder until the runtime ends; must be called inside it.
pub(super) fn serve(folder: &Folder, listeners: Vec<TcpListener>) {
    for (site, listener) in listeners.into_iter().enumerate() {
        let router = Router::new().fallback(answer).with_state(files(folder, site));
        tokio::spawn(async move { axum::serve(listener, router).await });
    }
}

/// Only what the demonstration wrote is served, whatever a path asks for.
fn files(folder: &Folder, site: usize) -> Files {
    let mut paths = vec!["/index.html", "/robots.txt", "/about.html", "/all.m3u"];
    for situation in SITUATIONS.iter().filter(|one| one.site == site) {
        paths.extend([situation.page, situation.file]);
    }
    let mut files: BTreeMap<String, PathBuf> = BTreeMap::new();
    for path in paths {
        files.insert(path.to_owned(), folder.root.join(below(site, path)));
    }
    files.insert("/".to_owned(), folder.root.join(below(site, "/index.html")));
    Arc::new(files)
}

async fn answer(State(files): State<Files>, uri: Uri) -> Response {
    let Some(path) = files.get(uri.path()) else {
        return (StatusCode::NOT_FOUND, "not found").into_response();
    };
    match tokio::fs::read(path).await {
        Ok(bytes) => ([(header::CONTENT_TYPE, content_type(path))], bytes).into_response(),
        Err(_) => (StatusCode::INTERNAL_SERVER_ERROR, "the file is gone").into_response(),
    }
}

fn content_type(path: &Path) -> &'static str {
    match path.extension().and_then(|ending| ending.to_str()) {
        Some("html") => "text/html; charset=utf-8",
        Some("wav") => "audio/wav",
        Some("m3u") => "audio/x-mpegurl",
        _ => "text/plain; charset=utf-8",
    }
}

/// The address of a listener.
pub(super) fn addresses(listeners: &[TcpListener]) -> anyhow::Result<Vec<SocketAddr>> {
    listeners.iter().map(|listener| Ok(listener.local_addr()?)).collect()
}
