//! `earwitness serve`: the review desk, its API and the scheduler.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::{Context, Exit, case_due, output};
use crate::base::SystemClock;
use crate::scan::Library;
use crate::web::{App, Dispatcher, Service, Watchman};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// What is told at the start where all clients would have one address.
const SHARED_ADDRESSES: &str = "serve.plain_http is set and serve.trusted_proxies names no proxy: all clients have the proxy's \
    address, so that one who makes too many requests, or guesses passwords, holds up all others; name the proxy in \
    serve.trusted_proxies";

/// Serve the review desk, its API and the scheduler
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The first account is made in a browser on this machine; after that people sign in. Other machines \
    reach the desk by TLS:\n\n  [serve]\n  listen = \"0.0.0.0:443\"\n  hosts = [\"desk.label.example\"]\n  \
    tls_certificate = \"desk.pem\"\n  tls_key = \"desk.key\"\n\nCtrl-C ends it after what is in hand. While it runs, it \
    has the store: other commands say so."
)]
pub(super) struct ServeArgs {
    /// Address and port to listen at [default: serve.listen, 127.0.0.1:8180]
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<String>,
}

pub(super) fn run(
    context: &Context,
    args: &ServeArgs,
    settings_file: Option<PathBuf>,
) -> anyhow::Result<Exit> {
    let mut settings = context.settings.clone();
    if let Some(listen) = &args.listen {
        settings.serve.listen.clone_from(listen);
    }
    let library = Library::open(context.open_store()?)?;
    let calendars = case_due::calendars(context)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let stop = CancellationToken::new();
    runtime.spawn(super::scanning::cancel_on_ctrl_c(stop.clone()));
    runtime.spawn(cancel_on_terminate(stop.clone()));
    let service = runtime.block_on(Service::bind(&settings.serve))?;
    let scheme = if service.has_tls() { "https" } else { "http" };
    let address = service.address();
    let app = App::new(
        (library, calendars),
        settings,
        settings_file,
        Arc::new(SystemClock),
        service.own_hosts(),
        stop.clone(),
    )?;
    output::note(context, &format!("the review desk is at {scheme}://{address}"));
    if context.json {
        output::json(&serde_json::json!({ "address": format!("{scheme}://{address}") }))?;
    }
    if app.settings().serve.shares_addresses() {
        output::told(SHARED_ADDRESSES);
    }
    let app = Arc::new(app);
    runtime.spawn(reload_on_hangup(Arc::clone(&app)));
    let drain = Duration::from_secs(app.settings().serve.drain_s);
    let watchman = Watchman::new(&app, runtime.handle().clone(), stop.clone())?;
    let watching = {
        let watchman = Arc::clone(&watchman);
        std::thread::Builder::new().name("watch".to_owned()).spawn(move || watchman.watch())?
    };
    let dispatcher = Dispatcher::new(&app, runtime.handle().clone(), stop.clone());
    let delivering =
        std::thread::Builder::new().name("webhooks".to_owned()).spawn(move || dispatcher.run())?;
    let served = runtime.block_on(service.run(app, stop.clone()));
    // Also where serving failed: what runs is to end in good order.
    stop.cancel();
    // A watch that panicked has nothing left to end.
    let _ = (watching.join(), delivering.join());
    if !watchman.wait(drain) {
        output::note(context, "some crawls did not end in time; they go on with the next start");
    }
    // What still runs on blocking threads must not hold the end up.
    runtime.shutdown_timeout(drain);
    served?;
    output::note(context, "ended");
    Ok(Exit::Done)
}

/// What service managers send ends the service in good order.
async fn cancel_on_terminate(stop: CancellationToken) {
    if let Ok(mut terminate) = signal(SignalKind::terminate()) {
        terminate.recv().await;
        stop.cancel();
    }
}

/// A hang-up has the configuration read again; one with a mistake is told, and the old one stays.
async fn reload_on_hangup(app: Arc<App>) {
    let Ok(mut hangup) = signal(SignalKind::hangup()) else { return };
    while hangup.recv().await.is_some() {
        let reading = Arc::clone(&app);
        let told = match tokio::task::spawn_blocking(move || reading.reload()).await {
            Ok(Ok(())) => "the configuration was read again".to_owned(),
            Ok(Err(error)) => format!("the configuration stays as it was: {error}"),
            Err(error) => format!("the configuration stays as it was: {error}"),
        };
        output::told(&told);
    }
}
