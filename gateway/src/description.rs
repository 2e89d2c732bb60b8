//! The API's description (OpenAPI 3.1), as `/openapi.json` answers it: what the routes say of themselves, and what
//! holds of all of them.

use serde_json::{json, Map, Value};
use std::collections::BTreeSet;
use utoipa::OpenApi;

#[derive(OpenApi)]
#[openapi(info(
    title = "OpenLedger gateway",
    description = "The chain's history, uploads, live training and chat, for browsers and programs. \
        Amounts are decimal strings of plancks (10⁻¹⁸ OPEN), accounts SS58, hashes lower-case \
        hexadecimal, content ids textual CIDs, times milliseconds since 1970. Answers carry every field; \
        one that has nothing to say is null."
))]
struct Described;

const SCHEMAS: &str = "#/components/schemas/";

/// Where routes are added to.
pub(crate) fn begin() -> utoipa::openapi::OpenApi {
    Described::openapi()
}

/// What routes cannot say each for itself.
///
/// Fields without a value are null in answers and never left out, so that all fields of what is answered are
/// required; those of requests are as their types say. And whatever a route does not name is an error like
/// the others: a wrong method, a host that is not ours, a node that does not answer.
pub(crate) fn finish(api: &utoipa::openapi::OpenApi) -> Value {
    let mut api = serde_json::to_value(api).unwrap_or_default();
    let mut answered = BTreeSet::new();
    for operation in operations(&mut api) {
        let Some(responses) = operation.get_mut("responses") else { continue };
        require(responses);
        referred(responses, &mut answered);
        let schema = json!({ "$ref": format!("{SCHEMAS}ErrorBody") });
        responses["default"] = json!({
            "description": "Any other refusal",
            "content": { "application/json": { "schema": schema } },
        });
    }
    let Some(schemas) = api.pointer_mut("/components/schemas").and_then(Value::as_object_mut)
    else {
        return api;
    };
    // What answers hold holds more.
    loop {
        let before = answered.len();
        for name in answered.clone() {
            referred(schemas.get(&name).unwrap_or(&Value::Null), &mut answered);
        }
        if answered.len() == before {
            break;
        }
    }
    for (_, schema) in schemas.iter_mut().filter(|(name, _)| answered.contains(*name)) {
        require(schema);
    }
    // Pages repeat what their entries are.
    let named: Vec<(String, Value)> = schemas
        .iter()
        .filter(|(_, schema)| schema.get("properties").is_some())
        .map(|(name, schema)| (name.clone(), schema.clone()))
        .collect();
    for schema in schemas.values_mut() {
        fields_of(schema).into_iter().for_each(|field| refer(field, &named));
    }
    api
}

fn operations(api: &mut Value) -> impl Iterator<Item = &mut Map<String, Value>> {
    let paths = api.get_mut("paths").and_then(Value::as_object_mut).into_iter().flatten();
    paths
        .filter_map(|(_, methods)| methods.as_object_mut())
        .flatten()
        .filter_map(|(_, operation)| operation.as_object_mut())
}

/// The schemas that something refers to.
fn referred(value: &Value, names: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            let name = fields.get("$ref").and_then(Value::as_str);
            names.extend(name.and_then(|name| name.strip_prefix(SCHEMAS)).map(str::to_owned));
            fields.values().for_each(|field| referred(field, names));
        }
        Value::Array(items) => items.iter().for_each(|item| referred(item, names)),
        _ => {}
    }
}

fn fields_of(value: &mut Value) -> Vec<&mut Value> {
    match value {
        Value::Object(fields) => fields.values_mut().collect(),
        Value::Array(items) => items.iter_mut().collect(),
        _ => Vec::new(),
    }
}

/// Puts a reference in place of what is declared under a name.
fn refer(value: &mut Value, named: &[(String, Value)]) {
    match named.iter().find(|(_, schema)| schema == value) {
        Some((name, _)) => *value = json!({ "$ref": format!("{SCHEMAS}{name}") }),
        None => fields_of(value).into_iter().for_each(|field| refer(field, named)),
    }
}

/// Makes every field of every object in a schema a required one.
fn require(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            if let Some(properties) = fields.get("properties").and_then(Value::as_object) {
                let names: Vec<String> = properties.keys().cloned().collect();
                fields.insert("required".to_owned(), json!(names));
            }
            fields.values_mut().for_each(require);
        }
        Value::Array(items) => items.iter_mut().for_each(require),
        _ => {}
    }
}
