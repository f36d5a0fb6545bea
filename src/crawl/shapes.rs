//! Pages that are made without end: by a calendar that goes on for ever, by a query that may hold anything. Each rule
//! names a shape that such URLs have in common, and how many URLs of one shape are worth reading.

use url::Url;

/// Pages that differ in their query only. A forum's list of a hundred thousand topics is as long as that.
const QUERIES_MAX: u32 = 20_000;
/// Pages that differ in the values of a query of this many parameters or more: filters that can be combined.
const FILTERS: usize = 4;
const FILTERED_MAX: u32 = 500;
/// Pages of one calendar: a year's days, and as many again.
const DATES_MAX: u32 = 800;

/// What URLs have in common.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Shape {
    /// What is the same in all.
    pub(super) text: String,
    /// How many of them are read.
    pub(super) max: u32,
    /// What they are, for people.
    pub(super) what: &'static str,
}

/// Returns the shapes that `url` has.
pub(super) fn of(url: &Url) -> Vec<Shape> {
    let mut shapes = Vec::new();
    let host = url.host_str().unwrap_or_default();
    if let Some(query) = url.query() {
        let (text, what) = (format!("query {host}{}", url.path()), "very many queries to one page");
        shapes.push(Shape { text, max: QUERIES_MAX, what });
        let mut names: Vec<&str> =
            query.split('&').map(|pair| pair.split('=').next().unwrap_or_default()).collect();
        if names.len() >= FILTERS {
            names.sort_unstable();
            let text = format!("filters {host}{}?{}", url.path(), names.join("&"));
            shapes.push(Shape {
                text,
                max: FILTERED_MAX,
                what: "very many combinations of a page's filters",
            });
        }
    }
    if is_dated(url) {
        let plain = |text: &str| -> String { text.chars().filter(|c| !c.is_ascii_digit()).collect() };
        let text = format!("dates {host}{}?{}", plain(url.path()), plain(url.query().unwrap_or_default()));
        shapes.push(Shape { text, max: DATES_MAX, what: "very many pages of a calendar" });
    }
    shapes
}

/// Whether the page is one of a calendar: a year with a month, and a word that calendars have.
fn is_dated(url: &Url) -> bool {
    const WORDS: &[&str] = &[
        "calendar",
        "kalender",
        "calendrier",
        "calendario",
        "agenda",
        "event",
        "date",
        "month",
        "year",
        "day",
    ];
    let text = format!("{}?{}", url.path(), url.query().unwrap_or_default()).to_ascii_lowercase();
    let numbers: Vec<&str> =
        text.split(|c: char| !c.is_ascii_digit()).filter(|run| !run.is_empty()).collect();
    let is_year = |run: &&&str| run.len() == 4 && matches!(run.parse(), Ok(1900..=2999));
    let has_date = numbers.iter().any(|run| run.len() == 8)
        || numbers.iter().find(is_year).is_some() && numbers.len() > 1;
    has_date && WORDS.iter().any(|word| text.contains(word))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn shapes(text: &str) -> Vec<&'static str> {
        of(&Url::parse(text).unwrap()).into_iter().map(|shape| shape.what).collect()
    }

    #[test]
    fn calendars_queries_and_filters() {
        assert!(shapes("http://a.example/music/2024/song").is_empty());
        assert_eq!(shapes("http://a.example/calendar/2024/05/"), ["very many pages of a calendar"]);
        assert_eq!(shapes("http://a.example/events?month=2024-05").len(), 2);
        assert_eq!(shapes("http://a.example/list?page=3"), ["very many queries to one page"]);
        assert_eq!(shapes("http://a.example/list?a=1&b=2&c=3&d=4").len(), 2);
        let text = |url: &str| of(&Url::parse(url).unwrap())[0].text.clone();
        assert_eq!(text("http://a.example/calendar/2024/05/"), text("http://a.example/calendar/2025/11/"));
        assert_ne!(text("http://a.example/calendar/2024/05/"), text("http://b.example/calendar/2024/05/"));
    }
}
