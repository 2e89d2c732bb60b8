//! Markdown: what a reader of the page sees counts, and nothing else.

use openledger_documents::{read, Hidden, MediaType, Reading, TextError};
use proptest::prelude::*;

fn try_md(source: &str) -> Result<Reading, TextError> {
    read(MediaType::Md, source.as_bytes())
}

fn md(source: &str) -> String {
    try_md(source).unwrap().text
}

const WORDS: &str =
    "The river rose two metres in one night, and the **bridge** at Oak Lane is shut.\n";

#[test]
fn ordinary_markdown_stays_to_the_byte() {
    for source in [
        WORDS,
        "# Title\n\nA [link](https://example.org/a?b=c \"t\") and `code`.\n\n- one\n- two\n  1. three\n\n> quoted\n",
        "| name | metres |\n|------|--------|\n| north | 2 |\n| south | 13 |\n\n---\n\nEnd of it.\n",
        "```rust\nfn main() {\n    // <!-- no comment -->\n}\n```\n\n    <script>indented code</script>\n",
        "In code `<!-- no comment -->` and \\<!-- escaped --> and 1 < 2.\n",
        "See [the guide][g] and a note[^1].\n\n[g]: https://example.org\n[^1]: Which leads on[^2].\n[^2]: To this.\n",
        "<div align=\"center\">\n\n**Shown** in the middle, by a tag that aligns.\n\n</div>\n",
        "<details><summary>More</summary>\n\nUnfolded by a click, so it is read.\n\n</details>\n",
        "Fish &amp; chips &copy; 2026, <b>bold</b> and H<sub>2</sub>O of the river.\n",
        "- [x] done\n- [ ] not done, a ~~wrong~~ thing\n\nhttps://example.org/visible and <https://example.org/too>\n",
        "---\n\nA thematic break begins this text.\n\n---\n",
    ] {
        let read = try_md(source).unwrap();
        assert_eq!(read.text, source);
        assert!(read.left_out.is_empty(), "{source}: {:?}", read.left_out);
    }
}

/// Ways to hide `X` in Markdown, and what is left of the words around it.
const HIDING: &[&str] = &[
    "<!-- X -->",
    "<!--X-->",
    "<!-- X\n\nX\n-->\n",
    "<?php X ?>",
    "<!DOCTYPE X>",
    "<![CDATA[ X ]]>",
    "<script>\nX\n</script>\n",
    "<style>\n\nX\n</style>\n",
    "<template><p>X</p></template>",
    "<div hidden>X</div>",
    "<div hidden>\n\n*X*\n\n<div>X</div>\n\nX\n\n</div>\n",
    "<span hidden=\"\">X</span>",
    "<SPAN HIDDEN>X</SPAN>",
    "<p style=\"display:none\">X</p>\n",
    "<p style='Display : None !important'>X</p>\n",
    "<span style=\"color:red;visibility:hidden\">X</span>",
    "<span style=\"font-size:0\">X</span>",
    "<span style=\"font-size: 1px\">X</span>",
    "<span style=\"font-size:0.1em\">X</span>",
    "<span style=\"opacity:0\">X</span>",
    "<span style=\"opacity: .05\">X</span>",
    "<span style=\"color:white\">X</span>",
    "<span style=\"color:#fff\">X</span>",
    "<span style=\"color: #FEFEFE\">X</span>",
    "<span style=\"color:rgb(255, 255, 250)\">X</span>",
    "<span style=\"color:rgba(0,0,0,0)\">X</span>",
    "<span style=\"color:transparent\">X</span>",
    "<font color=\"white\">X</font>",
    "<font color=#ffffff>X</font>",
    "<div style=\"height:0;overflow:hidden\">X</div>\n",
    "<div style=\"position:absolute;left:-9999px\">X</div>\n",
    "<div style=\"text-indent:-9999px\">X</div>\n",
    "<p style=\"display:/**/none\">X</p>\n",
    "<p style=\"display&#58;none\">X</p>\n",
    "<p STYLE=DISPLAY:NONE>X</p>\n",
    "<p style=\"position:fixed;top:-100vh\">X</p>\n",
    "<p style=\"position:absolute;z-index:-1\">X</p>\n",
    "<p style=\"clip-path:circle(0)\">X</p>\n",
    "<p style=\"filter:opacity(0)\">X</p>\n",
    "<p style=\"transform:translateX(-10000px)\">X</p>\n",
    "<p style=\"scale:0\">X</p>\n",
    "<p style=\"zoom:0.01\">X</p>\n",
    "<p style=\"font:0/0 a\">X</p>\n",
    "<p style=\"line-height:0\">X</p>\n",
    "<p style=\"letter-spacing:-1em\">X</p>\n",
    "<p style=\"color:hsl(0,0%,100%)\">X</p>\n",
    "<p style=\"color:rgb(100%,100%,100%)\">X</p>\n",
    "<p style=\"color:#00000000\">X</p>\n",
    "<p style=\"color:#000;background:#000\">X</p>\n",
    "<p style=\"background:black\">X</p>\n",
    "<p style=\"-webkit-text-fill-color:transparent\">X</p>\n",
    "<progress>X</progress>",
    "<svg width=\"0\"><text>X</text></svg>",
    "<dialog>X</dialog>",
    "<video>X</video>",
    "<object>X</object>",
    "<datalist><option>X</option></datalist>",
    "<title>X</title>",
    "<!-- never closed X",
    "<div hidden>\n\nnever closed X",
    "<div><!--\n\nswallowed X\n\n",
    "<script>X",
    "[//]: # (X)\n",
    "[unused]: <https://example.org/X> \"X\"\n",
    "[^note]: X\n",
    "[^a]: X[^b]\n\n[^b]: X[^a]\n",
    "<scr<!-- -->ipt>X</scr<!-- -->ipt>",
    // Each leaves half of it, and all together nothing.
    "<div style=\"opacity:.4\"><div style=\"opacity:40%\">X</div></div>\n",
    "<div style=\"font-size:40%\"><p style=\"font-size:.4em\">X</p></div>\n",
    "<sub><sub><sub><sub><sub><sub><sub><sub><sub><sub>X</sub></sub></sub></sub></sub></sub></sub></sub></sub></sub>",
    "<div style=\"font-size:4px\"><small><small><small>X</small></small></small></div>\n",
    "<div style=\"color:#fff;background:#000\"><p style=\"background:#fff\">X</p></div>\n",
    "<div style=\"background:#ccc;color:#000\"><p style=\"color:#ccc\">X</p></div>\n",
    "<div style=\"color:#fff;background:#000\"><p style=\"color:initial\">X</p></div>\n",
    "<div style=\"opacity:.4\"><table><tr><td></div><div style=\"opacity:.4\">X</div></td></tr></table></div>\n",
    "<p style=\"line-height:1px\">X</p>\n",
    "<p style=\"color:white\" style=\"color:black\">X</p>\n",
    "<table bgcolor=\"black\"><tr><td>X</td></tr></table>\n",
    "<table bgcolor=blue><tr><td><font color=\"blue\">X</font></td></tr></table>\n",
    "<div popover>X</div>\n",
    "<marquee>X</marquee>",
    "<math><mphantom><mtext>X</mtext></mphantom></math>",
    "<math><mtext mathcolor=\"white\">X</mtext></math>",
    "<math><mtext mathsize=\"1px\">X</mtext></math>",
    "<math><mstyle scriptlevel=\"9\"><mtext>X</mtext></mstyle></math>",
    "<textarea>X</textarea>",
    "<xmp>X</xmp>",
    "<span class=\"sr-only\">X</span>",
    // An end tag that browsers pass over ends nothing.
    "<div hidden><script></div></script>X</div>",
    "<div hidden><table><tr><td></div>X</td></tr></table></div>\n",
    "<div hidden><textarea></div></textarea>X</div>",
    "<div hidden><select></div></select>X</div>",
    // Tags of several lines, in quotes and lists too.
    "a <span hidden\n    >X</span>\n",
    "> a <span\n> hidden>X</span>\n",
    "- a <span style=\"display:\n  none\">X</span>\n",
    "> a <span style=\"display:\n> none\">X</span>\n",
    "> <div\n> hidden>X</div>\n",
    "> a <!-- X\n> X --> b\n",
    // Style sheets, wherever they stand.
    "<p class=\"x\">X</p>\n\n<style>\n.x { display: none }\n</style>\n",
    "<style>@media all { a.x, div.y { color: red; font-size: 0 } }</style>\n\n<div class=\"z y\">\n\nX\n\n</div>\n",
    "<svg><style>#x{opacity:0}</style></svg>\n\n<p id=\"x\">X</p>\n",
    "<style>kbd{visibility:hidden}</style>\n\n<kbd>X</kbd>\n",
    // Dialects.
    "{::comment}\nX\n{:/comment}\n",
    "{% comment %} X {% endcomment %}\n",
    "{/* X */}\n",
    "%% X %%\n",
    "X\n{: .hidden}\n",
    "{: style=\"display:none\"}\nX\n",
    "X{: style=\"color:white\"}\n",
    "[X]{.sr-only}\n",
    "::: {.d-none}\nX\n:::\n",
    "```mermaid\ngraph TD\n%% X\nA --> B\n```\n",
    "```math\na % X\n```\n",
    "A root of $2\\phantom{X}$\n",
    "A root of $$2 \\color{white} X$$\n",
    "$$\na % X\n\\phantom{X}\n$$\n",
    "$$\n\\newcommand{\\a}{X} a\n$$\n",
];

/// What looks like a way to hide, and is none.
const SHOWN: &[&str] = &[
    "<div style=\"opacity:.5\"><div style=\"opacity:.5\">X</div></div>\n",
    "<div style=\"opacity:.4\">one</div>\n\n<div style=\"opacity:.4\">X</div>\n",
    "H<sub>2</sub>O and a<sup>b<sup>X</sup></sup>\n",
    "<table bgcolor=\"#eeeeee\"><tr><td>X</td></tr></table>\n",
    "<table bgcolor=\"navy\"><tr><td><font color=\"white\">X</font></td></tr></table>\n"
    ,
    "<p align=\"center\">\n\nX\n\n<p align=\"center\">\n\nX\n",
    "<style>\ntable { width: 100%; margin: -4px }\n.x::before { content: \"\"; opacity: 0 }\n.x:hover { display: none }\n     img { display: none }\nth { color: #fff; background: #333 }\n</style>\n\n<p class=\"x\">X</p>\n",
    "<!-- <style>p { display: none }</style> -->\n\nX\n",
    "<style>@media print { p { display: none } nav { display: none } } em { color: red }</style>\n\nX\n",
    "<style media=\"print\">p { display: none }</style>\n\nX\n",
    // A quote ends the paragraph, and with it what is no tag then.
    "a <span hidden\n>X</span>\n",
    "> <span hidden\n> >X</span>\n",
    "It is 1 <b and\n> X\n",
    "1 < 2\nX > 3, and \\<span hidden\n>X\n",
    "```html\n<style>p { display: none }</style>\nX\n```\n",
    "In `{: .hidden}` and $x_{hidden}$ X\n",
    "```\n{::comment}\nX\n{:/comment}\n```\n",
    "```mermaid\ngraph TD\nA --> X\n```\n",
    "$$\n50 \\% X\n$$\n",
    "It costs 5 $ or 3 %, \\phantom is a command, X, and 4 $.\n",
    "A cell of Jupyter:\n\n```\n%% time\nX\n```\n",
    "+++\n\nX\n",
    "<button>X</button>",
];

#[test]
fn what_only_looks_hidden_counts() {
    for shown in SHOWN {
        let source = format!("{WORDS}\n{}", shown.replace('X', "hideous"));
        let text = md(&source);
        assert_eq!(text.matches("hideous").count(), shown.matches('X').count(), "{shown}: {text}");
    }
}

#[test]
fn a_style_sheet_that_hides_what_markdown_makes_hides_the_file() {
    let source = format!("<style>\np {{ font-size: 0 }}\n</style>\n\n{}", WORDS.repeat(40));
    match try_md(&source) {
        Err(TextError::Hidden { counted: 0, most: Hidden::Markup, .. }) => {}
        other => panic!("{other:?}"),
    }
}

#[test]
fn references_to_what_shows_nothing_are_that_itself() {
    let words = WORDS.repeat(10);
    let source = format!("{words}{}\n", "&zwnj;&#8203;&shy;a".repeat(100));
    assert_eq!(md(&source), format!("{words}{}\n", "a".repeat(100)));
}

#[test]
fn more_signs_of_markup_than_are_read_are_refused_by_their_name() {
    let error = try_md(&"*a_".repeat(1_000_001)).unwrap_err();
    assert!(matches!(error, TextError::TooMuch { what: "signs of markup", .. }), "{error}");
    // Prose of ten megabytes is far from it.
    let error = try_md(&WORDS.repeat((10 << 20) / WORDS.len()));
    assert!(error.is_ok(), "{error:?}");
}

#[test]
fn hidden_parts_of_markdown_do_not_count() {
    for hiding in HIDING {
        let source = format!("{WORDS}\n{}", hiding.replace('X', "hideous"));
        let text = md(&source);
        assert!(!text.contains("hideous"), "{hiding}: {text}");
        assert!(text.starts_with(WORDS), "{hiding}: {text}");
        let big = format!("{WORDS}\n{}", hiding.replace('X', &"hideous ".repeat(2_000)));
        match try_md(&big) {
            Err(TextError::Hidden { most: Hidden::Markup, .. }) => {}
            other => panic!("{hiding}: {other:?}"),
        }
    }
}

#[test]
fn front_matter_does_not_count() {
    let source = format!("---\ntitle: The river\ntags:\n  - water\n---\n\n{WORDS}");
    let read = try_md(&source).unwrap();
    assert_eq!(read.text, format!("\n{WORDS}"));
    assert_eq!(read.left_out.iter().collect::<Vec<_>>(), [(Hidden::Markup, 41)]);
    let toml = md(&format!("+++\ntitle = \"The river\"\n+++\n\n{WORDS}"));
    assert_eq!(toml, format!("\n{WORDS}"));
}

#[test]
fn what_is_only_text_is_no_markup() {
    for shown in [
        "`<div hidden>` X `</div>`",
        "```html\n<!-- X -->\n```",
        "    <script>X</script>",
        "\\<div hidden> X",
        "&lt;!-- X --&gt;",
        "<p style=\"color:white;background:#000\">X</p>",
        "<p style=\"color:#333\">X</p>",
        "<dialog open>X</dialog>",
        "<p style=\"text-align:center; margin: 0 auto; font-size: 12px\">X</p>",
        "<p style=\"width: 50%; padding:4px; border: 1px solid red;\">X</p>",
        "<font color=\"red\" size=\"2\">X</font>",
        "<span data-hidden=\"no\">X</span>",
        "<div>X</div>",
    ] {
        let source = format!("{WORDS}\n{}\n", shown.replace('X', "beautiful"));
        assert!(md(&source).contains("beautiful"), "{shown}");
        assert_eq!(md(&source), source, "{shown}");
    }
}

/// Ways to make Markdown longer by what is not seen.
const PADDING: &[&str] = &[
    "[](https://example.org/X)",
    "[.](data:text/plain;base64,X)",
    "![X](picture.png)",
    "![a](data:image/png;base64,X)",
    "[.](u \"X\")",
    "<a href=\"X\">.</a>",
    "<img alt=\"X\">",
    "<br>\n",
    "<input type=\"hidden\" value=\"X\">",
    "&nbsp;",
    "&zwnj;",
    "&#8203;",
    "&#x200B;&#x2060;",
    "&CounterClockwiseContourIntegral;",
    "&amp;",
    "<p>&nbsp;&nbsp;&nbsp;&nbsp;</p>\n\n",
    "\\\n",
    "\n\n***\n",
    "\n\n------------------------------------------------------------\n",
    "\n\n> > > > > > > > > > > > >\n",
    "\n\n>>>>>>>>>>>>>>>>>>>>>>>>\n",
    "\n\n- - - - - - - - - - - - - - -\n",
    "\n\n```X\n```\n",
    "` `",
    "[.][label X]",
    "**&nbsp;**",
    "\n\n#\n",
    "[^n]",
];

#[test]
fn markup_is_paid_for_by_what_is_visible() {
    for padding in PADDING {
        let one = padding.replace('X', &"x".repeat(60));
        let prefix = format!("{WORDS}\n[label {}]: u\n[^n]: n\n\n", "x".repeat(60));
        for times in [200, 4_000] {
            let source = format!("{prefix}{}\n{WORDS}", one.repeat(times));
            let visible =
                2 * WORDS.len() + times * padding.matches(['.', '∳', 'a']).count().min(1) * 3;
            match try_md(&source) {
                Ok(read) => {
                    // A sign of the padding may itself be seen: a rule, a bullet, an integral.
                    let most = 2 * (visible + 3 * times) + 400;
                    assert!(read.text.len() <= most, "{padding}: {} of {most}", read.text.len());
                }
                Err(error) => {
                    assert!(matches!(error, TextError::Hidden { .. }), "{padding}: {error}")
                }
            }
        }
    }
    let giant = format!("{WORDS}![a](data:image/png;base64,{})\n", "A".repeat(100_000));
    assert!(md(&giant).len() < 2 * WORDS.len());
    let rule = format!("{WORDS}\n{}\n\n{WORDS}", "-".repeat(1_000_000));
    assert!(md(&rule).len() < 3 * WORDS.len());
    let table = format!("| a | b |\n|{}|{}|\n| 1 | 2 |\n", "-".repeat(50_000), "-".repeat(50_000));
    assert!(md(&table).len() < 100, "{}", md(&table).len());
}

#[test]
fn links_that_are_longer_than_their_words_lose_their_targets() {
    let link = format!("- [Oak Lane](https://example.org/{})\n", "a/".repeat(100));
    let text = md(&link.repeat(20));
    assert!(text.ends_with("- [Oak Lane]()\n- [Oak Lane]()\n"), "{text}");
    let read = try_md(&link.repeat(20)).unwrap();
    assert_eq!(read.left_out.hidden(), 0);
    assert!(read.left_out.iter().all(|(why, units)| why == Hidden::Address && units > 3_000));
}

#[test]
fn hidden_markdown_is_found_in_a_time_that_grows_with_the_file() {
    for unit in [
        "<!-- a --> ",
        "<div hidden>",
        "<div>",
        "[a][a]",
        "[^a]",
        "[^a]: a\n\n",
        "[a]: b\n",
        "&amp;",
        "<",
        "<a ",
        "<!--",
        "![",
        "[",
        "](",
        "`",
        "> ",
        "- ",
        "*a ",
        "| a ",
        "---\na: b\n---\n",
        "\\",
        "<scr<!-- -->",
        "<? ",
        "<![CDATA[",
        "\"<a b='",
        "<p style=\"",
        "a\n: ",
    ] {
        let source = unit.repeat((1 << 18) / unit.len());
        let begun = std::time::Instant::now();
        let _ = try_md(&source);
        // Seconds on a busy machine; what is not linear takes minutes.
        assert!(begun.elapsed().as_secs() < 10, "{unit:?}: {:?}", begun.elapsed());
    }
}

fn any_markdown() -> impl Strategy<Value = String> {
    let pieces = prop_oneof![
        4 => prop::sample::select(vec![
            "word ", "two words", "\n", "\n\n", "- ", "1. ", "> ", "# ", "    ", "`", "```\n", "*", "**",
            "[", "]", "(", ")", "](u)", "[a]: b\n", "[^a]", "[^a]: note\n", "![", "| a | b |\n|---|---|\n", "---\n",
        ]),
        3 => prop::sample::select(vec![
            "<!--", "-->", "<div hidden>", "</div>", "<div>", "<script>", "</script>", "<p style=\"opacity:0\">",
            "</p>", "<br>", "<", ">", "<a href=\"", "\">", "<?", "?>", "<![CDATA[", "]]>", "&nbsp;", "&lt;", "&amp;",
            "\\", "<dialog>", "</dialog>", "<!X", "&#x200b;", "\u{200b}", "e\u{301}",
        ]),
        1 => prop::sample::select(vec![
            "a", "b", "<", ">", "-", "!", "&", ";", "[", "]", "(", ")", "`", "\n", " ", "~", "=", "\t",
        ]),
    ];
    prop::collection::vec(pieces, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]
    #[test]
    fn canonical_markdown_is_its_own_canonical_text(source in any_markdown()) {
        if let Ok(read) = try_md(&source) {
            let again = try_md(&read.text).unwrap();
            prop_assert_eq!(again.text, read.text);
            prop_assert!(again.left_out.is_empty());
        }
    }
}
