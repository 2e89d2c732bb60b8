#!/usr/bin/env python3
"""Measures training on a CUDA GPU beside PyTorch + PEFT. Called by `scripts/bench gpu`.

A LLaMA of 1.1 billion parameters with random weights of either side's own making (only the sizes
count), sequences of 1024 tokens, r = 8 on q_proj and v_proj: LoRA on a bf16 base, and QLoRA on NF4
with double quantisation. Both sides are loaded in turn and never share the GPU. Peak memory is what
nvidia-smi shows for the process; MFU counts 4 floating-point operations a parameter and token.

`--device candle-cpu --size tiny` runs the same code where there is no GPU, to see that it runs.
"""

import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import threading
import time

from trainer import Worker, say

HERE = pathlib.Path(__file__).parent
SIZES = {
    "1b": {
        "hidden_size": 2048,
        "intermediate_size": 5632,
        "num_hidden_layers": 22,
        "num_attention_heads": 32,
        "num_key_value_heads": 4,
        "vocab_size": 32000,
        "max_position_embeddings": 2048,
    },
    "tiny": {
        "hidden_size": 128,
        "intermediate_size": 320,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "vocab_size": 512,
        "max_position_embeddings": 2048,
    },
}
# Dense bf16 products, floating-point operations a second, from NVIDIA's data sheets.
PEAKS = {
    "H200": 989e12, "H100 PCIe": 756e12, "H100": 989e12, "A100": 312e12, "A10G": 70e12,
    "A10": 125e12, "L40S": 362e12, "L4": 121e12, "A40": 150e12, "RTX 4090": 165e12,
    "RTX 3090": 71e12,
}


def gpu() -> tuple[str, int] | None:
    """Name and memory in bytes of the first GPU, if one answers."""
    if not shutil.which("nvidia-smi"):
        return None
    query = ["nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader,nounits"]
    run = subprocess.run(query, capture_output=True, text=True, check=False, timeout=60)
    line = run.stdout.strip().splitlines()
    if run.returncode != 0 or not line:
        return None
    name, memory = line[0].rsplit(",", 1)
    return name.strip(), int(memory) * 2**20


class Memory(threading.Thread):
    """The most memory of the GPU that a process has had, sampled by nvidia-smi."""

    def __init__(self, process: int):
        super().__init__(daemon=True)
        self.peak, self.process, self.over = 0, process, threading.Event()

    def run(self) -> None:
        query = ["nvidia-smi", "--query-compute-apps=pid,used_memory"]
        query.append("--format=csv,noheader,nounits")
        while not self.over.wait(0.1):
            run = subprocess.run(query, capture_output=True, text=True, check=False)
            used = []
            for line in run.stdout.splitlines():
                pid, _, memory = line.partition(",")
                # In a container the numbers of processes may be those outside of it.
                if memory.strip().isdigit():
                    used.append((int(pid), int(memory) * 2**20))
            own = [memory for pid, memory in used if pid == self.process]
            self.peak = max([self.peak, *(own or [memory for _, memory in used])])


def measure(name: str, command: list[str], rounds: int, on_gpu: bool) -> dict:
    worker = Worker(name, command, {"TOKENIZERS_PARALLELISM": "false", "HF_HUB_OFFLINE": "1"})
    memory = Memory(worker.process.pid)
    if on_gpu:
        memory.start()
    try:
        worker.wait_ready()
        for _ in range(rounds):
            worker.round()
    finally:
        memory.over.set()
        worker.close()
    peak = memory.peak if on_gpu else worker.peak()
    return {"speed": worker.median("tokens_per_second"), "peak": peak, "ready": worker.ready}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--worker", type=pathlib.Path, required=True)
    parser.add_argument("--torch", type=pathlib.Path, required=True, help="a venv's python")
    parser.add_argument("--cache", type=pathlib.Path, required=True)
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--sequence", type=int, default=1024)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--peak-tflops", type=float, help="of bf16 products, for the MFU")
    parser.add_argument("--size", choices=SIZES, default="1b", help=argparse.SUPPRESS)
    parser.add_argument("--device", default="cuda", help=argparse.SUPPRESS)
    a = parser.parse_args()
    on_gpu = a.device.startswith("cuda")
    found = gpu() if on_gpu else ("the processor", 0)
    if not found:
        sys.exit("error: no CUDA GPU answers here (nvidia-smi); run this on a machine that has one")
    say(f"On {found[0]}")
    rate = a.peak_tflops * 1e12 if a.peak_tflops else None
    if on_gpu and rate is None:
        rate = next((peak for name, peak in PEAKS.items() if name in found[0]), None)
        if rate is None:
            say("  the GPU's rate is not known here: no MFU (give --peak-tflops)")

    folder = a.cache / f"llama-{a.size}"
    folder.mkdir(parents=True, exist_ok=True)
    config = {
        "model_type": "llama", "architectures": ["LlamaForCausalLM"], "hidden_act": "silu",
        "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "tie_word_embeddings": False, **SIZES[a.size],
    }
    config["head_dim"] = config["hidden_size"] // config["num_attention_heads"]
    (folder / "config.json").write_text(json.dumps(config, indent=1) + "\n")
    sizes = ["--batch", str(a.batch), "--sequence", str(a.sequence), "--steps", str(a.steps)]

    entries, problems = [], []

    def add(name: str, unit: str, ours: float, peer: float | None, who: str, less=False) -> None:
        ratio = (peer / ours if less else ours / peer) if ours and peer else None
        entry = {"name": name, "unit": unit, "ours": ours, "peer": peer, "peer_name": who}
        entry["ratio"] = round(ratio, 4) if ratio else None
        entries.append(entry)
        shown = "–" if ratio is None else f"{ratio:.2f}"
        other = "–" if peer is None else f"{peer:.4g}"
        say(f"  {name}: {ours:.4g} {unit}, {who} {other}, ratio {shown}")

    started = time.time()
    for method, dtype in (("lora", "bf16"), ("qlora", "bf16")):
        say(f"{method.upper()}, {a.batch} × {a.sequence} tokens")
        more = ["--qlora"] if method == "qlora" else []
        ours_command = [
            str(a.worker), "bench", "train", "--model", str(folder), "--random-weights", "1",
            "--device", a.device, "--dtype", dtype, "--wait", *sizes, *more,
        ]
        peer_command = [
            str(a.torch), str(HERE / "peft_gpu_peer.py"), str(folder), *sizes, *more,
            "--device", "cuda" if on_gpu else "cpu",
        ]
        try:
            ours = measure("ours", ours_command, a.rounds, on_gpu)
        except (RuntimeError, OSError) as error:
            problems.append(f"{method}: {error}")
            say(f"  failed: {error}")
            continue
        peer = None
        try:
            peer = measure("PyTorch + PEFT", peer_command, a.rounds, on_gpu)
        except (RuntimeError, OSError) as error:
            problems.append(f"{method}, peer: {error}")
            say(f"  the peer failed: {error}")
        who = f"PyTorch {peer['ready'].get('torch', '?')} + PEFT" if peer else "PyTorch + PEFT"
        add(f"gpu_{method}_tokens_per_second", "tokens/s", ours["speed"], peer and peer["speed"], who)
        name = f"gpu_{method}_peak_memory"
        add(name, "bytes", ours["peak"], peer and peer["peak"], who, less=True)
        if rate:
            share = 4.0 * ours["ready"]["parameters"] / rate
            peers = peer and peer["speed"] * share
            add(f"gpu_{method}_mfu", "share", ours["speed"] * share, peers, who)

    print(f"\n{'entry':34} {'ours':>12} {'peer':>12} {'ratio':>6}  unit, peer")
    for e in entries:
        scale, unit = (2**20, "MiB") if e["unit"] == "bytes" else (1, e["unit"])
        ours, peer = (f"{(e[k] or 0) / scale:.3f}" for k in ("ours", "peer"))
        ratio = "–" if e["ratio"] is None else f"{e['ratio']:.2f}"
        print(f"{e['name']:34} {ours:>12} {peer:>12} {ratio:>6}  {unit}, {e['peer_name']}")
    print(f"{time.time() - started:.0f} s on {found[0]}, medians of {a.rounds} rounds")
    if a.json:
        a.json.write_text(json.dumps(entries, indent=1) + "\n")
    for problem in problems:
        say(f"error: {problem}")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
