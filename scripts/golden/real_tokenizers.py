#!/usr/bin/env python3
"""Writes trainer-worker/engine/tests/golden/tokenizers.json: what transformers makes of hard texts and
conversations with real tokenizers and chat templates.

Environment (outside the repository):

    python3 -m venv /tmp/golden
    /tmp/golden/bin/pip install transformers==5.23.0 tokenizers jinja2
    /tmp/golden/bin/python scripts/golden/real_tokenizers.py "$(scripts/tokenizers)" \\
        trainer-worker/engine/tests/golden/tokenizers.json

The first argument is the folder that scripts/tokenizers prints.

    /tmp/golden/bin/python scripts/golden/real_tokenizers.py more FOLDER SEED

writes FOLDER/golden.json for any folder of tokenizers, each in a folder of its own, with random texts
of odd characters besides, short and long; `OPENLEDGER_TOKENIZERS=FOLDER cargo test --workspace --test
engine_models -- tokenizers` then compares them.
"""

import json
import random
import sys
from pathlib import Path

from transformers import AutoTokenizer, PreTrainedTokenizerFast

NAMES = ["gpt2", "chatglm3", "deepseek_v3", "qwen2_5", "llama3_2", "mistral_nemo", "llama2"]

TEXTS = [
    "",
    " ",
    "Hello, world!",
    "In 2024, 135 people walked 12.5 km; it wasn't far. 1234567890",
    "Zażółć gęślą jaźń, naïve café, Ångström, Straße, İstanbul",
    "e\u0301 and \u00e9, A\u030a and \u00c5: composed and decomposed",
    "日本語のテキスト、中文文本。한국어 텍스트 ไทย हिन्दी العربية עברית",
    "🙂 👨‍👩‍👧‍👦 🏳️‍🌈 👍🏽 \U0001f9ff",
    "  two leading,  two inner, two trailing  ",
    "\n\n\nthree newlines\r\n\r\nand\ttabs\t\t\tthree \n \n mixed",
    "def f(x):\n    if x == 1:\n\t\treturn {'a': [1, 2]}  # comment\n    return x**2 // 3\n",
    "https://example.org/a?b=c&d=%20#e user@example.org C:\\path\\to",
    "I'll I'LL don't DON'T we've they'd 's 'S rock 'n' roll",
    "<s>a</s> <|endoftext|> <|im_start|>user <|im_end|> <|eot_id|> [INST] [/INST] <unk> <pad>",
    "<|begin_of_text|>x<|start_header_id|> <｜begin▁of▁sentence｜>y<｜User｜>z<think>t</think>",
    "[gMASK]sop<|user|>\n hi<|assistant|> <tool_call>{}</tool_call> <0x0A> ▁▁ Ġ Ċ",
    "a" * 600,
    "antidisestablishmentarianism" * 12,
    " " * 70 + "x" + "=" * 90 + "." * 40,
    "\u200bzero\u200dwidth\ufeff \u00a0nbsp\u3000ideographic\u2028line \u0000nul \u001f",
    "x²+y³≈½·∑√π ≤ ∞ €£¥ “quotes” ‘single’ – — … ™",
]

CONVERSATIONS = [
    [("user", "What is the capital of France?")],
    [("system", "You are  brief.\n"), ("user", " Hi there \n")],
    [("user", "One?"), ("assistant", "Two."), ("user", "Three's a crowd?"), ("assistant", " Yes ")],
    [("system", "Réponds 日本語 🙂"), ("user", "<b>&\"'"), ("assistant", "a\n\nb"), ("user", "c")],
    # Roles that do not alternate: some templates refuse that.
    [("user", "first"), ("user", "second")],
]

# Templates in the manner of published ones that use what the real ones above do not.
TEMPLATES = {
    "methods": (
        "{%- for m in messages %}{%- set c = m['content'].strip() %}"
        "{%- if c.startswith('<b>') %}{{ c.lstrip('<b>') | upper }}"
        "{%- elif 'crowd' in c %}{{ c.split(\"'s \")[-1].rstrip('?').title() }}"
        "{%- else %}{{ c.replace('a', 'A').lower().capitalize() }}{%- endif %}"
        "{{ '\\n' if not loop.last else '.' }}{%- endfor %}"
    ),
    "namespace": (
        "{% set ns = namespace(system='', turns=0, last=none) %}\n"
        "{% for m in messages %}\n"
        "  {% if m.role == 'system' %}{% set ns.system = ns.system ~ m.content | trim %}\n"
        "  {% else %}{% set ns.turns = ns.turns + 1 %}{% set ns.last = m %}{% endif %}\n"
        "{% endfor %}\n"
        "{{ ns.system }}|{{ ns.turns }}|{{ ns.last.content if ns.last is not none else '-' }}|"
        "{{ ns.last is defined and ns.last.missing is not defined }}\n"
    ),
    "json": (
        "{{ messages | tojson }}\n{{ messages[0] | tojson(indent=2) }}"
        "{{ [1, 2.5, true, none, 'é'] | tojson }}{{ [true, none, 'x'] | string }}"
    ),
    "controls": (
        "{% for m in messages %}{% if m['role'] == 'system' %}{% continue %}{% endif %}"
        "{% if loop.index0 > 1 %}{% break %}{% endif %}"
        "{{ loop.index }}{{ '<' ~ m['role'] ~ '>' }}{% generation %}{{ m['content'] }}"
        "{% endgeneration %}{% endfor %}{{ messages[1:] | length }}{{ messages[-1].content[:3] }}"
    ),
    "macros": (
        "{%- macro turn(m, end='</t>') -%}\n<t role={{ m.role }}>{{ m.content | trim }}{{ end }}\n"
        "{%- endmacro -%}\n"
        "{%- set users = messages | selectattr('role', 'equalto', 'user') | list -%}\n"
        "{%- for m in messages | rejectattr('role', 'equalto', 'system') %}{{ turn(m) }}"
        "{%- endfor %}{{ users | map(attribute='content') | join(' / ') }}"
        "{% if add_generation_prompt %}{{ turn({'role': 'assistant', 'content': ''}, end='') }}"
        "{% endif %}"
    ),
    "date": "{{ strftime_now('%d %b %Y') if strftime_now is defined else '' }}{{ bos_token }}",
}


# Blocks of Unicode that random texts are drawn from: marks, signs, scripts with and without case,
# right-to-left, hangul in parts, private use, emoji, tags, variation selectors.
BLOCKS = [
    (0x00, 0x7F), (0x80, 0xFF), (0x100, 0x24F), (0x2B0, 0x36F), (0x370, 0x52F), (0x590, 0x6FF),
    (0x900, 0x9FF), (0xE00, 0xE7F), (0x1100, 0x11FF), (0x1E00, 0x1FFF), (0x2000, 0x206F),
    (0x2070, 0x218F), (0x2190, 0x23FF), (0x2460, 0x27BF), (0x3000, 0x30FF), (0x3130, 0x318F),
    (0x4E00, 0x4EFF), (0xAC00, 0xACFF), (0xE000, 0xE00F), (0xF900, 0xFAFF), (0xFB00, 0xFDFF),
    (0xFE00, 0xFE0F), (0xFE20, 0xFEFF), (0xFF00, 0xFFEF), (0x10300, 0x1034F), (0x1D400, 0x1D4FF),
    (0x1F1E6, 0x1F1FF), (0x1F300, 0x1F64F), (0x20000, 0x200FF), (0xE0000, 0xE007F),
]
WORDS = ["the", "  ", "\n", "\t", "123", "'s", "'LL", "don't", "http://", "Straße", "<s>", "</s>", "<0x41>", "_", "\r\n", "...", "9" * 20]


def random_text(rng, length):
    parts = []
    while sum(map(len, parts)) < length:
        if rng.random() < 0.3:
            parts.append(rng.choice(WORDS))
        else:
            first, last = rng.choice(BLOCKS)
            parts.append("".join(chr(rng.randint(first, last)) for _ in range(rng.randint(1, 6))))
    return "".join(parts)


def load(folder):
    config = json.loads((folder / "tokenizer_config.json").read_text())
    # ChatGLM's own class is remote code; the file is what it was converted to.
    return (PreTrainedTokenizerFast if "auto_map" in config else AutoTokenizer).from_pretrained(folder)


def declared_ids(folder, tokenizer):
    """transformers gives tokens that tokenizer.json lacks the next free ids; the model was trained
    with those that tokenizer_config.json declares."""
    config = json.loads((folder / "tokenizer_config.json").read_text())
    declared = config.get("added_tokens_decoder", {})
    moved = {tokenizer.convert_tokens_to_ids(t["content"]): int(i) for i, t in declared.items()}
    return {old: new for old, new in moved.items() if old != new}


def render(tokenizer, conversation, prompt, template=None):
    messages = [{"role": role, "content": content} for role, content in conversation]
    try:
        return tokenizer.apply_chat_template(
            messages, chat_template=template, tokenize=False, add_generation_prompt=prompt,
            date_string="26 Jul 2024",
        )
    except Exception as error:  # noqa: BLE001 - the template's own refusal
        print("  refused:", repr(error)[:120])
        return None


def results(path, texts):
    tokenizer = load(path)
    moved = declared_ids(path, tokenizer)
    entry = {
        "bos": tokenizer.bos_token_id,
        "eos": tokenizer.eos_token_id,
        "pad": tokenizer.pad_token_id,
        "ids": [],
        "decoded": [],
    }
    for text in texts:
        ids = tokenizer(text).input_ids
        plain = tokenizer(text, add_special_tokens=False).input_ids
        assert ids[len(ids) - len(plain):] == plain
        entry["before"] = ids[: len(ids) - len(plain)]
        entry["ids"].append([moved.get(i, i) for i in plain])
        text = tokenizer.decode(plain, clean_up_tokenization_spaces=False)
        entry["decoded"].append(text)
    if tokenizer.chat_template:
        entry["chats"] = [
            [render(tokenizer, c, prompt) for prompt in (False, True)] for c in CONVERSATIONS
        ]
    print(path.name, len(tokenizer), moved, sum(map(len, entry["ids"])), "ids")
    return tokenizer, entry


def more(folder, seed):
    rng = random.Random(seed)
    texts = TEXTS + [random_text(rng, n) for n in [1, 2, 3, 5] * 20 + [40] * 60 + [400] * 20]
    texts += [random_text(rng, 100_000), "word " * 40_000, "x" * 20_000, " \n" * 5_000]
    names = sorted(p.name for p in folder.iterdir() if (p / "tokenizer.json").is_file())
    entries = {name: results(folder / name, texts)[1] for name in names}
    (folder / "golden.json").write_text(
        json.dumps({"texts": texts, "conversations": CONVERSATIONS, "tokenizers": entries})
    )


def main(folder, out):
    result = {"texts": TEXTS, "conversations": CONVERSATIONS, "tokenizers": {}, "templates": {}}
    for name in NAMES:
        tokenizer, result["tokenizers"][name] = results(folder / name, TEXTS)
    for name, template in TEMPLATES.items():
        if name == "date":
            continue
        result["templates"][name] = {
            "template": template,
            "chats": [
                [render(tokenizer, c, prompt, template) for prompt in (False, True)]
                for c in CONVERSATIONS
            ],
        }
    # The clock is not ours to read: render the date of the LLaMA template's own default.
    result["templates"]["date"] = {"template": TEMPLATES["date"], "chats": [["26 Jul 2024<s>"] * 2] * 5}
    out.write_text(json.dumps(result, ensure_ascii=False) + "\n")
    print(out, out.stat().st_size, "bytes")


if __name__ == "__main__":
    if sys.argv[1:2] == ["more"]:
        sys.exit(more(Path(sys.argv[2]), int(sys.argv[3])))
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), Path(sys.argv[2]))
