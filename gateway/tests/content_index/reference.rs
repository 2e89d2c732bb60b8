//! `docs/reference/rest.md`, written from the description of the API, and the gateway's part of
//! `docs/reference/metrics.md`, from what it answers.

use super::common::Served;
use serde_json::Value;
use std::fmt::Write;
use std::path::Path;

const HEAD: &str = "# REST API

Written from [gateway/openapi.json](../../gateway/openapi.json) by `OPENLEDGER_UPDATE=1 scripts/test content -- reference`;
a test fails when it is out of date. Every refusal has the body `{\"error\": {\"code\", \"message\", \"field\"}}`. Lists are
`{\"items\": […], \"next\": …}`: `next` goes into `cursor` for the next page, and is null on the last.
";

#[test]
fn the_committed_reference_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/reference/rest.md");
    let current = page(&openledger_gateway::server::description());
    if std::env::var_os("OPENLEDGER_UPDATE").is_some() {
        std::fs::write(&path, &current).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == current,
        "docs/reference/rest.md is out of date; write it anew with \
         `OPENLEDGER_UPDATE=1 ./scripts/test content -- committed_reference`"
    );
}

#[tokio::test]
async fn the_committed_metrics_are_current() {
    let folder = tempfile::tempdir().unwrap();
    let answer = Served::start(folder.path()).await.ask("/metrics").await;
    let text = String::from_utf8(answer.body).unwrap();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/reference/metrics.md");
    let committed = std::fs::read_to_string(&path).unwrap();
    let (begin, end) = ("<!-- gateway -->\n", "<!-- end of gateway -->");
    let (before, rest) = committed.split_once(begin).unwrap();
    let (_, after) = rest.split_once(end).unwrap();
    let current = format!("{before}{begin}{}{end}{after}", metrics(&text));
    if std::env::var_os("OPENLEDGER_UPDATE").is_some() {
        std::fs::write(&path, &current).unwrap();
        return;
    }
    assert!(
        committed == current,
        "docs/reference/metrics.md is out of date; write it anew with \
         `OPENLEDGER_UPDATE=1 ./scripts/test content -- committed_metrics`"
    );
}

/// A table of what Prometheus' text format declares.
fn metrics(text: &str) -> String {
    let mut out = String::from("| metric | kind | |\n|---|---|---|\n");
    let helps = text.lines().filter_map(|line| line.strip_prefix("# HELP ")?.split_once(' '));
    for (name, help) in helps {
        let kind = text
            .lines()
            .find_map(|line| line.strip_prefix("# TYPE ")?.strip_prefix(name)?.strip_prefix(' '));
        let _ = writeln!(out, "| `{name}` | {} | {help} |", kind.unwrap_or("?"));
    }
    out
}

fn page(description: &Value) -> String {
    let mut out = HEAD.to_owned();
    let _ = writeln!(out, "\n{}", text(&description["info"]["description"]));
    let mut tag = String::new();
    let mut operations: Vec<_> = object(&description["paths"])
        .flat_map(|(path, methods)| object(methods).map(move |(method, it)| (path, method, it)))
        .collect();
    operations.sort_by_key(|(path, method, it)| (text(&it["tags"][0]), *path, *method));
    for (path, method, it) in operations {
        let of = text(&it["tags"][0]);
        if *of != *tag {
            tag = of.to_owned();
            let _ = writeln!(out, "\n## {tag}");
        }
        let _ = writeln!(out, "\n### `{} {path}`\n", method.to_uppercase());
        let said = [text(&it["summary"]), text(&it["description"])].join("\n\n");
        let _ = writeln!(out, "{}", said.trim());
        let parameters = it["parameters"].as_array().map(Vec::as_slice).unwrap_or_default();
        if !parameters.is_empty() {
            let _ = writeln!(out, "\n| parameter | in | |\n|---|---|---|");
        }
        for parameter in parameters {
            let needed = match parameter["required"] == true && parameter["in"] != "path" {
                true => ", needed",
                false => "",
            };
            let (about, range) = (text(&parameter["description"]), range(&parameter["schema"]));
            let about = match about.contains(range.trim_end_matches('.')) {
                true => about.to_owned(),
                false => format!("{about} {range}"),
            };
            let _ = writeln!(
                out,
                "| `{}` | {}{needed} | {} |",
                text(&parameter["name"]),
                text(&parameter["in"]),
                about.trim().replace(['\n', '|'], " ")
            );
        }
        for (media, body) in object(&it["requestBody"]["content"]) {
            let _ = writeln!(out, "\nBody, {media}:");
            put_fields(&mut out, description, &body["schema"]);
        }
        let answers = object(&it["responses"]).filter(|(status, _)| *status != "default");
        let statuses: Vec<_> = answers
            .map(|(status, answer)| match text(&answer["description"]) {
                "" => status.to_owned(),
                about => format!("{status} ({})", about.trim_end_matches('.')),
            })
            .collect();
        let _ = writeln!(out, "\nAnswers: {}.", statuses.join(", "));
        for (media, body) in object(&it["responses"]["200"]["content"]) {
            if body["schema"]["$ref"].is_string() {
                let _ = writeln!(out, "\n{media}:");
                put_fields(&mut out, description, &body["schema"]);
            }
        }
    }
    out
}

/// A table of an object's fields; those of the items of a list are in it.
fn put_fields(out: &mut String, description: &Value, schema: &Value) {
    let found = resolved(description, schema);
    let rows: Vec<_> = object(&found["properties"]).collect();
    if rows.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n| field | type | |\n|---|---|---|");
    for (name, field) in rows {
        put_field(out, description, name, field);
        let items = resolved(description, &field["items"]);
        for (inner, field) in object(&items["properties"]) {
            put_field(out, description, &format!("{name}[].{inner}"), field);
        }
    }
}

fn put_field(out: &mut String, description: &Value, name: &str, field: &Value) {
    let about = text(&field["description"]).split("\n\n").next().unwrap_or_default();
    let about = about.replace(['\n', '|'], " ");
    let _ = writeln!(out, "| `{name}` | {} | {} |", kind(description, field), about.trim());
}

fn kind(description: &Value, schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
        let found = resolved(description, schema);
        return match found["enum"].as_array() {
            Some(values) => values
                .iter()
                .map(|value| format!("`{}`", text(value)))
                .collect::<Vec<_>>()
                .join(", "),
            None => name.replace('_', " of "),
        };
    }
    for several in ["oneOf", "anyOf", "allOf"] {
        if let Some(kinds) = schema[several].as_array() {
            let kinds: Vec<_> = kinds.iter().map(|one| kind(description, one)).collect();
            return kinds.join(" or ");
        }
    }
    match &schema["type"] {
        Value::String(one) if one == "array" => {
            format!("list of {}", kind(description, &schema["items"]))
        }
        Value::String(one) => one.clone(),
        Value::Array(several) => {
            let kinds: Vec<_> = several.iter().map(text).collect();
            kinds.join(" or ")
        }
        _ => String::from("any"),
    }
}

fn range(schema: &Value) -> String {
    match (&schema["minimum"], &schema["maximum"], &schema["enum"]) {
        (_, _, Value::Array(values)) => {
            let values: Vec<_> = values.iter().map(|value| format!("`{}`", text(value))).collect();
            format!("One of {}.", values.join(", "))
        }
        (Value::Number(least), Value::Number(most), _) => format!("{least} to {most}."),
        _ => String::new(),
    }
}

fn resolved<'a>(description: &'a Value, schema: &'a Value) -> &'a Value {
    match schema["$ref"].as_str().and_then(|path| path.strip_prefix('#')) {
        Some(path) => description.pointer(path).unwrap_or(&Value::Null),
        None => schema,
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn object(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    value.as_object().into_iter().flatten().map(|(name, value)| (name.as_str(), value))
}
