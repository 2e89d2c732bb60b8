//! The packages that people have: OpenAI's for Python and JavaScript, and Vercel's AI SDK, unmodified.

use crate::http::{write_adapter, Server, BASE};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where `scripts/clients` put them; none where `scripts/test` said that there is no network.
fn clients() -> Option<PathBuf> {
    if std::env::var_os("OPENLEDGER_CLIENTS").is_some_and(|value| value == "none") {
        return None;
    }
    let folder = crate::common::cache().join("clients");
    assert!(
        folder.join("complete").exists(),
        "the clients are not in {}; run ./scripts/clients, which fetches them",
        folder.display()
    );
    Some(folder)
}

/// A server with a key and an adapter, and what clients are told of it.
struct Served {
    server: Server,
    arguments: [String; 4],
    _folder: tempfile::TempDir,
}

impl Served {
    fn start(more: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        write_adapter(&folder.path().join("adapters/tone"), 1);
        let keys = folder.path().join("keys.jsonl").display().to_string();
        let made = Command::new(env!("CARGO_BIN_EXE_trainer-worker"))
            .args(["serve", "--api-keys", &keys, "--add-key", "client"])
            .output()
            .expect("runs");
        assert!(made.status.success(), "{made:?}");
        let key = String::from_utf8(made.stdout).expect("text").trim().to_owned();
        let adapters = folder.path().join("adapters").display().to_string();
        let given = ["--api-keys", &keys, "--adapters", &adapters];
        let server = Server::start(&[&given[..], more].concat());
        let arguments =
            [format!("http://{}/v1", server.address), key, BASE.into(), format!("{BASE}:tone")];
        Self { server, arguments, _folder: folder }
    }

    fn talk(&self, program: &Path, script: &Path, environment: &[(&str, &Path)]) {
        let mut command = Command::new(program);
        command.arg(script).args(&self.arguments);
        for (name, value) in environment {
            command.env(name, value);
        }
        let done = command.output().expect("the client runs");
        let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert!(
            done.status.success(),
            "{}: {}\n{}",
            script.display(),
            said(&done.stdout),
            said(&done.stderr)
        );
    }

    fn python(&self, clients: &Path, script: &str) {
        let script = scripts().join(script);
        self.talk(Path::new("python3"), &script, &[("PYTHONPATH", &clients.join("python"))]);
    }

    /// Node looks for packages beside the script.
    fn node(&self, clients: &Path, script: &str) {
        let folder = tempfile::tempdir().expect("a folder");
        let copy = folder.path().join(script);
        std::fs::copy(scripts().join(script), &copy).expect("a copy");
        let modules = folder.path().join("node_modules");
        std::os::unix::fs::symlink(clients.join("js/node_modules"), modules).expect("a link");
        self.talk(&clients.join("bin/node"), &copy, &[]);
    }
}

fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients")
}

#[test]
fn openais_python_client_is_answered() {
    let Some(clients) = clients() else { return };
    Served::start(&[]).python(&clients, "openai_client.py");
}

#[test]
fn openais_javascript_client_is_answered() {
    let Some(clients) = clients() else { return };
    let served = Served::start(&[]);
    served.node(&clients, "openai_client.mjs");
    // It went away in the middle of an answer, which then is no longer written.
    let metrics = || {
        let reply = served.server.request(
            "GET",
            "/metrics",
            &[("authorization", &format!("Bearer {}", served.arguments[1]))],
            "",
        );
        reply.text()
    };
    let began = std::time::Instant::now();
    while !metrics().contains("openledger_requests_running 0") {
        assert!(began.elapsed().as_secs() < 60, "{}", metrics());
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
}

#[test]
fn the_ai_sdk_is_answered() {
    let Some(clients) = clients() else { return };
    Served::start(&[]).node(&clients, "ai_sdk.mjs");
}

#[test]
fn openais_python_client_fine_tunes_and_chats_with_the_result() {
    let Some(clients) = clients() else { return };
    let state = tempfile::tempdir().expect("a folder");
    let folder = state.path().display().to_string();
    let served = Served::start(&["--training", &folder, "--training-threads", "1"]);
    served.python(&clients, "fine_tuning.py");
}
