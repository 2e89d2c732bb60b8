//! Fine-tuning over HTTP: what belongs to whom, quotas, and a server that is killed meanwhile.

use crate::http::{Reply, Server, BASE};
use serde_json::{json, Value};
use std::process::Command;
use std::time::{Duration, Instant};

const FILES: &str = "/v1/files";
const JOBS: &str = "/v1/fine_tuning/jobs";

/// A form with a file of that many rows.
fn form(rows: usize) -> String {
    let row = json!({ "messages": [
        { "role": "user", "content": "What is the harbour's lantern called?" },
        { "role": "assistant", "content": "It is called Marigold." },
    ] });
    let text = format!("{row}\n").repeat(rows);
    format!(
        "--edge\r\ncontent-disposition: form-data; name=\"purpose\"\r\n\r\nfine-tune\r\n--edge\r\n\
         content-disposition: form-data; name=\"file\"; filename=\"notes.jsonl\"\r\n\
         content-type: application/jsonl\r\n\r\n{text}\r\n--edge--\r\n"
    )
}

fn upload(server: &Server, key: &[(&str, &str)], body: &str) -> Reply {
    let kind = ("content-type", "multipart/form-data; boundary=edge");
    server.request("POST", FILES, &[key, &[kind]].concat(), body)
}

fn id(reply: &Reply) -> String {
    let answer = reply.json();
    answer["id"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
}

/// Two keys of a new file of keys.
fn two_keys(file: &str) -> [String; 2] {
    ["ada", "ben"].map(|name| {
        let made = Command::new(env!("CARGO_BIN_EXE_trainer-worker"))
            .args(["serve", "--api-keys", file, "--add-key", name])
            .output()
            .expect("runs");
        format!("Bearer {}", String::from_utf8_lossy(&made.stdout).trim())
    })
}

fn create(server: &Server, key: &[(&str, &str)], file: &str, epochs: u32) -> Reply {
    let method = json!({ "type": "supervised", "supervised": { "hyperparameters": {
        "n_epochs": epochs, "batch_size": 2, "max_seq_length": 64, "lora_r": 2,
    } } });
    let body = json!({ "model": BASE, "training_file": file, "method": method });
    server.request("POST", JOBS, key, &body.to_string())
}

fn job(server: &Server, key: &[(&str, &str)], id: &str) -> Value {
    server.request("GET", &format!("{JOBS}/{id}"), key, "").json()
}

fn wait(server: &Server, key: &[(&str, &str)], id: &str, until: impl Fn(&Value) -> bool) -> Value {
    let began = Instant::now();
    loop {
        let job = job(server, key, id);
        if until(&job) {
            return job;
        }
        assert!(began.elapsed() < Duration::from_secs(1200), "{job}");
        std::thread::sleep(Duration::from_millis(200));
    }
}

#[test]
fn a_server_that_does_not_train_says_so() {
    let server = Server::shared();
    let told = server.request("GET", FILES, &[], "").refused(404, "training_disabled", None);
    assert!(told.contains("--training"), "{told}");
}

#[test]
fn what_a_key_made_is_for_no_other_key() {
    let folder = tempfile::tempdir().expect("a folder");
    let keys = folder.path().join("keys.jsonl").display().to_string();
    let [ada, ben] = two_keys(&keys);
    let (ada, ben) = ([("authorization", ada.as_str())], [("authorization", ben.as_str())]);
    let state = folder.path().join("state").display().to_string();
    let more =
        ["--training-jobs-per-key", "1", "--training-file", "1", "--training-files-per-key", "1"];
    let given = ["--api-keys", &keys, "--training", &state];
    let server = Server::start(&[&given[..], &more].concat());

    let file = id(&upload(&server, &ada, &form(4)));
    for (method, path) in [
        ("GET", format!("{FILES}/{file}")),
        ("GET", format!("{FILES}/{file}/content")),
        ("DELETE", format!("{FILES}/{file}")),
    ] {
        server.request(method, &path, &ben, "").refused(404, "not_found", None);
    }
    assert_eq!(server.request("GET", FILES, &ben, "").json()["data"], json!([]));
    create(&server, &ben, &file, 1).refused(400, "invalid_value", Some("training_file"));

    let first = id(&create(&server, &ada, &file, 1));
    // Nobody else who uses the machine can look into what is there.
    #[cfg(unix)]
    for name in ["", "training.jsonl", "events.jsonl", "job.json"] {
        use std::os::unix::fs::PermissionsExt;
        let path = folder.path().join("state/jobs").join(&first).join(name);
        let mode = std::fs::metadata(&path).expect("there").permissions().mode();
        assert_eq!(mode & 0o077, 0, "{}: {mode:o}", path.display());
    }
    let second = create(&server, &ada, &file, 1);
    assert_eq!(
        (second.status, second.json()["error"]["code"].as_str()),
        (429, Some("quota_exceeded"))
    );
    for (method, path) in [
        ("GET", format!("{JOBS}/{first}")),
        ("GET", format!("{JOBS}/{first}/events")),
        ("POST", format!("{JOBS}/{first}/cancel")),
    ] {
        server.request(method, &path, &ben, "").refused(404, "not_found", None);
    }
    let done = wait(&server, &ada, &first, |job| job["finished_at"].is_number());
    assert_eq!(done["status"], "succeeded", "{done}");
    let model = done["fine_tuned_model"].as_str().expect("a model");
    let asked = json!({ "model": model, "prompt": "One,", "max_tokens": 4 }).to_string();
    assert_eq!(server.request("POST", "/v1/completions", &ada, &asked).status, 200);
    let refused = server.request("POST", "/v1/completions", &ben, &asked);
    refused.refused(404, "model_not_found", Some("model"));
    // The data of what is over is gone, the model is until it is deleted.
    let folder = folder.path().join("state/jobs").join(&first);
    assert!(!folder.join("training.jsonl").exists() && folder.join("out").exists());
    let path = format!("/v1/models/{model}");
    server.request("DELETE", &path, &ben, "").refused(404, "not_found", None);
    let gone = server.request("DELETE", &path, &ada, "");
    assert_eq!((gone.status, gone.json()["deleted"].as_bool()), (200, Some(true)));
    assert!(!folder.join("out").exists());
    let refused = server.request("POST", "/v1/completions", &ada, &asked);
    refused.refused(404, "model_not_found", Some("model"));
    let again = server.request("POST", &format!("{JOBS}/{first}/cancel"), &ada, "");
    again.refused(409, "job_is_over", None);

    // Bytes of a file, and of all files.
    upload(&server, &ada, &form(9000)).refused(413, "file_too_large", Some("file"));
    let large = form(5500);
    assert_eq!(upload(&server, &ada, &large).status, 200);
    let third = upload(&server, &ada, &large);
    assert_eq!(third.json()["error"]["code"], "quota_exceeded", "{}", third.text());
    let empty = "--edge\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\n\r\n--edge--\r\n";
    upload(&server, &ada, empty).refused(400, "invalid_value", Some("purpose"));
    let broken = upload(&server, &ada, "--edge\r\nnonsense");
    broken.refused(400, "invalid_body", None);
}

#[test]
fn a_job_survives_the_end_of_its_server() {
    let folder = tempfile::tempdir().expect("a folder");
    let state = folder.path().display().to_string();
    let arguments = ["--training", &state, "--training-threads", "1"];
    let mut server = Server::start(&arguments);
    let file = id(&upload(&server, &[], &form(8)));
    let made = id(&create(&server, &[], &file, 40));
    let trains = |server: &Server| {
        let events = server.get(&format!("{JOBS}/{made}/events?limit=1000")).json();
        events["data"].as_array().expect("events").iter().any(|event| event["type"] == "metrics")
    };
    let began = Instant::now();
    while !trains(&server) {
        assert!(began.elapsed() < Duration::from_secs(300), "{}", job(&server, &[], &made));
        std::thread::sleep(Duration::from_millis(100));
    }
    server.kill();
    let server = Server::start(&arguments);
    let done = wait(&server, &[], &made, |job| job["finished_at"].is_number());
    assert_eq!(done["status"], "succeeded", "{done}");
    let events = server.get(&format!("{JOBS}/{made}/events?limit=1000")).json();
    let text = events["data"].to_string();
    assert!(text.contains("started again") && text.contains("successfully"), "{text}");
    let asked = json!({ "model": done["fine_tuned_model"], "prompt": "One,", "max_tokens": 4 });
    assert_eq!(server.post("/v1/completions", &asked).status, 200);
}

#[test]
fn keys_take_turns_and_a_job_that_takes_too_long_makes_room() {
    let folder = tempfile::tempdir().expect("a folder");
    let keys = folder.path().join("keys.jsonl").display().to_string();
    let [ada, ben] = two_keys(&keys);
    let (ada, ben) = ([("authorization", ada.as_str())], [("authorization", ben.as_str())]);
    let state = folder.path().join("state").display().to_string();
    let given = ["--api-keys", &keys, "--training", &state, "--training-time", "25"];
    let server = Server::start(&given);
    let file = id(&upload(&server, &ada, &form(8)));
    let other = id(&upload(&server, &ben, &form(2)));
    // Without a limit it would train for hours, and its owner's second one before the other key's.
    let long = id(&create(&server, &ada, &file, 1000));
    let second = id(&create(&server, &ada, &file, 1));
    let third = id(&create(&server, &ben, &other, 1));
    let began = Instant::now();
    let failed = wait(&server, &ada, &long, |job| job["finished_at"].is_number());
    assert!(began.elapsed() < Duration::from_secs(120), "{:?}", began.elapsed());
    assert_eq!((&failed["status"], &failed["fine_tuned_model"]), (&json!("failed"), &Value::Null));
    assert_eq!(failed["error"]["code"], "time_limit_exceeded", "{failed}");
    let told = failed["error"]["message"].as_str().expect("a message");
    assert!(told.contains("after 25 s") && told.contains("--training-time"), "{told}");
    assert!(told.contains("n_epochs"), "what its owner can do: {told}");
    wait(&server, &ben, &third, |job| job["finished_at"].is_number());
    let waits = job(&server, &ada, &second);
    assert!(waits["finished_at"].is_null(), "the other key's came first: {waits}");
    // What it left is gone with it.
    let folder = folder.path().join("state/jobs").join(&long);
    let left = || folder.join("out").exists() || folder.join("training.jsonl").exists();
    let began = Instant::now();
    while left() {
        assert!(began.elapsed() < Duration::from_secs(20), "{}", folder.display());
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_job_that_cannot_be_understood_is_not_thrown_away() {
    let folder = tempfile::tempdir().expect("a folder");
    let jobs = folder.path().join("jobs/ftjob-0123456789abcdef01234567");
    std::fs::create_dir_all(jobs.join("out")).expect("made");
    std::fs::write(jobs.join("job.json"), r#"{"version": 9}"#).expect("written");
    let model = crate::common::real_model_path();
    let ended = Command::new(env!("CARGO_BIN_EXE_trainer-worker"))
        .args(["serve", "--address", "127.0.0.1:0", "--training"])
        .arg(folder.path())
        .arg("--model")
        .arg(model)
        .output()
        .expect("runs");
    let told = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert!(!ended.status.success() && told.contains("job.json"), "{told}");
    assert!(jobs.join("out").exists());
}

#[test]
fn ended_jobs_are_forgotten_when_there_are_many() {
    let folder = tempfile::tempdir().expect("a folder");
    let state = folder.path().display().to_string();
    let server = Server::start(&["--training", &state]);
    let file = id(&upload(&server, &[], &form(1)));
    let mut made = Vec::new();
    for _ in 0..104 {
        let job = id(&create(&server, &[], &file, 1));
        let ended = server.request("POST", &format!("{JOBS}/{job}/cancel"), &[], "");
        assert_eq!(ended.status, 200, "{}", ended.text());
        made.push(job);
    }
    let first = server.get(&format!("{JOBS}?limit=100")).json();
    let ids: Vec<&str> = first["data"]
        .as_array()
        .expect("jobs")
        .iter()
        .filter_map(|job| job["id"].as_str())
        .collect();
    let newest: Vec<&str> = made.iter().rev().take(100).map(String::as_str).collect();
    assert_eq!((ids, &first["has_more"]), (newest, &json!(false)));
    server.get(&format!("{JOBS}/{}", made[0])).refused(404, "not_found", None);
    assert!(!folder.path().join("jobs").join(&made[0]).exists());
    // What happened to those that are left can be read still.
    let events = server.get(&format!("{JOBS}/{}/events", made[103])).json();
    let text = events["data"].to_string();
    assert!(text.contains("Created") && text.contains("cancelled"), "{text}");
}

#[test]
fn values_that_no_training_takes_are_refused_at_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let state = folder.path().display().to_string();
    let server = Server::start(&["--training", &state]);
    let file = id(&upload(&server, &[], &form(1)));
    let make = |method: &str, name: &str, value: Value| {
        let mut body =
            json!({ "model": BASE, "training_file": file, "method": { "type": method } });
        body["method"][method] = json!({ "hyperparameters": { name: value } });
        server.post(JOBS, &body)
    };
    for (method, name, value) in [
        ("supervised", "n_epochs", json!(0)),
        ("supervised", "n_epochs", json!(-1)),
        ("supervised", "n_epochs", json!(1e308)),
        ("supervised", "batch_size", json!(1.5)),
        ("supervised", "lora_r", json!(0)),
        ("supervised", "lora_r", json!(1_000_000_000)),
        ("supervised", "lora_r", json!(1.5)),
        ("supervised", "warmup_ratio", json!(2)),
        ("supervised", "learning_rate_multiplier", json!(1e9)),
        ("supervised", "lr_scheduler_type", json!("steep")),
        ("supervised", "target_modules", json!("q_proj,nose_proj")),
        ("dpo", "beta", json!(-5)),
        ("dpo", "label_smoothing", json!(0.9)),
    ] {
        let field = format!("method.{method}.hyperparameters.{name}");
        let told = make(method, name, value).refused(400, "invalid_value", Some(&field));
        assert!(told.contains(name) || told.contains("nose_proj"), "{told}");
        assert!(!told.contains("--"), "in the words of the API: {told}");
    }
    let refused = |field: &str, value: Value, param: &str, shown: &str| {
        let mut body = json!({ "model": BASE, "training_file": file });
        body[field] = value;
        let told = server.post(JOBS, &body).refused(400, "invalid_value", Some(param));
        assert!(told.contains(shown), "{told}");
    };
    refused("suffix", json!("a b"), "suffix", "\"a b\"");
    refused("metadata", json!({ "note": "x".repeat(513) }), "metadata.note", "513 bytes");
    refused("metadata", json!({ "note": 5 }), "metadata.note", "no text");
    assert_eq!(server.get(JOBS).json()["data"], json!([]), "nothing was made");

    // Preferences are for another method, and the error says which.
    let row = json!({ "input": { "messages": [{ "role": "user", "content": "Hi" }] },
        "preferred_output": [{ "role": "assistant", "content": "Hello" }],
        "non_preferred_output": [{ "role": "assistant", "content": "Go" }] });
    let preferences = id(&upload(
        &server,
        &[],
        &form(1).replace("{\"messages\"", &format!("{row}\n{{\"messages\"")),
    ));
    let told =
        create(&server, &[], &preferences, 1).refused(400, "invalid_value", Some("training_file"));
    assert!(told.contains("dpo"), "{told}");

    let twice = form(1).replace("{\"messages\":", "{\"messages\":[],\"messages\":");
    let twice = id(&upload(&server, &[], &twice));
    let told = create(&server, &[], &twice, 1).refused(400, "invalid_value", Some("training_file"));
    assert!(told.contains("line 1 of training_file") && told.contains("\"messages\""), "{told}");

    // Files stay until they are deleted: who asks for another end is told.
    let expires = form(1).replace(
        "name=\"purpose\"\r\n\r\nfine-tune\r\n--edge\r\n",
        "name=\"purpose\"\r\n\r\nfine-tune\r\n--edge\r\ncontent-disposition: form-data; \
         name=\"expires_after[seconds]\"\r\n\r\n3600\r\n--edge\r\n",
    );
    upload(&server, &[], &expires).refused(400, "unsupported_parameter", Some("expires_after"));
    // What is not seen in a name could make it be read as another.
    let odd = form(1).replace("notes.jsonl", "notes\u{202e}lnosj.exe");
    let named = upload(&server, &[], &odd).json();
    assert_eq!(named["filename"], "notes_lnosj.exe");
}
