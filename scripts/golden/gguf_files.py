#!/usr/bin/env python3
"""Writes tiny GGUF files of every architecture and the logits that transformers computes with the
same weights, to trainer-worker/engine/tests/golden/gguf/.

Environment: that of scripts/golden/llama.py. Then

    /tmp/golden/bin/python scripts/golden/gguf_files.py trainer-worker/engine/tests/golden/gguf

Names and layouts are those of llama.cpp's converter: q and k of LLaMA interleaved, GPT-2
transposed, BLOOM's fused projection in sections, ChatGLM with a fused projection where its own code
has one. Matrices are F16 and the models are rounded to F16 first, so that both sides hold the same
values. Where transformers reads the architecture from GGUF (llama, qwen2, qwen3, gpt2, bloom) the
file is loaded back and must give the same logits.
"""

import json
import sys
from pathlib import Path

import gguf
import numpy as np
import torch
from transformers import (
    AutoModelForCausalLM,
    BloomConfig, BloomForCausalLM, Glm4Config, Glm4ForCausalLM, GlmConfig, GlmForCausalLM,
    GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM, Qwen2Config, Qwen2ForCausalLM,
    Qwen3Config, Qwen3ForCausalLM,
)

VOCAB, HIDDEN, INNER, LAYERS, HEADS, KV, CONTEXT = 260, 32, 48, 2, 4, 2, 64
LLAMA3 = dict(
    rope_type="llama3", rope_theta=10000.0, factor=4.0, low_freq_factor=1.0,
    high_freq_factor=4.0, original_max_position_embeddings=16,
)


def common(**more):
    return dict(
        vocab_size=VOCAB, hidden_size=HIDDEN, intermediate_size=INNER, num_hidden_layers=LAYERS,
        num_attention_heads=HEADS, num_key_value_heads=KV, max_position_embeddings=CONTEXT,
        rms_norm_eps=1e-5, initializer_range=0.2, attn_implementation="eager",
        bos_token_id=258, eos_token_id=259, pad_token_id=259, **more,
    )


def models():
    plain = dict(rope_type="default", rope_theta=10000.0)
    half = dict(plain, partial_rotary_factor=0.5)
    yield "llama", LlamaForCausalLM(LlamaConfig(**common(
        rope_parameters=LLAMA3, tie_word_embeddings=False)))
    yield "qwen2", Qwen2ForCausalLM(Qwen2Config(**common(
        rope_parameters=dict(plain, rope_theta=1e6), tie_word_embeddings=True)))
    yield "qwen3", Qwen3ForCausalLM(Qwen3Config(**common(
        head_dim=12, rope_parameters=dict(plain, rope_theta=1e6), tie_word_embeddings=False)))
    yield "gpt2", GPT2LMHeadModel(GPT2Config(
        vocab_size=VOCAB, n_positions=CONTEXT, n_embd=HIDDEN, n_layer=LAYERS, n_head=HEADS,
        initializer_range=0.2, attn_implementation="eager", bos_token_id=258, eos_token_id=259))
    yield "bloom", BloomForCausalLM(BloomConfig(
        vocab_size=VOCAB, hidden_size=HIDDEN, n_layer=LAYERS, n_head=HEADS,
        initializer_range=0.2, attn_implementation="eager", bos_token_id=258, eos_token_id=259))
    glm = GlmForCausalLM(GlmConfig(**common(
        head_dim=HIDDEN // HEADS, rope_parameters=half, attention_bias=True,
        tie_word_embeddings=False)))
    yield "glm", glm
    yield "chatglm", glm
    yield "glm4", Glm4ForCausalLM(Glm4Config(**common(
        head_dim=HIDDEN // HEADS, rope_parameters=half, attention_bias=False,
        tie_word_embeddings=False)))


def randomise(model):
    """Norms, biases and everything that is born as ones and zeros."""
    with torch.no_grad():
        for name, p in model.named_parameters():
            if p.dim() == 1:
                p.add_(0.2 * torch.randn_like(p))
            else:
                p.copy_(p.half().float())


def permute(t, heads):
    return t.reshape(heads, 2, t.shape[0] // heads // 2, *t.shape[1:]).swapaxes(1, 2).reshape(t.shape)


def sections(t):
    """BLOOM's [heads, 3, dim] rows as [3, heads, dim]."""
    return t.reshape(HEADS, 3, t.shape[0] // HEADS // 3, *t.shape[1:]).swapaxes(0, 1).reshape(t.shape)


def tensors(name, model):
    """GGUF names and values."""
    state = {k: v.detach().clone() for k, v in model.state_dict().items()}
    tied = model.config.tie_word_embeddings
    arch = {"glm": "chatglm"}.get(name, name)
    table = gguf.get_tensor_name_map(
        getattr(gguf.MODEL_ARCH, {"glm": "GLM4", "chatglm": "GLM4"}.get(name, name).upper()), LAYERS)
    out = {}
    for key, value in state.items():
        if key.endswith((".attn.bias", ".attn.masked_bias", "inv_freq")):
            continue
        if key == "lm_head.weight" and tied:
            continue
        if name == "llama" and "q_proj" in key:
            value = permute(value, HEADS)
        if name == "llama" and "k_proj" in key:
            value = permute(value, KV)
        if name == "gpt2" and key.endswith(("c_attn.weight", "c_proj.weight", "c_fc.weight")):
            value = value.T
        if name == "bloom":
            key = key.removeprefix("transformer.")
            if "query_key_value" in key:
                value = sections(value)
        target = table.get_name(key, try_suffixes=(".weight", ".bias"))
        assert target, (name, key)
        out[target] = value.contiguous().float().numpy()
    if name == "chatglm":
        for layer in range(LAYERS):
            for suffix in ("weight", "bias"):
                parts = [out.pop(f"blk.{layer}.attn_{p}.{suffix}") for p in "qkv"]
                out[f"blk.{layer}.attn_qkv.{suffix}"] = np.concatenate(parts)
    if name == "llama":
        freqs = 1.0 / (1e4 ** (torch.arange(0, HIDDEN // HEADS, 2).float() / (HIDDEN // HEADS)))
        low = LLAMA3["original_max_position_embeddings"] / LLAMA3["low_freq_factor"]
        high = LLAMA3["original_max_position_embeddings"] / LLAMA3["high_freq_factor"]
        factors = []
        for f in freqs.tolist():
            wavelength = 2 * np.pi / f
            if wavelength < high:
                factors.append(1.0)
            elif wavelength > low:
                factors.append(LLAMA3["factor"])
            else:
                smooth = (16 / wavelength - 1.0) / (4.0 - 1.0)
                factors.append(1 / ((1 - smooth) / LLAMA3["factor"] + smooth))
        out["rope_freqs.weight"] = np.array(factors, dtype=np.float32)
    return arch, out


def write(path, name, model):
    arch, values = tensors(name, model)
    c = model.config
    w = gguf.GGUFWriter(str(path), arch)
    w.add_name(f"tiny {name}")
    w.add_block_count(LAYERS)
    w.add_context_length(getattr(c, "max_position_embeddings", CONTEXT))
    w.add_embedding_length(HIDDEN)
    w.add_head_count(HEADS)
    if name in ("gpt2", "bloom"):
        w.add_feed_forward_length(4 * HIDDEN)
        w.add_layer_norm_eps(c.layer_norm_epsilon)
    else:
        w.add_feed_forward_length(INNER)
        w.add_head_count_kv(KV)
        w.add_layer_norm_rms_eps(c.rms_norm_eps)
        w.add_rope_freq_base(c.rope_parameters["rope_theta"])
        dim = getattr(c, "head_dim", None) or HIDDEN // HEADS
        w.add_key_length(dim)
        w.add_value_length(dim)
        w.add_rope_dimension_count(dim // 2 if name in ("glm", "chatglm", "glm4") else dim)
    # A byte-level vocabulary, so that the file can be used by itself.
    from transformers.convert_slow_tokenizer import bytes_to_unicode
    w.add_tokenizer_model("gpt2")
    w.add_tokenizer_pre("gpt-2")
    w.add_token_list(list(bytes_to_unicode().values()) + ["th", "in", "<s>", "</s>"])
    w.add_token_types([1] * 258 + [3, 3])
    w.add_token_merges(["t h", "i n"])
    w.add_bos_token_id(258)
    w.add_eos_token_id(259)
    for key, value in values.items():
        matrix = value.ndim == 2
        w.add_tensor(key, value.astype(np.float16 if matrix else np.float32))
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()


def main(out):
    out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    torch.manual_seed(7)
    ids = torch.randint(0, 256, (1, 40))
    golden = {"input_ids": ids[0].tolist(), "positions": [3, 17, 39], "logits": {}}
    for name, model in models():
        model = model.float().eval()
        if name != "chatglm":
            randomise(model)
        with torch.no_grad():
            logits = model(input_ids=ids).logits[0]
        path = out / f"{name}.gguf"
        write(path, name, model)
        golden["logits"][name] = [
            [float(f"{v:.7g}") for v in logits[p].tolist()] for p in golden["positions"]
        ]
        note = ""
        if name in ("llama", "qwen2", "qwen3", "gpt2", "bloom"):
            back = AutoModelForCausalLM.from_pretrained(
                out, gguf_file=path.name, config=model.config, dtype=torch.float32, attn_implementation="eager").eval()
            with torch.no_grad():
                again = back(input_ids=ids).logits[0]
            note = f"read back by transformers: max abs diff {(again - logits).abs().max():.2e}"
        print(name, path.stat().st_size, "bytes, largest logit", logits.abs().max().item(), note)
    (out / "golden.json").write_text(json.dumps(golden) + "\n")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
