#!/usr/bin/env python3
"""Writes the golden files of DeepSeek V2 and V3 for trainer-worker's tests.

Environment: as in families.py.

    /tmp/golden/bin/python scripts/golden/deepseek.py tiny    trainer-worker/engine/tests/golden [NAME…]
    /tmp/golden/bin/python scripts/golden/deepseek.py random  FOLDER FIRST LAST
    /tmp/golden/bin/python scripts/golden/deepseek.py exports FOLDER

`tiny` makes three seeded random models of three layers, the first of them dense: V2 with a query
latent, experts limited to their best groups and yarn; V2 as in its Lite edition, without a query
latent, with biases; V3 with grouped sigmoid routing, its correction bias and a tied head. Each has
logits of a padded batch, adapter gradients and 20 AdamW steps. A seed for which any token's choice
of experts is ever a close call would make a bad reference and is refused.

`random` makes models of the same kinds with sizes, options and rotary scaling drawn by each seed from FIRST to LAST;
they are compared, and the exports of their adapters loaded into PEFT, as those of families.py are.
"""

import copy
import json
import random
import shutil
import sys
from pathlib import Path

import torch
from families import exports, random_rope, write_golden
from peft import LoraConfig
from transformers import (
    DeepseekV2Config,
    DeepseekV2ForCausalLM,
    DeepseekV3Config,
    DeepseekV3ForCausalLM,
)

# Scores nearer to each other than this may be ordered differently by another order of sums.
CLOSE = 2e-5
CLASSES = {
    "v2": (DeepseekV2Config, DeepseekV2ForCausalLM),
    "v3": (DeepseekV3Config, DeepseekV3ForCausalLM),
}
ALL_TARGETS = [
    "q_a_proj", "q_b_proj", "kv_a_proj_with_mqa", "kv_b_proj", "o_proj",
    "gate_proj", "up_proj", "down_proj",
]
# PEFT 0.21 reads these in `target_modules` of a mixture of experts as the routed experts' stacked
# parameters, however they are spelled. The dense and shared modules of that name can be had as
# `target_parameters`; their adapters then have the names and shapes that the modules' would have.
FEED_FORWARD = ["gate_proj", "up_proj", "down_proj"]


def lora_config(case):
    parameters = [f"{t}.weight" for t in case["targets"] if t in FEED_FORWARD]
    return LoraConfig(
        r=case["r"], lora_alpha=case["alpha"], lora_dropout=0.0, task_type="CAUSAL_LM",
        target_modules=[t for t in case["targets"] if t not in FEED_FORWARD],
        target_parameters=parameters or None,
    )


COMMON = dict(
    vocab_size=56,
    hidden_size=24,
    intermediate_size=32,
    moe_intermediate_size=10,
    num_hidden_layers=3,
    first_k_dense_replace=1,
    num_attention_heads=3,
    num_key_value_heads=3,
    kv_lora_rank=12,
    qk_nope_head_dim=6,
    qk_rope_head_dim=8,
    v_head_dim=5,
    max_position_embeddings=128,
    rms_norm_eps=1e-5,
    initializer_range=0.2,
)
DEFAULT_ROPE = dict(rope_type="default", rope_theta=10000.0)

CASES = {
    "v2": dict(
        kind="v2", seed=2, r=3, alpha=6, targets=ALL_TARGETS,
        config=dict(
            q_lora_rank=14, n_routed_experts=6, n_shared_experts=2, num_experts_per_tok=2,
            topk_method="group_limited_greedy", n_group=3, topk_group=2, routed_scaling_factor=1.6,
            rope_parameters=dict(
                rope_type="yarn", rope_theta=100.0, factor=4.0, beta_fast=8, beta_slow=1,
                mscale=0.7, mscale_all_dim=1.0, original_max_position_embeddings=32,
            ),
        ),
    ),
    "v2-lite": dict(
        kind="v2", seed=3, r=4, alpha=8, targets=["q_proj", "kv_b_proj", "down_proj"],
        config=dict(
            q_lora_rank=None, n_routed_experts=4, n_shared_experts=1, num_experts_per_tok=2,
            topk_method="greedy", routed_scaling_factor=1.0, attention_bias=True, mlp_bias=True,
            rope_parameters=DEFAULT_ROPE,
        ),
    ),
    "v3": dict(
        kind="v3", seed=4, r=2, alpha=8, targets=ALL_TARGETS,
        config=dict(
            q_lora_rank=14, n_routed_experts=8, n_shared_experts=1, num_experts_per_tok=3,
            n_group=4, topk_group=2, routed_scaling_factor=2.5, norm_topk_prob=True,
            tie_word_embeddings=True, rope_parameters=DEFAULT_ROPE,
        ),
    ),
}


def build(case):
    """A seeded model in eval mode; norms, biases and correction biases are moved off 1 and 0."""
    torch.manual_seed(case["seed"])
    config_class, model_class = CLASSES[case["kind"]]
    config = config_class(
        **{**COMMON, **case["config"]}, attn_implementation="eager",
        experts_implementation="eager",
    )
    model = model_class(config).float().eval()
    with torch.no_grad():
        for key, p in model.named_parameters():
            if "norm" in key or key.endswith("bias"):
                p.add_(0.2 * torch.randn_like(p))
        for key, b in model.named_buffers():
            if key.endswith("e_score_correction_bias"):
                b.add_(0.2 * torch.randn_like(b))
        # Values that bf16 holds exactly, so that the files can be half as large.
        for values in model.state_dict().values():
            values.copy_(values.bfloat16().float())
    return model


def watch_choices(model, current):
    """Collects, for every pass, how far any token's choice of experts is from another one: the
    smallest distance between the last group or expert that is in and the first that is out.
    `current` holds the mask of the pass."""
    margins = []
    config = model.config
    experts, groups = config.n_routed_experts, config.n_group or 1
    v3 = config.model_type == "deepseek_v3"
    if not v3 and config.topk_method == "greedy":
        groups = 1
    top_groups = config.topk_group if groups > 1 else 1

    def hook(router, _, out):
        keep = current[0].flatten().bool()
        logits, chosen = out[0].detach(), torch.zeros_like(out[0]).scatter(1, out[2], 1).bool()
        scores = logits.sigmoid() + router.e_score_correction_bias if v3 else logits.softmax(-1)
        by_group = scores.view(-1, groups, experts // groups)
        best = by_group.topk(2, -1).values.sum(-1) if v3 else by_group.amax(-1)
        order = best.sort(-1, descending=True)
        if groups > top_groups:
            margins.append((order.values[:, top_groups - 1] - order.values[:, top_groups])[keep])
        inside = torch.zeros_like(best).scatter(1, order.indices[:, :top_groups], 1).bool()
        out_of = inside.repeat_interleave(experts // groups, dim=1) & ~chosen
        last = scores.masked_fill(~chosen, torch.inf).amin(-1)
        margins.append((last - scores.masked_fill(~out_of, -torch.inf).amax(-1))[keep])

    for name, module in model.named_modules():
        if name.endswith("mlp.gate"):
            module.register_forward_hook(hook)
    return margins


def write(folder, case, lengths):
    """Model, PEFT adapter, and what they give."""
    model = build(case)
    folder.mkdir(parents=True, exist_ok=True)
    copy.deepcopy(model).bfloat16().save_pretrained(
        folder, save_original_format=case.get("per_expert", True)
    )
    current = []
    margins = watch_choices(model, current)
    write_golden(
        folder, model, lora_config(case), case["targets"], lengths,
        before_pass=lambda mask: current.__setitem__(slice(None), [mask]),
    )
    closest = torch.cat(margins).min().item() if margins else 1.0
    if closest < CLOSE:
        shutil.rmtree(folder)
        sys.exit(f"{folder.name}: a close call by {closest}, choose another seed")


def tiny(out, names):
    torch.set_num_threads(1)
    for name, case in CASES.items():
        if not names or name in names:
            write(out / f"deepseek-{name}", case, [29, 13, 4, 19])


def drawn(seed):
    """A configuration with sizes and options drawn by a seed."""
    r = random.Random(seed)
    kind = r.choice(["v2", "v3"])
    heads = r.choice([1, 2, 3, 4, 5])
    per_group, groups = r.choice([2, 3, 4, 5]), r.choice([1, 2, 3, 4])
    top_groups = r.randint(1, groups)
    rope_dim = r.choice([2, 4, 6, 8, 16])
    rope, context = random_rope(r, rope_dim)
    if r.random() < 0.4:
        context = 128
        rope = dict(
            rope_type="yarn", rope_theta=r.choice([100.0, 10000.0]), factor=r.choice([2.0, 8.0, 40.0]),
            original_max_position_embeddings=r.choice([16, 32, 64]),
        )
        if r.random() < 0.7:
            rope.update(beta_fast=r.choice([4, 32]), beta_slow=1)
        if r.random() < 0.7:
            rope.update(mscale=r.choice([0.707, 1.0]), mscale_all_dim=r.choice([0.707, 1.0]))
        elif r.random() < 0.5:
            rope.update(mscale_all_dim=1.0)
        if r.random() < 0.2:
            rope.update(attention_factor=1.3)
        if r.random() < 0.2:
            rope.update(truncate=False)
    layers = r.randint(2, 4)
    # transformers' V2 views the rotated parts as complex numbers, which torch wants aligned to two.
    even = 2 if kind == "v2" else 1
    query_latent = r.choice([None, 7, 24])
    config = dict(
        vocab_size=r.choice([50, 130]), hidden_size=heads * r.choice([8, 14, 20]),
        intermediate_size=r.choice([24, 50]), moe_intermediate_size=r.choice([5, 16, 33]),
        num_hidden_layers=layers, first_k_dense_replace=r.randint(0, layers - 1),
        num_attention_heads=heads, num_key_value_heads=heads,
        kv_lora_rank=r.choice([4, 9 * even, 32]), q_lora_rank=query_latent,
        qk_nope_head_dim=r.choice([even, 4, 12]), qk_rope_head_dim=rope_dim,
        v_head_dim=r.choice([3, 8, 17]), max_position_embeddings=context,
        rms_norm_eps=r.choice([1e-6, 1e-4]), n_routed_experts=groups * per_group,
        n_shared_experts=r.choice([1, 2, 3]), n_group=groups, topk_group=top_groups,
        num_experts_per_tok=r.randint(1, min(6, top_groups * per_group)),
        routed_scaling_factor=r.choice([1.0, 2.5, 16.0]), norm_topk_prob=r.random() < 0.5,
        tie_word_embeddings=r.random() < 0.5, attention_bias=r.random() < 0.3,
        rope_parameters=rope,
    )
    if kind == "v2":
        config.update(
            topk_method=r.choice(["greedy", "group_limited_greedy"]), mlp_bias=r.random() < 0.3
        )
    else:
        config.update(rope_interleave=r.random() < 0.7)
    names = ALL_TARGETS[2:] + (["q_proj"] if query_latent is None else ALL_TARGETS[:2])
    targets = r.sample(names, r.randint(1, len(names)))
    return dict(
        kind=kind, seed=seed, r=r.choice([1, 4, 8]), alpha=r.choice([4, 16]), targets=targets,
        per_expert=r.random() < 0.5, config=config,
    )


def random_cases(out, first, last):
    torch.set_num_threads(1)
    for seed in range(first, last + 1):
        case = drawn(seed)
        dice = random.Random(seed)
        lengths = [dice.randint(2, 48) for _ in range(4)]
        if case["config"]["rope_parameters"]["rope_type"] in ("dynamic", "longrope"):
            # Each half of the batch by itself as well decides for the same frequencies.
            lengths[1] = lengths[3] = max(lengths) + 40
        print(json.dumps(case))
        try:
            write(out / f"deepseek-{seed}", case, lengths)
        except (AssertionError, SystemExit) as problem:
            print("left out,", problem)


if __name__ == "__main__":
    if sys.argv[1:2] == ["tiny"]:
        tiny(Path(sys.argv[2]), sys.argv[3:])
    elif sys.argv[1:2] == ["random"]:
        random_cases(Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
    elif sys.argv[1:2] == ["exports"]:
        exports(Path(sys.argv[2]))
    else:
        sys.exit(__doc__)
