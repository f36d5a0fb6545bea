//! The description of the API (OpenAPI 3.1), made of the table of routes.

use std::sync::{Arc, LazyLock};

use axum::http::StatusCode;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::endpoint::Endpoint;
use crate::web::access::Access;
use crate::web::app::App;
use crate::web::ask::Ask;
use crate::web::fault::{Fault, Problem};
use crate::web::reply::Reply;
use crate::web::routes::{Route, routes};

static DESCRIPTION: LazyLock<Value> = LazyLock::new(|| description(&routes()));

/// The description, as a program reads it.
pub(super) fn get(_: &Arc<App>, _: &Ask) -> Result<Reply, Fault> {
    Reply::json(StatusCode::OK, &*DESCRIPTION)
}

/// The description of all routes that have one.
pub(in crate::web) fn description(routes: &[Route]) -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    });
    let mut generator = settings.into_generator();
    let problem = generator.subschema_for::<Problem>();
    let mut paths: Map<String, Value> = Map::new();
    for route in routes {
        let Some(endpoint) = route.endpoint else { continue };
        let operation = operation(route, endpoint, &mut generator);
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        path[route.method.as_str().to_lowercase()] = operation;
    }
    let schemas = generator.take_definitions(true);
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Earwitness",
            "version": "1",
            "description": "What the review desk can do. Faults are problem+json (RFC 9457). Lists go on where `next` says: \
                send it as `after`. A write with an `Idempotency-Key` is done once, however often it is sent within a day."
        },
        "servers": [{ "url": "/" }],
        "security": [{ "token": [] }],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": { "token": { "type": "http", "scheme": "bearer" } },
            "responses": {
                "Problem": {
                    "description": "Why it was not done",
                    "content": { "application/problem+json": { "schema": problem } }
                }
            }
        }
    })
}

fn operation(route: &Route, endpoint: &Endpoint, generator: &mut schemars::SchemaGenerator) -> Value {
    let mut parameters: Vec<Value> = route
        .path
        .split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| {
            let schema = json!({ "type": "string", "minLength": 1, "maxLength": 200 });
            json!({ "name": name, "in": "path", "required": true, "schema": schema })
        })
        .collect();
    parameters.extend(endpoint.query.iter().map(|param| {
        let schema = json!({ "type": param.kind });
        json!({ "name": param.name, "in": "query", "required": false, "description": param.about, "schema": schema })
    }));
    if endpoint.is_once {
        parameters.push(json!({
            "name": "Idempotency-Key", "in": "header", "required": false,
            "description": "1 to 100 visible ASCII characters; the same key and body are answered the same, and done once",
            "schema": { "type": "string", "pattern": "^[!-~]{1,100}$" }
        }));
    }
    if endpoint.is_ranged {
        parameters.push(json!({
            "name": "Range", "in": "header", "required": false,
            "description": "One range of bytes (RFC 9110, section 14)", "schema": { "type": "string" }
        }));
    }
    let mut content = Map::new();
    if let Some(answer) = endpoint.answer {
        content.insert("application/json".to_owned(), json!({ "schema": answer(generator) }));
    }
    // Bytes have no schema.
    content.extend(endpoint.types.iter().map(|one| ((*one).to_owned(), json!({}))));
    let success = json!({ "description": endpoint.summary, "content": content });
    let mut operation = json!({
        "summary": endpoint.summary,
        "tags": [endpoint.tag],
        "operationId": operation_id(route),
        "parameters": parameters,
        "responses": {
            endpoint.status.to_string(): success,
            "default": { "$ref": "#/components/responses/Problem" }
        }
    });
    if endpoint.is_ranged {
        for (status, about) in [("206", "The part that was asked for"), ("416", "There is no such part")] {
            operation["responses"][status] = json!({ "description": about, "content": content });
        }
    }
    if let Access::Needs(role) = route.access {
        operation["description"] = Value::String(format!("Needs the role `{role}`."));
    }
    if let Some(body) = endpoint.body {
        let content = json!({ "application/json": { "schema": body(generator) } });
        operation["requestBody"] = json!({ "required": true, "content": content });
    }
    if let Some(content_type) = endpoint.file {
        operation["requestBody"] = json!({ "required": true, "content": { content_type: {} } });
    }
    operation
}

/// A name of its own for each operation: `get_cases_case_id`.
fn operation_id(route: &Route) -> String {
    let path = route.path.trim_start_matches("/api/v1/").replace(['/', '-'], "_").replace(['{', '}'], "");
    format!("{}_{path}", route.method.as_str().to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_of_the_api_is_described_once() {
        let routes = routes();
        let description = description(&routes);
        let mut ids = std::collections::BTreeSet::new();
        let mut described = 0;
        for route in routes.iter().filter(|route| route.path.starts_with("/api/v1/")) {
            let operation = &description["paths"][route.path][route.method.as_str().to_lowercase()];
            assert!(operation["summary"].is_string(), "{} {} is not described", route.method, route.path);
            assert!(ids.insert(operation["operationId"].to_string()), "{}", operation["operationId"]);
            described += 1;
        }
        assert!(described > 5);
        // What is referred to is there.
        let text = description.to_string();
        for part in text.split("\"$ref\":\"#").skip(1) {
            let pointer = part.split('"').next().unwrap_or_default();
            assert!(description.pointer(pointer).is_some(), "{pointer}");
        }
    }
}
