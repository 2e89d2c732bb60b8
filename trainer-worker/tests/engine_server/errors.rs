//! What is refused, by the field's name and with the right status.

use crate::http::{request, Reply, Server, BASE};
use serde_json::{json, Value};
use std::io::{Read, Write};
use trainer_worker::server::fields::{Use, ALL};

fn least(path: &str) -> Value {
    match path {
        "/v1/chat/completions" => json!({
            "model": BASE, "messages": [{ "role": "user", "content": "Hi" }], "max_tokens": 1,
            "temperature": 0,
        }),
        "/v1/completions" => {
            json!({ "model": BASE, "prompt": "Hi", "max_tokens": 1, "temperature": 0 })
        }
        "/v1/responses" => {
            json!({ "model": BASE, "input": "Hi", "max_output_tokens": 1, "temperature": 0 })
        }
        "/tokenize" => json!({ "content": "Hi" }),
        _ => json!({ "tokens": [1] }),
    }
}

/// What an answer says, whichever endpoint gives it.
fn said(answer: &Value) -> Value {
    json!([
        answer["choices"][0]["message"]["content"],
        answer["choices"][0]["text"],
        answer["output"][0]["content"],
        answer["tokens"],
        answer["content"],
    ])
}

#[test]
fn every_field_is_used_ignored_or_refused_as_the_list_says() {
    let server = Server::shared();
    let mut refused = 0;
    for (endpoint, fields, _) in ALL {
        let path = endpoint.strip_prefix("POST ").expect("a path");
        let plain = said(&server.ask(path, &least(path)));
        let mut neutral = least(path);
        neutral["nobody_knows_this"] = json!({ "deep": [1, null] });
        for field in fields {
            match field.usage {
                Use::Used(_) => {}
                Use::Harmless(_) => neutral[field.name] = json!({ "any": "thing" }),
                Use::Refused(unless, _) => {
                    let mut body = least(path);
                    body[field.name] = json!("something");
                    let message = server.post(path, &body).refused(
                        400,
                        "unsupported_parameter",
                        Some(field.name),
                    );
                    assert!(message.contains(field.name), "{message}");
                    refused += 1;
                    for value in unless {
                        body[field.name] = serde_json::from_str(value).expect("JSON");
                        assert_eq!(said(&server.ask(path, &body)), plain, "{body}");
                    }
                    neutral[field.name] = Value::Null;
                }
            }
        }
        assert_eq!(said(&server.ask(path, &neutral)), plain, "{neutral}");
    }
    assert!(refused > 20);
    // Other servers' ways of sampling too.
    let mut body = least("/v1/completions");
    body["mirostat"] = json!(2);
    server.post("/v1/completions", &body).refused(400, "unsupported_parameter", Some("mirostat"));
    body["mirostat"] = json!(0.0);
    server.ask("/v1/completions", &body);
}

#[test]
fn values_of_the_wrong_kind_or_out_of_range_are_refused_by_name() {
    let server = Server::shared();
    let chat = "/v1/chat/completions";
    for (name, value) in [
        ("temperature", json!(99)),
        ("temperature", json!("hot")),
        ("top_p", json!(0)),
        ("top_k", json!(-2)),
        ("min_p", json!(2)),
        ("presence_penalty", json!(3)),
        ("frequency_penalty", json!(-3)),
        ("repetition_penalty", json!(0)),
        ("max_tokens", json!(0)),
        ("max_tokens", json!(-1)),
        ("max_completion_tokens", json!(0)),
        ("n", json!(0)),
        ("n", json!(9)),
        ("seed", json!(1.5)),
        ("stop", json!(7)),
        ("stop", json!([""])),
        ("stop", json!(["x".repeat(600)])),
        ("logit_bias", json!({ "99999999": 1 })),
        ("logit_bias", json!({ "the": 1 })),
        ("logit_bias", json!({ "5": 101 })),
        ("messages", json!([])),
        ("messages", json!("Hi")),
        ("model", json!(7)),
        ("stream", json!("yes")),
        ("stream_options", json!({ "include_usage": true })),
    ] {
        let mut body = least(chat);
        body[name] = value.clone();
        let reply = server.post(chat, &body);
        let param = reply.json()["error"]["param"].clone();
        let param = param.as_str().unwrap_or_else(|| panic!("{name} = {value}: {}", reply.text()));
        assert!(param.starts_with(name), "{name} = {value}: {param}");
        let message = reply.refused(400, "invalid_value", Some(param));
        assert!(message.contains(name), "{message}");
    }
    let mut body = least(chat);
    body["top_logprobs"] = json!(2);
    server.post(chat, &body).refused(400, "invalid_value", Some("top_logprobs"));
    body["logprobs"] = json!(true);
    body["top_logprobs"] = json!(21);
    server.post(chat, &body).refused(400, "invalid_value", Some("top_logprobs"));
    for field in ["model", "messages"] {
        let mut body = least(chat);
        body.as_object_mut().expect("an object").remove(field);
        server.post(chat, &body).refused(400, "invalid_value", Some(field));
    }
    for prompt in
        [json!([]), json!({}), json!([1, "a"]), json!([[1], 2]), json!(""), json!([9_999_999])]
    {
        let mut body = least("/v1/completions");
        body["prompt"] = prompt;
        server.post("/v1/completions", &body).refused(400, "invalid_value", Some("prompt"));
    }
}

#[test]
fn messages_that_are_no_text_or_speak_for_others_are_refused() {
    let server = Server::shared();
    let image = json!([{ "type": "image_url", "image_url": { "url": "data:," } }]);
    for (message, code, param) in [
        (json!({ "role": "tool", "content": "x" }), "unsupported_parameter", "messages[1].role"),
        (json!({ "content": "x" }), "unsupported_parameter", "messages[1].role"),
        (json!({ "role": "user" }), "invalid_value", "messages[1].content"),
        (json!({ "role": "user", "content": 7 }), "invalid_value", "messages[1].content"),
        (
            json!({ "role": "user", "content": image }),
            "unsupported_parameter",
            "messages[1].content[0].type",
        ),
        (
            json!({ "role": "assistant", "content": null, "tool_calls": [{}] }),
            "unsupported_parameter",
            "messages[1].tool_calls",
        ),
        (
            json!({ "role": "user", "content": "a <|im_end|> b" }),
            "invalid_prompt",
            "messages[1].content",
        ),
        (json!("x"), "invalid_value", "messages[1]"),
    ] {
        let mut body = least("/v1/chat/completions");
        body["messages"] = json!([{ "role": "user", "content": "Hi" }, message]);
        server.post("/v1/chat/completions", &body).refused(400, code, Some(param));
    }
    let mut body = least("/v1/responses");
    body["input"] = json!([{ "type": "function_call_output", "call_id": "c", "output": "x" }]);
    server.post("/v1/responses", &body).refused(
        400,
        "unsupported_parameter",
        Some("input[0].type"),
    );
    body["input"] = json!([{ "role": "user", "content": "<|im_start|>" }]);
    server.post("/v1/responses", &body).refused(400, "invalid_prompt", Some("input[0].content"));
    body["instructions"] = json!("<|im_end|>");
    server.post("/v1/responses", &body).refused(400, "invalid_prompt", Some("instructions"));
}

#[test]
fn what_is_not_there_or_not_json_has_its_status() {
    let server = Server::shared();
    let chat = "/v1/chat/completions";
    server.get("/v1/nothing").refused(404, "not_found", None);
    let reply = server.get(chat);
    assert_eq!(reply.header("allow"), Some("POST"));
    reply.refused(405, "method_not_allowed", None);
    let body = least(chat).to_string();
    let wrong = server.request("POST", chat, &[("content-type", "text/plain")], &body);
    wrong.refused(415, "unsupported_media_type", None);
    let text =
        server.request("POST", chat, &[("content-type", "application/json; charset=utf-8")], &body);
    assert_eq!(text.status, 200);
    for body in
        ["{", "[]", "7", "{\"model\": \"smol\",}", "{\"a\": 1} x", "\u{0}", &"[".repeat(100_000)]
    {
        server.request("POST", chat, &[], body).refused(400, "invalid_json", None);
    }
    let twice = "{\"model\": \"smol\", \"model\": \"smol\", \"messages\": []}";
    server.request("POST", chat, &[], twice).refused(400, "invalid_value", Some("model"));
    let bytes =
        [request("POST", chat, &[("content-length", "4")], "").as_bytes(), b"{\"\xff\""].concat();
    let bytes = String::from_utf8_lossy(&bytes)
        .replace("\r\n\r\n", "\r\ncontent-type: application/json\r\n\r\n");
    server.raw(bytes.as_bytes()).refused(400, "invalid_json", None);
    for name in ["other", "", "smol:", "smol:none", "smol:../../etc", "openledger:x", "SMOL"] {
        let mut body = least(chat);
        body["model"] = json!(name);
        server.post(chat, &body).refused(404, "model_not_found", Some("model"));
    }
}

#[test]
fn a_prompt_longer_than_the_context_is_refused() {
    let server = Server::shared();
    let mut body = least("/v1/completions");
    body["prompt"] = json!(vec![1; 9000]);
    let reply = server.post("/v1/completions", &body);
    let message = reply.refused(400, "context_length_exceeded", Some("prompt"));
    assert!(message.contains("9000"), "{message}");
    let mut body = least("/v1/chat/completions");
    body["messages"][0]["content"] = json!("word ".repeat(9000));
    let reply = server.post("/v1/chat/completions", &body);
    reply.refused(400, "context_length_exceeded", Some("messages"));
    // What the context leaves bounds an answer; it need not be computed by the client.
    let mut body = least("/v1/completions");
    body["prompt"] = json!(vec![504; 4]);
    body["max_tokens"] = json!(1_000_000_000);
    body["stop"] = json!(["\n", " ", "e"]);
    server.ask("/v1/completions", &body);
}

#[test]
fn who_sends_a_body_that_nobody_reads_is_told_that_the_connection_ends() {
    let server = Server::shared();
    let path = "/v1/fine_tuning/jobs/ftjob-0/cancel";
    for (method, path, body) in
        [("POST", path, "{}".to_owned()), ("DELETE", "/v1/models/x", "x".repeat(3 << 20))]
    {
        let mut stream = server.connect();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: localhost\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        // All of it is taken, so that the answer is seen.
        stream.write_all(format!("{head}{body}").as_bytes()).expect("sent");
        let reply = Reply::read(&mut stream);
        assert_eq!((reply.status, reply.header("connection")), (404, Some("close")));
    }
    // Where there is none, or it is read, the connection goes on.
    let mut kept = server.connect();
    let one = "GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n";
    let body = json!({ "content": "Hi" }).to_string();
    let two = format!(
        "POST /tokenize HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: \
         application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    kept.write_all(format!("{one}{two}").as_bytes()).expect("sent");
    let mut text = String::new();
    kept.read_to_string(&mut text).expect("read");
    assert_eq!(text.matches("HTTP/1.1 200").count(), 2, "{text}");
}

#[test]
fn values_are_refused_in_words_of_json() {
    let server = Server::shared();
    let ask = |field: &str, value: Value| {
        let mut body = json!({ "model": BASE, "prompt": "x" });
        body[field] = value;
        server.post("/v1/completions", &body).refused(400, "invalid_value", Some(field))
    };
    for (field, value, words) in [
        ("max_tokens", json!(-1), "a whole number of at least 0"),
        ("n", json!(-1), "a whole number of at least 0"),
        ("seed", json!(u64::MAX), "a whole number from -2^63"),
        ("temperature", json!("hot"), "a number"),
    ] {
        let told = ask(field, value);
        assert!(told.contains(words) && !told.contains(" at line "), "{told}");
    }
    server.get("/v1/models/%ff%zz").refused(400, "invalid_path", None);
    let own = server.request("DELETE", &format!("/v1/models/{BASE}"), &[], "");
    own.refused(404, "training_disabled", None);
}

#[test]
fn a_body_in_a_coding_that_is_not_read_is_refused_by_it() {
    let server = Server::shared();
    let body = json!({ "content": "Hi" }).to_string();
    for headers in [
        [("content-type", "application/json"), ("content-encoding", "gzip")],
        [("content-type", "application/json; charset=utf-16"), ("x-none", "")],
    ] {
        let reply = server.request("POST", "/tokenize", &headers, &body);
        reply.refused(415, "unsupported_media_type", None);
    }
    let kind =
        [("content-type", "application/json; charset=UTF-8"), ("content-encoding", "identity")];
    assert_eq!(server.request("POST", "/tokenize", &kind, &body).status, 200);
}
