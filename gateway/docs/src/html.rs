//! HTML of a page.

use crate::page::{options, Anchors};
use pulldown_cmark::{CodeBlockKind, CowStr, Event, Parser, Tag, TagEnd};

/// HTML of a markdown text with links of this server: headings have anchors, tables and pictures can be
/// scrolled, and markup within the text is shown, not obeyed (comments are left out).
pub fn html_of(markdown: &str) -> String {
    let mut anchors = Anchors::default();
    let mut events: Vec<Event> = Vec::new();
    // Where the open heading begins in `events`, and its text.
    let mut heading: Option<(usize, String)> = None;
    let mut block: Option<String> = None;
    for event in Parser::new_ext(markdown, options()) {
        let event = match event {
            Event::Start(Tag::Heading { .. }) => {
                heading = Some((events.len(), String::new()));
                // Replaced when the heading's text is known.
                Event::InlineHtml(CowStr::Borrowed(""))
            }
            Event::End(TagEnd::Heading(level)) => {
                let Some((at, text)) = heading.take() else { continue };
                let anchor = escaped(&anchors.next(&text));
                let open = format!("<{level} id=\"{anchor}\"><a href=\"#{anchor}\">");
                if let Some(place) = events.get_mut(at) {
                    *place = Event::InlineHtml(open.into());
                }
                Event::InlineHtml(format!("</a></{level}>\n").into())
            }
            // A link within a heading would stand in the heading's own.
            Event::Start(Tag::Link { .. }) | Event::End(TagEnd::Link) if heading.is_some() => {
                continue
            }
            Event::Start(Tag::Link { link_type, dest_url, title, id }) => {
                Event::Start(Tag::Link { link_type, dest_url: of_html(dest_url), title, id })
            }
            Event::Start(Tag::Image { link_type, dest_url, title, id }) => {
                // As tables: a diagram is legible on a phone where it need not fit.
                events.push(Event::InlineHtml("<span class=\"picture\" tabindex=\"0\">".into()));
                Event::Start(Tag::Image { link_type, dest_url, title, id })
            }
            Event::End(TagEnd::Image) => {
                events.push(Event::End(TagEnd::Image));
                Event::InlineHtml("</span>".into())
            }
            Event::Start(Tag::Table(columns)) => {
                // Focusable, so that it can be scrolled without a pointer.
                events.push(Event::Html("<div class=\"table\" tabindex=\"0\">".into()));
                Event::Start(Tag::Table(columns))
            }
            Event::End(TagEnd::Table) => {
                events.push(Event::End(TagEnd::Table));
                Event::Html("</div>\n".into())
            }
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(language))) => {
                let name: String = language
                    .chars()
                    .take_while(|c| c.is_ascii_alphanumeric() || *c == '-')
                    .collect();
                let class = match name.as_str() {
                    "" => String::new(),
                    name => format!(" class=\"language-{name}\" data-language=\"{name}\""),
                };
                Event::Html(format!("<pre tabindex=\"0\"{class}><code>").into())
            }
            Event::Start(Tag::CodeBlock(CodeBlockKind::Indented)) => {
                Event::Html("<pre tabindex=\"0\"><code>".into())
            }
            Event::End(TagEnd::CodeBlock) => Event::Html("</code></pre>\n".into()),
            Event::Start(Tag::HtmlBlock) => {
                block = Some(String::new());
                continue;
            }
            Event::End(TagEnd::HtmlBlock) => match block.take() {
                Some(text) if !text.trim_start().starts_with("<!--") => Event::Text(text.into()),
                _ => continue,
            },
            Event::Html(html) => {
                // A block comes line by line.
                block.get_or_insert_default().push_str(&html);
                continue;
            }
            Event::InlineHtml(html) if html.starts_with("<!--") => continue,
            Event::InlineHtml(html) => Event::Text(html),
            event => event,
        };
        if let Some((_, text)) = &mut heading {
            match &event {
                Event::Text(part) | Event::Code(part) => text.push_str(part),
                Event::SoftBreak => text.push(' '),
                _ => {}
            }
        }
        events.push(event);
    }
    let mut html = String::with_capacity(markdown.len() * 3 / 2);
    pulldown_cmark::html::push_html(&mut html, events.into_iter());
    html
}

/// A link to a page's markdown, as one to its HTML.
fn of_html(link: CowStr<'_>) -> CowStr<'_> {
    let (path, anchor) = match link.split_once('#') {
        Some((path, anchor)) => (path, format!("#{anchor}")),
        None => (&*link, String::new()),
    };
    match path.strip_suffix(".md").filter(|path| path.starts_with("/docs")) {
        Some(path) => format!("{path}{anchor}").into(),
        None => link,
    }
}

/// A text for HTML, within an attribute too.
pub fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            c => html.push(c),
        }
    }
    html
}
