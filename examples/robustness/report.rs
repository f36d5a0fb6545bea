//! Figures → tables for people, lines for machines.

use std::io::{self, Write as _};

use comfy_table::{CellAlignment, Table, presets};
use serde_json::json;

use crate::corpus::Corpus;
use crate::stats::percentile;
use crate::summary::{Row, Summary};

/// Accusations and errors that are named; the others are counted.
const NAMED_MAX: usize = 20;

/// What these figures do not show; printed under every table.
const FOOTER: &str = "\
What this does not show: how the engine does on music unlike this folder's, or against a much larger catalogue; with
recordings of loudspeakers in rooms, with other programs' stretching, or with several alterations at once. The voice is
synthetic, the room a simple one. The strangers of this folder may be nearer to the catalogue than the world's (the
same artists, studio, loops) or further from it. The intervals hold for excerpts drawn like these from these tracks;
excerpts of one track are not independent, so that a few tracks tell less than the intervals say.";

fn line(text: &str) {
    // A closed pipe is no error: the reader has had enough.
    let _ = writeln!(io::stdout().lock(), "{text}");
}

/// Prints the figures as JSON Lines: the rows, then the whole.
pub(crate) fn json(corpus: &Corpus, summary: &Summary, seed: u64, limit: f64) {
    let print = |value: serde_json::Value| line(&value.to_string());
    for row in &summary.rows {
        print(json!({ "row": row.json() }));
    }
    for row in summary.groups.iter().chain([&summary.total]) {
        print(json!({ "total": row.json() }));
    }
    print(json!({ "run": {
        "seed": seed, "limit": limit,
        "catalogue": corpus.catalogue.len(), "strangers": corpus.strangers.len(),
        "copies_put_aside": corpus.copies, "groups_of_copies": corpus.groups, "unread": corpus.unread.len(),
        "accused_95_percent_at_most": summary.total.accused.upper_bound_percent(),
        "calibration": summary.calibration, "mix": summary.mix,
        "cost_median_ms": summary.cost_median_ms, "cost_p95_ms": summary.cost_p95_ms,
        "accusations": summary.accusations, "errors": summary.errors,
    } }));
}

/// Prints the figures as tables.
pub(crate) fn tables(corpus: &Corpus, summary: &Summary, limit: f64) {
    line(&describe(corpus));
    line(&table_of(&summary.rows));
    line("\nTogether, with 95 % intervals (reversed copies are not asked for):");
    line(&totals(summary));
    strangers(summary, limit);
    calibration(summary);
    if let Some(mix) = summary.mix {
        let edges = number(mix.edge_error_median_s, 2);
        line(&format!(
            "\nMixes: {} of catalogue and strangers; F1 by time {:.3}, starts and ends off by {edges} s in the median",
            mix.mixes, mix.f1
        ));
    }
    line(&format!(
        "\nCost of a query beyond decoding (analysis and search): {} ms in the median, {} ms at 95 %",
        number(summary.cost_median_ms, 0),
        number(summary.cost_p95_ms, 0)
    ));
    named("Not measured", &summary.errors);
    line(&format!("\n{FOOTER}"));
}

fn describe(corpus: &Corpus) -> String {
    let hours = |of: &[usize]| of.iter().map(|&track| corpus.tracks[track].duration_s).sum::<f64>() / 3600.0;
    let mut text = format!(
        "Catalogue: {} tracks, {:.1} h. Strangers: {} tracks, {:.1} h.",
        corpus.catalogue.len(),
        hours(&corpus.catalogue),
        corpus.strangers.len(),
        hours(&corpus.strangers)
    );
    if corpus.copies > 0 {
        let (copies, groups) = (corpus.copies, corpus.groups);
        text += &format!(" {copies} tracks are copies of others ({groups} groups) and were put aside.");
    }
    if !corpus.unread.is_empty() {
        text += &format!(" {} files gave no audio (named on stderr).", corpus.unread.len());
    }
    text
}

fn new_table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_BORDERS_ONLY).set_header(header.to_vec());
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

fn table_of(rows: &[Row]) -> String {
    let header = [
        "attack",
        "s",
        "n",
        "recall %",
        "track only %",
        "place error s",
        "p95",
        "time error % p95",
        "pitch error st p95",
        "strangers",
        "accused",
    ];
    let mut table = new_table(&header);
    for row in rows {
        let length = if row.length_s > 0.0 { row.length_s.to_string() } else { "set".to_owned() };
        table.add_row([
            row.name.clone(),
            length,
            row.place.of.to_string(),
            number(row.place.percent(), 1),
            number(row.track.percent(), 1),
            number(percentile(&row.place_errors_s, 0.5), 3),
            number(percentile(&row.place_errors_s, 0.95), 3),
            number(percentile(&row.time_errors_percent, 0.95), 2),
            number(percentile(&row.pitch_errors_semitones, 0.95), 2),
            row.accused.of.to_string(),
            row.accused.hits.to_string(),
        ]);
    }
    table.to_string()
}

fn totals(summary: &Summary) -> String {
    let mut table = new_table(&[
        "group",
        "n",
        "recall %",
        "95 %",
        "track only %",
        "another named too",
        "strangers",
        "accused",
    ]);
    for row in summary.groups.iter().chain([&summary.total]) {
        let (low, high) = row.place.bounds();
        table.add_row([
            row.name.clone(),
            row.place.of.to_string(),
            number(row.place.percent(), 1),
            format!("{low:.1} – {high:.1}"),
            number(row.track.percent(), 1),
            format!("{} of {}", row.others.hits, row.others.of),
            row.accused.of.to_string(),
            row.accused.hits.to_string(),
        ]);
    }
    table.to_string()
}

fn strangers(summary: &Summary, limit: f64) {
    let accused = summary.total.accused;
    if accused.of == 0 {
        return line("\nFalse accusations: not measured, there are no strangers.");
    }
    line(&format!(
        "\nFalse accusations at a limit of {limit}: {} of {} queries of strangers; with 95 %, at most {:.2} %{}",
        accused.hits,
        accused.of,
        accused.upper_bound_percent(),
        if accused.hits == 0 { " (rule of three)" } else { "" }
    ));
    named("Accused", &summary.accusations);
}

fn named(title: &str, texts: &[String]) {
    for text in texts.iter().take(NAMED_MAX) {
        line(&format!("  {title}: {text}"));
    }
    if texts.len() > NAMED_MAX {
        line(&format!("  {title}: {} more", texts.len() - NAMED_MAX));
    }
}

fn calibration(summary: &Summary) {
    if summary.total.accused.of == 0 {
        return;
    }
    line(
        "\nCalibration: of the strangers' queries, how many reach a log10_false_match, and how many should:",
    );
    let mut table = new_table(&["log10_false_match ≤", "should %", "did %", "95 %", "queries"]);
    for decade in &summary.calibration {
        let (low, high) = decade.bounds_percent;
        let did = 100.0 * decade.reached as f64 / decade.strangers.max(1) as f64;
        table.add_row([
            decade.log10.to_string(),
            format!("{:.*}", (-2 - decade.log10).max(0) as usize, 100.0 * 10f64.powi(decade.log10)),
            format!("{did:.2}"),
            format!("{low:.2} – {high:.2}"),
            format!("{} of {}", decade.reached, decade.strangers),
        ]);
    }
    line(&table.to_string());
}

fn number(value: Option<f64>, digits: usize) -> String {
    value.map_or_else(|| "–".to_owned(), |value| format!("{value:.digits$}"))
}
