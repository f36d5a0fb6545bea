//! The API's description, for people.

use std::sync::Arc;

use askama::Template;
use serde_json::Value;

use super::shell::Shell;
use crate::web::api::description;
use crate::web::app::App;
use crate::web::ask::Ask;
use crate::web::fault::Fault;
use crate::web::reply::Reply;
use crate::web::routes::routes;
use crate::web::words::PeopleWords;

#[derive(Template)]
#[template(path = "reference.html")]
struct ReferencePage<'a> {
    shell: Shell<'a>,
    w: &'static PeopleWords,
    about: String,
    operations: Vec<Operation>,
    schemas: Vec<(String, String)>,
}

/// One operation, as it is shown.
struct Operation {
    method: String,
    path: String,
    summary: String,
    needs: String,
    values: Vec<(String, String)>,
    sends: Option<String>,
    answers: Option<String>,
}

/// The name of what a schema refers to, or the schema itself.
fn schema_text(schema: &Value) -> String {
    match schema["$ref"].as_str() {
        Some(name) => name.rsplit('/').next().unwrap_or(name).to_owned(),
        None => serde_json::to_string(schema).unwrap_or_default(),
    }
}

/// The types of an answer that is no JSON.
fn types_of(answer: &Value) -> Option<String> {
    let types: Vec<&str> = answer["content"].as_object()?.keys().map(String::as_str).collect();
    Some(types.join(", ")).filter(|types| !types.is_empty())
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn operations(description: &Value) -> Vec<Operation> {
    let paths = description["paths"].as_object();
    let all = paths.into_iter().flatten().flat_map(|(path, methods)| {
        methods.as_object().into_iter().flatten().map(move |(method, one)| (path, method, one))
    });
    let read = |(path, method, one): (&String, &String, &Value)| {
        let parameters = one["parameters"].as_array().into_iter().flatten();
        let success =
            one["responses"].as_object().into_iter().flatten().find(|(status, _)| *status != "default");
        let json_of = |value: &Value| value.pointer("/content/application~1json/schema").map(schema_text);
        // A file is told by its type.
        let file_of = |value: &Value| value["content"].as_object()?.keys().next().cloned();
        Operation {
            method: method.to_uppercase(),
            path: path.clone(),
            summary: text(&one["summary"]),
            needs: text(&one["description"]),
            values: parameters.map(|one| (text(&one["name"]), text(&one["description"]))).collect(),
            sends: json_of(&one["requestBody"]).or_else(|| file_of(&one["requestBody"])),
            answers: success.and_then(|(_, answer)| json_of(answer).or_else(|| types_of(answer))),
        }
    };
    all.map(read).collect()
}

pub(super) fn page(app: &Arc<App>, ask: &Ask) -> Result<Reply, Fault> {
    let description = description(&routes());
    let schemas = description["components"]["schemas"].as_object().into_iter().flatten();
    let pretty = |schema: &Value| serde_json::to_string_pretty(schema).unwrap_or_default();
    Reply::page(&ReferencePage {
        shell: Shell::of(app, ask, "/api"),
        w: PeopleWords::of(ask.lang),
        about: text(&description["info"]["description"]),
        operations: operations(&description),
        schemas: schemas.map(|(name, schema)| (name.clone(), pretty(schema))).collect(),
    })
}
