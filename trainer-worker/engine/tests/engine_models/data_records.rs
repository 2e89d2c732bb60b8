//! Structured training data: which JSON becomes which example, and what is refused with which
//! reason.

use crate::common::{real_model_path, with_template};
use openledger_engine::data::{
    examples, examples_with, preferences, preview, read, DataFile, DataOptions, Example, Format,
    Kind, Objective, PreviewOptions, Report,
};
use openledger_engine::error::Error;
use openledger_engine::tokenizer::Tokenizer;
use openledger_primitives::MediaType;
use serde_json::json;
use std::sync::OnceLock;

fn tokenizer() -> &'static Tokenizer {
    static TOKENIZER: OnceLock<Tokenizer> = OnceLock::new();
    TOKENIZER.get_or_init(|| Tokenizer::open(&real_model_path()).expect("the tokenizer loads"))
}

fn named(text: &str, media: MediaType, format: Format) -> DataFile {
    DataFile::new(text.as_bytes().to_vec(), media, "the file", "alice").with_format(format)
}

fn lines(text: &str) -> DataFile {
    named(text, MediaType::Txt, Format::JsonLines)
}

fn made(file: DataFile) -> (Vec<Example>, Report) {
    examples(&[file], tokenizer(), 128).expect("examples")
}

/// What is learned of an example.
fn learned(tokenizer: &Tokenizer, example: &Example) -> String {
    let pairs = example.tokens.iter().zip(&example.labels);
    let ids: Vec<u32> = pairs.filter(|(_, label)| **label).map(|(token, _)| *token).collect();
    tokenizer.decode(&ids, false).expect("text")
}

fn whole(tokenizer: &Tokenizer, example: &Example) -> String {
    tokenizer.decode(&example.tokens, false).expect("text")
}

#[test]
fn every_answer_of_a_conversation_is_learned_and_nothing_else() {
    let chat = json!({"messages": [
        {"role": "system", "content": "Be short."},
        {"role": "user", "content": "Hello"},
        {"role": "assistant", "content": "Hi!"},
        {"role": "user", "content": [{"type": "text", "text": "Who "}, {"type": "text", "text": "pays?"}]},
        {"role": "assistant", "content": "The pool."},
        {"role": "user", "content": "Thanks"},
    ]});
    let (found, report) = made(lines(&chat.to_string()));
    assert_eq!((found.len(), report.chats, report.split), (1, 1, 0));
    assert_eq!(report.kinds[&Kind::Messages], 1);
    assert_eq!(learned(tokenizer(), &found[0]), "Hi!<|im_end|>The pool.<|im_end|>");
    assert_eq!(
        whole(tokenizer(), &found[0]),
        "<|im_start|>system\nBe short.<|im_end|>\n<|im_start|>user\nHello<|im_end|>\n\
         <|im_start|>assistant\nHi!<|im_end|>\n<|im_start|>user\nWho pays?<|im_end|>\n\
         <|im_start|>assistant\nThe pool.<|im_end|>"
    );
    // The tokens are those of the text in one piece: nothing is torn at the seams.
    let at_once = tokenizer().encode(&whole(tokenizer(), &found[0])).expect("tokens");
    assert_eq!(found[0].tokens, at_once);
}

#[test]
fn an_answer_of_weight_0_is_read_and_not_learned() {
    let chat = json!({"messages": [
        {"role": "user", "content": "a"}, {"role": "assistant", "content": "no", "weight": 0},
        {"role": "user", "content": "b"}, {"role": "assistant", "content": "yes", "weight": 1},
    ]});
    let (found, _) = made(lines(&chat.to_string()));
    assert_eq!(learned(tokenizer(), &found[0]), "yes<|im_end|>");
    assert!(whole(tokenizer(), &found[0]).contains("assistant\nno<|im_end|>"));
}

#[test]
fn sharegpt_and_alpaca_become_the_conversations_that_they_mean() {
    let sharegpt = json!({"conversations": [
        {"from": "system", "value": "S"}, {"from": "human", "value": "Q"}, {"from": "gpt", "value": "A"}]});
    let messages = json!({"messages": [
        {"role": "system", "content": "S"}, {"role": "user", "content": "Q"},
        {"role": "assistant", "content": "A"}]});
    let alpaca = json!({"system": "S", "instruction": "Q", "input": "", "output": "A"});
    let all = format!("{sharegpt}\n\n{messages}\n{alpaca}\n");
    let (found, report) = made(lines(&all));
    assert_eq!(found.len(), 3);
    assert!(found.iter().all(|e| e.tokens == found[0].tokens && e.labels == found[0].labels));
    assert_eq!((report.kinds[&Kind::ShareGpt], report.kinds[&Kind::Alpaca]), (1, 1));
    let with_input = json!({"instruction": "Add", "input": "1 and 2", "output": "3"});
    let (found, _) = made(lines(&with_input.to_string()));
    assert!(whole(tokenizer(), &found[0]).contains("user\nAdd\n1 and 2<|im_end|>"));
    // Each example knows its line.
    let (found, _) = made(lines(&all));
    for (example, line) in found.iter().zip(all.lines().filter(|line| !line.is_empty())) {
        assert_eq!(&all[example.span.clone()], line);
    }
}

#[test]
fn completions_and_texts_are_learned_as_they_stand() {
    let (found, report) = made(lines(
        "{\"prompt\": \"The sky is\", \"completion\": \" blue.\"}\n{\"text\": \"Plain words.\"}",
    ));
    assert_eq!(learned(tokenizer(), &found[0]), " blue.<|im_end|>");
    assert_eq!(whole(tokenizer(), &found[0]), "The sky is blue.<|im_end|>");
    assert_eq!(whole(tokenizer(), &found[1]), "Plain words.<|im_end|>");
    assert_eq!((report.kinds[&Kind::PromptCompletion], report.kinds[&Kind::Text]), (1, 1));
    let chat = json!({
        "prompt": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"},
                   {"role": "user", "content": "c"}],
        "completion": [{"role": "assistant", "content": "d"}],
    });
    let (found, _) = made(lines(&chat.to_string()));
    assert_eq!(learned(tokenizer(), &found[0]), "d<|im_end|>");
}

#[test]
fn a_text_file_is_json_only_if_every_line_is() {
    let json = "{\"text\": \"one\"}\n\n  {\"instruction\": \"i\", \"output\": \"o\"}\r\n";
    let (found, report) = made(named(json, MediaType::Txt, Format::Document));
    assert_eq!((found.len(), report.chats, report.windows), (2, 1, 1));
    assert_eq!(report.notes, Vec::<String>::new());
    for text in [
        "{\"text\": \"one\"}\nand words\n",
        "{\"text\": \"one\"}\n{\"text\": 1}\n",
        "{\"text\": \"one\"}\n[{\"text\": \"two\"}]\n",
    ] {
        let (found, report) = made(named(text, MediaType::Txt, Format::Document));
        assert_eq!((found.len(), report.kinds[&Kind::Window]), (1, 1), "{text}");
        assert!(report.notes[0].contains("line 2 is no JSON object"), "{:?}", report.notes);
    }
    for text in ["{ braces } in { text }", "{\n  \"text\": \"one\"\n}", "{}", "{\"a\": 1}", "Q: {}"]
    {
        let (found, report) = made(named(text, MediaType::Txt, Format::Document));
        assert_eq!(report.kinds[&Kind::Window], 1, "{text}");
        assert!(report.notes.is_empty() && whole(tokenizer(), &found[0]).starts_with(text));
    }
    let (_, report) = made(named("{\"text\": \"one\"}", MediaType::Md, Format::Document));
    assert_eq!(report.kinds[&Kind::Window], 1, "only .txt files can be JSON");
}

#[test]
fn plain_text_can_be_forced() {
    let options = DataOptions { plain_text: true, ..DataOptions::new(128) };
    for text in ["Q: a?\nA: b\n", "{\"instruction\": \"i\", \"output\": \"o\"}"] {
        let file = named(text, MediaType::Txt, Format::Document);
        let (found, report) = examples_with(&[file], tokenizer(), &options).expect("examples");
        assert_eq!(report.kinds[&Kind::Window], 1);
        assert_eq!(whole(tokenizer(), &found[0]), format!("{text}<|im_end|>"));
    }
}

#[test]
fn a_json_file_holds_an_array_or_one_object_after_the_other() {
    let array = "[\n  {\"text\": \"o]n\\\"e\"},\n  {\n    \"instruction\": \"i\",\n    \"output\": \"o\"\n  },\n  7\n]\n";
    let (found, report) = made(named(array, MediaType::Txt, Format::Json));
    assert_eq!(found.len(), 2);
    assert_eq!(&array[found[0].span.clone()], "{\"text\": \"o]n\\\"e\"}");
    assert!(array[found[1].span.clone()].starts_with("{\n    \"instruction\""));
    let place = &report.refused_places[0];
    assert_eq!((place.line, place.reason.as_str()), (7, "it is no JSON object"));
    let stream = "{\"text\": \"one\"} {\"text\":\n\"two\"}";
    assert_eq!(made(named(stream, MediaType::Txt, Format::Json)).0.len(), 2);
    let cut = "[{\"text\": \"one\"}, {\"text\": \"tw";
    let (found, report) = made(named(cut, MediaType::Txt, Format::Json));
    assert_eq!((found.len(), report.skipped), (1, 1), "what is cut off is one record");
    assert!(report.refused_places[0].reason.contains("ends too early"));
}

#[test]
fn lines_that_cannot_be_used_are_listed_with_the_reason() {
    let deep = format!("{{\"text\": {}1{}}}", "[".repeat(5000), "]".repeat(5000));
    let chat = |message: &str| {
        format!("{{\"messages\": [{message}, {{\"role\": \"assistant\", \"content\": \"a\"}}]}}")
    };
    let cases = [
        ("{\"text\": \"fine\"}".to_owned(), ""),
        ("not json".to_owned(), "it is no JSON"),
        ("{\"text\": \"\\ud800\"}".to_owned(), "it is no JSON"),
        (deep, "it is no JSON: recursion limit"),
        ("[1]".to_owned(), "no JSON object"),
        ("{\"texts\": \"a\"}".to_owned(), "none of the known shapes"),
        ("{\"text\": \" \"}".to_owned(), "blank"),
        ("{\"messages\": []}".to_owned(), "no answer of the assistant"),
        (chat("{\"role\": \"robot\", \"content\": \"a\"}"), "message 1: its role is \"robot\""),
        (chat("{\"role\": \"user\"}"), "message 1: its content is no text"),
        (chat("{\"role\": \"user\", \"content\": null}"), "its content is no text"),
        (chat("{\"role\": \"assistant\", \"content\": \"\", \"tool_calls\": [1]}"), "tool_calls"),
        (
            chat("{\"role\": \"user\", \"content\": \"x<|im_end|>\"}"),
            "special token \"<|im_end|>\"",
        ),
        (chat("3"), "message 1: it is no object"),
        (
            "{\"conversations\": [{\"from\": \"bing\", \"value\": \"a\"}]}".to_owned(),
            "from \"bing\"",
        ),
        ("{\"chosen\": \"a\", \"rejected\": \"b\"}".to_owned(), "it has no prompt"),
        (format!("{{\"prompt\": \"{}\", \"completion\": \"x\"}}", "word ".repeat(200)), "fills"),
    ];
    let text: String = cases.iter().map(|(line, _)| format!("{line}\n")).collect();
    let (found, report) = made(lines(&text));
    assert_eq!((found.len(), report.skipped), (1, cases.len() - 1));
    for (place, (index, (line, reason))) in
        report.refused_places.iter().zip(cases.iter().enumerate().skip(1))
    {
        assert_eq!(place.line, index + 1, "{line:.80}");
        assert!(place.reason.contains(reason), "{line:.80}: {}", place.reason);
        assert_eq!(place.submission, "the file");
    }
    let few = DataOptions { listed: 2, ..DataOptions::new(128) };
    let (_, report) = examples_with(&[lines(&text)], tokenizer(), &few).expect("examples");
    assert_eq!((report.refused_places.len(), report.skipped), (2, cases.len() - 1));
    let error = examples(&[lines("nothing\n")], tokenizer(), 128).expect_err("nothing");
    assert!(error.to_string().contains("line 1: it is no JSON"), "{error}");
}

#[test]
fn of_preferences_the_chosen_answer_is_learned_without_dpo() {
    let messages = json!({
        "prompt": [{"role": "system", "content": "S"}, {"role": "user", "content": "Who?"}],
        "chosen": [{"role": "assistant", "content": "Good"}],
        "rejected": [{"role": "assistant", "content": "Bad"}],
    });
    let texts = json!({"prompt": "Q: Who?", "chosen": " Good", "rejected": " Bad"});
    let (found, report) = made(lines(&format!("{messages}\n{texts}\n")));
    assert_eq!((found.len(), report.skipped), (2, 0));
    for example in &found {
        let whole = tokenizer().decode(&example.tokens, false).expect("text");
        assert!(whole.contains("Who?") && !whole.contains("Bad"), "{whole}");
        let learned = learned(tokenizer(), example);
        assert!(learned.trim_start().starts_with("Good") && !learned.contains("Who?"), "{learned}");
    }
}

#[test]
fn long_conversations_are_cut_and_counted() {
    let turns: Vec<_> = (0..40)
        .flat_map(|i| {
            [
                json!({"role": "user", "content": format!("Question {i}")}),
                json!({"role": "assistant", "content": format!("Answer {i}")}),
            ]
        })
        .collect();
    let (found, report) = made(lines(&json!({"messages": turns}).to_string()));
    assert_eq!((found[0].tokens.len(), report.truncated), (128, 1));
    assert_eq!(report.truncated_places[0].line, 1);
    assert!(learned(tokenizer(), &found[0]).starts_with("Answer 0<|im_end|>Answer 1<|im_end|>"));
}

const TWO_ANSWERS: &str = r#"{"messages": [
    {"role": "user", "content": "a"}, {"role": "assistant", "content": "b"},
    {"role": "user", "content": "c"}, {"role": "assistant", "content": "d"}]}"#;

#[test]
fn a_template_that_rewrites_earlier_answers_gives_an_example_each() {
    // As Qwen 3 does with thoughts.
    let template = "{% for m in messages %}<|im_start|>{{ m['role'] }}:\
        {% if m['role'] == 'assistant' and loop.last %}(thought){% endif %}{{ m['content'] }}<|im_end|>\
        {% endfor %}{% if add_generation_prompt %}<|im_start|>assistant:{% endif %}";
    let tokenizer = with_template(template);
    let file = named(TWO_ANSWERS, MediaType::Txt, Format::Json);
    let (found, report) = examples(&[file], &tokenizer, 128).expect("examples");
    assert_eq!((found.len(), report.split, report.chats), (2, 1, 2));
    assert_eq!(learned(&tokenizer, &found[0]), "(thought)b<|im_end|>");
    assert_eq!(learned(&tokenizer, &found[1]), "(thought)d<|im_end|>");
    assert_eq!(
        whole(&tokenizer, &found[1]),
        "<|im_start|>user:a<|im_end|><|im_start|>assistant:b<|im_end|><|im_start|>user:c<|im_end|>\
         <|im_start|>assistant:(thought)d<|im_end|>"
    );
    assert_eq!(found[0].span, found[1].span);
}

#[test]
fn a_template_without_the_prefix_property_or_with_a_refusal_is_told() {
    let refused = |template: &str| {
        let file = named(TWO_ANSWERS, MediaType::Txt, Format::Json);
        let error = examples(&[file], &with_template(template), 128).expect_err("refused");
        assert!(matches!(error, Error::NoExamples { .. }), "{error}");
        error.to_string()
    };
    let broken = "{% for m in messages %}{{ m['content'] }}{% endfor %}\
        {% if add_generation_prompt %}ANSWER: {% endif %}";
    assert!(refused(broken).contains("does not continue its own generation prompt"));
    let raising = "{{ raise_exception('only one question is allowed') }}";
    assert!(refused(raising).contains("only one question is allowed"));
}

fn pairs(text: &str) -> (Vec<openledger_engine::data::Preference>, Report) {
    preferences(&[lines(text)], tokenizer(), &DataOptions::new(128)).expect("preferences")
}

#[test]
fn preferences_are_read_in_all_of_trls_shapes() {
    let user = json!({"role": "user", "content": "2 + 2?"});
    let says = |text: &str| json!({"role": "assistant", "content": text});
    let explicit = json!({"prompt": [user], "chosen": [says("4")], "rejected": [says("5")]});
    let implicit = json!({"chosen": [user, says("4")], "rejected": [user, says("5")]});
    let ultrafeedback = json!({"prompt": "2 + 2?", "chosen": [user, says("4")],
        "rejected": [user, says("5")], "messages": [user, says("4")]});
    let answers_only = json!({"prompt": "2 + 2?", "chosen": [says("4")], "rejected": [says("5")]});
    let text = format!("{explicit}\n{implicit}\n{ultrafeedback}\n{answers_only}\n");
    let (found, report) = pairs(&text);
    assert_eq!((found.len(), report.preferences, report.skipped), (4, 4, 0));
    for (pair, line) in found.iter().zip(text.lines()) {
        assert_eq!(pair.chosen.tokens, found[0].chosen.tokens);
        assert_eq!(learned(tokenizer(), &pair.chosen), "4<|im_end|>");
        assert_eq!(learned(tokenizer(), &pair.rejected), "5<|im_end|>");
        assert_eq!(pair.chosen.tokens[..pair.prompt], pair.rejected.tokens[..pair.prompt]);
        assert_eq!(pair.chosen.labels.iter().position(|label| *label), Some(pair.prompt));
        assert_eq!(&text[pair.chosen.span.clone()], line);
        assert_eq!(pair.chosen.span, pair.rejected.span);
    }
    let (found, _) = pairs(
        "{\"prompt\": \"The sky is\", \"chosen\": \" blue.\", \"rejected\": \" green.\"}\n\
         {\"chosen\": \"The sky is blue.\", \"rejected\": \"The sky is green.\"}",
    );
    assert_eq!(found[0].chosen.tokens, found[1].chosen.tokens);
    assert_eq!(found[0].rejected.tokens, found[1].rejected.tokens);
    assert_eq!(whole(tokenizer(), &found[1].rejected), "The sky is green.<|im_end|>");
    let (found, _) = pairs("{\"chosen\": \"One, two\", \"rejected\": \"One, two, three\"}");
    assert_eq!(learned(tokenizer(), &found[0].chosen), "o<|im_end|>");
    assert_eq!(learned(tokenizer(), &found[0].rejected), "o, three<|im_end|>");
}

#[test]
fn what_is_no_preference_is_refused_by_line() {
    let good = "{\"prompt\": \"p\", \"chosen\": \"a\", \"rejected\": \"b\"}";
    let cases = [
        ("{\"prompt\": \"p\", \"chosen\": \"a\", \"rejected\": \"a\"}", "are the same"),
        ("{\"prompt\": \"\", \"chosen\": \"a\", \"rejected\": \"b\"}", "no prompt"),
        ("{\"text\": \"words\"}", "no preference"),
        (
            "{\"chosen\": [{\"role\": \"assistant\", \"content\": \"a\"}], \"rejected\": []}",
            "no prompt",
        ),
        (
            "{\"prompt\": \"p\", \"chosen\": [{\"role\": \"user\", \"content\": \"a\"}], \
          \"rejected\": [{\"role\": \"user\", \"content\": \"b\"}]}",
            "does not go on with the assistant",
        ),
    ];
    let text: String = cases.iter().map(|(line, _)| format!("{line}\n")).collect();
    let (found, report) = pairs(&format!("{good}\n{text}"));
    assert_eq!((found.len(), report.skipped), (1, cases.len()));
    for (place, (line, reason)) in report.refused_places.iter().zip(cases) {
        assert!(place.reason.contains(reason), "{line}: {}", place.reason);
    }
    let text = named("Only words.", MediaType::Md, Format::Document);
    let error = preferences(&[text], tokenizer(), &DataOptions::new(128)).expect_err("no pair");
    assert!(error.to_string().contains("prompt, chosen and rejected"), "{error}");
}

#[test]
fn documents_are_trained_on_by_their_canonical_text() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../content/documents/tests/content_documents/documents");
    let files = ["latin.pdf", "word.docx"]
        .map(|name| DataFile::open(&folder.join(name)).expect("a document"));
    let (found, report) = examples(&files, tokenizer(), 32).expect("examples");
    assert_eq!((report.files, report.kinds[&Kind::Window]), (2, found.len()));
    for (index, file) in files.iter().enumerate() {
        let text = file.text().expect("text");
        let spans = found.iter().filter(|e| e.file == index).map(|e| e.span.clone());
        let joined: String = spans.map(|span| text[span].to_owned()).collect();
        assert_eq!(joined, text);
    }
}

#[test]
fn folders_are_read_by_the_names_in_them() {
    let folder = tempfile::tempdir().expect("a folder");
    let inner = folder.path().join("inner");
    std::fs::create_dir(&inner).expect("a folder");
    for (name, text) in [
        ("b.JSONL", "{\"text\": \"lines\"}"),
        ("c.json", "[{\"text\": \"array\"}]"),
        ("a.txt", "words"),
        ("skipped.png", "x"),
        ("inner/d.md", "more words"),
    ] {
        std::fs::write(folder.path().join(name), text).expect("written");
    }
    let files = read(&[folder.path().to_path_buf()]).expect("files");
    let formats: Vec<Format> = files.iter().map(|file| file.format).collect();
    use Format::{Document, Json, JsonLines};
    assert_eq!(formats, [Document, JsonLines, Json, Document]);
    let (_, report) = examples(&files, tokenizer(), 64).expect("examples");
    assert_eq!((report.files, report.windows), (4, 4));
    let error = read(&[folder.path().join("skipped.png")]).expect_err("refused").to_string();
    assert!(error.contains(".parquet and .arrow files are read"), "{error}");
    std::fs::remove_file(inner.join("d.md")).expect("removed");
    assert!(read(&[inner]).expect_err("empty").to_string().contains("no .md, .txt"));
}

#[test]
fn a_preview_says_what_training_would_see() {
    let files = [
        lines("{\"instruction\": \"i\", \"output\": \"o\"}\nbroken\n"),
        named(&"Plain words. ".repeat(60), MediaType::Txt, Format::Document),
        DataFile::new(b"x".to_vec(), MediaType::Png, "picture", ""),
    ];
    let options = PreviewOptions {
        data: DataOptions::new(64),
        objective: Objective::Supervised,
        per_device_train_batch_size: 2,
        gradient_accumulation_steps: 1,
        num_train_epochs: 3.0,
        eval_fraction: 0.2,
        seed: 1,
    };
    let shown = preview(&files, tokenizer(), &options);
    let (found, report) = examples(&files[..2], tokenizer(), 64).expect("examples");
    assert_eq!(shown.train_examples + shown.eval_examples, found.len());
    assert_eq!((shown.tokens, shown.labelled_tokens), (report.tokens, report.labelled));
    assert_eq!(shown.files.iter().map(|file| file.tokens).sum::<usize>(), report.tokens);
    assert_eq!((shown.refused, shown.files[0].refused, shown.files[1].refused), (1, 1, 0));
    assert!(shown.files[2].error.as_deref().is_some_and(|error| error.contains(".png")));
    assert_eq!(shown.steps_per_epoch, shown.train_examples.div_ceil(2));
    assert_eq!(shown.total_steps, 3 * shown.steps_per_epoch);
    assert_eq!(shown.lengths.max, 64);
    let counted: usize = shown.lengths.histogram.iter().map(|(_, count)| count).sum();
    assert_eq!(counted, found.len());
    assert!(shown.label_share > 0.5 && shown.label_share < 1.0);
    let json = serde_json::to_value(&shown).expect("JSON");
    assert_eq!(json["kinds"]["alpaca"], 1);
    assert_eq!(json["refused_places"][0]["line"], 2);
    let dpo = PreviewOptions { objective: Objective::Preference, ..options };
    let pair = lines("{\"prompt\": \"p\", \"chosen\": \"a\", \"rejected\": \"b\"}");
    let shown = preview(&[pair], tokenizer(), &dpo);
    assert_eq!((shown.train_examples, shown.kinds[&Kind::Preference]), (1, 1));
}
