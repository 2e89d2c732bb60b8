//! What is answered: whole, streamed, by adapters, and the same as on the command line.

use crate::common::real_model_path;
use crate::http::{Event, Server, BASE};
use serde_json::{json, Value};
use std::process::Command;
use std::time::{Duration, Instant};

const CHAT: &str = "/v1/chat/completions";
const QUESTION: &str = "What is the capital of France?";

fn chat(more: Value) -> Value {
    let mut body = json!({
        "model": BASE, "messages": [{ "role": "user", "content": QUESTION }],
        "temperature": 0, "max_tokens": 12,
    });
    for (name, value) in more.as_object().expect("an object") {
        body[name] = value.clone();
    }
    body
}

fn content(answer: &Value) -> &str {
    answer["choices"][0]["message"]["content"].as_str().expect("text")
}

#[test]
fn a_chat_is_answered_as_generate_answers_and_names_what_answered() {
    let server = Server::shared();
    let reply = server.post(CHAT, &chat(json!({})));
    let answer = reply.json();
    let output = Command::new(env!("CARGO_BIN_EXE_trainer-worker"))
        .args(["generate", "--json", "--max-new-tokens", "12", "--chat", QUESTION, "--model"])
        .arg(real_model_path())
        .output()
        .expect("runs");
    let generated: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(content(&answer), generated["text"]);
    assert_eq!(content(&answer), "The capital of France is Paris.");
    assert_eq!(answer["choices"][0]["finish_reason"], "stop");
    let usage = &answer["usage"];
    assert_eq!(usage["prompt_tokens"], generated["prompt_tokens"]);
    // The token that ended it counts.
    assert_eq!(usage["completion_tokens"], 8);
    let sum = server.start["base_sha256"].as_str().expect("a sum");
    assert_eq!(answer["openledger"]["base_sha256"], sum);
    assert_eq!(answer["openledger"]["arithmetic"], "integer");
    assert_eq!(reply.header("x-openledger-base-sha256"), Some(sum));
    assert_eq!(reply.header("x-openledger-arithmetic"), Some("integer"));
    assert_eq!(reply.header("x-openledger-adapter"), None);

    let reply = server.post(CHAT, &chat(json!({ "model": "smol:tone" })));
    let adapted = reply.json();
    assert_ne!(content(&adapted), content(&answer));
    assert_ne!(adapted["system_fingerprint"], answer["system_fingerprint"]);
    let sum = adapted["openledger"]["adapter_sha256"].as_str().expect("a sum");
    assert_eq!(sum.len(), 64);
    assert_eq!(adapted["openledger"]["adapter"], "tone");
    assert_eq!(reply.header("x-openledger-adapter-sha256"), Some(sum));
    // Again, with what was computed before: the same, and told.
    let again = server.ask(CHAT, &chat(json!({})));
    assert_eq!(content(&again), content(&answer));
    assert_eq!(again["usage"]["prompt_tokens_details"]["cached_tokens"], 32);
}

/// What the chunks of a chat say together: by choice its text, end and log probabilities; and the usage.
fn together(events: &[Event], choices: usize) -> (Vec<(String, Value, Vec<Value>)>, Value) {
    let mut all = vec![(String::new(), Value::Null, Vec::new()); choices];
    let mut usage = Value::Null;
    let (last, chunks) = events.split_last().expect("events");
    assert_eq!(last.data, "[DONE]");
    assert_eq!(chunks[0].data["openledger"]["arithmetic"], "integer");
    for chunk in chunks {
        assert_eq!(chunk.data["id"], chunks[0].data["id"]);
        if chunk.data["usage"].is_object() {
            usage = chunk.data["usage"].clone();
        }
        for choice in chunk.data["choices"].as_array().expect("choices") {
            let index = choice["index"].as_u64().expect("an index") as usize;
            let text = choice["delta"]["content"].as_str().or(choice["text"].as_str());
            all[index].0.push_str(text.unwrap_or(""));
            if !choice["finish_reason"].is_null() {
                all[index].1 = choice["finish_reason"].clone();
            }
            let entries = choice["logprobs"]["content"].as_array();
            all[index].2.extend(entries.into_iter().flatten().cloned());
        }
    }
    (all, usage)
}

#[test]
fn a_streamed_chat_says_what_the_whole_answer_says() {
    let server = Server::shared();
    let more = json!({
        "temperature": 1.0, "seed": 11, "n": 3, "logprobs": true, "top_logprobs": 2, "max_tokens": 16,
        "messages": [{ "role": "user", "content": "Write some emoji 🦀 and accents é." }],
    });
    let whole = server.ask(CHAT, &chat(more.clone()));
    let mut streamed = chat(more);
    streamed["stream_options"] = json!({ "include_usage": true });
    let events = server.stream(CHAT, &streamed);
    let (choices, usage) = together(&events, 3);
    for (index, (text, finish, logprobs)) in choices.iter().enumerate() {
        let choice = &whole["choices"][index];
        assert_eq!(choice["message"]["content"], text.as_str());
        assert_eq!(choice["finish_reason"], *finish);
        assert_eq!(choice["logprobs"]["content"], json!(logprobs));
        // The bytes of the tokens are those of the text.
        let bytes: Vec<u8> = logprobs
            .iter()
            .flat_map(|entry| entry["bytes"].as_array().expect("bytes"))
            .map(|byte| byte.as_u64().expect("a byte") as u8)
            .collect();
        assert!(String::from_utf8_lossy(&bytes).starts_with(text.trim_end_matches('\u{fffd}')));
        assert!(logprobs
            .iter()
            .all(|entry| entry["top_logprobs"].as_array().map(Vec::len) == Some(2)));
    }
    assert_eq!(usage["completion_tokens"], whole["usage"]["completion_tokens"]);
    assert_eq!(usage["prompt_tokens"], whole["usage"]["prompt_tokens"]);
    // Without being asked, no chunk has a usage.
    streamed.as_object_mut().expect("an object").remove("stream_options");
    let events = server.stream(CHAT, &streamed);
    assert!(events.iter().all(|event| event.data.get("usage").is_none()));
}

#[test]
fn a_seed_gives_the_same_answers_and_each_choice_its_own_stream() {
    let server = Server::shared();
    let hot = |seed: u64, n: u64| {
        let body = chat(json!({ "temperature": 1.5, "seed": seed, "n": n, "max_tokens": 16 }));
        let answer = server.ask(CHAT, &body);
        let choices = answer["choices"].as_array().expect("choices");
        choices.iter().map(|c| c["message"]["content"].clone()).collect::<Vec<_>>()
    };
    let four = hot(5, 4);
    assert_eq!(four, hot(5, 4));
    assert_eq!(four[..1], hot(5, 1));
    assert_ne!(four[0], four[1]);
    assert_ne!(four, hot(6, 4));
    // A drawn seed is told, and gives the answer again.
    let body = chat(json!({ "temperature": 1.5 }));
    let drawn = server.ask(CHAT, &body);
    let seed = drawn["openledger"]["seed"].as_u64().expect("a seed");
    let again = server.ask(CHAT, &chat(json!({ "temperature": 1.5, "seed": seed })));
    assert_eq!(content(&drawn), content(&again));
    let headed = server.post(CHAT, &body);
    assert!(headed.header("x-request-id").is_some_and(|id| id.starts_with("req-")));
}

#[test]
fn an_answer_ends_before_a_stop_string_and_obeys_its_settings() {
    let server = Server::shared();
    let cut = server.ask(CHAT, &chat(json!({ "stop": ["France is", "never"] })));
    assert_eq!(content(&cut), "The capital of ");
    assert_eq!(cut["choices"][0]["finish_reason"], "stop");
    let cut = server.ask(CHAT, &chat(json!({ "stop": "pital", "stream": false })));
    assert_eq!(content(&cut), "The ca");
    let short = server.ask(CHAT, &chat(json!({ "max_completion_tokens": 2, "max_tokens": 9 })));
    assert_eq!(content(&short), "The capital");
    assert_eq!(short["choices"][0]["finish_reason"], "length");
    let ids = server.ask("/tokenize", &json!({ "content": " Rome" }));
    let id = ids["tokens"][0].as_u64().expect("an id");
    let mut biased = chat(json!({ "max_tokens": 3 }));
    biased["logit_bias"] = json!({ id.to_string(): 100 });
    assert_eq!(content(&server.ask(CHAT, &biased)), " Rome Rome Rome");
    // The developer's and the system's word are one; parts are joined by line breaks.
    let system = |role: &str| {
        let messages = json!([
            { "role": role, "content": "Answer in German." },
            { "role": "user", "content": [
                { "type": "text", "text": "What is" }, { "type": "text", "text": "this?" },
            ] },
        ]);
        content(&server.ask(CHAT, &chat(json!({ "messages": messages })))).to_owned()
    };
    assert_eq!(system("system"), system("developer"));
}

#[test]
fn texts_and_tokens_are_continued() {
    let server = Server::shared();
    let ask = |more: Value| {
        let mut body = json!({ "model": BASE, "temperature": 0, "max_tokens": 6 });
        for (name, value) in more.as_object().expect("an object") {
            body[name] = value.clone();
        }
        body
    };
    let path = "/v1/completions";
    let one = server.ask(path, &ask(json!({ "prompt": "One, two,", "logprobs": 2 })));
    let text = one["choices"][0]["text"].as_str().expect("text");
    let output = Command::new(env!("CARGO_BIN_EXE_trainer-worker"))
        .args(["generate", "--json", "--max-new-tokens", "6", "--prompt", "One, two,", "--model"])
        .arg(real_model_path())
        .output()
        .expect("runs");
    let generated: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(text, generated["text"]);
    let logprobs = &one["choices"][0]["logprobs"];
    let tokens: Vec<&str> =
        logprobs["tokens"].as_array().expect("tokens").iter().filter_map(Value::as_str).collect();
    assert_eq!(tokens.concat(), text);
    assert_eq!(logprobs["text_offset"][1], tokens[0].chars().count());
    assert_eq!(logprobs["top_logprobs"][0].as_object().map(|top| top.len()), Some(2));
    let ids = server.ask("/tokenize", &json!({ "content": "One, two," }))["tokens"].clone();
    let same = server.ask(path, &ask(json!({ "prompt": ids, "logprobs": 2 })));
    assert_eq!(same["choices"], one["choices"]);
    let both = ask(json!({ "prompt": ["One, two,", "The sky is"], "n": 2 }));
    let many = server.ask(path, &both);
    assert_eq!(many["choices"].as_array().map(Vec::len), Some(4));
    assert_eq!(many["choices"][1]["text"], text);
    assert_ne!(many["choices"][2]["text"], text);
    let events = server.stream(path, &both);
    let (choices, _) = together(&events, 4);
    for (index, (text, finish, _)) in choices.iter().enumerate() {
        assert_eq!(many["choices"][index]["text"], text.as_str());
        assert_eq!(many["choices"][index]["finish_reason"], *finish);
    }
    // OpenAI's default length.
    let mut unnamed = ask(json!({ "prompt": "One, two,", "ignored": 1 }));
    unnamed.as_object_mut().expect("an object").remove("max_tokens");
    assert_eq!(server.ask(path, &unnamed)["usage"]["completion_tokens"], 16);
}

#[test]
fn a_response_is_that_of_the_chat_and_its_events_build_it_up() {
    let server = Server::shared();
    let path = "/v1/responses";
    let ask = json!({
        "model": BASE, "input": QUESTION, "temperature": 0, "max_output_tokens": 4, "store": true,
        "include": ["message.output_text.logprobs"], "top_logprobs": 1, "metadata": { "a": "b" }, "seed": 1,
    });
    let whole = server.ask(path, &ask);
    let part = &whole["output"][0]["content"][0];
    assert_eq!(part["text"], "The capital of France");
    assert_eq!(part["logprobs"].as_array().map(Vec::len), Some(4));
    assert_eq!(whole["status"], "incomplete");
    assert_eq!(whole["incomplete_details"]["reason"], "max_output_tokens");
    // Nothing is stored, and it says so.
    assert_eq!(whole["store"], false);
    assert_eq!(whole["metadata"]["a"], "b");
    let events = server.stream(path, &ask);
    let names: Vec<&str> = events.iter().filter_map(|event| event.name.as_deref()).collect();
    let ends = [
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.incomplete",
    ];
    assert_eq!(
        names[..4],
        [
            "response.created",
            "response.in_progress",
            "response.output_item.added",
            "response.content_part.added"
        ]
    );
    assert_eq!(names[names.len() - 4..], ends);
    let middle = &events[4..events.len() - 4];
    assert!(!middle.is_empty());
    let mut text = String::new();
    for (event, index) in events.iter().zip(0u64..) {
        assert_eq!(event.data["type"].as_str(), event.name.as_deref());
        assert_eq!(event.data["sequence_number"], index);
        text.push_str(event.data["delta"].as_str().unwrap_or(""));
    }
    assert_eq!(part["text"], text.as_str());
    let last = &events[events.len() - 1].data["response"];
    let without = |answer: &Value| {
        let mut answer = answer.clone();
        answer["output"][0]["id"] = Value::Null;
        answer["id"] = Value::Null;
        answer["created_at"] = Value::Null;
        answer["usage"] = Value::Null;
        answer
    };
    assert_eq!(without(last), without(&whole));
    // As a conversation, with instructions, as the chat has it.
    let said = json!([
        { "role": "user", "content": [{ "type": "input_text", "text": QUESTION }] },
        { "type": "message", "id": "msg-1", "status": "completed", "role": "assistant",
          "content": [{ "type": "output_text", "text": "Paris.", "annotations": [] }] },
        { "role": "user", "content": "And of Spain?" },
    ]);
    let responded = server.ask(
        path,
        &json!({
            "model": BASE, "instructions": "Be terse.", "input": said, "temperature": 0, "max_output_tokens": 24,
            "store": false, "tools": [], "tool_choice": "auto", "truncation": "disabled",
        }),
    );
    let messages = json!([
        { "role": "system", "content": "Be terse." },
        { "role": "user", "content": QUESTION },
        { "role": "assistant", "content": "Paris." },
        { "role": "user", "content": "And of Spain?" },
    ]);
    let chatted = server.ask(CHAT, &chat(json!({ "messages": messages, "max_tokens": 24 })));
    assert_eq!(responded["output"][0]["content"][0]["text"], content(&chatted));
    assert_eq!(responded["usage"]["output_tokens"], chatted["usage"]["completion_tokens"]);
}

#[test]
fn models_are_listed_and_described() {
    let server = Server::shared();
    let list = server.get("/v1/models").json();
    let ids: Vec<&str> =
        list["data"].as_array().expect("models").iter().filter_map(|m| m["id"].as_str()).collect();
    assert_eq!(ids, [BASE, "smol:tone"]);
    assert_eq!(server.start["models"], json!(ids));
    let one = server.get("/v1/models/smol:tone").json();
    assert_eq!((&one["id"], &one["object"]), (&json!("smol:tone"), &json!("model")));
    assert_eq!(one["openledger"]["adapter_sha256"].as_str().map(str::len), Some(64));
    assert_eq!(one["context_length"], server.start["limits"]["context"]);
    server.get("/v1/models/other").refused(404, "model_not_found", Some("model"));
    server.get("/v1/models/smol:other").refused(404, "model_not_found", Some("model"));
}

#[test]
fn tokens_are_counted_and_put_together_again() {
    let server = Server::shared();
    let text = "héllo 🦀 <|im_start|>";
    let tokens = server.ask("/tokenize", &json!({ "content": text }))["tokens"].clone();
    let back = server.ask("/detokenize", &json!({ "tokens": tokens }));
    assert_eq!(back["content"], text);
    let marked = tokens.as_array().expect("ids").len();
    let plain = server.ask("/tokenize", &json!({ "content": text, "parse_special": false }));
    assert!(plain["tokens"].as_array().expect("ids").len() > marked);
    let pieces = server.ask("/tokenize", &json!({ "content": text, "with_pieces": true }));
    let mut bytes = Vec::new();
    for (piece, id) in
        pieces["tokens"].as_array().expect("pieces").iter().zip(tokens.as_array().expect("ids"))
    {
        assert_eq!(piece["id"], *id);
        match &piece["piece"] {
            Value::String(text) => bytes.extend_from_slice(text.as_bytes()),
            other => bytes.extend(
                other.as_array().expect("bytes").iter().map(|b| b.as_u64().expect("a byte") as u8),
            ),
        }
    }
    assert_eq!(String::from_utf8(bytes).expect("text"), text);
    let far = server.post("/detokenize", &json!({ "tokens": [1, 99_999_999] }));
    far.refused(400, "invalid_value", Some("tokens"));
}

#[test]
fn health_metrics_and_the_description_are_there() {
    let server = Server::shared();
    assert_eq!(server.get("/healthz").json(), json!({ "status": "ok" }));
    let before = server.metric("generated_tokens_total");
    server.ask(CHAT, &chat(json!({ "max_tokens": 3 })));
    // What a step did is counted once the step is over, which may be just after its last answer has gone out.
    let patience = Instant::now() + Duration::from_secs(30);
    while server.metric("generated_tokens_total") < before + 3.0 {
        assert!(Instant::now() < patience, "the tokens of an answer are not counted");
        std::thread::sleep(Duration::from_millis(20));
    }
    let reply = server.get("/metrics");
    assert_eq!(reply.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    let text = reply.text();
    assert!(text.contains("openledger_http_responses_total{method=\"POST\",path=\"/v1/chat/completions\",status=\"200\"}"));
    // Every value has its help and type before it.
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let name = line.split(['{', ' ']).next().expect("a name");
        assert!(text.contains(&format!("# TYPE {name} ")), "{line}");
    }
    let api = server.get("/openapi.json").json();
    let paths: Vec<&String> = api["paths"].as_object().expect("paths").keys().collect();
    let all = [
        "/detokenize",
        "/healthz",
        "/metrics",
        "/tokenize",
        "/v1/chat/completions",
        "/v1/completions",
        "/v1/files",
        "/v1/files/{id}",
        "/v1/files/{id}/content",
        "/v1/fine_tuning/jobs",
        "/v1/fine_tuning/jobs/{id}",
        "/v1/fine_tuning/jobs/{id}/cancel",
        "/v1/fine_tuning/jobs/{id}/events",
        "/v1/models",
        "/v1/models/{id}",
        "/v1/responses",
    ];
    assert_eq!(paths, all);
    assert!(api["components"]["schemas"]["ChatRequest"]["properties"]["messages"].is_object());
}

#[test]
fn an_answer_follows_the_schema_that_it_is_asked_in() {
    let server = Server::shared();
    let schema = json!({
        "type": "object", "additionalProperties": false, "required": ["warm", "name"],
        "properties": {
            "warm": { "type": "boolean" }, "name": { "enum": ["red", "blue"] },
        },
    });
    // As text: the order of properties is the schema's, not that of the alphabet.
    let order = schema.to_string().replace(
        &schema["properties"].to_string(),
        "{\"warm\":{\"type\":\"boolean\"},\"name\":{\"enum\":[\"red\",\"blue\"]}}",
    );
    let asked = chat(json!({ "max_tokens": 40, "temperature": 1.0, "seed": 3, "messages": [
        { "role": "user", "content": "Name a colour." },
    ] }));
    let format = format!("{{\"name\":\"colour\",\"schema\":{order},\"strict\":true}}");
    let text = asked.to_string();
    let text = format!(
        "{},\"response_format\":{{\"type\":\"json_schema\",\"json_schema\":{format}}}}}",
        text.strip_suffix('}').expect("an object")
    );
    let answer = server.request("POST", CHAT, &[], &text).json();
    assert_eq!(answer["choices"][0]["finish_reason"], "stop", "{answer}");
    let written = content(&answer);
    let colour: Value = serde_json::from_str(written).expect("JSON");
    assert!(colour["warm"].is_boolean() && (colour["name"] == "red" || colour["name"] == "blue"));
    assert!(written.find("warm") < written.find("name"), "{written}");

    // The same as a response.
    let responded = json!({
        "model": BASE, "input": "Name a colour.", "max_output_tokens": 40, "seed": 3,
        "text": { "format": { "type": "json_schema", "name": "colour", "schema": schema } },
    });
    let response = server.ask("/v1/responses", &responded);
    let part = response["output"][0]["content"][0]["text"].as_str().expect("text");
    assert!(serde_json::from_str::<Value>(part).expect("JSON")["warm"].is_boolean());
    assert_eq!(response["text"]["format"]["schema"], schema);

    let mut object = asked.clone();
    object["response_format"] = json!({ "type": "json_object" });
    object["logit_bias"] = json!({});
    let answer = server.ask(CHAT, &object);
    if answer["choices"][0]["finish_reason"] == "stop" {
        assert!(serde_json::from_str::<Value>(content(&answer)).expect("JSON").is_object());
    }
    assert!(content(&answer).trim_start().starts_with('{'));
    object["stop"] = json!("}");
    server.post(CHAT, &object).refused(400, "invalid_value", Some("stop"));
    let mut wrong = asked;
    for (format, code) in [
        (json!({ "type": "regex" }), "unsupported_parameter"),
        (json!({ "type": "json_schema" }), "invalid_value"),
        (json!({ "type": "json_schema", "json_schema": { "name": "x" } }), "invalid_value"),
        (
            json!({ "type": "json_schema", "json_schema": { "schema": { "not": {} } } }),
            "invalid_value",
        ),
    ] {
        wrong["response_format"] = format;
        server.post(CHAT, &wrong).refused(400, code, Some("response_format"));
    }
    let mut wrong = responded;
    wrong["text"]["format"]["schema"] = json!({ "not": {} });
    server.post("/v1/responses", &wrong).refused(400, "invalid_value", Some("text.format"));
}
