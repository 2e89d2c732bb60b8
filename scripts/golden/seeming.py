#!/usr/bin/env python3
"""Writes small adapters that PEFT makes and that plain LoRA arithmetic would compute wrongly, beside some
that only look so, for trainer-worker's tests of what is refused.

Environment: that of scripts/golden/families.py.

    /tmp/golden/bin/python scripts/golden/seeming.py trainer-worker/engine/tests/golden

Each is trained for three steps on the model of families.py named llama-tied, so that it differs from its
start. `logits.json` of those that are read holds the logits that PEFT gives for a few tokens.
"""

import json
import shutil
import sys
from pathlib import Path

import torch
from peft import (
    IA3Config,
    LoHaConfig,
    LoKrConfig,
    LoraConfig,
    PeftModel,
    PrefixTuningConfig,
    VeraConfig,
    get_peft_model,
)
from transformers import AutoModelForCausalLM

TOKENS = [3, 17, 4, 25, 9, 11, 2, 30]
PLAIN = dict(task_type="CAUSAL_LM")
LORA = dict(r=2, lora_alpha=4, target_modules=["q_proj", "v_proj"], **PLAIN)


def lora(**settings):
    return LoraConfig(**{**LORA, **settings})


# The configuration, and whether the engine must read it and give PEFT's logits.
CASES = {
    "pissa": (lora(init_lora_weights="pissa"), False),
    "pissa-niter": (lora(init_lora_weights="pissa_niter_4"), False),
    "olora": (lora(init_lora_weights="olora"), False),
    "alora": (lora(alora_invocation_tokens=[4, 25]), False),
    "layer-replication": (lora(layer_replication=[[0, 2], [1, 2]]), False),
    "lora-bias": (lora(lora_bias=True), False),
    "bias-all": (lora(bias="all"), False),
    "modules-to-save": (lora(modules_to_save=["lm_head"]), False),
    "token-indices": (lora(trainable_token_indices=[3, 4]), False),
    "embedding": (lora(target_modules=["q_proj", "embed_tokens"]), False),
    "ia3": (IA3Config(target_modules=["k_proj"], feedforward_modules=[], **PLAIN), False),
    "loha": (LoHaConfig(r=2, alpha=4, target_modules=["q_proj"], **PLAIN), False),
    "lokr": (LoKrConfig(r=2, alpha=4, target_modules=["q_proj"], **PLAIN), False),
    "vera": (VeraConfig(r=2, target_modules=["q_proj"], **PLAIN), False),
    "prefix": (PrefixTuningConfig(num_virtual_tokens=2, **PLAIN), False),
    "gaussian": (lora(init_lora_weights="gaussian"), True),
    "orthogonal": (lora(init_lora_weights="orthogonal"), True),
    "expression": (lora(target_modules=r".*\.layers\.1\..*(q|down)_proj"), True),
    "excluded": (lora(exclude_modules=["0.self_attn.q_proj"]), True),
    "excluded-expression": (lora(exclude_modules=r".*layers\.1\.self_attn\.v_proj"), True),
    "converted-pissa": (lora(init_lora_weights="pissa"), True),
}


def base(golden):
    model = AutoModelForCausalLM.from_pretrained(
        golden / "llama-tied", dtype=torch.float32, attn_implementation="eager"
    ).eval()
    model.name_or_path = "llama-tied"
    return model


def main(golden):
    out = golden / "seeming"
    shutil.rmtree(out, ignore_errors=True)
    for number, (name, (config, read)) in enumerate(CASES.items()):
        torch.manual_seed(number)
        model = get_peft_model(base(golden), config)
        folder = out / name
        start = out / "start"
        if name == "converted-pissa":
            # As PEFT's documentation has it: save the start, train, save against the start.
            model.peft_config["default"].init_lora_weights = True
            model.save_pretrained(start)
            model.peft_config["default"].init_lora_weights = "pissa"
        ids = torch.tensor([TOKENS])
        optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.5)
        for _ in range(3):
            optimizer.zero_grad()
            model(input_ids=ids, labels=ids).loss.backward()
            optimizer.step()
        if name == "converted-pissa":
            model.save_pretrained(folder, path_initial_model_for_weight_conversion=start)
            shutil.rmtree(start)
        else:
            model.save_pretrained(folder)
        (folder / "README.md").unlink(missing_ok=True)
        if read:
            loaded = PeftModel.from_pretrained(base(golden), folder).eval()
            with torch.no_grad():
                logits = loaded(input_ids=ids).logits[0]
            (folder / "logits.json").write_text(
                json.dumps({"tokens": TOKENS, "logits": logits.tolist()}) + "\n"
            )
        for path in folder.rglob("*.safetensors"):
            path.chmod(0o644)
        print(name, sorted(p.name for p in folder.iterdir()))


if __name__ == "__main__":
    main(Path(sys.argv[1])) if len(sys.argv) == 2 else sys.exit(__doc__)
