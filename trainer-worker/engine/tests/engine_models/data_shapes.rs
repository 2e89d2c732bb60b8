//! The shapes and spellings of records that people have, what happens to special tokens that are
//! written out, and that nothing is left out without a word.

use crate::common::{real_model_path, with_template};
use openledger_engine::data::{
    examples, examples_with, preferences, preview, DataFile, DataOptions, Example, Format, Kind,
    Objective, Preference, PreviewOptions, Report,
};
use openledger_engine::tokenizer::Tokenizer;
use openledger_primitives::MediaType;
use serde_json::{json, Value};
use std::sync::OnceLock;

fn tokenizer() -> &'static Tokenizer {
    static TOKENIZER: OnceLock<Tokenizer> = OnceLock::new();
    TOKENIZER.get_or_init(|| Tokenizer::open(&real_model_path()).expect("the tokenizer loads"))
}

fn lines(values: &[Value]) -> DataFile {
    let text: String = values.iter().map(|value| format!("{value}\n")).collect();
    let file = DataFile::new(text.into_bytes(), MediaType::Txt, "the file", "");
    file.with_format(Format::JsonLines).own()
}

fn made(values: &[Value]) -> (Vec<Example>, Report) {
    examples(&[lines(values)], tokenizer(), 256).expect("examples")
}

fn refused(values: &[Value], tokenizer: &Tokenizer) -> String {
    examples(&[lines(values)], tokenizer, 256).expect_err("refused").to_string()
}

fn ids(example: &Example, learned: bool) -> Vec<u32> {
    let pairs = example.tokens.iter().zip(&example.labels);
    pairs.filter(|(_, label)| !learned || **label).map(|(token, _)| *token).collect()
}

fn whole(tokenizer: &Tokenizer, example: &Example) -> String {
    tokenizer.decode(&ids(example, false), false).expect("text")
}

fn learned(tokenizer: &Tokenizer, example: &Example) -> String {
    tokenizer.decode(&ids(example, true), false).expect("text")
}

fn chat(turns: &[(&str, &str)]) -> Value {
    let turn = |(role, content): &(&str, &str)| json!({"role": role, "content": content});
    json!({"messages": turns.iter().map(turn).collect::<Vec<_>>()})
}

#[test]
fn columns_that_differ_only_by_their_case_are_not_confused() {
    // The names as they are come first, and no two become one.
    let said = refused(&[json!({"Question": "a", "question ": "b", "Answer": "c"})], tokenizer());
    assert!(said.contains("none of the known shapes"), "{said}");
    let (found, report) = made(&[json!({"question": "Where?", "answer": "There.", "Answer": "c"})]);
    assert_eq!(learned(tokenizer(), &found[0]).trim_end_matches(['\n']), "There.<|im_end|>");
    assert!(report.remarks.iter().any(|(said, _)| said.contains("Answer")), "{:?}", report.remarks);
}

#[test]
fn every_spelling_of_a_question_and_its_answer_is_the_same_conversation() {
    let right = made(&[chat(&[("user", "Where?"), ("assistant", "There.")])]).0;
    let spellings = [
        json!({"question": "Where?", "answer": "There."}),
        json!({"query": "Where?", "response": "There."}),
        json!({"instruction": "Where?", "response": "There."}),
        json!({"prompt": "Where?", "response": "There."}),
        json!({"input": "Where?", "output": "There."}),
        json!({"problem": "Where?", "solution": "There."}),
        json!({"user": "Where?", "assistant": "There."}),
        json!({"Question": "Where?", "Answer": "There."}),
        json!({" INSTRUCTION ": "Where?", "Input": "", "output": "There."}),
        json!({"instruction": "Where?", "input": "", "output": "There.", "system": null}),
        json!({"conversations": [{"role": "user", "content": "Where?"},
            {"role": "assistant", "content": "There."}]}),
        json!({"messages": [{"from": "human", "value": "Where?"}, {"from": "gpt", "value": "There."}]}),
        json!({"conversation": [{"from": "Human", "value": "Where?"}, {"from": "model", "value": "There."}]}),
        json!({"messages": [{"role": "user", "text": "Where?"}, {"role": "bot", "content": "There."}]}),
        json!({"messages": "[{\"role\": \"user\", \"content\": \"Where?\"}, \
            {\"role\": \"assistant\", \"content\": \"There.\"}]"}),
        json!({"prompt": [{"role": "user", "content": "Where?"}], "completion": "There."}),
        json!({"prompt": "Where?", "completion": [{"role": "assistant", "content": "There."}]}),
        json!({"row_idx": 3, "row": {"question": "Where?", "answer": "There."}, "truncated_cells": []}),
    ];
    let (found, report) = made(&spellings);
    assert_eq!((found.len(), report.skipped), (spellings.len(), 0), "{:?}", report.reasons);
    for (example, spelling) in found.iter().zip(&spellings) {
        assert_eq!(example.tokens, right[0].tokens, "{spelling}");
        assert_eq!(example.labels, right[0].labels, "{spelling}");
    }
    assert!(report.remarks.is_empty(), "{:?}", report.remarks);
    assert_eq!(report.kinds[&Kind::Question], 9);
    let (found, _) = made(&[json!({"instruction": "Sum", "context": "1 and 2", "response": 3})]);
    assert!(whole(tokenizer(), &found[0]).contains("user\nSum\n1 and 2<|im_end|>"));
    assert_eq!(learned(tokenizer(), &found[0]), "3<|im_end|>");
}

#[test]
fn a_system_message_beside_anything_is_used() {
    let right =
        made(&[chat(&[("system", "Be brief."), ("user", "Where?"), ("assistant", "There.")])]);
    let all = [
        json!({"system": "Be brief.", "messages": chat(&[("user", "Where?"), ("assistant", "There.")])["messages"]}),
        json!({"system_prompt": "Be brief.", "question": "Where?", "response": "There."}),
        json!({"system": "Be brief.", "prompt": "Where?", "completion": "There."}),
        json!({"messages": [{"role": "developer", "content": "Be brief."},
            {"role": "user", "content": "Where?"}, {"role": "assistant", "content": "There."}]}),
        json!({"system": "Be brief.", "messages": [{"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Where?"}, {"role": "assistant", "content": "There."}]}),
    ];
    let (found, report) = made(&all);
    assert_eq!(report.skipped, 0, "{:?}", report.reasons);
    assert!(found.iter().all(|e| e.tokens == right.0[0].tokens && e.labels == right.0[0].labels));
    let two = json!({"system": "Be long.", "messages": [{"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Where?"}, {"role": "assistant", "content": "There."}]});
    assert!(refused(&[two], tokenizer()).contains("disagree"));
}

fn pairs(values: &[Value]) -> (Vec<Preference>, Report) {
    preferences(&[lines(values)], tokenizer(), &DataOptions::new(256)).expect("preferences")
}

#[test]
fn preferences_keep_their_question_whatever_it_is_called() {
    let says = |text: &str| json!({"role": "assistant", "content": text});
    let asked = json!([{"role": "user", "content": "Where?\nNow?"}]);
    let all = [
        json!({"prompt": asked, "chosen": [says("There.")], "rejected": [says("Here.")]}),
        json!({"instruction": "Where?", "input": "Now?", "chosen": "There.", "rejected": "Here."}),
        json!({"question": "Where?\nNow?", "chosen": "There.", "rejected": "Here."}),
        json!({"conversations": [{"from": "human", "value": "Where?\nNow?"}],
            "chosen": {"from": "gpt", "value": "There."}, "rejected": {"from": "gpt", "value": "Here."}}),
        json!({"messages": asked, "chosen": "There.", "rejected": "Here."}),
        json!({"prompt": "Where?\nNow?", "chosen": says("There."), "rejected": says("Here.")}),
        json!({"prompt": asked, "chosen": "There.", "rejected": "Here."}),
    ];
    let (found, report) = pairs(&all);
    assert_eq!((found.len(), report.skipped), (all.len(), 0), "{:?}", report.reasons);
    for (pair, value) in found.iter().zip(&all) {
        assert_eq!(pair.chosen.tokens, found[0].chosen.tokens, "{value}");
        assert_eq!(pair.rejected.tokens, found[0].rejected.tokens, "{value}");
        assert_eq!(pair.prompt, found[0].prompt);
    }
    let with = json!({"system": "Be brief.", "question": "Where?", "chosen": "a", "rejected": "b"});
    let (found, _) = pairs(&[with]);
    let text = whole(tokenizer(), &found[0].chosen);
    assert!(
        text.starts_with("<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nWhere?"),
        "{text}"
    );
    let raw = json!({"system": "Be brief.", "prompt": "Where?", "chosen": "a", "rejected": "b"});
    assert_eq!(pairs(&[raw]).0[0].chosen.tokens, found[0].chosen.tokens);
    let (_, report) = pairs(&[
        all[1].clone(),
        json!({"question": "Else?",
        "chosen": [{"role": "user", "content": "Where?"}, says("a")],
        "rejected": [{"role": "user", "content": "Where?"}, says("b")]}),
    ]);
    assert!(
        report.reasons.keys().any(|r| r.contains("another than the one")),
        "{:?}",
        report.reasons
    );
}

#[test]
fn special_tokens_in_raw_text_are_special_tokens_as_in_generate() {
    let text = "<|im_start|>user\nWhere?<|im_end|>\n<|im_start|>assistant\nThere.<|im_end|>\n";
    let all = [
        json!({"text": text}),
        json!({"prompt": "<|im_start|>user\nWhere?<|im_end|>\n<|im_start|>assistant\n",
            "completion": "There.<|im_end|>"}),
        json!({"prompt": "Q: Where?\nA:", "completion": " There.<|im_end|>"}),
        json!({"prompt": "Q: Where?\nA:", "completion": " There."}),
        json!({"prompt": "Q: Where?\nA:", "completion": " There.</s>"}),
    ];
    let (found, report) = made(&all);
    // Exactly what `generate --prompt` would see; the end that is written is the end.
    assert_eq!(found[0].tokens, tokenizer().encode(text).expect("tokens"));
    assert_eq!(found[1].tokens, tokenizer().encode(text.trim_end()).expect("tokens"));
    assert_eq!(found[2].tokens, found[3].tokens);
    assert_eq!(
        report.remarks["special tokens written in raw text, taken as such"].count,
        4 + 4 + 1
    );
    let foreign = report.remarks.iter().find(|(what, _)| what.contains("</s>")).expect("said");
    assert_eq!((foreign.1.count, foreign.1.first.line), (1, 5));
    let document = DataFile::new(text.as_bytes().to_vec(), MediaType::Txt, "a.txt", "").own();
    let (own, _) = examples(std::slice::from_ref(&document), tokenizer(), 256).expect("examples");
    assert_eq!(own[0].tokens, found[0].tokens);
    // A stranger's file never holds one, and that is said.
    let stranger = DataFile { own: false, ..document };
    let (found, report) = examples(&[stranger], tokenizer(), 256).expect("examples");
    let special = found[0].tokens.iter().filter(|id| tokenizer().is_special(**id)).count();
    assert_eq!(special, 1, "the end that the engine adds");
    assert!(
        report.remarks.keys().any(|what| what.contains("of a Datanet")),
        "{:?}",
        report.remarks
    );
    for value in [
        json!({"instruction": "Where?", "output": "There.<|im_end|>"}),
        chat(&[("user", "Where?"), ("assistant", "There.<|im_end|>")]),
    ] {
        let error = refused(&[value], tokenizer());
        assert!(error.contains("message 2 writes out") && error.contains("<|im_end|>"), "{error}");
    }
    let shown = tokenizer().show(&tokenizer().encode("a<|im_end|>b").expect("ids")).expect("text");
    assert_eq!(shown, "a⟦<|im_end|>⟧b");
    let plain = tokenizer().encode_plain("a<|im_end|>b").expect("ids");
    let plain: Vec<u32> = plain.into_iter().map(|(id, _)| id).collect();
    assert_eq!(tokenizer().show(&plain).expect("text"), "a<|im_end|>b");
}

const THINKING: &str = "{% for m in messages %}<|im_start|>{{ m.role }}\n\
    {% if m.reasoning_content %}<think>{{ m.reasoning_content }}</think>{% endif %}{{ m.content }}<|im_end|>\n\
    {% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";

#[test]
fn thoughts_go_where_the_template_puts_them_or_the_record_is_refused() {
    let user = json!({"role": "user", "content": "Legs of two hens?"});
    for key in ["reasoning_content", "thinking", "reasoning"] {
        let value =
            json!({"messages": [user, {"role": "assistant", key: "2 x 2", "content": "4"}]});
        let tokenizer_of = with_template(THINKING);
        let (found, _) =
            examples(&[lines(std::slice::from_ref(&value))], &tokenizer_of, 256).expect("examples");
        assert_eq!(learned(&tokenizer_of, &found[0]), "<think>2 x 2</think>4<|im_end|>");
        let error = refused(&[value], tokenizer());
        assert!(error.contains("message 2 has reasoning") && error.contains("no place"), "{error}");
    }
}

#[test]
fn a_generation_prompt_that_ends_in_a_prefill_is_trained_with() {
    // As DeepSeek R1 and QwQ have it: the prompt opens a thought, the answers have none.
    let template = "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content.split('</think>')[-1] }}\
        <|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n<think>\n{% endif %}";
    let tokenizer = with_template(template);
    let value =
        chat(&[("user", "a"), ("assistant", "b"), ("user", "c"), ("assistant", "<think>d")]);
    let (found, report) = examples(&[lines(&[value])], &tokenizer, 256).expect("examples");
    assert_eq!(found.len(), 1);
    assert_eq!(learned(&tokenizer, &found[0]), "b<|im_end|><think>d<|im_end|>");
    assert_eq!(
        whole(&tokenizer, &found[0]),
        "<|im_start|>user\na<|im_end|>\n<|im_start|>assistant\nb<|im_end|>\n<|im_start|>user\nc<|im_end|>\n\
         <|im_start|>assistant\n<think>d<|im_end|>"
    );
    assert!(report.remarks.keys().any(|what| what.contains("<think>")), "{:?}", report.remarks);
    let pair = json!({"question": "a", "chosen": "b", "rejected": "c"});
    let (found, _) =
        preferences(&[lines(&[pair])], &tokenizer, &DataOptions::new(256)).expect("pairs");
    assert_eq!(learned(&tokenizer, &found[0].rejected), "c<|im_end|>");
}

#[test]
fn tools_and_calls_go_through_the_template_or_the_record_is_refused() {
    let template = "{% if tools %}<|im_start|>system\n{{ tools | tojson }}<|im_end|>\n{% endif %}\
        {% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}{% for c in m.tool_calls %}\
        CALL {{ c.function.name }} {{ c.function.arguments | tojson }}{% endfor %}<|im_end|>\n{% endfor %}\
        {% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";
    let tokenizer_of = with_template(template);
    let tool = json!({"name": "sum", "parameters": {"type": "object"}});
    let call = json!({"id": "1", "type": "function",
        "function": {"name": "sum", "arguments": "{\"a\": 1}"}});
    // The order of keys is what the model will see when it is used.
    let line = "{\"tools\": [{\"type\": \"function\", \"function\": {\"name\": \"z\", \"about\": 1}}], \
        \"messages\": [{\"role\": \"user\", \"content\": \"u\"}, {\"role\": \"assistant\", \"tool_calls\": \
        [{\"function\": {\"name\": \"z\", \"arguments\": {\"b\": 1, \"a\": 2}}}]}]}";
    let file = DataFile::new(line.as_bytes().to_vec(), MediaType::Txt, "the file", "");
    let (found, _) = examples(&[file], &tokenizer_of, 512).expect("examples");
    let text = whole(&tokenizer_of, &found[0]);
    let tools =
        "[{\"type\": \"function\", \"function\": {\"name\": \"z\", \"about\": 1}}]<|im_end|>";
    assert!(text.contains(tools) && text.contains("CALL z {\"b\": 1, \"a\": 2}"), "{text}");
    let openai = json!({"tools": [tool], "messages": [
        {"role": "user", "content": "1 + 1?"},
        {"role": "assistant", "content": null, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "1", "content": "2"},
        {"role": "assistant", "content": "It is 2."}]});
    let sharegpt = json!({"functions": [tool], "conversations": [
        {"from": "human", "value": "1 + 1?"},
        {"from": "function_call", "value": "{\"name\": \"sum\", \"arguments\": {\"a\": 1}}"},
        {"from": "observation", "value": "2"},
        {"from": "gpt", "value": "It is 2."}]});
    let (found, report) =
        examples(&[lines(&[openai.clone(), sharegpt])], &tokenizer_of, 512).expect("examples");
    assert_eq!((found.len(), report.skipped), (2, 0), "{:?}", report.reasons);
    assert_eq!(found[0].tokens, found[1].tokens);
    assert_eq!(
        learned(&tokenizer_of, &found[0]),
        "CALL sum {\"a\": 1}<|im_end|>It is 2.<|im_end|>"
    );
    let text = whole(&tokenizer_of, &found[0]);
    assert!(text.contains("<|im_start|>tool\n2<|im_end|>") && text.contains("\"sum\""), "{text}");
    let error = refused(&[openai], tokenizer());
    assert!(error.contains("tools") && error.contains("no place"), "{error}");
}

#[test]
fn what_is_learned_can_be_chosen_by_message_and_by_option() {
    let value = json!({"messages": [
        {"role": "user", "content": "a"}, {"role": "assistant", "content": "no", "train": false},
        {"role": "user", "content": "b"}, {"role": "assistant", "content": "one"},
        {"role": "user", "content": "c"}, {"role": "assistant", "content": "two", "weight": 1}]});
    let with = |options: DataOptions| {
        let file = lines(std::slice::from_ref(&value));
        let (found, _) = examples_with(&[file], tokenizer(), &options).expect("examples");
        learned(tokenizer(), &found[0])
    };
    let plain = DataOptions::new(256);
    assert_eq!(with(plain), "one<|im_end|>two<|im_end|>");
    assert_eq!(with(DataOptions { mask_history: true, ..plain }), "two<|im_end|>");
    let all = with(DataOptions { train_on_prompt: true, ..plain });
    assert!(all.contains("user\na<|im_end|>") && all.contains("no<|im_end|>"), "{all}");
    let asked = json!({"messages": [{"role": "user", "content": "a", "train": true},
        {"role": "assistant", "content": "b"}]});
    assert!(refused(&[asked], tokenizer()).contains("--train-on-prompt"));
    let torn = json!({"messages": [{"role": "user", "content": "a"},
        {"role": "assistant", "content": "b", "weight": 0, "train": true}]});
    assert!(refused(&[torn], tokenizer()).contains("disagree"));
}

#[test]
fn what_cannot_be_used_is_named() {
    for (value, reason) in [
        (json!({"prompt": "a", "completion": "b", "label": true}), "KTO"),
        (json!({"prompt": "a", "completion": "b", "label": "False"}), "KTO"),
        (
            json!({"messages": chat(&[("user", "a"), ("assistant", "b")])["messages"], "kto_tag": true}),
            "KTO",
        ),
        (json!({"prompt": "a", "completion": true}), "KTO"),
        (json!({"headline": "a", "body": "b"}), "its keys (body, headline) have none"),
        (json!({"input_ids": [1], "labels": [1]}), "give the text"),
        (json!({"text": {"0": "a", "1": "b"}}), "it holds columns"),
        (
            json!({"messages": "[{'role': 'user', 'content': 'a'}]"}),
            "no JSON, such as Python's notation",
        ),
        (
            json!({"messages": [{"role": "user", "content": [{"type": "image_url"}]},
            {"role": "assistant", "content": "b"}]}),
            "a part of type \"image_url\"",
        ),
        (json!({"question": "", "answer": "b"}), "question is empty"),
        (json!({"question": "a", "answer": ""}), "answer is empty"),
        (json!({"prompt": "a", "completion": ""}), "completion is empty"),
    ] {
        let error = refused(std::slice::from_ref(&value), tokenizer());
        assert!(error.contains(reason), "{value}: {error}");
    }
}

#[test]
fn keys_that_are_not_used_are_counted_with_an_example() {
    let (_, report) = made(&[
        json!({"question": "a", "answer": "b", "category": "x", "empty": "", "none": null}),
        json!({"question": "a", "answer": "b", "category": "y", "text": "z"}),
        json!({"messages": [{"role": "user", "content": "a", "mood": "fine"},
            {"role": "assistant", "content": "b"}, {"role": "user", "content": "Thanks"}]}),
    ]);
    let said: Vec<(&str, usize, usize)> =
        report.remarks.iter().map(|(what, c)| (what.as_str(), c.count, c.first.line)).collect();
    assert_eq!(
        said,
        [
            ("messages after the last answer that is learned, not used", 1, 3),
            ("records with key category, which is not used", 2, 1),
            ("records with key mood (of a message), which is not used", 1, 3),
            ("records with key text, which is not used", 1, 2),
        ]
    );
}

#[test]
fn a_document_with_questions_loses_no_text() {
    let before =
        "# Shelves\n\nEvery box has a place. ".to_owned() + &"It is told below. ".repeat(10);
    let long = "word ".repeat(400) + "END";
    let text = format!("{before}\n\nQ: Alone?\n\nQ: Where?\nA: There.\n\nQ: Long?\nA: {long}\n");
    let file = DataFile::new(text.into_bytes(), MediaType::Md, "a.md", "").own();
    let (found, report) = examples(std::slice::from_ref(&file), tokenizer(), 64).expect("examples");
    let text = file.text().expect("text");
    let mut seen = vec![false; text.len()];
    for example in &found {
        let chat = whole(tokenizer(), example).contains("<|im_start|>");
        let cut = chat && example.tokens.len() == 64;
        if !cut {
            seen[example.span.clone()].iter_mut().for_each(|seen| *seen = true);
        }
        if cut {
            // As much of the answer as was learned.
            let learned = learned(tokenizer(), example);
            let at = text.find(learned.trim()).expect("it is in the text");
            seen[example.span.start..at + learned.trim().len()].iter_mut().for_each(|s| *s = true);
        }
    }
    let lost: String = text.char_indices().filter(|(at, _)| !seen[*at]).map(|(_, c)| c).collect();
    assert_eq!(lost.trim(), "", "lost");
    assert!(found.iter().any(|example| whole(tokenizer(), example).contains("END")));
    assert_eq!((report.chats, report.skipped, report.truncated), (2, 0, 1));
    for what in [
        "bytes of text around questions and answers are trained on as text",
        "bytes of answers longer than max_seq_length go on as text",
        "questions without an answer are text",
    ] {
        assert!(report.remarks.contains_key(what), "{what}: {:?}", report.remarks);
    }
}

#[test]
fn a_heading_alone_is_left_out_with_its_length() {
    let text = "# Shelves\n\nQ: Where?\nA: There.\n";
    let file = DataFile::new(text.as_bytes().to_vec(), MediaType::Md, "a.md", "");
    let (found, report) = examples(&[file], tokenizer(), 64).expect("examples");
    assert_eq!((found.len(), report.windows), (1, 0));
    let said = &report.remarks["bytes of headings beside questions and answers are left out"];
    assert_eq!((said.count, said.first.line), (9, 1));
}

#[test]
fn a_preview_shows_examples_with_marks_and_every_reason() {
    let file = lines(&[
        json!({"text": "Plain <|im_end|>"}),
        json!({"texts": "x"}),
        json!({"question": "a", "answer": "b".repeat(900)}),
    ]);
    let options = PreviewOptions {
        data: DataOptions::new(64),
        objective: Objective::Supervised,
        per_device_train_batch_size: 1,
        gradient_accumulation_steps: 1,
        num_train_epochs: 1.0,
        eval_fraction: 0.0,
        seed: 1,
    };
    let seen = preview(&[file], tokenizer(), &options);
    assert_eq!(seen.shown[0].text, "Plain ⟦<|im_end|>⟧");
    assert!(seen.shown[1].learned.starts_with("bbb"), "{}", seen.shown[1].learned);
    let lines = seen.lines.join("\n");
    assert!(lines.contains("refused 1: its keys (texts)") && lines.contains("line 2"), "{lines}");
    assert!(lines.contains("cut 1: cut to max_seq_length = 64"), "{lines}");
    assert!(lines.contains("special tokens written in raw text"), "{lines}");
    assert!(seen.cut_tokens > 0);
}
