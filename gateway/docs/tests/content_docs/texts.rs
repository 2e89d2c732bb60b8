//! Texts for agents, against shapes that GitBook's sites answered in 2026 (its own words are not repeated).

use openledger_docs::{robots, Book};

const ORIGIN: &str = "https://data.example.org";

#[test]
fn the_index_lists_every_page_under_a_heading() {
    let book = Book::embedded().unwrap();
    let index = book.index(ORIGIN);
    let mut lines = index.lines();
    assert_eq!(lines.next(), Some("# OpenLedger"));
    assert!(index.lines().any(|line| line.starts_with("> ")));
    let (_, listed) = index.split_once("\n## ").unwrap();
    let mut count = 0;
    for line in listed.lines().filter(|line| line.starts_with("- [")) {
        let (title, rest) = line[3..].split_once("](").unwrap();
        let (url, description) = rest.split_once(')').unwrap();
        assert!(url.starts_with(ORIGIN), "{line}");
        if let Some(page) = book.page(url).filter(|_| url.ends_with(".md") && url.contains("/docs"))
        {
            assert_eq!(title, page.title);
            assert_eq!(description, format!(": {}", page.description));
            count += 1;
        }
    }
    assert_eq!(count, book.pages().len());
}

#[test]
fn a_page_begins_with_the_index_and_ends_with_how_to_ask() {
    let book = Book::embedded().unwrap();
    let page = book.page("rewards").unwrap();
    let text = page.for_agents(ORIGIN);
    let own = format!("{ORIGIN}/docs/rewards.md");
    assert!(text.starts_with(&format!(
        "> For the complete documentation index, see [llms.txt]({ORIGIN}/llms.txt). Markdown versions of \
         documentation pages are available by appending `.md` to page URLs; this page is available as \
         [Markdown]({own}).\n\n# "
    )));
    let (_, footer) = text.rsplit_once("\n---\n").unwrap();
    assert!(footer.starts_with("\n# Agent Instructions\n"), "{footer}");
    assert!(footer.contains("\n## Querying This Documentation\n"));
    assert!(footer.contains(
        "Perform an HTTP GET request on the current page URL with the `ask` query parameter, and the optional \
         `goal` query parameter:"
    ));
    assert!(footer.contains(&format!("\n```\nGET {own}?ask=<question>&goal=<endgoal>\n```\n")));
    // Links are whole addresses of markdown.
    assert!(text.contains(&format!("]({ORIGIN}/docs/")) && !text.contains("](/docs"), "{text}");
}

#[test]
fn the_whole_book_comes_in_batches_of_a_hundred_pages() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("README.md"), "# First\n").unwrap();
    for n in 0..150 {
        std::fs::write(folder.path().join(format!("p{n:03}.md")), format!("# Page {n}\n\ntext\n"))
            .unwrap();
    }
    let book = Book::read(folder.path()).unwrap();
    let (first, second) = (book.whole(0, ORIGIN).unwrap(), book.whole(1, ORIGIN).unwrap());
    assert!(first.ends_with(&format!("[Next Page]({ORIGIN}/llms-full.txt/1)\n")));
    assert!(!second.contains("[Next Page]"));
    assert_eq!(book.whole(2, ORIGIN), None);
    assert_eq!(book.whole(usize::MAX, ORIGIN), None);
    let titles = |text: &str| text.lines().filter(|line| line.starts_with("# ")).count();
    assert_eq!(titles(&first), 100);
    for page in book.pages() {
        let in_first = first.contains(page.markdown.lines().next().unwrap());
        assert!(
            in_first || second.contains(page.markdown.lines().next().unwrap()),
            "{}",
            page.path
        );
    }
    let book = Book::embedded().unwrap();
    assert!(book.whole(0, ORIGIN).unwrap().contains("# Concepts"));
}

#[test]
fn an_unknown_page_names_similar_ones() {
    let book = Book::embedded().unwrap();
    let text = book.not_found("/docs/reward.md", ORIGIN);
    assert!(text.starts_with("# Page Not Found\n\n"), "{text}");
    assert!(text.contains("`/docs/reward.md`") && text.contains(&format!("({ORIGIN}/llms.txt)")));
    let similar = text.lines().filter(|line| line.starts_with("- [")).count();
    assert!((1..=5).contains(&similar), "{text}");
    assert!(text.contains(&format!("({ORIGIN}/docs/rewards.md)")));
    assert!(text.contains("# Agent Instructions"));
    // What was asked for is repeated within its limits, and is no markup.
    let text = book.not_found(&format!("/docs/`[x](y)`{}", "a".repeat(5000)), ORIGIN);
    assert!(text.contains("`/docs/[x](y)aaaa") && text.len() < 4000, "{}", text.len());
}

#[test]
fn the_site_map_names_every_page_for_people() {
    let book = Book::embedded().unwrap();
    let map = book.sitemap(ORIGIN);
    assert_eq!(map.matches("<url><loc>").count(), book.pages().len());
    assert!(map.contains("<loc>https://data.example.org/docs</loc>"));
    assert!(map.contains("<loc>https://data.example.org/docs/tutorials/contributor</loc>"));
    assert!(!map.contains(".md<"));
    let robots = robots(ORIGIN);
    assert!(robots.contains("\nSitemap: https://data.example.org/sitemap.xml\n"));
    assert!(robots.starts_with("User-agent: *\n"));
}

#[test]
fn the_skill_says_when_and_how() {
    let skill = Book::embedded().unwrap().skill(ORIGIN);
    let (front, body) = skill.strip_prefix("---\n").unwrap().split_once("\n---\n").unwrap();
    let field = |name: &str| front.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    let name = field("name: ");
    assert!(name.len() <= 64 && name.chars().all(|c| c.is_ascii_lowercase() || c == '-'));
    assert!((1..=1024).contains(&field("description: ").len()));
    for address in ["/docs.md?ask=", "/docs/search?q=", "/llms.txt", "/openapi.json"] {
        assert!(body.contains(&format!("{ORIGIN}{address}")), "{address}");
    }
}
