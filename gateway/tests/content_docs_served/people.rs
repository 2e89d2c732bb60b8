//! Pages for people: they stand alone, every link of theirs works, and nothing in them is obeyed that should
//! not be.

use super::door::{text, Door};
use std::collections::BTreeSet;

/// Values of an attribute.
fn values<'a>(html: &'a str, attribute: &str) -> Vec<&'a str> {
    let before = format!(" {attribute}=\"");
    let parts = html.split(before.as_str()).skip(1);
    parts.map(|rest| rest.split_once('"').unwrap().0).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_link_of_every_page_works() {
    let door = Door::open().await;
    let mut waiting = vec!["/docs".to_owned()];
    let mut seen = BTreeSet::from(["/docs".to_owned()]);
    let mut anchored: BTreeSet<(String, String)> = BTreeSet::new();
    let mut ids: BTreeSet<(String, String)> = BTreeSet::new();
    while let Some(path) = waiting.pop() {
        let answer = door.get(&path).await;
        assert_eq!(answer.status, 200, "{path}");
        if answer.header("content-type") != Some("text/html; charset=utf-8") {
            continue;
        }
        let html = text(&answer);
        let own: Vec<&str> = values(&html, "id");
        let distinct: BTreeSet<&&str> = own.iter().collect();
        assert_eq!(distinct.len(), own.len(), "{path} has an id twice");
        ids.extend(own.into_iter().map(|id| (path.clone(), id.to_owned())));
        for link in values(&html, "href").into_iter().chain(values(&html, "src")) {
            let link = link.replace("&amp;", "&");
            if link.starts_with("https://") || link.starts_with("http://") {
                // Only what a person may click, or this server itself.
                continue;
            }
            let (page, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let page = if page.is_empty() { path.clone() } else { page.to_owned() };
            if !anchor.is_empty() {
                anchored.insert((page.clone(), anchor.to_owned()));
            }
            let of_docs = page.starts_with("/docs") || page.ends_with("llms.txt");
            if of_docs && seen.insert(page.clone()) {
                waiting.push(page);
            }
        }
    }
    assert!(seen.len() > door.docs.book().pages().len(), "{}", seen.len());
    let missing: Vec<_> =
        anchored.difference(&ids).filter(|(page, _)| !page.ends_with(".md")).collect();
    assert!(missing.is_empty(), "{missing:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_loads_nothing_from_another_host() {
    let door = Door::open().await;
    for path in ["/docs", "/docs/concepts", "/docs/search?q=quota", "/docs?ask=quota", "/docs/none"]
    {
        let answer = door.get(path).await;
        let policy = answer.header("content-security-policy").unwrap();
        assert!(
            policy.contains("script-src 'self'; style-src 'self'; img-src 'self' data:;"),
            "{policy}"
        );
        assert!(policy.starts_with("default-src 'none';") && policy.contains("form-action 'self'"));
        let html = text(&answer);
        assert!(
            !html.contains(" style=") && !html.contains("<style") && !html.contains(" onclick=")
        );
        for source in values(&html, "src") {
            assert!(source.starts_with('/'), "{source}");
        }
        // Scripts are files, or data.
        for script in html.split("<script").skip(1) {
            let is_data = script.starts_with(" type=\"application/ld+json\">");
            assert!(script.starts_with(" src=\"/docs/assets/docs-") || is_data, "{script:.80}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_says_what_it_is() {
    let door = Door::open().await;
    let html = text(&door.get("/docs/rewards").await);
    let page = door.docs.book().page("rewards").unwrap();
    assert!(html.contains(&format!("<title>{} · OpenLedger</title>", page.title)));
    assert!(html.contains("<html lang=\"en\">"));
    assert!(
        html.contains(&format!("<link rel=\"canonical\" href=\"{}/docs/rewards\">", door.origin()))
    );
    assert!(
        html.contains("<link rel=\"alternate\" type=\"text/markdown\" href=\"/docs/rewards.md\">")
    );
    assert!(html.contains("aria-current=\"page\""));
    assert!(html.contains("<form class=\"search\" action=\"/docs/search\" role=\"search\">"));
    let data = html.split_once("<script type=\"application/ld+json\">").unwrap().1;
    let data: serde_json::Value =
        serde_json::from_str(data.split_once("</script>").unwrap().0).unwrap();
    assert_eq!(data["@type"], "TechArticle");
    assert_eq!(data["headline"], page.title);
    assert_eq!(data["encoding"]["contentUrl"], format!("{}/docs/rewards.md", door.origin()));
}

#[tokio::test(flavor = "multi_thread")]
async fn search_works_without_a_script() {
    let door = Door::open().await;
    let html = text(&door.get("/docs/search?q=why+was+I+paid+nothing").await);
    assert!(html.contains("<h1>why was I paid nothing</h1>"), "{html}");
    assert!(
        html.contains("<div class=\"answer\">") && html.contains("href=\"/docs/faq#"),
        "{html}"
    );
    assert!(html.contains("value=\"why was I paid nothing\""));
    assert!(html.contains("<meta name=\"robots\" content=\"noindex\">"));
    let nothing = text(&door.get("/docs/search?q=zzzzqqqq").await);
    assert!(nothing.contains("Nothing in the documentation has these words."));
    assert!(text(&door.get("/docs/search").await).contains("<h1>Search</h1>"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_a_page_too() {
    let door = Door::open().await;
    let html = text(&door.get("/docs?ask=why+was+I+paid+nothing").await);
    assert!(
        html.contains("<div class=\"answer\">") && html.contains("<h2>Ask next</h2>"),
        "{html}"
    );
    let strange = text(&door.get("/docs?ask=who+won+the+football+world+cup").await);
    assert!(
        strange.contains("We couldn&#39;t answer this question.")
            || strange.contains("We couldn't answer this question.")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_typed_is_shown_and_not_obeyed() {
    let door = Door::open().await;
    let evil = "%22%3E%3Cscript%3Ealert(1)%3C/script%3E%3Cimg%20src=x%20onerror=alert(1)%3E";
    for path in [
        format!("/docs/search?q={evil}"),
        format!("/docs/search?q=quota+{evil}"),
        format!("/docs?ask={evil}"),
        format!("/docs?ask=quota+{evil}"),
        format!("/docs/none?ask=why+zero+points+{evil}"),
        format!("/docs/{evil}"),
    ] {
        let html = text(&door.get(&path).await);
        assert!(!html.contains("<script>") && !html.contains("<img src=x"), "{path}: {html}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn style_and_script_are_kept_for_ever_under_their_names() {
    let door = Door::open().await;
    let html = text(&door.get("/docs").await);
    let assets: Vec<&str> = values(&html, "href")
        .into_iter()
        .chain(values(&html, "src"))
        .filter(|link| link.starts_with("/docs/assets/"))
        .collect();
    assert_eq!(assets.len(), 2);
    for asset in assets {
        let answer = door.get(asset).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("cache-control"), Some("public, max-age=31536000, immutable"));
        let media_type = answer.header("content-type").unwrap();
        assert!(["text/css; charset=utf-8", "text/javascript; charset=utf-8"].contains(&media_type));
    }
    assert_eq!(door.get("/docs/assets/docs-000000000000.css").await.status, 404);
    assert_eq!(door.get("/docs/assets/..%2f..%2fCargo.toml").await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn other_spellings_of_an_address_lead_to_it() {
    let door = Door::open().await;
    for (spelt, own) in [
        ("/docs/", "/docs"),
        ("/docs/faq/", "/docs/faq"),
        ("/docs/FAQ", "/docs/faq"),
        ("/docs//faq", "/docs/faq"),
        ("/docs/%66aq", "/docs/faq"),
        ("/docs/faq%2Emd", "/docs/faq.md"),
        ("/docs/faq.md/", "/docs/faq.md"),
        ("/docs/tutorials%2Fcontributor", "/docs/tutorials/contributor"),
        ("/docs/tutorials/README.md", "/docs/tutorials.md"),
    ] {
        let answer = door.get(spelt).await;
        assert_eq!((answer.status, answer.header("location")), (308, Some(own)), "{spelt}");
    }
    for path in
        ["/docs/%2e%2e/%2e%2e/etc/passwd", "/docs/faq%00", "/docs/%ff", "/docs/%", "/docs/a%3Cb"]
    {
        assert_eq!(door.get(path).await.status, 404, "{path}");
    }
    let drawn = door.get("/docs/diagrams%2Fparts.svg").await;
    assert_eq!(drawn.header("content-type"), Some("image/svg+xml"));
}
