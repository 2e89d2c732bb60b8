//! Shapes of what tools answer: those that the REST API describes, as JSON Schemas that stand alone.

use rmcp::model::JsonObject;
use serde_json::{json, Map, Value};
use std::sync::Arc;

/// Where an OpenAPI description keeps its shapes, and where a JSON Schema does.
const COMPONENTS: &str = "#/components/schemas/";
const DEFINITIONS: &str = "#/$defs/";

/// Shapes of the REST API.
pub struct Shapes(Map<String, Value>);

impl Shapes {
    /// Those of a description.
    pub fn of(api: &Value) -> Self {
        let schemas = api.pointer("/components/schemas").and_then(Value::as_object);
        Self(schemas.cloned().unwrap_or_default())
    }

    /// The shape of a name. An unknown one is any object.
    pub fn named(&self, name: &str) -> Arc<JsonObject> {
        let mut root = match self.0.get(name) {
            Some(Value::Object(shape)) => shape.clone(),
            _ => Map::new(),
        };
        self.complete(&mut root);
        Arc::new(root)
    }

    /// An object whose fields have shapes of the API; those of the second list may be null.
    pub fn object(&self, fields: &[(&str, &str)], nullable: &[(&str, &str)]) -> Arc<JsonObject> {
        let reference = |name: &str| json!({ "$ref": format!("{COMPONENTS}{name}") });
        let mut properties = Map::new();
        for (field, name) in fields {
            properties.insert((*field).to_owned(), reference(name));
        }
        for (field, name) in nullable {
            let any = json!({ "oneOf": [{ "type": "null" }, reference(name)] });
            properties.insert((*field).to_owned(), any);
        }
        let required: Vec<&str> = fields.iter().chain(nullable).map(|(field, _)| *field).collect();
        let mut root = Map::new();
        root.insert("properties".to_owned(), Value::Object(properties));
        root.insert("required".to_owned(), json!(required));
        self.complete(&mut root);
        Arc::new(root)
    }

    /// Gives a shape all that it refers to.
    fn complete(&self, root: &mut JsonObject) {
        root.insert("type".to_owned(), "object".into());
        let mut wanted = Vec::new();
        for value in root.values_mut() {
            point_within(value, &mut wanted);
        }
        let mut definitions = Map::new();
        while let Some(name) = wanted.pop() {
            if definitions.contains_key(&name) {
                continue;
            }
            let mut shape = self.0.get(&name).cloned().unwrap_or(Value::Bool(true));
            point_within(&mut shape, &mut wanted);
            definitions.insert(name, shape);
        }
        if !definitions.is_empty() {
            root.insert("$defs".to_owned(), Value::Object(definitions));
        }
    }
}

/// Takes out how many bits a number has, which JSON Schema has no word for and clients warn of.
pub(super) fn without_formats(shape: &mut Value) {
    match shape {
        Value::Object(fields) => {
            fields.retain(|key, value| key != "format" || !value.is_string());
            fields.values_mut().for_each(without_formats);
        }
        Value::Array(items) => items.iter_mut().for_each(without_formats),
        _ => {}
    }
}

/// Has references point into the schema itself, and lists what they name.
fn point_within(value: &mut Value, wanted: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                let name = match value {
                    Value::String(text) if key == "$ref" => text.strip_prefix(COMPONENTS),
                    _ => None,
                };
                match name.map(str::to_owned) {
                    Some(name) => {
                        *value = format!("{DEFINITIONS}{name}").into();
                        wanted.push(name);
                    }
                    None => point_within(value, wanted),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| point_within(item, wanted)),
        _ => {}
    }
}
