//! Links: of the book as it is, and of pages that are wrong.

use openledger_docs::{Book, PageLink, Target};
use std::path::Path;

#[test]
fn every_link_of_the_book_leads_somewhere() {
    let book = Book::embedded().unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let broken: Vec<&PageLink> = book
        .links()
        .iter()
        .filter(|link| match &link.target {
            Target::Page { path, .. } => book.page(path).is_none(),
            Target::Server(address) => {
                let picture = address.strip_prefix("/docs/");
                picture.is_some_and(|picture| book.file(picture).is_none())
            }
            Target::Repository(path) => !root.join(path).exists(),
            Target::Web(url) => !url.starts_with("https://") && !url.starts_with("http://"),
            Target::NoAnchor { .. } | Target::Outside => true,
        })
        .collect();
    assert!(broken.is_empty(), "{broken:#?}");
    assert!(book.links().len() > 150, "{} links", book.links().len());
}

#[test]
fn the_table_of_contents_names_every_page_once() {
    let book = Book::embedded().unwrap();
    let named: Vec<&String> = book.groups().iter().flat_map(|group| &group.pages).collect();
    let pages: Vec<&String> = book.pages().iter().map(|page| &page.path).collect();
    assert_eq!(named, pages);
    let rest = book.groups().iter().find(|group| group.title == "More");
    assert_eq!(rest, None, "add these pages to docs/SUMMARY.md");
}

fn write(folder: &Path, file: &str, text: &str) {
    let path = folder.join(file);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

#[test]
fn links_become_addresses_of_the_server() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "README.md", "# First\n\n[up](guides/one.md#a-part) [self](#first)\n");
    write(folder.path(), "shape.svg", "<svg/>");
    write(
        folder.path(),
        "guides/one.md",
        "# One\n\n## A `part`!\n\n## A part\n\n[first](../README.md) ![shape](../shape.svg) \
         [twice](one.md#a-part-1) [code](../../tests/Cargo.toml) [web](https://example.org/a.md) \
         [api](../../gateway/openapi.json) [gone](one.md#nothing) [out](../../../x.md) `[not](a.md)`\n\n\
         [named][two] here.\n\n[two]: ../guides/README.md\n",
    );
    write(folder.path(), "guides/README.md", "# Guides\n");
    let book = Book::read(folder.path()).unwrap();
    assert_eq!(
        book.page("").unwrap().markdown,
        "# First\n\n[up](/docs/guides/one.md#a-part) [self](/docs.md#first)\n"
    );
    let one = book.page("guides/one").unwrap();
    let (_, text) = one.markdown.split_once("[first]").unwrap();
    assert_eq!(
        text,
        "(/docs.md) ![shape](/docs/shape.svg) [twice](/docs/guides/one.md#a-part-1) code \
         (`tests/Cargo.toml`) [web](https://example.org/a.md) [api](/openapi.json) \
         [gone](/docs/guides/one.md) [out](../../../x.md) `[not](a.md)`\n\n\
         [named][two] here.\n\n[two]: /docs/guides.md\n"
    );
    assert_eq!(book.file("shape.svg").unwrap().media_type, "image/svg+xml");
    let own = book.links().iter().filter(|link| link.file == "docs/guides/one.md");
    let wrong: Vec<&str> = own
        .filter(|link| matches!(link.target, Target::NoAnchor { .. } | Target::Outside))
        .map(|link| link.written.as_str())
        .collect();
    assert_eq!(wrong, ["one.md#nothing", "../../../x.md"]);
    // An origin goes before addresses of the server, and before no other.
    let text = one.absolute(0..one.markdown.len(), "https://d.example");
    assert!(text
        .contains("[first](https://d.example/docs.md) ![shape](https://d.example/docs/shape.svg)"));
    assert!(text.contains("[two]: https://d.example/docs/guides.md\n"));
    assert!(text.contains("[web](https://example.org/a.md)"));
    // HTML leads to HTML.
    let html = book.html(one);
    assert!(html.contains("<a href=\"/docs/guides/one#a-part-1\">"), "{html}");
    assert!(
        html.contains("<h2 id=\"a-part\"><a href=\"#a-part\">A <code>part</code>!</a></h2>"),
        "{html}"
    );
    assert!(html.contains("<img src=\"/docs/shape.svg\" alt=\"shape\""), "{html}");
}

#[test]
fn markup_within_a_text_is_shown_and_not_obeyed() {
    let folder = tempfile::tempdir().unwrap();
    let text = "# One\n\n<script>alert(1)</script>\n\n<!-- a note\nof two lines -->\n\nA <b onclick=\"x\">word</b>.\n\n\
        ```x\"><script>\ncode\n```\n";
    write(folder.path(), "README.md", text);
    let book = Book::read(folder.path()).unwrap();
    let html = book.html(book.page("").unwrap());
    assert!(
        !html.contains("<script") && !html.contains("<b ") && !html.contains("a note"),
        "{html}"
    );
    assert!(html.contains("&lt;script&gt;alert(1)&lt;/script&gt;"), "{html}");
}
