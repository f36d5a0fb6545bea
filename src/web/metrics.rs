//! Figures for those who keep the service running, in the text form that Prometheus and OpenMetrics read. No label has
//! a value from outside: series stay few.

use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use super::app::App;
use super::fault::Fault;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    /// The route as it stands in the table, not the address.
    route: &'static str,
    method: &'static str,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StateLabel {
    state: &'static str,
}

/// The figures of a service.
pub(super) struct Metrics {
    requests: Family<RequestLabels, Counter>,
    durations: Histogram,
    sign_ins_failed: Counter,
    listened: Counter,
    unreadable: Counter,
    findings: Counter,
    webhooks_delivered: Counter,
    webhooks_failed: Counter,
}

/// Upper bounds of the buckets of answers' durations, in seconds.
const BUCKETS_S: [f64; 10] = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0];

impl Metrics {
    pub(super) fn new() -> Self {
        Self {
            requests: Family::default(),
            durations: Histogram::new(BUCKETS_S),
            sign_ins_failed: Counter::default(),
            listened: Counter::default(),
            unreadable: Counter::default(),
            findings: Counter::default(),
            webhooks_delivered: Counter::default(),
            webhooks_failed: Counter::default(),
        }
    }

    pub(super) fn answered(&self, route: &'static str, method: &'static str, status: u16, seconds: f64) {
        self.requests.get_or_create(&RequestLabels { route, method, status }).inc();
        self.durations.observe(seconds);
    }

    /// A file was listened to, or could not be; so many recordings were found in it.
    pub(super) fn listened(&self, could_be_read: bool, findings: usize) {
        if could_be_read {
            self.listened.inc()
        } else {
            self.unreadable.inc()
        };
        self.findings.inc_by(findings as u64);
    }

    /// An event was taken by a webhook's receiver, or was not.
    pub(super) fn webhook_tried(&self, is_taken: bool) {
        if is_taken {
            self.webhooks_delivered.inc()
        } else {
            self.webhooks_failed.inc()
        };
    }

    pub(super) fn sign_in_failed(&self) {
        self.sign_ins_failed.inc();
    }
}

/// Writes all figures: those that were counted, and how the store stands now.
pub(super) fn text(app: &App) -> Result<String, Fault> {
    let metrics = &app.metrics;
    let mut registry = Registry::with_prefix("earwitness");
    registry.register("http_requests", "Requests that were answered", metrics.requests.clone());
    registry.register_with_unit(
        "http_request_duration",
        "How long answers took",
        Unit::Seconds,
        metrics.durations.clone(),
    );
    registry.register("sign_ins_failed", "Attempts to sign in that failed", metrics.sign_ins_failed.clone());
    registry.register("files_heard", "Files that were listened to", metrics.listened.clone());
    registry.register("files_unreadable", "Files that could not be read", metrics.unreadable.clone());
    registry.register("findings", "Recordings that were found in files", metrics.findings.clone());
    let (delivered, failed) = (metrics.webhooks_delivered.clone(), metrics.webhooks_failed.clone());
    registry.register("webhooks_delivered", "Events that receivers of webhooks took", delivered);
    registry.register("webhooks_failed", "Tries to deliver to a webhook that failed", failed);
    let running: Gauge = Gauge::default();
    running.set(i64::try_from(app.runs.count()).unwrap_or(i64::MAX));
    registry.register("crawls_running", "Sites that are being crawled", running);
    let cases = Family::<StateLabel, Gauge>::default();
    for (state, count) in app.desk.counts(app.store())? {
        let label = StateLabel { state: state.as_str() };
        cases.get_or_create(&label).set(i64::try_from(count).unwrap_or(i64::MAX));
    }
    registry.register("cases", "Cases by where they stand", cases);
    let free = crate::store::system_free_space(app.store().path()).unwrap_or(0);
    let free_bytes = Gauge::<f64, AtomicU64>::default();
    free_bytes.set(free as f64);
    registry.register_with_unit(
        "store_disk_free",
        "What is free on the store's file system",
        Unit::Bytes,
        free_bytes,
    );
    let mut text = String::new();
    encode(&mut text, &registry).map_err(|error| Fault::internal(&error))?;
    Ok(text)
}
