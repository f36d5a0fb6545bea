//! One row of `licences.csv` → one licence. All that is wrong with a row is told at once.

use std::collections::BTreeSet;

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

use super::import::{Cells, Problem};
use super::licence::{Licence, Operators, Scope, fold_isrc, fold_upc};
use super::operator::{normalise_operator, parse_domain};
use super::terms::{Layer, Right, Status};
use super::territory::{Territories, Territory};
use crate::base::{Digest, Timestamp};

/// The longest identifier or name, in bytes: as long as those of the catalogue.
const NAME_BYTES_MAX: usize = 512;

/// Years in which the start or end of a licence can lie; others are slips of the hand.
const YEARS: std::ops::RangeInclusive<i16> = 1900..=2200;

/// Collects the problems of a row while it is read.
struct Reading<'a> {
    cells: &'a Cells<'a>,
    zone: &'a TimeZone,
    problems: Vec<Problem>,
}

/// Reads one row.
pub(super) fn read(
    cells: &Cells<'_>,
    zone: &TimeZone,
    recorded_at: Timestamp,
) -> Result<Licence, Vec<Problem>> {
    let mut reading = Reading { cells, zone, problems: Vec::new() };
    let (width, header_width) = cells.widths();
    if width > header_width {
        let message =
            format!("the row has {width} cells, the header {header_width}; a cell with a comma needs quotes");
        return Err(vec![cells.problem("licence_id", message)]);
    }
    let licensor = reading.name("licensor");
    let licence = Licence {
        licence_id: reading.needed_name("licence_id"),
        version: 1,
        recorded_at,
        parent_licence_id: reading.name("parent_licence_id"),
        licensee: reading.needed_name("licensee"),
        operators: reading.operators(),
        scope: reading.scope(),
        rights: reading.rights(),
        layer: reading.word::<Layer>("layer"),
        // An owner owns alone unless the table says otherwise.
        exclusive: reading.flag("exclusive", licensor.is_none()),
        sublicensable: reading.flag("sublicensable", false),
        territories: reading.territories(),
        start: reading.instant("start", Edge::First),
        end: reading.instant("end", Edge::Last),
        status: reading.word::<Status>("status"),
        terminated_at: reading.instant("terminated_at", Edge::First),
        evidence_file_sha256: reading.digest(),
        licensor,
    };
    reading.check(&licence);
    if reading.problems.is_empty() { Ok(licence) } else { Err(reading.problems) }
}

/// Which end of a plain date's day is meant.
#[derive(Clone, Copy)]
enum Edge {
    /// Its first instant.
    First,
    /// The first instant after it: the day itself is still covered.
    Last,
}

impl Reading<'_> {
    fn wrong(&mut self, column: &str, message: impl Into<String>) {
        self.problems.push(self.cells.problem(column, message));
    }

    fn name(&mut self, column: &str) -> Option<String> {
        let name = self.cells.get(column)?.to_owned();
        if name.len() > NAME_BYTES_MAX {
            self.wrong(column, format!("is longer than {NAME_BYTES_MAX} bytes"));
            return None;
        }
        if name.chars().any(char::is_control) {
            self.wrong(column, "holds a control character or a line break");
            return None;
        }
        Some(name)
    }

    fn needed_name(&mut self, column: &str) -> String {
        if self.cells.get(column).is_none() {
            self.wrong(column, "is empty");
        }
        self.name(column).unwrap_or_default()
    }

    /// Reads a word; the default where the cell is empty.
    fn word<T: std::str::FromStr<Err = String> + Default>(&mut self, column: &str) -> T {
        let Some(cell) = self.cells.get(column) else { return T::default() };
        cell.parse().unwrap_or_else(|message: String| {
            self.wrong(column, message);
            T::default()
        })
    }

    fn flag(&mut self, column: &str, default: bool) -> bool {
        let Some(cell) = self.cells.get(column) else { return default };
        match cell.to_lowercase().as_str() {
            "yes" | "y" | "true" | "1" | "是" => true,
            "no" | "n" | "false" | "0" | "否" => false,
            _ => {
                self.wrong(column, format!("`{}` is neither yes nor no", shorten(cell)));
                default
            }
        }
    }

    fn operators(&mut self) -> Operators {
        let mut operators = Operators::default();
        for text in list(self.cells.get("licensee_domains").unwrap_or_default()) {
            if text.eq_ignore_ascii_case("none") || text == "-" {
                operators.none = true;
                continue;
            }
            match parse_domain(text) {
                Ok(domain) => _ = operators.domains.insert(domain),
                // A name with spaces is an operator as the configuration of a site may name it.
                Err(_) if text.contains(' ') => _ = operators.domains.insert(normalise_operator(text)),
                Err(message) => self.wrong("licensee_domains", message),
            }
        }
        if operators.none && !operators.domains.is_empty() {
            self.wrong("licensee_domains", "says `none` and names domains");
        }
        let accounts = self.cells.get("licensee_accounts").unwrap_or_default();
        operators.accounts = accounts
            .split(['|', ';', ','])
            .map(str::trim)
            .filter(|text| !text.is_empty())
            .map(str::to_owned)
            .collect();
        operators
    }

    fn scope(&mut self) -> Scope {
        let Some(cell) = self.cells.get("scope") else { return Scope::All };
        if cell.eq_ignore_ascii_case("all") {
            return Scope::All;
        }
        let (kind, rest) = cell.split_once(':').unwrap_or((cell, ""));
        let items: Vec<&str> =
            rest.split(['|', ';']).map(str::trim).filter(|item| !item.is_empty()).collect();
        if items.is_empty() {
            self.wrong(
                "scope",
                format!(
                    "`{}` is neither `all` nor a list like `label:A|B`, `isrc:…`, `upc:…`, `recording:…`",
                    shorten(cell)
                ),
            );
            return Scope::All;
        }
        match kind.trim().to_lowercase().as_str() {
            "label" => Scope::Label(items.into_iter().map(str::to_owned).collect()),
            "recording" | "recording_id" => Scope::Recording(items.into_iter().map(str::to_owned).collect()),
            "upc" | "ean" => Scope::Upc(self.codes(&items, "UPC or EAN", |item| {
                let digits =
                    item.len() >= 8 && item.len() <= 14 && item.bytes().all(|byte| byte.is_ascii_digit());
                (digits && check_digit_fits(item)).then(|| fold_upc(item))
            })),
            "isrc" => Scope::Isrc(self.codes(&items, "ISRC", |item| {
                let isrc = fold_isrc(item);
                is_isrc(&isrc).then_some(isrc)
            })),
            other => {
                self.wrong(
                    "scope",
                    format!("`{}` is none of all, label, upc, isrc, recording", shorten(other)),
                );
                Scope::All
            }
        }
    }

    fn codes(
        &mut self,
        items: &[&str],
        what: &str,
        read: impl Fn(&str) -> Option<String>,
    ) -> BTreeSet<String> {
        let mut codes = BTreeSet::new();
        for item in items {
            match read(item) {
                Some(code) => _ = codes.insert(code),
                None => self.wrong("scope", format!("`{}` is no {what}", shorten(item))),
            }
        }
        codes
    }

    fn rights(&mut self) -> BTreeSet<Right> {
        let mut rights = BTreeSet::new();
        let cell = self.cells.get("right").unwrap_or(Right::MakingAvailable.as_str());
        for word in cell.split(['|', ';', ',', '+']).map(str::trim).filter(|word| !word.is_empty()) {
            match word.parse() {
                Ok(right) => _ = rights.insert(right),
                Err(message) => self.wrong("right", message),
            }
        }
        if rights.is_empty() && self.problems.is_empty() {
            self.wrong("right", "names no right");
        }
        rights
    }

    fn territories(&mut self) -> Territories {
        let cell = self.cells.get("territories").unwrap_or_default();
        let excluded = self.cells.get("excluded_territories").unwrap_or_default();
        let mut both = cell.to_owned();
        for code in list(excluded) {
            let code = code.trim_start_matches(['-', '!']);
            if let Err(error) = code.parse::<Territory>() {
                self.wrong("excluded_territories", error.to_string());
                return Territories::WORLDWIDE;
            }
            both = format!("{both} -{code}");
        }
        both.parse().unwrap_or_else(|error: super::TerritoryError| {
            self.wrong("territories", error.to_string());
            Territories::WORLDWIDE
        })
    }

    fn instant(&mut self, column: &str, edge: Edge) -> Option<Timestamp> {
        let cell = self.cells.get(column)?;
        let instant = parse_instant(cell, edge, self.zone);
        match instant {
            Some(instant) if YEARS.contains(&instant.to_zoned(TimeZone::UTC).year()) => Some(instant),
            Some(_) => {
                self.wrong(
                    column,
                    format!("`{}` is not in the years {} to {}", shorten(cell), YEARS.start(), YEARS.end()),
                );
                None
            }
            None => {
                let forms = "a date (2017-02-01) or an instant (2017-02-01T00:00:00+08:00)";
                self.wrong(column, format!("`{}` is not {forms}", shorten(cell)));
                None
            }
        }
    }

    fn digest(&mut self) -> Option<Digest> {
        let cell = self.cells.get("evidence_file_sha256")?;
        match cell.to_lowercase().parse() {
            Ok(digest) => Some(digest),
            Err(error) => {
                self.wrong("evidence_file_sha256", format!("{error}"));
                None
            }
        }
    }

    /// What only shows between the cells.
    fn check(&mut self, licence: &Licence) {
        if let (Some(start), Some(end)) = (licence.start, licence.end)
            && end <= start
        {
            self.wrong("end", format!("ends ({end}) before it starts ({start})"));
        }
        if licence.status == Status::Terminated
            && licence.terminated_at.is_none()
            && self.cells.get("terminated_at").is_none()
        {
            self.wrong("terminated_at", "is empty, but the status is terminated");
        }
        if licence.licensor.is_none() && licence.parent_licence_id.is_some() {
            self.wrong("licensor", "is empty (a statement of ownership), but a parent licence is named");
        }
        if licence.parent_licence_id.as_deref() == Some(licence.licence_id.as_str()) {
            self.wrong("parent_licence_id", "is the licence itself");
        }
    }
}

fn parse_instant(text: &str, edge: Edge, zone: &TimeZone) -> Option<Timestamp> {
    if let Ok(instant) = text.parse::<Timestamp>() {
        return Some(instant);
    }
    // Spreadsheets write 2017/2/1.
    let dashed = slashed_date(text).unwrap_or_else(|| text.to_owned());
    if dashed.len() <= 10
        && let Ok(date) = dashed.parse::<Date>()
    {
        let day = match edge {
            Edge::First => date,
            Edge::Last => date.tomorrow().ok()?,
        };
        return Some(day.to_zoned(zone.clone()).ok()?.timestamp());
    }
    let time = dashed.parse::<DateTime>().ok()?;
    Some(time.to_zoned(zone.clone()).ok()?.timestamp())
}

fn slashed_date(text: &str) -> Option<String> {
    let parts: Vec<&str> = text.split('/').collect();
    let [year, month, day] = parts.as_slice() else { return None };
    let digits = |part: &str, longest: usize| {
        (1..=longest).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
    };
    (year.len() == 4 && digits(year, 4) && digits(month, 2) && digits(day, 2))
        .then(|| format!("{year}-{month:0>2}-{day:0>2}"))
}

/// ISO 3901: two letters, three letters or digits, seven digits; there is no check digit.
fn is_isrc(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() == 12
        && bytes[..2].iter().all(u8::is_ascii_uppercase)
        && bytes[2..5].iter().all(u8::is_ascii_alphanumeric)
        && bytes[5..].iter().all(u8::is_ascii_digit)
}

/// GS1: weights 3 and 1 from the right, without the check digit; the sum with it is a multiple of ten.
fn check_digit_fits(digits: &str) -> bool {
    let weighted = digits.bytes().rev().enumerate().map(|(n, digit)| {
        let digit = u32::from(digit.saturating_sub(b'0'));
        if n % 2 == 1 { 3 * digit } else { digit }
    });
    weighted.sum::<u32>() % 10 == 0
}

fn list(cell: &str) -> impl Iterator<Item = &str> {
    cell.split(['|', ';', ',']).map(str::trim).filter(|item| !item.is_empty())
}

fn shorten(text: &str) -> String {
    text.chars().take(60).collect()
}
