//! Answers that follow a grammar.

use crate::common::{random, real_model};
use crate::generate::{byte_level, sentencepiece};
use openledger_engine::error::Error;
use openledger_engine::generate::{generate, Finish, Grammar, GrammarMemory, Sampling, Writer};
use openledger_engine::tokenizer::{Message, Tokenizer};
use proptest::prelude::*;
use serde_json::Value;
use std::sync::Arc;

fn schema(text: &str) -> Grammar {
    Grammar::json_schema_text(text).unwrap_or_else(|e| panic!("{text}: {e}"))
}

fn check(text: &str, yes: &[&str], no: &[&str]) {
    let grammar = schema(text);
    for json in yes {
        assert!(grammar.matches(json).expect("followed"), "{text} allows {json}");
        serde_json::from_str::<Value>(json).unwrap_or_else(|e| panic!("{json}: {e}"));
    }
    for json in no {
        assert!(!grammar.matches(json).expect("followed"), "{text} forbids {json}");
    }
}

fn refused(text: &str) -> String {
    Grammar::json_schema_text(text).expect_err(text).to_string()
}

#[test]
fn objects_have_the_properties_of_the_schema_in_its_order() {
    check(
        r#"{"type":"object","properties":{"b":{"type":"integer"},"a":{"type":"string"}},"required":["b"]}"#,
        &[r#"{"b":1}"#, r#"{ "b": 1, "a": "x" }"#, "{\n  \"b\": -3\n}"],
        &[
            "{}",
            r#"{"a":"x","b":1}"#,
            r#"{"b":1.5}"#,
            r#"{"b":1,}"#,
            r#"{"b":1,"c":2}"#,
            r#"{"b":01}"#,
        ],
    );
    check(
        r#"{"properties":{"aü":{},"ab":{},"b":{}},"additionalProperties":{"type":"null"}}"#,
        &[
            "{}",
            r#"{"c":null}"#,
            r#"{"a":null,"abc":null,"":null,"aü1":null,"€":null}"#,
            r#"{"ab":1,"x":null}"#,
        ],
        &[r#"{"c":1}"#, r#"{"x":null,"ab":1}"#, r#"{"b":null,"b":1}"#, r#"{"a\u0062":null}"#],
    );
}

#[test]
fn arrays_strings_and_choices_are_bounded() {
    let items = r#"{"type":"array","items":{"type":"integer"},"minItems":1,"maxItems":3}"#;
    check(items, &["[1]", "[1,2]", "[1, 2, 3]"], &["[]", "[1,2,3,4]", "[1,]"]);
    let pair =
        r#"{"type":"array","prefixItems":[{"type":"integer"},{"type":"string"}],"items":false}"#;
    check(pair, &["[]", "[1]", r#"[1,"a"]"#], &[r#"["a"]"#, r#"[1,"a",2]"#]);
    let rest = r#"{"type":"array","prefixItems":[{"type":"integer"}],"items":{"type":"string"},"minItems":2}"#;
    check(rest, &[r#"[1,"a"]"#, r#"[1,"a","b"]"#], &["[1]", "[]"]);
    check(
        r#"{"type":"string","minLength":2,"maxLength":3}"#,
        &[r#""ab""#, r#""é€""#, r#""\n\u00e9\\""#, r#""\ud83d\ude00a""#],
        &[r#""a""#, r#""abcd""#, r#""a\ud83d""#, "\"a\nb\""],
    );
    let pattern = r#"{"type":"string","pattern":"^[A-Z]\\d{2}$"}"#;
    check(pattern, &[r#""A12""#], &[r#""A1""#, r#""A123""#, r#""A١٢""#]);
    check(r#"{"pattern":"b+\\s"}"#, &[r#""abb c""#, r#""b\n""#], &[r#""a""#]);
    check(r#"{"pattern":"^[\"\\\\x]$"}"#, &[r#""\"""#, r#""\\""#, r#""x""#], &[r#""y""#]);
    let time = r#"{"type":"string","format":"date-time"}"#;
    check(time, &[r#""2026-11-29T04:30:00Z""#], &[r#""2026-02-30T04:30:00Z""#, r#""2026-11-29""#]);
    let list = r#"{"enum":["a",1,null,{"k":[1,2]}]}"#;
    check(list, &["\"a\"", "1", "null", "{\"k\": [1, 2]}"], &["\"b\"", "2"]);
    check(r#"{"enum":[0.5,-1e3]}"#, &["0.5"], &["0", "0.50"]);
    // Many values, of which some begin or are others, are followed like few.
    let words: Vec<String> = (0..5_000).map(|i| format!("\"v{i}\"")).collect();
    let many = format!("{{\"enum\":[{},\"v1\",7,70,[1],[2],{{\"k\":1}}]}}", words.join(","));
    let good = [r#""v0""#, r#""v1""#, r#""v10""#, r#""v4999""#, "7", "70", "[2]", r#"{"k":1}"#];
    check(&many, &good, &[r#""v""#, r#""v5000""#, r#""v01""#, "77", "[3]", ""]);
    let nested: Vec<String> = (1..300).map(|i| format!("\"{}\"", "a".repeat(i))).collect();
    let nested = format!("{{\"enum\":[{}]}}", nested.join(","));
    check(&nested, &[r#""a""#, r#""aaaaa""#], &[r#""""#, r#""ab""#]);
    check(r#"{"type":["string","null"]}"#, &["\"a\"", "null"], &["1"]);
    let any = ["1", "[1,{\"a\":[]}]", "-0.5e-10", "\"x\"", "true"];
    check("{}", &any, &["", "01", "[", "1.", "1e400", "nul"]);
    let object = Grammar::json_object().expect("a grammar");
    assert!(object.matches("{\"a\": 1}").expect("followed"));
    assert!(!object.matches("[]").expect("followed"));
}

#[test]
fn references_may_lead_back() {
    let node = r##"{"$defs":{"n":{"type":"object","properties":{"v":{"type":"integer"},"next":{"anyOf":[{"$ref":"#/$defs/n"},{"type":"null"}]}},"required":["v","next"]}},"$ref":"#/$defs/n"}"##;
    check(node, &[r#"{"v":1,"next":{"v":2,"next":null}}"#], &[r#"{"v":1}"#]);
    let one = r#"{"oneOf":[{"type":"object","properties":{"k":{"const":"a"}},"required":["k"]},{"type":"object","properties":{"k":{"const":"b"}},"required":["k"]}]}"#;
    check(one, &[r#"{"k":"b"}"#], &[r#"{"k":"c"}"#]);
}

#[test]
fn what_is_not_supported_is_refused_by_name_and_place() {
    for (text, words) in [
        (r#"{"type":"object","patternProperties":{}}"#, "keyword patternProperties"),
        (r#"{"properties":{"a":{"not":{}}}}"#, "#/properties/a: the keyword not"),
        (r#"{"type":"int"}"#, "type = \"int\": choose of object"),
        (r##"{"$ref":"#"}"##, "refers to itself"),
        (r##"{"anyOf":[{"$ref":"#"},{"type":"null"}]}"##, "refers to itself"),
        (r##"{"$ref":"http://x"}"##, "leads nowhere"),
        (r#"{"oneOf":[{"type":"object"},{"type":"object"}]}"#, "write anyOf"),
        (r#"{"allOf":[{},{}]}"#, "only one schema"),
        (r#"{"anyOf":[{}],"type":"string"}"#, "type beside anyOf"),
        (r#"{"pattern":"(?=a)"}"#, "look-around"),
        (r#"{"pattern":"a\\bc"}"#, "only ^ at the very beginning"),
        (r#"{"type":"string","format":"uri"}"#, "format \"uri\" is not supported; date"),
        (r#"{"maxLength":100000}"#, "from 0 to 4096"),
        (r#"{"type":"number","minimum":0.5}"#, "minimum = 0.5"),
        (r#"{"type":"integer","minimum":5,"maximum":4}"#, "no number lies"),
        (r#"{"required":["x"]}"#, "which properties lack"),
        (r#"{"type":"array","uniqueItems":true}"#, "keyword uniqueItems"),
        ("[", "no JSON"),
        ("false", "accepts nothing"),
    ] {
        let error = refused(text);
        assert!(error.starts_with("response_format") && error.contains(words), "{error}");
    }
}

#[test]
fn a_schema_is_bounded() {
    let nested = |depth| format!("{}{{}}{}", r#"{"items":"#.repeat(depth), "}".repeat(depth));
    schema(&nested(60));
    assert!(refused(&nested(100)).contains("64 deep"));
    assert!(refused(&nested(1000)).contains("recursion limit"));
    assert!(refused(&format!("\"{}\"", "x".repeat(70_000))).contains("65536 is the most"));
    // Sizes multiply: 50 lists of 4,096 strings of 4,096 characters.
    let list = r#"{"type":"string","minLength":4096,"maxLength":4096}"#;
    let properties: Vec<String> = (0..50).map(|i| format!("\"p{i}\":{list}")).collect();
    let large = format!("{{\"properties\":{{{}}}}}", properties.join(","));
    assert!(refused(&large).contains("symbols"));
    // A name of 60,000 letters, from which others would have to differ.
    let name = format!(
        "{{\"properties\":{{\"{}\":{{}}}},\"additionalProperties\":true}}",
        "n".repeat(60_000)
    );
    assert!(refused(&name).contains("longer than 256"));
    // Every part may be empty, thousands of times: it is an error, not a minute of work.
    let empty = Grammar::regex("((a?){0,4000}b?){0,4000}").expect("compiles");
    assert!(empty.matches("aaa").expect_err("too ambiguous").to_string().contains("ambiguous"));
}

#[test]
fn expressions_and_choices_are_grammars_too() {
    let grammar = Grammar::regex(r"[a-c]+é?|\w{3}").expect("a grammar");
    for (text, fits) in [("abcé", true), ("x_1", true), ("xé", false), ("", false)] {
        assert_eq!(grammar.matches(text).expect("followed"), fits, "{text}");
    }
    let choice = Grammar::choice(&["yes".to_owned(), "no".to_owned()]).expect("a grammar");
    assert!(choice.matches("no").expect("followed") && !choice.matches("n").expect("followed"));
    assert!(Grammar::choice(&[]).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn bounds_of_numbers_are_exact(
        least in -1200i64..1200,
        width in 2i64..1500,
        open_below in any::<bool>(),
        open_above in any::<bool>(),
        values in prop::collection::vec(-6000i64..6000, 60),
    ) {
        let most = least + width;
        let below = if open_below { "exclusiveMinimum" } else { "minimum" };
        let above = if open_above { "exclusiveMaximum" } else { "maximum" };
        let text = format!(r#"{{"type":"number","{below}":{least},"{above}":{most}}}"#);
        let number = schema(&text);
        let integer = schema(&text.replace("number", "integer"));
        // In quarters, so that fractions are met too.
        let edges = [least, most].into_iter().flat_map(|edge| (-5..=5).map(move |d| edge * 4 + d));
        for quarters in values.into_iter().chain(edges) {
            let value = quarters as f64 / 4.0;
            let (low, high) = (least as f64, most as f64);
            let fits = (value > low || value == low && !open_below)
                && (value < high || value == high && !open_above);
            let written = value.to_string();
            prop_assert_eq!(number.matches(&written).expect("followed"), fits, "{} {}", text, written);
            let whole = fits && quarters % 4 == 0;
            prop_assert_eq!(integer.matches(&written).expect("followed"), whole, "{} {}", text, written);
        }
    }
}

const RECORD: &str = r#"{"type":"object","properties":{
    "name":{"type":"string","maxLength":12},
    "kind":{"enum":["dog","cat","Ünï"]},
    "legs":{"type":"integer","minimum":0,"maximum":100},
    "tags":{"type":"array","items":{"type":"string","pattern":"^[a-z€]{1,3}$"},"maxItems":3},
    "weight":{"anyOf":[{"type":"number","minimum":0,"maximum":10},{"type":"null"}]}},
    "required":["name","kind","legs","weight"],"additionalProperties":false}"#;

/// Writes by random logits; the text and how it ended.
fn random_answer(
    tokenizer: &Tokenizer,
    grammar: &Arc<Grammar>,
    seed: u64,
    rests: bool,
) -> (String, Finish) {
    let sampling = Sampling {
        grammar: Some(Arc::clone(grammar)),
        temperature: 1.0,
        max_new_tokens: 600,
        seed,
        ..Default::default()
    };
    let mut writer = Writer::new(tokenizer, &sampling, &[]).expect("settings");
    let mut text = String::new();
    loop {
        if rests {
            writer.rest();
        }
        let step = seed * 1000 + writer.tokens().len() as u64;
        let piece = writer.next(&mut random(step, tokenizer.vocab_size(), 2.0)).expect("a token");
        text.push_str(&piece.text);
        if let Some(finish) = piece.finish {
            return (text, finish);
        }
    }
}

#[test]
fn whatever_a_model_wants_the_answer_is_json_of_the_schema() {
    let grammar = Arc::new(schema(RECORD));
    for tokenizer in [byte_level(), sentencepiece()] {
        for seed in 0..25 {
            let (text, finish) = random_answer(tokenizer, &grammar, seed, false);
            assert_eq!(finish, Finish::Stop, "{text}");
            if seed < 3 {
                let rested = random_answer(tokenizer, &grammar, seed, true);
                assert_eq!(rested, (text.clone(), finish), "what it remembers decides nothing");
            }
            let value: Value =
                serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text}"));
            assert!(grammar.matches(&text).expect("followed"), "{text}");
            let legs = value["legs"].as_u64().expect("a number");
            assert!(legs <= 100 && value["name"].as_str().expect("text").chars().count() <= 12);
            assert!(["dog", "cat", "Ünï"].contains(&value["kind"].as_str().expect("text")));
        }
    }
}

#[test]
fn stop_strings_beside_a_grammar_are_refused() {
    let grammar = Some(Arc::new(schema("{}")));
    let sampling = Sampling { grammar, stop: vec!["x".into()], ..Default::default() };
    let error = Writer::new(byte_level(), &sampling, &[]).err().expect("refused").to_string();
    assert!(error.contains("stop = 1 strings beside a response_format"), "{error}");
}

#[test]
fn the_real_model_answers_in_json() {
    let (model, tokenizer) = real_model();
    let schema_text = r#"{"type":"object","properties":{"city":{"type":"string","maxLength":30},"population":{"type":"integer","minimum":1},"capital":{"type":"boolean"}},"required":["city","population","capital"],"additionalProperties":false}"#;
    let grammar = Arc::new(schema(schema_text));
    let question = [Message::user("Describe the capital of France as JSON.")];
    let prompt = tokenizer.render_chat(&question, true).expect("a prompt");
    let prompt = tokenizer.encode(&prompt).expect("tokens");
    for temperature in [0.0, 1.0] {
        let grammar = Some(Arc::clone(&grammar));
        let sampling = Sampling { grammar, temperature, max_new_tokens: 80, ..Default::default() };
        let answer =
            generate(&model, None, &tokenizer, &prompt, &sampling, |_| true).expect("an answer");
        assert!(answer.stopped, "{}", answer.text);
        let value: Value = serde_json::from_str(&answer.text).expect("JSON");
        assert!(value["population"].as_u64().is_some_and(|n| n >= 1), "{value}");
    }
}

/// Writes beside others within a memory that is counted; the texts, and the most that was taken.
fn together(
    grammar: &Arc<Grammar>,
    memory: &Arc<GrammarMemory>,
    client: u64,
    count: u64,
) -> (Vec<String>, usize) {
    let tokenizer = byte_level();
    let sampling = |seed| Sampling {
        grammar: Some(Arc::clone(grammar)),
        temperature: 1.0,
        max_new_tokens: 120,
        seed,
        ..Default::default()
    };
    let client = memory.of(client);
    let begin = |seed| Writer::within(tokenizer, &sampling(seed), &[], &client).expect("room");
    let mut writers: Vec<_> = (0..count).map(|seed| (begin(seed), String::new())).collect();
    let mut most = 0;
    while writers.iter().any(|(writer, _)| writer.finish().is_none()) {
        for (seed, (writer, text)) in (0..).zip(&mut writers) {
            let step = seed * 1000 + writer.tokens().len() as u64;
            let mut logits = random(step, tokenizer.vocab_size(), 2.0);
            text.push_str(&writer.next(&mut logits).expect("a token").text);
            most = most.max(memory.used());
        }
    }
    (writers.into_iter().map(|(_, text)| text).collect(), most)
}

#[test]
fn answers_that_follow_grammars_share_a_memory_that_is_counted() {
    const LIMIT: usize = 16 << 20;
    // Each letter may belong to hundreds of places.
    let many = || Arc::new(schema(r#"{"type":"string","pattern":"^([a-z]{0,3}){0,200}$"}"#));
    let grammar = many();
    let roomy = GrammarMemory::new(1 << 30, 30);
    let (texts, wanted) = together(&grammar, &roomy, 1, 30);
    assert!(wanted > LIMIT / 2, "{wanted} bytes need no bound");
    assert!(roomy.used() < 1 << 20, "only the grammar itself is left: {}", roomy.used());
    // A grammar is counted where it was first followed.
    let grammar = many();
    let bounded = GrammarMemory::new(LIMIT, 30);
    let (same, most) = together(&grammar, &bounded, 1, 30);
    assert!(most <= LIMIT / 2, "{most}");
    assert_eq!(same, texts, "what is forgotten changes no answer");
    drop(grammar);
    assert_eq!(bounded.used(), 0);
}

#[test]
fn a_grammar_that_finds_no_memory_says_so() {
    let words: Vec<String> = (0..1500).map(|i| format!("\"{i:06}\"")).collect();
    let grammar = Arc::new(schema(&format!("{{\"enum\":[{}]}}", words.join(","))));
    let memory = GrammarMemory::new(64 << 10, 1);
    let sampling = Sampling { grammar: Some(grammar), ..Default::default() };
    let failed =
        Writer::within(byte_level(), &sampling, &[], &memory.of(1)).err().expect("no room");
    assert!(matches!(failed, Error::GrammarMemory { limit: 0x1_0000, .. }), "{failed}");
}

#[test]
fn a_client_that_takes_all_it_can_of_the_memory_leaves_room_for_others() {
    const LIMIT: usize = 16 << 20;
    let memory = GrammarMemory::new(LIMIT, 30);
    let long = || {
        let words: Vec<String> = (0..1500).map(|i| format!("\"{i:06}\"")).collect();
        let grammar = Some(Arc::new(schema(&format!("{{\"enum\":[{}]}}", words.join(",")))));
        Sampling { grammar, ..Default::default() }
    };
    // As many answers as it gets, none of which goes on and could forget anything.
    let fill = |client: u64| {
        let (memory, mut held) = (memory.of(client), Vec::new());
        loop {
            match Writer::within(byte_level(), &long(), &[], &memory) {
                Ok(writer) => held.push(writer),
                Err(Error::GrammarMemory { .. }) => return held,
                Err(other) => panic!("{other}"),
            }
        }
    };
    let greedy = fill(1);
    let taken = memory.used();
    assert!(taken > LIMIT / 3 && taken <= LIMIT / 2, "{taken} of {LIMIT} bytes");

    // Another client's answers are those that it gets alone.
    let many = || Arc::new(schema(r#"{"type":"string","pattern":"^[a-z]{0,30}$"}"#));
    let (alone, _) = together(&many(), &GrammarMemory::new(LIMIT, 30), 2, 5);
    let (texts, _) = together(&many(), &memory, 2, 5);
    assert_eq!(texts, alone);

    // However many come, each finds some room.
    let others: Vec<_> = (3..6).map(fill).collect();
    assert!(others.iter().all(|held| !held.is_empty()));
    assert!(memory.used() <= LIMIT, "{}", memory.used());
    let held = greedy.len();
    drop((greedy, others));
    assert_eq!(memory.used(), 0);
    assert_eq!(fill(1).len(), held, "what was given back is there again");
}
