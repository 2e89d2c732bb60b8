//! Search: names whole and in part, words in other forms, and words that are misspelt.

use openledger_docs::Book;

fn pages(book: &Book, query: &str) -> Vec<String> {
    book.search(query, 5).into_iter().map(|hit| hit.path).collect()
}

#[test]
fn names_are_found_whole_and_in_part() {
    let book = Book::embedded().unwrap();
    for (query, page) in [
        ("openledger_datanetDetails", "json-rpc"),
        ("datanetDetails", "json-rpc"),
        ("datanetdetails", "json-rpc"),
        ("DeadlineTooSoon", "reference/chain"),
        ("deadlinetoosoon", "reference/chain"),
        ("DeadlineToo", "reference/chain"),
        ("--trusted-proxy", "gateway"),
        ("trusted-proxy", "gateway"),
        ("trusted-prox", "gateway"),
        ("register_for", "reference/chain"),
        ("/v1/accounts/{account}/activity", "reference/rest"),
        ("OPENLEDGER_PASSWORD", "reference/commands"),
    ] {
        let found = pages(&book, query);
        assert!(found.iter().any(|path| path == page), "{query}: {found:?}");
    }
    let hit = &book.search("DeadlineTooSoon", 1)[0];
    let page = book.page(&hit.path).unwrap();
    let part = page.section(&hit.anchor).unwrap();
    let text = format!("{} {}", part.heading, page.absolute(part.text.clone(), ""));
    assert!(text.contains("DeadlineTooSoon"), "{hit:?}");
}

#[test]
fn words_are_found_in_other_forms_and_misspelt() {
    let book = Book::embedded().unwrap();
    for (one, other) in
        [("leaderboard", "leaderbord"), ("rewarding", "rewards"), ("curator", "curators")]
    {
        // The same parts; which of two that are nearly as good comes first may differ.
        let sorted = |words: &str| {
            let mut found = pages(&book, words);
            found.sort();
            found
        };
        assert_eq!(sorted(one), sorted(other));
        assert!(!sorted(one).is_empty());
    }
    // While one types.
    assert!(!pages(&book, "leaderb").is_empty());
}

#[test]
fn a_hit_is_a_part_of_a_page() {
    let book = Book::embedded().unwrap();
    for query in ["reward pool", "train an adapter", "quota", "kubo", "x", "a b c d e"] {
        let hits = book.search(query, 10);
        assert!(hits.len() <= 10);
        for two in hits.windows(2) {
            assert!(two[0].score >= two[1].score, "{query}");
        }
        for hit in hits {
            let page = book.page(&hit.path).unwrap();
            assert_eq!(page.title, hit.title);
            assert_eq!(page.section(&hit.anchor).unwrap().heading, hit.heading);
            assert!(hit.excerpt.chars().count() <= 240 && !hit.excerpt.contains('\n'), "{hit:?}");
        }
    }
}

#[test]
fn nothing_is_found_for_nothing() {
    let book = Book::embedded().unwrap();
    for query in ["", "   ", "the of and", "?!", "\u{0}", "zzzzqqqq", "你好"] {
        assert_eq!(book.search(query, 10), [], "{query:?}");
    }
    assert_eq!(book.search("reward", 0), []);
    assert!(book.search("reward", usize::MAX).len() <= 50);
    // Words beyond the limit are not read: a megabyte is as quick as a line.
    let long = "reward pool ".repeat(100_000);
    assert_eq!(pages(&book, &long), pages(&book, "reward pool"));
}
