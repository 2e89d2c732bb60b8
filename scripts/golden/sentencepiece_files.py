#!/usr/bin/env python3
"""Writes tiny SentencePiece models and what SentencePiece itself makes of hard texts, to
trainer-worker/engine/tests/golden/sentencepiece/.

Environment (outside the repository):

    python3 -m venv /tmp/golden
    /tmp/golden/bin/pip install sentencepiece==0.2.3
    /tmp/golden/bin/python scripts/golden/sentencepiece_files.py \\
        trainer-worker/engine/tests/golden/sentencepiece [MODEL…]

`bpe.model` is made as LLaMA's and Mistral's are: BPE with byte fallback, no normalisation, spaces
kept. `unigram.model` and `spaces.model` (takes away extra spaces) are of kinds that are refused. With MODEL, the ids of real
tokenizer.model files are written to `MODEL.ids.json` beside each, for
`OPENLEDGER_TOKENIZER_MODEL=MODEL cargo test --workspace --test engine_models sentencepiece`.
"""

import json
import sys
from pathlib import Path

import sentencepiece

CORPUS = [
    "The quick brown fox jumps over the lazy dog, and then it rests for a while.",
    "A model is trained on text; the text is cut into pieces, and the pieces have numbers.",
    "def f(x):\n    if x == 1:\n        return {'a': [1, 2]}\n    return x ** 2",
    "Zażółć gęślą jaźń, naïve café, Straße and the Ångström; the there then them.",
    "日本語のテキスト、中文文本。日本 中文 日本語",
    "In 2024, 135 people walked 12.5 km; it was not far. 1234567890",
    "  two leading,  two inner,    four inner,        eight",
]
TEXTS = CORPUS + [
    "", " ", "   ", "Hello, world!", "x", " x", "\n\nlines\n \n", "\ttab\t\ttabs",
    "🙂 👨‍👩‍👧 हिन्दी العربية", "<s>a</s> <unk> <|turn|> <0x0A>", "the #tag", "aaaaaaaaaaaaaaaa",
    "▁▁ marks", "then" * 20, "  " * 33 + "x", "\u200bzero\u00a0nbsp e\u0301",
]
COMMON = dict(
    vocab_size=420, byte_fallback=True, character_coverage=0.98, hard_vocab_limit=False,
    remove_extra_whitespaces=False, allow_whitespace_only_pieces=True, split_digits=True,
    control_symbols=["<|turn|>"], user_defined_symbols=["#tag"], minloglevel=2,
)


def train(out, name, **settings):
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(CORPUS * 3), model_prefix=str(out / name), **{**COMMON, **settings}
    )
    (out / f"{name}.vocab").unlink()


def ids(path):
    processor = sentencepiece.SentencePieceProcessor(model_file=str(path))
    return [{"text": t, "ids": processor.encode(t), "decoded": processor.decode(processor.encode(t))}
            for t in TEXTS]


def main(out, models):
    out.mkdir(parents=True, exist_ok=True)
    train(out, "bpe", model_type="bpe", normalization_rule_name="identity")
    train(out, "unigram", model_type="unigram", normalization_rule_name="identity", vocab_size=380)
    train(out, "spaces", model_type="bpe", normalization_rule_name="identity", vocab_size=400,
          remove_extra_whitespaces=True)
    (out / "golden.json").write_text(json.dumps(ids(out / "bpe.model"), indent=1) + "\n")
    for model in models:
        Path(model + ".ids.json").write_text(json.dumps(ids(model)) + "\n")
    print({p.name: p.stat().st_size for p in out.iterdir()})


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), sys.argv[2:])
