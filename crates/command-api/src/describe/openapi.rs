//! The HTTP door as OpenAPI 3.1.

use ledger_core::Command;
use projections::{VIEWS, ViewKind};
use serde_json::{Map, Value, json};

use super::components::{self, key, reference};
use crate::http::parameters::QUERY_PARAMETERS;
use crate::request::{ACTOR_HEADER, CORRELATION_HEADER, DRY_RUN_HEADER, EFFECTIVE_AT_HEADER};

pub(super) fn openapi() -> Value {
    let mut paths = Map::new();
    for kind in Command::KINDS.iter().filter(|kind| kind.public) {
        paths.insert(format!("/v1/commands/{}", kind.name), json!({ "post": command(kind.name) }));
    }
    paths.insert("/v1/commands".into(), json!({ "post": batch() }));
    paths.insert("/v1/commands/{id}".into(), json!({ "get": command_status() }));
    paths.insert("/v1/events".into(), json!({ "get": events() }));
    for view in VIEWS {
        let path = json!({ "get": view_by_parameters(view), "post": view_by_body(view) });
        paths.insert(format!("/v1/views/{}", view.name), path);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Bincard",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "An event-sourced inventory ledger for e-commerce",
            "description": "Every path is there under /v1/ledgers/{ledger}/ too, for ledgers other than the default one.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "paths": paths,
        "security": [{}, { "token": [] }],
        "components": {
            "schemas": components::schemas(),
            "securitySchemes": { "token": { "type": "http", "scheme": "bearer", "bearerFormat": "JWT" } },
        },
    })
}

fn command(name: &str) -> Value {
    let module = name.split('.').next().unwrap_or(name);
    let mut parameters = vec![header(
        "Idempotency-Key",
        "The command's id: the same id with the same body is the same command",
    )];
    parameters.extend(shared_headers());
    json!({
        "operationId": name,
        "tags": [module],
        "parameters": parameters,
        "requestBody": json_body(&reference(&key("command", name))),
        "responses": responses("The command was accepted, now or before", &reference("Reply"), &[400, 401, 403, 409, 422, 429, 503]),
    })
}

fn batch() -> Value {
    json!({
        "operationId": "batch",
        "tags": ["batch"],
        "parameters": shared_headers(),
        "requestBody": json_body(&reference("Batch")),
        "responses": responses("What became of each command, or of all", &reference("BatchReply"), &[400, 401, 403, 409, 422, 429, 503]),
    })
}

fn command_status() -> Value {
    let id = json!({ "name": "id", "in": "path", "required": true, "schema": { "type": "string" } });
    let min_position = json!({ "name": "min_position", "in": "query", "schema": { "type": "string" },
        "description": "The answer must include this position: what the caller has written before" });
    json!({
        "operationId": "command_status",
        "tags": ["command_status"],
        "parameters": [id, min_position],
        "responses": responses("The first outcome of the command", &reference("Reply"), &[400, 401, 403, 404, 409, 503]),
    })
}

fn events() -> Value {
    let parameter = |name: &str, at: &str, description: &str, schema: Value| json!({ "name": name, "in": at, "description": description, "schema": schema });
    let ordinal = json!({ "type": "integer", "minimum": 1 });
    let parameters = [
        parameter("from", "query", "The ordinal of the first event; 1 when absent", ordinal.clone()),
        parameter(
            "follow",
            "query",
            "Whether to wait for more at the end",
            json!({ "type": "boolean", "default": true }),
        ),
        parameter(
            "Last-Event-ID",
            "header",
            "The ordinal of the last event seen: goes on behind it",
            ordinal,
        ),
    ];
    let content = json!({
        "application/x-ndjson": { "schema": reference("CloudEvent") },
        "text/event-stream": { "schema": { "type": "string", "description": "id: the ordinal, event: the type, data: a CloudEvent" } },
    });
    let mut responses = responses(
        "Events in order, without an end unless follow is false",
        &reference("CloudEvent"),
        &[400, 503],
    );
    responses["200"]["content"] = content;
    json!({
        "operationId": "events",
        "tags": ["events"],
        "summary": "Every event from an ordinal on, one JSON object a line, or Server-Sent Events where they are accepted",
        "parameters": parameters,
        "responses": responses,
    })
}

fn view_by_parameters(view: &ViewKind) -> Value {
    let filters = view.filters();
    let names = filters.iter().map(String::as_str).chain(QUERY_PARAMETERS);
    let parameters = names.map(|name| json!({ "name": name, "in": "query", "schema": {} }));
    json!({
        "operationId": format!("get_{}", view.name),
        "tags": ["views"],
        "summary": view.summary,
        "parameters": parameters.collect::<Vec<_>>(),
        "responses": responses("A page", &reference(&key("page", view.name)), &[400, 401, 403, 409, 503]),
    })
}

fn view_by_body(view: &ViewKind) -> Value {
    json!({
        "operationId": format!("post_{}", view.name),
        "tags": ["views"],
        "summary": view.summary,
        "requestBody": json_body(&reference(&key("query", view.name))),
        "responses": responses("A page", &reference(&key("page", view.name)), &[400, 401, 403, 409, 503]),
    })
}

fn shared_headers() -> [Value; 4] {
    [
        header(EFFECTIVE_AT_HEADER, "When the fact was true, as RFC 3339; now when absent"),
        header(CORRELATION_HEADER, "What ties the command to what other systems did"),
        header(DRY_RUN_HEADER, "true: decide and answer, record nothing"),
        header(ACTOR_HEADER, "Who acts, where no token says it; anonymous when absent"),
    ]
}

fn header(name: &str, description: &str) -> Value {
    json!({ "name": name, "in": "header", "description": description, "schema": { "type": "string" } })
}

fn json_body(schema: &Value) -> Value {
    json!({ "required": true, "content": { "application/json": { "schema": schema } } })
}

fn responses(good: &str, schema: &Value, problems: &[u16]) -> Value {
    let mut responses = Map::new();
    let content = json!({ "application/json": { "schema": schema } });
    responses.insert("200".into(), json!({ "description": good, "content": content }));
    for status in problems {
        let content = json!({ "application/problem+json": { "schema": reference("Problem") } });
        responses.insert(status.to_string(), json!({ "description": meaning(*status), "content": content }));
    }
    Value::Object(responses)
}

fn meaning(status: u16) -> &'static str {
    match status {
        400 => "It cannot be understood",
        401 => "Nobody knows who asks: a valid token is wanted",
        403 => "The roles of whoever asks do not include this",
        404 => "There is no such thing",
        409 => "It contradicts what was accepted before, or asks for a position that is not of this log",
        422 => "The business says no",
        429 => "The queue is full, nothing happened",
        _ => "Not now: nothing happened, or the outcome is unknown; send it again with the same id",
    }
}
