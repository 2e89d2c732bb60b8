//! Writing answers: what is drawn, what is held back, what is told.

use crate::common::{golden, random, real_model, write_tiny_gguf};
use openledger_engine::generate::{generate, Finish, Sampling, TokenLogprob, Writer};
use openledger_engine::tokenizer::{Message, TextStream, Tokenizer};
use proptest::prelude::*;
use std::sync::OnceLock;

/// A byte-level vocabulary of two special tokens, the 256 bytes, `th` and `the`.
pub fn byte_level() -> &'static Tokenizer {
    static TOKENIZER: OnceLock<Tokenizer> = OnceLock::new();
    TOKENIZER.get_or_init(|| {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("tiny.gguf");
        write_tiny_gguf(&path, 1);
        Tokenizer::open(&path).expect("opens")
    })
}

/// A SentencePiece vocabulary with byte fallback.
pub fn sentencepiece() -> &'static Tokenizer {
    static TOKENIZER: OnceLock<Tokenizer> = OnceLock::new();
    TOKENIZER.get_or_init(|| {
        let dir = tempfile::tempdir().expect("a folder");
        let model = golden("sentencepiece/bpe.model");
        std::fs::copy(model, dir.path().join("tokenizer.model")).expect("copied");
        Tokenizer::open(dir.path()).expect("opens")
    })
}

struct Written {
    pieces: Vec<String>,
    logprobs: Vec<TokenLogprob>,
    tokens: Vec<u32>,
    finish: Option<Finish>,
}

impl Written {
    fn text(&self) -> String {
        self.pieces.concat()
    }
}

/// What comes out where the model wants `tokens` and then the end.
fn forced(tokenizer: &Tokenizer, sampling: &Sampling, tokens: &[u32]) -> Written {
    let mut writer = Writer::new(tokenizer, sampling, &[]).expect("settings");
    let mut made =
        Written { pieces: Vec::new(), logprobs: Vec::new(), tokens: Vec::new(), finish: None };
    for token in tokens.iter().copied().chain([tokenizer.eos; 2]) {
        let mut logits = vec![0.0; tokenizer.vocab_size()];
        logits[token as usize] = 20.0;
        let piece = writer.next(&mut logits).expect("a token");
        made.pieces.push(piece.text);
        made.logprobs.extend(piece.logprobs);
        assert_eq!(piece.token.is_none(), piece.finish.is_some());
    }
    made.tokens = writer.tokens().to_vec();
    made.finish = writer.finish();
    made
}

/// The definition: the text ends with the first character that completes a stop string.
fn cut(text: &str, stops: &[String]) -> Option<String> {
    let ends = text.char_indices().map(|(at, c)| at + c.len_utf8());
    for end in ends {
        let longest =
            stops.iter().filter(|stop| text[..end].ends_with(stop.as_str())).map(String::len).max();
        if let Some(longest) = longest {
            return Some(text[..end - longest].to_owned());
        }
    }
    None
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn stop_strings_cut_as_defined_wherever_tokens_end(
        text in "[abthe é€]{0,24}",
        stops in prop::collection::vec("[abthe é€]{1,5}", 1..4),
        bytes_only in any::<bool>(),
    ) {
        let tokenizer = byte_level();
        let tokens: Vec<u32> = if bytes_only {
            let byte = |b: u8| {
                (2..258).find(|id| tokenizer.token_bytes(*id, false).expect("bytes") == [b])
            };
            text.bytes().map(|b| byte(b).expect("every byte has a token")).collect()
        } else {
            tokenizer.encode(&text).expect("tokens")
        };
        let sampling = Sampling { stop: stops.clone(), logprobs: Some(0), ..Default::default() };
        let written = forced(tokenizer, &sampling, &tokens);
        let expected = cut(&text, &stops);
        prop_assert_eq!(written.text(), expected.clone().unwrap_or(text));
        prop_assert_eq!(written.finish, Some(Finish::Stop));
        // Log probabilities belong to the text: they hold it, and begin within it.
        let bytes: Vec<u8> =
            written.logprobs.iter().flat_map(|entry| entry.token.bytes.clone()).collect();
        prop_assert!(bytes.starts_with(written.text().as_bytes()));
        let last = written.logprobs.last().map_or(0, |entry| entry.token.bytes.len());
        prop_assert!(bytes.len() - last <= written.text().len());
        if expected.is_none() {
            prop_assert_eq!(written.logprobs.len(), written.tokens.len());
        }
    }

    #[test]
    fn text_put_together_by_tokens_is_that_of_the_whole(
        ids in prop::collection::vec(0u32..260, 0..40),
    ) {
        let tokenizer = byte_level();
        let mut stream = TextStream::default();
        let mut text = String::new();
        for id in &ids {
            text.push_str(&stream.push(tokenizer, *id).expect("text"));
        }
        text.push_str(&stream.finish());
        prop_assert_eq!(text, tokenizer.decode(&ids, true).expect("text"));
    }

    #[test]
    fn sentencepiece_text_is_that_of_the_whole(
        words in "[a-z éß€漢😀\n]{0,24}",
        first in 0u32..500,
    ) {
        let tokenizer = sentencepiece();
        let mut ids = tokenizer.encode(&words).expect("tokens");
        // Any token may begin, a byte of no character excepted: the library takes back whole runs.
        if tokenizer.token_bytes(first, true).is_ok_and(|b| std::str::from_utf8(&b).is_ok()) {
            ids.insert(0, first);
        }
        let mut stream = TextStream::default();
        let mut text = String::new();
        for id in &ids {
            text.push_str(&stream.push(tokenizer, *id).expect("text"));
        }
        text.push_str(&stream.finish());
        prop_assert_eq!(text, tokenizer.decode(&ids, true).expect("text"));
    }

    #[test]
    fn only_tokens_that_the_settings_leave_are_drawn(
        seed in 0u64..1000,
        temperature in 0.2f64..3.0,
        top_k in 0usize..40,
        top_p in 0.05f64..1.0,
        min_p in 0.0f64..0.5,
    ) {
        let tokenizer = byte_level();
        let logits = random(seed, tokenizer.vocab_size(), 4.0);
        let sampling = Sampling { temperature, top_k, top_p, min_p, seed, ..Default::default() };
        let mut writer = Writer::new(tokenizer, &Sampling { ignore_end: true, ..sampling }, &[])
            .expect("settings");
        // The definition, with everything sorted and in double precision.
        let greatest = logits.iter().copied().fold(f32::MIN, f32::max);
        let mut all: Vec<(f64, u32)> = (0..).zip(&logits)
            .map(|(id, l)| ((f64::from(l - greatest) / temperature).exp(), id))
            .filter(|(p, _)| *p >= min_p * (1.0 - 1e-5))
            .collect();
        all.sort_by(|a, b| b.0.total_cmp(&a.0));
        if top_k > 0 {
            all.truncate(top_k);
        }
        let total: f64 = all.iter().map(|(p, _)| p).sum();
        let mut sum = 0.0;
        let within = all.iter().take_while(|(p, _)| {
            let before = sum;
            sum += p;
            before < total * top_p * (1.0 + 1e-5)
        });
        let kept: Vec<u32> = within.map(|(_, id)| *id).collect();
        for _ in 0..20 {
            let token = writer.next(&mut logits.clone()).expect("a token").token;
            prop_assert!(kept.contains(&token.expect("goes on")));
        }
    }
}

#[test]
fn tokens_are_drawn_as_often_as_they_are_likely() {
    let tokenizer = byte_level();
    let mut logits = vec![-30.0; tokenizer.vocab_size()];
    let shares = [0.5f32, 0.3, 0.15, 0.05];
    for (id, share) in (100..).zip(shares) {
        logits[id] = share.ln();
    }
    let sampling = Sampling { temperature: 1.0, max_new_tokens: 20_000, ..Default::default() };
    let mut writer = Writer::new(tokenizer, &sampling, &[]).expect("settings");
    let mut counts = [0f32; 4];
    for _ in 0..19_999 {
        let token = writer.next(&mut logits.clone()).expect("a token").token.expect("goes on");
        counts[token as usize - 100] += 1.0;
    }
    for (count, share) in counts.iter().zip(shares) {
        assert!((count / 19_999.0 - share).abs() < 0.015, "{counts:?}");
    }
}

#[test]
fn choices_and_seeds_draw_from_streams_of_their_own() {
    let tokenizer = byte_level();
    let drawn = |seed, choice| {
        let sampling =
            Sampling { temperature: 2.0, ignore_end: true, seed, choice, ..Default::default() };
        let mut writer = Writer::new(tokenizer, &sampling, &[]).expect("settings");
        for step in 0..30 {
            let mut logits = random(step, tokenizer.vocab_size(), 1.0);
            writer.next(&mut logits).expect("a token");
        }
        writer.tokens().to_vec()
    };
    assert_eq!(drawn(1, 0), drawn(1, 0));
    assert_ne!(drawn(1, 0), drawn(2, 0));
    assert_ne!(drawn(1, 0), drawn(1, 1));
}

#[test]
fn log_probabilities_are_those_of_the_raw_logits_and_add_up_to_one() {
    let tokenizer = byte_level();
    let logits = random(5, tokenizer.vocab_size(), 3.0);
    let mut sum = 0.0;
    for id in 0..tokenizer.vocab_size() as u32 {
        let sampling = Sampling {
            logit_bias: vec![(id, 100.0)],
            temperature: 0.3,
            logprobs: Some(5),
            max_new_tokens: 1,
            ignore_end: true,
            ..Default::default()
        };
        let mut writer = Writer::new(tokenizer, &sampling, &[]).expect("settings");
        let piece = writer.next(&mut logits.clone()).expect("a token");
        assert_eq!(piece.finish, Some(Finish::Length));
        let [entry] = piece.logprobs.as_slice() else { panic!("{:?}", piece.logprobs) };
        assert_eq!(entry.token.token, id);
        sum += f64::from(entry.token.logprob).exp();
        let mut order: Vec<u32> = (0..logits.len() as u32).collect();
        order.sort_by(|a, b| logits[*b as usize].total_cmp(&logits[*a as usize]).then(a.cmp(b)));
        let top: Vec<u32> = entry.top.iter().map(|one| one.token).collect();
        assert_eq!(top, order[..5]);
        assert!(entry.top.windows(2).all(|pair| pair[0].logprob >= pair[1].logprob));
    }
    assert!((sum - 1.0).abs() < 1e-4, "{sum}");
}

#[test]
fn penalties_are_openais() {
    let tokenizer = byte_level();
    // Token 10 leads by 1.0; 11 by nothing.
    let logits = || {
        let mut logits = vec![0.0f32; tokenizer.vocab_size()];
        logits[10] = 3.0;
        logits[11] = 2.0;
        logits
    };
    let written = |sampling: Sampling, prompt: &[u32]| {
        let sampling = Sampling { ignore_end: true, ..sampling };
        let mut writer = Writer::new(tokenizer, &sampling, prompt).expect("settings");
        for _ in 0..6 {
            writer.next(&mut logits()).expect("a token");
        }
        writer.tokens().to_vec()
    };
    let none = Sampling::default();
    assert_eq!(written(none.clone(), &[10; 9]), [10; 6]);
    // Once for a token that was generated; the prompt does not count.
    let presence = Sampling { presence_penalty: 1.5, ..none.clone() };
    assert_eq!(written(presence, &[10; 9]), [10, 11, 10, 10, 10, 10]);
    // For each time: 3, 2.4, 1.8 | 2, 1.4 ...
    let frequency = Sampling { frequency_penalty: 0.6, ..none.clone() };
    assert_eq!(written(frequency, &[10; 9]), [10, 10, 11, 10, 11, 10]);
    // Dividing, with the prompt: 3 / 2 is less than 2.
    let repetition = Sampling { repetition_penalty: 2.0, ..none.clone() };
    assert_eq!(written(repetition.clone(), &[10])[0], 11);
    assert_eq!(written(repetition, &[])[..2], [10, 11]);
    let bias = Sampling { logit_bias: vec![(12, 3.5)], ..none };
    assert_eq!(written(bias, &[]), [12; 6]);
}

#[test]
fn settings_out_of_range_are_refused_by_name() {
    let ok = Sampling::default();
    let cases = [
        ("max_new_tokens = 0", Sampling { max_new_tokens: 0, ..ok.clone() }),
        ("temperature = NaN", Sampling { temperature: f64::NAN, ..ok.clone() }),
        ("top_p = 0", Sampling { top_p: 0.0, ..ok.clone() }),
        ("min_p = 2", Sampling { min_p: 2.0, ..ok.clone() }),
        ("presence_penalty = -3", Sampling { presence_penalty: -3.0, ..ok.clone() }),
        ("frequency_penalty = 2.5", Sampling { frequency_penalty: 2.5, ..ok.clone() }),
        ("repetition_penalty = 0", Sampling { repetition_penalty: 0.0, ..ok.clone() }),
        ("logit_bias = 101 for token 3", Sampling { logit_bias: vec![(3, 101.0)], ..ok.clone() }),
        ("logit_bias = token 999", Sampling { logit_bias: vec![(999, 1.0)], ..ok.clone() }),
        ("stop = a string of 0 bytes", Sampling { stop: vec![String::new()], ..ok.clone() }),
        ("stop = 17 strings", Sampling { stop: vec!["x".into(); 17], ..ok.clone() }),
        ("top_logprobs = 21", Sampling { logprobs: Some(21), ..ok }),
    ];
    for (words, sampling) in cases {
        let error = Writer::new(byte_level(), &sampling, &[]).err().expect("refused").to_string();
        assert!(error.starts_with(words), "{words}: {error}");
    }
}

#[test]
fn logits_that_are_no_numbers_are_an_error() {
    let mut writer = Writer::new(byte_level(), &Sampling::default(), &[]).expect("settings");
    let error = writer.next(&mut [f32::NAN; 260]).expect_err("refused").to_string();
    assert!(error.contains("no token can be chosen"), "{error}");
}

#[test]
fn the_real_model_stops_before_a_string_and_tells_the_same_probabilities() {
    let (model, tokenizer) = real_model();
    let question = [Message::user("What is the capital of France?")];
    let prompt = tokenizer.render_chat(&question, true).expect("a prompt");
    let prompt = tokenizer.encode(&prompt).expect("tokens");
    let ask = |sampling: &Sampling| {
        generate(&model, None, &tokenizer, &prompt, sampling, |_| true).expect("an answer")
    };
    let whole = ask(&Sampling { max_new_tokens: 24, logprobs: Some(3), ..Default::default() });
    assert_eq!(whole.text, "The capital of France is Paris.");
    assert_eq!(whole.logprobs.len(), whole.tokens.len());
    // `nce is P` begins and ends within tokens.
    let stop = vec!["nce is P".to_owned()];
    let cut = ask(&Sampling { stop, logprobs: Some(3), ..Default::default() });
    assert_eq!((cut.text.as_str(), cut.stopped), ("The capital of Fra", true));
    assert_eq!(cut.logprobs[..], whole.logprobs[..cut.logprobs.len()]);
    // Greedy: the likeliest token is the one written.
    for entry in &whole.logprobs {
        assert_eq!(entry.top[0], entry.token);
        assert!(entry.top.len() == 3 && entry.token.logprob <= 0.0);
    }
}
