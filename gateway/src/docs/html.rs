//! Pages for people. They work without a script; with one, search answers while one types.

use super::Docs;
use openledger_docs::{escaped, html_of, Answer, Hit, Page, State};
use serde_json::json;

/// The pages before and after one.
pub(super) struct Around<'a> {
    pub(super) before: Option<&'a Page>,
    pub(super) after: Option<&'a Page>,
}

/// The address of a part for people.
pub(super) fn address_of(hit: &Hit) -> String {
    address(&hit.path, &hit.anchor)
}

fn address(path: &str, anchor: &str) -> String {
    match path {
        "" => format!("/docs#{anchor}"),
        path => format!("/docs/{path}#{anchor}"),
    }
}

/// What is different from page to page.
struct Shell<'a> {
    title: &'a str,
    description: &'a str,
    /// Elements of the head.
    head: String,
    /// The page that the contents mark.
    here: Option<&'a Page>,
    /// What is in the search box.
    words: &'a str,
    main: String,
    /// What stands beside the text.
    aside: String,
}

fn shell(docs: &Docs, shell: &Shell) -> String {
    let Shell { title, description, head, here, words, main, aside } = shell;
    let (style, script) = (docs.0.style.address(), docs.0.script.address());
    let (title, description, words) = (escaped(title), escaped(description), escaped(words));
    let contents = contents(docs, *here);
    format!(
        r##"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} · OpenLedger</title>
<meta name="description" content="{description}">
<meta name="color-scheme" content="light dark">
<script src="{script}"></script>
<link rel="stylesheet" href="{style}">
<link rel="icon" href="/icon.svg" type="image/svg+xml">
<link rel="llms-txt" href="/llms.txt" type="text/markdown">
{head}</head>
<body>
<a class="skip" href="#content">Skip to the text</a>
<header class="top">
<a class="brand" href="/docs">OpenLedger <span>Docs</span></a>
<a class="to-contents" href="#contents">Contents</a>
<form class="search" action="/docs/search" role="search">
<input type="search" name="q" value="{words}" placeholder="Search or ask" aria-label="Search or ask the documentation" autocomplete="off" maxlength="500">
</form>
<a class="app" href="/">App</a>
<button class="theme" type="button" hidden aria-label="Light or dark"></button>
</header>
<div class="columns">
<main id="content" tabindex="-1">
{main}</main>
<nav class="contents" id="contents" aria-label="Documentation">
{contents}</nav>
{aside}</div>
</body>
</html>
"##
    )
}

/// The table of contents.
fn contents(docs: &Docs, here: Option<&Page>) -> String {
    let mut list = String::new();
    for group in docs.book().groups() {
        if !group.title.is_empty() {
            list.push_str(&format!("<h2>{}</h2>\n", escaped(&group.title)));
        }
        list.push_str("<ul>\n");
        for page in group.pages.iter().filter_map(|path| docs.book().page(path)) {
            let current = match here.is_some_and(|here| here.path == page.path) {
                true => " aria-current=\"page\"",
                false => "",
            };
            let (address, title) = (escaped(&page.address()), escaped(&page.title));
            list.push_str(&format!("<li><a href=\"{address}\"{current}>{title}</a></li>\n"));
        }
        list.push_str("</ul>\n");
    }
    list
}

/// A page of the book.
pub(super) fn page(docs: &Docs, page: &Page, around: Around, origin: &str) -> String {
    let address = escaped(&format!("{origin}{}", page.address()));
    let twin = escaped(&page.markdown_address());
    let head = format!(
        "<link rel=\"canonical\" href=\"{address}\">\n\
         <link rel=\"alternate\" type=\"text/markdown\" href=\"{twin}\">\n{}",
        linked_data(page, origin)
    );
    let step = |page: Option<&Page>, class: &str, word: &str| {
        page.map(|page| {
            let (address, title) = (escaped(&page.address()), escaped(&page.title));
            format!("<a class=\"{class}\" href=\"{address}\"><span>{word}</span> {title}</a>\n")
        })
        .unwrap_or_default()
    };
    let (before, after) =
        (step(around.before, "before", "Previous"), step(around.after, "after", "Next"));
    let main = format!(
        "<article>\n{}</article>\n<nav class=\"steps\" aria-label=\"Previous and next page\">\n{before}{after}</nav>\n\
         <p class=\"twin\"><a href=\"{twin}\">This page as markdown</a> · <a href=\"/llms.txt\">llms.txt</a></p>\n",
        docs.book().html(page)
    );
    let parts = page.sections.iter().filter(|section| section.level == 2 || section.level == 3);
    let parts: Vec<String> = parts
        .map(|section| {
            let (anchor, heading) = (escaped(&section.anchor), escaped(&section.heading));
            format!(
                "<li class=\"level{}\"><a href=\"#{anchor}\">{heading}</a></li>\n",
                section.level
            )
        })
        .collect();
    let aside = match parts.len() > 1 {
        true => format!(
            "<nav class=\"parts\" aria-label=\"On this page\">\n<h2>On this page</h2>\n<ul>\n{}</ul>\n</nav>\n",
            parts.concat()
        ),
        false => String::new(),
    };
    let (title, description, here) = (page.title.as_str(), page.description.as_str(), Some(page));
    shell(docs, &Shell { title, description, head, here, words: "", main, aside })
}

/// Schema.org's words for a page. Data in a script element is not run, so that the policy lets it stand.
fn linked_data(page: &Page, origin: &str) -> String {
    let book = format!("{origin}/docs");
    let own = format!("{origin}{}", page.address());
    let data = json!({
        "@context": "https://schema.org",
        "@type": "TechArticle",
        "headline": page.title,
        "description": page.description,
        "url": own,
        "inLanguage": "en",
        "isPartOf": {"@type": "WebSite", "name": "OpenLedger documentation", "url": book},
        "encoding": {
            "@type": "MediaObject",
            "contentUrl": format!("{origin}{}", page.markdown_address()),
            "encodingFormat": "text/markdown",
        },
    });
    // `</script>` within a text would end the element.
    let data = data.to_string().replace('<', "\\u003c");
    format!("<script type=\"application/ld+json\">{data}</script>\n")
}

/// The answer to a question.
pub(super) fn answer(docs: &Docs, answer: &Answer) -> String {
    let title = match answer.question.as_str() {
        "" => "A question to the documentation",
        question => question,
    };
    let main = format!("<article>\n<h1>{}</h1>\n{}</article>\n", escaped(title), told(answer));
    let (head, aside) = (NO_INDEX.to_owned(), String::new());
    let words = answer.question.as_str();
    shell(docs, &Shell { title, description: "", head, here: None, words, main, aside })
}

const NO_INDEX: &str = "<meta name=\"robots\" content=\"noindex\">\n";

/// An answer's text, follow-up questions and sources.
fn told(answer: &Answer) -> String {
    if answer.state != State::Answered {
        return html_of(&answer.to_markdown(""));
    }
    let mut text = String::from("<div class=\"answer\">\n");
    if let Some(written) = &answer.written {
        text.push_str(&html_of(written));
        text.push_str("<p class=\"from\">Written by a model, from:");
        for (number, paragraph) in answer.cited() {
            let link = escaped(&address(&paragraph.path, &paragraph.anchor));
            let name = escaped(&paragraph.name());
            text.push_str(&format!(" [{number}]\u{a0}<a href=\"{link}\">{name}</a>"));
        }
        text.push_str("</p>\n");
    }
    let quoted = answer.paragraphs.iter().filter(|_| answer.written.is_none());
    for (number, paragraph) in quoted.enumerate() {
        text.push_str(&html_of(&paragraph.markdown));
        let next = answer.paragraphs.get(number + 1);
        if next.is_none_or(|next| next.address() != paragraph.address()) {
            let name = paragraph.name();
            let link = escaped(&address(&paragraph.path, &paragraph.anchor));
            text.push_str(&format!(
                "<p class=\"from\"><a href=\"{link}\">{}</a></p>\n",
                escaped(&name)
            ));
        }
    }
    text.push_str("</div>\n");
    if !answer.follow_ups.is_empty() {
        text.push_str("<h2>Ask next</h2>\n<ul>\n");
        for link in &answer.follow_ups {
            // Answers for people are at the address without `.md`.
            let address = escaped(&link.address.replacen("/docs.md?", "/docs?", 1));
            text.push_str(&format!(
                "<li><a href=\"{address}\">{}</a></li>\n",
                escaped(&link.title)
            ));
        }
        text.push_str("</ul>\n");
    }
    text
}

/// What words lead to.
pub(super) fn found(docs: &Docs, words: &str, answer: &Answer, hits: &[Hit]) -> String {
    let shown = words.trim();
    let mut main = match shown.is_empty() {
        true => "<h1>Search</h1>\n<p>Type words or a question above.</p>\n".to_owned(),
        false => format!("<h1>{}</h1>\n", escaped(shown)),
    };
    if answer.state == State::Answered {
        main.push_str(&told(answer));
    }
    if hits.is_empty() && !shown.is_empty() {
        main.push_str("<p>Nothing in the documentation has these words.</p>\n");
    }
    if !hits.is_empty() {
        main.push_str("<h2>Found</h2>\n");
        main.push_str(&list(hits));
    }
    let title = if shown.is_empty() { "Search" } else { shown };
    let main = format!("<article>\n{main}</article>\n");
    let (head, aside) = (NO_INDEX.to_owned(), String::new());
    shell(docs, &Shell { title, description: "", head, here: None, words, main, aside })
}

fn list(hits: &[Hit]) -> String {
    let items = hits.iter().map(|hit| {
        let (address, name) = (escaped(&address_of(hit)), escaped(&hit.name()));
        format!("<li><a href=\"{address}\">{name}</a><p>{}</p></li>\n", escaped(&hit.excerpt))
    });
    format!("<ul class=\"hits\">\n{}</ul>\n", items.collect::<String>())
}

/// A page that is not there, and similar ones.
pub(super) fn not_found(docs: &Docs, path: &str) -> String {
    let shown: String = path.chars().take(100).collect();
    let mut main = format!(
        "<article>\n<h1>Page not found</h1>\n<p>There is no page at <code>{}</code>.</p>\n",
        escaped(&shown)
    );
    let similar = docs.book().similar(path);
    if !similar.is_empty() {
        main.push_str("<h2>Similar pages</h2>\n<ul class=\"hits\">\n");
        for page in similar {
            let (address, title) = (escaped(&page.address()), escaped(&page.title));
            let description = escaped(&page.description);
            main.push_str(&format!(
                "<li><a href=\"{address}\">{title}</a><p>{description}</p></li>\n"
            ));
        }
        main.push_str("</ul>\n");
    }
    main.push_str("</article>\n");
    let (title, head, aside) = ("Page not found", NO_INDEX.to_owned(), String::new());
    shell(docs, &Shell { title, description: "", head, here: None, words: "", main, aside })
}
