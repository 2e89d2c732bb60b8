//! What is a book, and what of it is found by which path.

use openledger_docs::{Book, BookError};
use std::path::Path;

#[test]
fn pages_have_titles_descriptions_and_parts() {
    let book = Book::embedded().unwrap();
    assert!(book.pages().len() > 30);
    for page in book.pages() {
        assert!(!page.title.is_empty() && !page.sections.is_empty(), "{:?}", page.path);
        assert!(!page.description.is_empty(), "{:?} begins with no paragraph", page.path);
        assert!(page.description.chars().count() <= 200, "{}", page.description);
        assert!(!page.description.contains(['\n', '[', '*']), "{}", page.description);
        assert!(!page.path.starts_with('/') && !page.path.ends_with(".md"), "{:?}", page.path);
    }
    let chain = book.page("reference/chain").unwrap();
    let part = chain.section("create_datanet-0").unwrap();
    assert_eq!((part.level, part.heading.as_str()), (4, "create_datanet (0)"));
    assert_eq!(part.above, ["Datanets (pallet 20)", "Calls of Datanets"]);
    assert!(chain
        .absolute(part.text.clone(), "")
        .contains("Creates a Datanet owned by the signer"));
}

#[test]
fn a_page_is_found_by_path_file_address_and_url() {
    let book = Book::embedded().unwrap();
    for name in [
        "tutorials/contributor",
        "tutorials/contributor.md",
        "/docs/tutorials/contributor",
        "docs/tutorials/contributor.md",
        "/docs/Tutorials/Contributor/",
        "https://data.example.org/docs/tutorials/contributor.md#x?ask=y",
        "http://localhost:8000/docs/tutorials/contributor?ask=y",
    ] {
        assert_eq!(
            book.page(name).map(|page| page.path.as_str()),
            Some("tutorials/contributor"),
            "{name}"
        );
    }
    for first in ["", "/", "/docs", "/docs.md", "docs/README.md", "https://data.example.org/docs"] {
        assert_eq!(book.page(first).map(|page| page.path.as_str()), Some(""), "{first}");
    }
    assert_eq!(
        book.page("/docs/tutorials/README.md").map(|page| page.path.as_str()),
        Some("tutorials")
    );
    for nothing in ["docsx", "docs/nothing", "../Cargo.toml", "SUMMARY", "%2e%2e"] {
        assert!(book.page(nothing).is_none(), "{nothing}");
    }
}

#[test]
fn pages_follow_each_other() {
    let book = Book::embedded().unwrap();
    let pages = book.pages();
    assert!(book.around(&pages[0]).0.is_none() && book.around(&pages[pages.len() - 1]).1.is_none());
    for two in pages.windows(2) {
        assert_eq!(book.around(&two[0]).1.map(|page| &page.path), Some(&two[1].path));
        assert_eq!(book.around(&two[1]).0.map(|page| &page.path), Some(&two[0].path));
    }
}

#[test]
fn a_page_that_is_not_there_has_similar_ones() {
    let book = Book::embedded().unwrap();
    let similar = |path| -> Vec<&str> {
        book.similar(path).into_iter().map(|page| page.path.as_str()).collect()
    };
    assert_eq!(similar("/docs/reward.md").first(), Some(&"rewards"));
    assert_eq!(similar("tutorial/contributer").first(), Some(&"tutorials/contributor"));
    assert!(similar("why-was-i-paid-nothing").contains(&"faq"));
    for path in ["x", "concept", "a/b/c/d", &"very-long/".repeat(1000)] {
        assert!(similar(path).len() <= 5);
    }
}

fn book_of(files: &[(&str, &[u8])]) -> Result<Book, BookError> {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    Book::read(folder.path())
}

#[test]
fn a_folder_that_is_no_book_is_refused() {
    assert!(matches!(book_of(&[]), Err(BookError::NoFirstPage(_))));
    assert!(matches!(book_of(&[("one.md", b"# One\n")]), Err(BookError::NoFirstPage(_))));
    assert!(matches!(Book::read(Path::new("/nonexistent")), Err(BookError::File { .. })));
    let large = vec![b'x'; (2 << 20) + 1];
    let refused = book_of(&[("README.md", b"# First\n"), ("large.md", &large)]);
    assert!(matches!(refused, Err(BookError::TooLarge(_))));
    let deep = ["d"; 9].join("/") + "/x.md";
    assert!(matches!(
        book_of(&[("README.md", b"# First\n"), (&deep, b"x")]),
        Err(BookError::TooLarge(_))
    ));
    let names: Vec<String> = (0..1001).map(|n| format!("{n}.md")).collect();
    let many: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), &b"x"[..])).collect();
    assert!(matches!(book_of(&many), Err(BookError::TooLarge(_))));
}

#[test]
fn odd_pages_are_pages() {
    let book = book_of(&[
        ("README.md", b"no heading, and no end"),
        ("empty.md", b""),
        ("bytes.md", b"# \xff\xfe\n\nx"),
        ("same.md", b"# Same\n\n## Same\n\ntext\n\n## Same\n"),
        (
            "setext.md",
            b"Under\nlined\n===========\n\n> quoted\n\n| a | b |\n|---|---|\n| c | d |\n",
        ),
        (
            "SUMMARY.md",
            b"# Contents\n\n- [Same](same.md)\n\n## Others\n\n- [E](empty.md)\n- [No](no.md)\n",
        ),
    ])
    .unwrap();
    let anchors = |path: &str| -> Vec<String> {
        book.page(path).unwrap().sections.iter().map(|part| part.anchor.clone()).collect()
    };
    assert_eq!(anchors("same"), ["same", "same-1", "same-2"]);
    assert_eq!(anchors("setext"), ["under-lined"]);
    assert_eq!(book.page("empty").unwrap().title, "empty");
    let groups: Vec<(&str, Vec<&str>)> = book
        .groups()
        .iter()
        .map(|group| (group.title.as_str(), group.pages.iter().map(String::as_str).collect()))
        .collect();
    assert_eq!(groups[0], ("", vec!["", "same"]));
    assert_eq!(groups[1], ("Others", vec!["empty"]));
    assert_eq!(groups[2].0, "More");
    assert!(groups[2].1.contains(&"setext") && groups[2].1.contains(&"readme"));
    assert!(book.pages().iter().all(|page| book.html(page).len() < 1_000_000));
    assert_eq!(book.search("quoted", 5)[0].path, "setext");
}
