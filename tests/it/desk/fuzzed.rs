//! The API against its own description: schemathesis sends what the description allows, and much that it does not.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::Desk;
use super::deciding::token;
use crate::evidence::House;

/// Requests made up for each endpoint in each phase, about.
const EXAMPLES: &str = "8";

fn schemathesis() -> Option<PathBuf> {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tools/schemathesis/bin/schemathesis");
    if !program.is_file() {
        eprintln!("SKIPPED: schemathesis is not in target/tools (`.ci/run` puts it there)");
        return None;
    }
    Some(program)
}

#[test]
fn no_request_breaks_the_service_or_its_description() {
    let Some(program) = schemathesis() else { return };
    let house = House::new();
    // Whatever is made up, nothing of it leaves this machine.
    let settings = "[serve]\nrequests_a_second = 0\n[fetch]\nproxy = \"http://127.0.0.1:9\"\n";
    std::fs::write(house.path().join("earwitness.toml"), settings).unwrap();
    let desk = Desk::serve(house.path());
    let token = token(&desk);
    let mut client = super::Client::bearer(&desk.address, &token);
    assert_eq!(client.send_json("PUT", "/api/v1/sites/*/pause", &serde_json::json!({})).status, 200);
    let description = client.get("/api/v1/openapi.json").json();
    let operations: usize =
        description["paths"].as_object().unwrap().values().map(|path| path.as_object().unwrap().len()).sum();
    let run = Command::new("timeout")
        .arg("600")
        .arg(program)
        .current_dir(house.path())
        .args(["run", &format!("http://{}/api/v1/openapi.json", desk.address)])
        .args(["--header", &format!("Authorization: Bearer {token}")])
        .args(["--checks", "not_a_server_error,response_schema_conformance,content_type_conformance"])
        .args(["--max-examples", EXAMPLES, "--seed", "6", "--phases", "examples,coverage,fuzzing"])
        // They would take away the very token that it asks with.
        .args([
            "--exclude-operation-id",
            "delete_tokens_token_id",
            "--exclude-operation-id",
            "patch_accounts_name",
        ])
        // It cannot make up a file; `verify` sends broken ones.
        .args(["--exclude-path", "/api/v1/bundles/verify"])
        .args(["--suppress-health-check", "all", "--warnings", "off", "--no-color", "--continue-on-failure"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&run.stdout).into_owned();
    assert!(run.status.success(), "{said}{}", String::from_utf8_lossy(&run.stderr));
    // All but the three and the description itself, and counted so by whoever asked.
    let selected = format!("{}", operations - 4);
    assert!(
        said.split_whitespace().any(|word| word == selected) && operations > 30,
        "{operations} operations: {said}"
    );
    // It was let in to the end, and all is whole.
    assert_eq!(client.get("/api/v1/me").status, 200);
    assert_eq!(desk.end(), 0);
    house.run(&["store", "check"]).code(0);
}
