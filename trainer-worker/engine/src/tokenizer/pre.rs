//! How text is cut before byte pairs are merged, by `tokenizer.ggml.pre` of a GGUF file.
//!
//! A GGUF file names the rule and leaves its definition to the reader; the expressions here are
//! those of the `tokenizer.json` that the named models were published with, in Oniguruma's syntax.

use serde_json::{json, Value};

/// The rule that a name stands for.
pub(super) struct Rule {
    /// Expressions applied one after the other, each to the pieces the last one left.
    splits: &'static [Split],
    /// Whether the byte-level step applies GPT-2's own expression.
    gpt2: bool,
    /// Whether a piece that is a token is taken whole, whatever the merges would make of it.
    pub(super) ignore_merges: bool,
    /// Whether text begins with the begin-of-text token unless the file says otherwise.
    pub(super) add_bos: bool,
    /// Whether text is put into Unicode's composed form first.
    pub(super) nfc: bool,
}

enum Split {
    Digits,
    Regex(&'static str),
}

const LLAMA3: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const QWEN2: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const TEKKEN: &str = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const BLOOM: &str = " ?[^(\\s|[.,!?…。，、।۔،])]+";
const DEEPSEEK_V3: &str = r##"[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"##;
/// Letters of the scripts with upper and lower case, as DeepSeek LLM lists them.
const DEEPSEEK_LLM_LETTERS: &str = "\\s?[A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯԱ-ՖႠ-ჅᎠ-Ᏽᏸ-ᏽᲐ-ᲺᲽ-Ჿᴀ-ᴫᵫ-ᵷᵹ-ᶚḀ-ἕἘ-Ἕἠ-ὅὈ-Ὅὐ-ὗὙὛὝὟ-ώᾀ-ᾴᾶ-ᾼιῂ-ῄῆ-ῌῐ-ΐῖ-Ίῠ-Ῥῲ-ῴῶ-ῼℂℇℊ-ℓℕℙ-ℝℤΩℨK-ℭℯ-ℴℹℼ-ℿⅅ-ⅉⅎↃↄⰀ-ⱻⱾ-ⳤⳫ-ⳮⳲⳳꙀ-ꙭꚀ-ꚛꜢ-ꝯꝱ-ꞇꞋ-ꞎꭰ-ꮿﬀ-ﬆﬓ-ﬗＡ-Ｚａ-ｚ𐐀-𐑏𐒰-𐓓𐓘-𐓻𐲀-𐲲𐳀-𐳲𑢠-𑣟𞤀-𞥃]+";

const CJK: &str = "[\u{4e00}-\u{9fa5}\u{800}-\u{4e00}\u{ac00}-\u{d7ff}]+";

/// Names of [`rule`], for the message that refuses others.
pub(super) const NAMES: &str = "default, gpt-2, smollm, llama-bpe (llama3, llama-v3), qwen2 (deepseek-r1-qwen), deepseek-llm, deepseek-coder, deepseek-v3, tekken, chatglm-bpe (glm4), bloom";

/// The rule for a name; none for a name that this engine does not know.
pub(super) fn rule(name: &str) -> Option<Rule> {
    use Split::{Digits, Regex};
    let gpt2 =
        |splits| Rule { splits, gpt2: true, ignore_merges: false, add_bos: false, nfc: false };
    let own =
        |splits| Rule { splits, gpt2: false, ignore_merges: false, add_bos: false, nfc: false };
    Some(match name {
        "gpt-2" | "gpt2" => gpt2(&[]),
        "smollm" => gpt2(&[Digits]),
        "default" => own(&[
            Regex(r"[\p{P}\$\+<=>\^~\|]+"),
            Regex(r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)"),
            Regex(r"\p{N}+"),
            Regex("[0-9][0-9][0-9]"),
        ]),
        "llama-bpe" | "llama3" | "llama-v3" => {
            Rule { ignore_merges: true, add_bos: true, ..own(&[Regex(LLAMA3)]) }
        }
        "qwen2" => Rule { nfc: true, ..own(&[Regex(QWEN2)]) },
        "deepseek-r1-qwen" => own(&[Regex(QWEN2)]),
        "tekken" => Rule { ignore_merges: true, add_bos: true, ..own(&[Regex(TEKKEN)]) },
        "chatglm-bpe" | "glm4" => own(&[Regex(LLAMA3)]),
        "bloom" => own(&[Regex(BLOOM)]),
        "deepseek-llm" => own(&[
            Regex("[\r\n]"),
            Regex(DEEPSEEK_LLM_LETTERS),
            Regex("\\s?[!-/:-~！-／：-～‘-‟　-。]+"),
            Regex(r"\s+$"),
            Regex(CJK),
            Regex(r"\p{N}+"),
        ]),
        "deepseek-coder" => own(&[
            Regex("[\r\n]"),
            Regex(r"\s?\p{L}+"),
            Regex(r"\s?\p{P}+"),
            Regex(CJK),
            Regex(r"\p{N}"),
        ]),
        "deepseek-v3" => own(&[
            Regex(r"\p{N}{1,3}"),
            Regex("[\u{4e00}-\u{9fa5}\u{3040}-\u{309f}\u{30a0}-\u{30ff}]+"),
            Regex(DEEPSEEK_V3),
        ]),
        _ => return None,
    })
}

impl Rule {
    /// The `pre_tokenizer` of a `tokenizer.json`.
    pub(super) fn pre_tokenizer(&self) -> Value {
        let mut steps: Vec<Value> = self
            .splits
            .iter()
            .map(|split| match split {
                Split::Digits => json!({"type": "Digits", "individual_digits": true}),
                Split::Regex(pattern) => json!({
                    "type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated",
                    "invert": false,
                }),
            })
            .collect();
        steps.push(json!({
            "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true,
            "use_regex": self.gpt2,
        }));
        json!({"type": "Sequence", "pretokenizers": steps})
    }

    /// The expressions, in order.
    pub(super) fn expressions(&self) -> Vec<&'static str> {
        let regex = |split: &Split| match split {
            Split::Regex(pattern) => Some(*pattern),
            Split::Digits => None,
        };
        self.splits.iter().filter_map(regex).collect()
    }
}
