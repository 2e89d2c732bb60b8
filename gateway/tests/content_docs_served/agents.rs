//! GitBook's contract, address by address, and what else programs look for.

use super::door::http::{hash, Answer};
use super::door::{text, Door};

const MARKDOWN: &str = "text/markdown; charset=utf-8";

/// What every answer of the documentation carries.
fn carries(answer: &Answer, status: u16, media_type: &str) {
    assert_eq!(answer.status, status, "{}", answer.head);
    assert_eq!(answer.header("content-type"), Some(media_type), "{}", answer.head);
    assert_eq!(answer.header("vary"), Some("Accept"), "{}", answer.head);
    let links = answer.header("link").unwrap();
    for link in [
        "</llms.txt>; rel=\"llms-txt\"",
        "</llms-full.txt>; rel=\"llms-full-txt\"",
        "</.well-known/api-catalog>; rel=\"api-catalog\"",
        "</openapi.json>; rel=\"service-desc\"",
    ] {
        assert!(links.contains(link), "{links}");
    }
    assert_eq!(answer.header("x-llms-txt"), Some("/llms.txt"));
}

#[tokio::test(flavor = "multi_thread")]
async fn indexes_are_markdown_with_whole_addresses() {
    let door = Door::open().await;
    let book = door.docs.book();
    for (path, expected) in [
        ("/llms.txt", book.index(&door.origin())),
        ("/docs/llms.txt", book.index(&door.origin())),
        ("/llms-full.txt", book.whole(0, &door.origin()).unwrap()),
        ("/docs/llms-full.txt", book.whole(0, &door.origin()).unwrap()),
        ("/llms-full.txt/0", book.whole(0, &door.origin()).unwrap()),
        ("/skill.md", book.skill(&door.origin())),
    ] {
        let answer = door.get(path).await;
        carries(&answer, 200, MARKDOWN);
        assert_eq!(text(&answer), expected, "{path}");
    }
    assert_eq!(door.get("/llms-full.txt/1").await.error(), (404, "not_found".to_owned()));
    for wrong in ["/llms-full.txt/x", "/llms-full.txt/-1", "/llms-full.txt/1.5"] {
        assert_eq!(door.get(wrong).await.error(), (400, "invalid_value".to_owned()), "{wrong}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_of_the_index_is_there_as_markdown_and_as_html() {
    let door = Door::open().await;
    let index = text(&door.get("/llms.txt").await);
    let listed: Vec<&str> = index
        .lines()
        .filter_map(|line| {
            line.strip_prefix("- [")?.split_once("](")?.1.split_once(')').map(|it| it.0)
        })
        .filter(|url| url.contains("/docs"))
        .collect();
    assert_eq!(listed.len(), door.docs.book().pages().len());
    for url in listed {
        let path = url.strip_prefix(&door.origin()).unwrap();
        let page = door.docs.book().page(url).unwrap();
        let expected = page.for_agents(&door.origin());
        let twin = door.get(path).await;
        carries(&twin, 200, MARKDOWN);
        assert_eq!(text(&twin), expected);
        let short = path.strip_suffix(".md").unwrap();
        let negotiated = door.get_as(short, "text/markdown").await;
        carries(&negotiated, 200, MARKDOWN);
        assert_eq!(text(&negotiated), expected);
        let html = door.get(short).await;
        carries(&html, 200, "text/html; charset=utf-8");
        let alternate = format!("<{path}>; rel=\"alternate\"; type=\"text/markdown\"");
        assert!(html.header("link").unwrap().contains(&alternate), "{}", html.head);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_form_follows_what_is_accepted() {
    let door = Door::open().await;
    let browser =
        "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8";
    for (accept, markdown) in [
        ("", false),
        ("*/*", false),
        (browser, false),
        ("text/html", false),
        ("text/*", false),
        ("image/png", false),
        ("text/markdown;q=0.5, text/html", false),
        ("text/markdown;q=0, */*", false),
        ("text/html, text/markdown", false),
        ("text/markdown", true),
        ("text/markdown, text/html;q=0.9", true),
        ("text/markdown, */*", true),
        ("text/plain", true),
        ("text/markdown,text/plain;q=0.9,*/*;q=0.1", true),
        ("TEXT/MARKDOWN", true),
    ] {
        let answer = door.get_as("/docs/concepts", accept).await;
        let expected = if markdown { MARKDOWN } else { "text/html; charset=utf-8" };
        assert_eq!(answer.header("content-type"), Some(expected), "{accept}");
        assert_eq!(answer.header("vary"), Some("Accept"), "{accept}");
        // The twin's address says the form already.
        let twin = door.get_as("/docs/concepts.md", accept).await;
        assert_eq!(twin.header("content-type"), Some(MARKDOWN), "{accept}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_has_one_address() {
    let door = Door::open().await;
    for (path, own) in [
        ("/docs/", "/docs"),
        ("/docs/README.md", "/docs.md"),
        ("/docs/tutorials/", "/docs/tutorials"),
        ("/docs/tutorials/README.md", "/docs/tutorials.md"),
        ("/docs/Concepts", "/docs/concepts"),
    ] {
        let answer = door.get(path).await;
        assert_eq!((answer.status, answer.header("location")), (308, Some(own)), "{path}");
        assert_eq!(door.get(own).await.status, 200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn any_page_answers_questions() {
    let door = Door::open().await;
    let question = "accepted%20but%20paid%20nothing";
    for path in ["/docs.md", "/docs/rewards.md", "/docs/there/is/none.md"] {
        let answer = door.get(&format!("{path}?ask={question}&goal=be%20paid")).await;
        carries(&answer, 200, MARKDOWN);
        let told = text(&answer);
        assert!(told.starts_with("# accepted but paid nothing\n\n"), "{told}");
        let (_, rest) = told.split_once("\n# Suggested Follow-up Questions:\n").unwrap();
        let (follow_ups, sources) = rest.split_once("\n# Sources:\n").unwrap();
        for link in follow_ups.lines().filter(|line| line.starts_with("- [")) {
            let url = link.split_once("](").unwrap().1.trim_end_matches(')');
            let path = url.strip_prefix(&door.origin()).unwrap();
            assert!(
                path.starts_with("/docs.md?ask=") && path.ends_with("&goal=be%20paid"),
                "{path}"
            );
            let next = text(&door.get(path).await);
            assert!(next.contains("\n# Sources:\n"), "{path}: {next}");
        }
        for link in sources.lines().filter(|line| line.starts_with("- [")) {
            let url = link.split_once("](").unwrap().1.trim_end_matches(')');
            let (page, anchor) = url.split_once('#').unwrap();
            let page = page.strip_prefix(&door.origin()).unwrap();
            assert_eq!(door.get(page).await.status, 200, "{url}");
            let page = door.docs.book().page(page).unwrap();
            assert!(page.section(anchor).is_some(), "{url}");
        }
    }
    // By the form that is accepted, and with plus signs for spaces.
    let plus =
        door.get_as("/docs?ask=accepted+but+paid+nothing&goal=be+paid", "text/markdown").await;
    let twin = door.get(&format!("/docs.md?ask={question}&goal=be%20paid")).await;
    assert_eq!(text(&plus), text(&twin));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_answered_is_said() {
    let door = Door::open().await;
    for (query, status, said) in [
        ("ask=", 200, "You forgot to pass a question in the `?ask=` parameter"),
        ("ask", 200, "You forgot to pass a question in the `?ask=` parameter"),
        ("ask=%3Cquestion%3E&goal=%3Cendgoal%3E", 200, "You forgot to pass a question"),
        ("ask=who+won+the+football+world+cup", 200, "We couldn't answer this question."),
        (&format!("ask={}", "x".repeat(501)), 400, "may have 500 characters"),
        (&format!("ask=why&goal={}", "x".repeat(501)), 400, "may have 500 characters"),
    ] {
        for path in ["/docs.md", "/docs/faq.md"] {
            let answer = door.get(&format!("{path}?{query}")).await;
            carries(&answer, status, MARKDOWN);
            assert!(
                text(&answer).starts_with(said) || text(&answer).contains(said),
                "{}",
                text(&answer)
            );
        }
    }
    // Marks that addresses are passed on with change nothing.
    let marked = door.get("/docs/faq.md?utm_source=x&q=y").await;
    assert_eq!(text(&marked), text(&door.get("/docs/faq.md").await));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_page_is_said_in_the_form_that_is_wanted() {
    let door = Door::open().await;
    for (path, accept) in [("/docs/reward.md", ""), ("/docs/reward", "text/markdown")] {
        let answer = door.get_as(path, accept).await;
        carries(&answer, 200, MARKDOWN);
        let told = text(&answer);
        assert!(told.starts_with("# Page Not Found\n\n"), "{told}");
        assert!(told.contains(&format!("({}/docs/rewards.md)", door.origin())), "{told}");
        let similar = told.lines().filter(|line| line.starts_with("- [")).count();
        assert!((1..=5).contains(&similar), "{told}");
    }
    let answer = door.get("/docs/reward").await;
    carries(&answer, 404, "text/html; charset=utf-8");
    assert!(text(&answer).contains("<a href=\"/docs/rewards\">"));
}

#[tokio::test(flavor = "multi_thread")]
async fn search_answers_programs() {
    let door = Door::open().await;
    let answer = door.get_as("/docs/search?q=InvalidDailyLimit", "application/json").await;
    carries(&answer, 200, "application/json");
    let found = answer.ok();
    assert!(found["next"].is_null());
    let items = found["items"].as_array().unwrap();
    assert!((1..=12).contains(&items.len()));
    assert_eq!(items[0]["path"], "reference/chain");
    for item in items {
        let url = item["url"].as_str().unwrap().strip_prefix(&door.origin()).unwrap();
        let (path, anchor) = url.split_once('#').unwrap();
        assert_eq!(item["anchor"], anchor);
        assert_eq!(door.get(path).await.status, 200);
    }
    let markdown = door.get_as("/docs/search?q=quota", "text/markdown").await;
    carries(&markdown, 200, MARKDOWN);
    assert!(text(&markdown).lines().all(|line| line.starts_with("- [")));
    for nothing in ["", "?q=", "?q=zzzzqqqq"] {
        let found = door.get_as(&format!("/docs/search{nothing}"), "application/json").await.ok();
        assert_eq!(found["items"], serde_json::json!([]));
    }
    let long = format!("/docs/search?q={}", "x".repeat(501));
    assert_eq!(
        door.get_as(&long, "application/json").await.error(),
        (400, "invalid_value".to_owned())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn many_questions_at_once_are_all_answered() {
    let door = Door::open().await;
    let ask = |n: usize| door.get(["/docs.md?ask=why+zero+points", "/docs/search?q=quota"][n % 2]);
    let answers = futures::future::join_all((0..40).map(ask)).await;
    assert!(answers.iter().all(|answer| answer.status == 200));
}

#[tokio::test(flavor = "multi_thread")]
async fn machines_find_what_there_is_by_standard_addresses() {
    let door = Door::open().await;
    let catalog = door.get("/.well-known/api-catalog").await;
    let media_type =
        "application/linkset+json; profile=\"https://www.rfc-editor.org/info/rfc9727\"";
    carries(&catalog, 200, media_type);
    let catalog = catalog.ok();
    let api = &catalog["linkset"][0];
    assert_eq!(api["anchor"], format!("{}/v1", door.origin()));
    assert_eq!(api["service-desc"][0]["href"], format!("{}/openapi.json", door.origin()));
    assert_eq!(door.get("/docs/reference/rest").await.status, 200);

    let skills = door.get("/.well-known/agent-skills/index.json").await.ok();
    assert_eq!(skills["$schema"], "https://schemas.agentskills.io/discovery/0.2.0/schema.json");
    let skill = &skills["skills"][0];
    let address = skill["url"].as_str().unwrap();
    let file = door.get(address).await;
    carries(&file, 200, MARKDOWN);
    assert_eq!(skill["digest"], format!("sha256:{}", hash(&file.body)));
    assert_eq!(text(&file), text(&door.get("/skill.md").await));
    assert!(text(&file)
        .contains(&format!("\ndescription: {}\n", skill["description"].as_str().unwrap())));

    let map = door.get("/sitemap.xml").await;
    carries(&map, 200, "application/xml; charset=utf-8");
    let map = text(&map);
    let urls = map.split("<loc>").skip(1).map(|rest| rest.split_once("</loc>").unwrap().0);
    for url in urls {
        assert_eq!(door.get(url.strip_prefix(&door.origin()).unwrap()).await.status, 200, "{url}");
    }
    let robots = door.get("/robots.txt").await;
    carries(&robots, 200, "text/plain; charset=utf-8");
    assert!(text(&robots).contains(&format!("Sitemap: {}/sitemap.xml", door.origin())));
}

#[tokio::test(flavor = "multi_thread")]
async fn heads_are_answered_and_nothing_can_be_sent() {
    let door = Door::open().await;
    for path in ["/docs", "/docs/faq.md", "/llms.txt", "/.well-known/api-catalog", "/robots.txt"] {
        let head = door.method("HEAD", path).await;
        assert_eq!((head.status, head.body.len()), (200, 0), "{path}");
        assert!(head.header("link").unwrap().contains("rel=\"api-catalog\""));
        for method in ["POST", "PUT", "DELETE"] {
            assert_eq!(door.method(method, path).await.status, 405, "{method} {path}");
        }
    }
}
