//! Names: of hosts, and of files.

use super::door::Door;
use super::http::Answer;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

/// A request as it is written.
async fn raw(door: &Door, head: &str) -> Answer {
    let mut stream = TcpStream::connect(door.address).await.unwrap();
    stream.write_all(format!("{head}\r\nConnection: close\r\n\r\n").as_bytes()).await.unwrap();
    Answer::read(stream).await
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_resolve_here_without_the_operators_word_are_refused() {
    let door = Door::open(&["--host", "data.example.org"]);
    let port = door.address.port();
    for host in [
        format!("localhost:{port}"),
        format!("127.0.0.1:{port}"),
        format!("[::1]:{port}"),
        "data.example.org".to_owned(),
        "DATA.example.org:443".to_owned(),
    ] {
        let head = format!("GET /v1/status HTTP/1.1\r\nHost: {host}");
        assert_eq!(raw(&door, &head).await.status, 200, "{host}");
    }
    for host in [
        "evil.example",
        "evil.example:8000",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "evil.example@localhost",
        "data.example.org.evil.example",
        "localhost:18000@evil",
        "localhost:99999",
        "localhost, evil.example",
        "[::1]evil",
        "0.0.0.0",
        "10.0.0.1",
        "",
    ] {
        for path in ["/v1/status", "/", "/openapi.json", "/v1/accounts/x", "/nothing", "/mcp"] {
            let head = format!("GET {path} HTTP/1.1\r\nHost: {host}");
            assert_eq!(raw(&door, &head).await.status, 403, "{host} {path}");
        }
    }
    // What stands in front may have read either.
    for hosts in [
        "localhost\r\nHost: evil.example",
        "evil.example\r\nHost: localhost",
        "localhost\r\nHost: localhost",
    ] {
        let answer = raw(&door, &format!("GET /v1/status HTTP/1.1\r\nHost: {hosts}")).await;
        assert_eq!(answer.error(), (400, "invalid_host".to_owned()), "{hosts}");
    }
    let answer = raw(&door, "GET /v1/status HTTP/1.1").await;
    assert_eq!(answer.error(), (400, "invalid_host".to_owned()));
    // The host of an absolute address is the one that counts, and there is no request without any.
    let head = "GET http://evil.example/v1/status HTTP/1.1\r\nHost: localhost";
    assert_eq!(raw(&door, head).await.status, 403);
    assert_eq!(raw(&door, "GET /v1/status HTTP/1.0").await.status, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_path_leads_out_of_what_is_served() {
    let folder = tempfile::tempdir().unwrap();
    let web = folder.path().join("web");
    std::fs::create_dir_all(web.join("assets")).unwrap();
    std::fs::write(web.join("index.html"), "<!doctype html><title>the page</title>").unwrap();
    std::fs::write(web.join("assets/app.js"), "/* the app */").unwrap();
    std::fs::write(web.join("assets/app.js.gz"), "packed").unwrap();
    std::fs::write(web.join("index.html.br"), "packed").unwrap();
    std::fs::create_dir_all(web.join(".vite")).unwrap();
    std::fs::write(web.join(".vite/manifest.json"), "{\"noted\":1}").unwrap();
    std::fs::write(folder.path().join("secret.txt"), "the operator's secret").unwrap();
    let served = web.to_str().unwrap().to_owned();
    let door = Door::open_in(folder, &["--web", &served]);
    assert_eq!(door.get("/assets/app.js").await.body, b"/* the app */");
    // What is packed, and what the build notes for itself, are no files of the app.
    for path in ["/index.html.br", "/assets/app.js.gz", "/.vite/manifest.json"] {
        let answer = door.get(path).await;
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        assert!(answer.status == 404 || text.contains("the page"), "{path}: {text}");
    }
    for (method, path, status) in [
        ("GET", "/assets/gone.js", 404),
        ("POST", "/v1/config", 405),
        ("DELETE", "/openapi.json", 405),
        ("POST", "/", 405),
        ("PATCH", "/rpc", 405),
        ("POST", "/datanets/0", 405),
    ] {
        let answer = door.ask(method, path, &[], &[]).await;
        assert_eq!(answer.status, status, "{method} {path}");
        assert!(answer.json()["error"]["message"].is_string(), "{method} {path}");
    }
    let before = Door::files(&door.folder);
    let ways = [
        "..",
        "%2e%2e",
        "%2E.",
        "..%2f..",
        "..%5c..",
        "..\\..",
        "....",
        "%252e%252e",
        "..%00",
        ".",
    ];
    let targets =
        ["secret.txt", "gateway/index.sqlite", "gateway.log", "etc/passwd", "etc%2fpasswd"];
    let begins = [
        "/",
        "//",
        "/assets/",
        "/ipfs/",
        "/v1/",
        "/v1/blobs/",
        "/v1/files/",
        "/v1/previews/",
        "/v1/vault/",
        "/v1/jobs/",
        "/v1/accounts/",
    ];
    for begin in begins {
        for way in ways {
            for target in targets {
                for deep in 1..4 {
                    let path = format!("{begin}{}{target}", format!("{way}/").repeat(deep));
                    let answer = door.get(&path).await;
                    let text = String::from_utf8_lossy(&answer.body);
                    assert!(answer.status < 500, "{path}: {} {text}", answer.status);
                    for leaked in
                        ["the operator's secret", "SQLite format", "root:", "listening on"]
                    {
                        assert!(!text.contains(leaked), "{path}: {text}");
                    }
                    let is_page = answer.status == 200;
                    assert!(!is_page || text.contains("the page"), "{path}: {text}");
                }
            }
        }
    }
    // Nor is anything written elsewhere.
    let key = "00".repeat(32);
    for name in ["..%2f..%2fescaped", "%2e%2e", "%2Fetc%2Fescaped", "a%00b"] {
        for path in ["/v1/vault/", "/v1/blobs/"] {
            let path = format!("{path}{name}?size=4");
            let headers = [("Vault-Key", key.as_str())];
            let status = door.ask("PUT", &path, &headers, b"text").await.status;
            assert!((400..500).contains(&status), "{path}: {status}");
        }
    }
    let written: Vec<_> = Door::files(&door.folder)
        .into_iter()
        .filter(|file| !before.contains(file) && !file.to_string_lossy().contains("sqlite"))
        .collect();
    assert!(written.is_empty(), "{written:?}");
}
