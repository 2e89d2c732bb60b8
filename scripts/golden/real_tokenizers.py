#!/usr/bin/env python3
"""Writes trainer-worker/tests/golden/tokenizers.json: what transformers makes of hard texts and
conversations with real tokenizers and chat templates.

Environment (outside the repository):

    python3 -m venv /tmp/golden
    /tmp/golden/bin/pip install transformers==5.23.0 tokenizers jinja2
    /tmp/golden/bin/python scripts/golden/real_tokenizers.py "$(scripts/tokenizers)" \\
        trainer-worker/tests/golden/tokenizers.json

The first argument is the folder that scripts/tokenizers prints.
"""

import json
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


def main(folder, out):
    result = {"texts": TEXTS, "conversations": CONVERSATIONS, "tokenizers": {}, "templates": {}}
    for name in NAMES:
        path = folder / name
        tokenizer = load(path)
        moved = declared_ids(path, tokenizer)
        entry = {
            "bos": tokenizer.bos_token_id,
            "eos": tokenizer.eos_token_id,
            "pad": tokenizer.pad_token_id,
            "ids": [],
            "decoded": [],
        }
        for text in TEXTS:
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
        print(name, len(tokenizer), moved, sum(map(len, entry["ids"])), "ids")
        result["tokenizers"][name] = entry
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
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), Path(sys.argv[2]))
