#!/usr/bin/env python3
"""Compares what the engine and llama.cpp say with the same quantised model.

    PYTHON scripts/bench.d/llamacpp.py --worker trainer-worker --model MODEL.gguf --llamacpp BIN \\
        [--text FILE] [--context 374] [--new-tokens 64]

PYTHON is that of a virtual environment with torch, transformers, gguf and accelerate, and BIN the folder of
llama-perplexity, llama-quantize and llama-server: `scripts/bench trainer` installs both and says
where.

Perplexity and top tokens: llama-perplexity cuts the text into windows of --context tokens and counts
the second half of each. The same tokens in the same windows go through the engine by f32 on the
dequantised weights and by integer products, and through llama.cpp by its own products and on a copy
of the model that it dequantised to f32.

Greedy answers: the ten questions of tests/golden/smollm2.json, the same prompt tokens on both sides.
Where the answers part, the two likeliest tokens of the engine (f32 and integers), of llama.cpp and of
transformers on dequantised weights are shown.
"""

import argparse
import json
import math
import os
import pathlib
import socket
import struct
import subprocess
import tempfile
import time
import urllib.request

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2]
TESTS = ROOT / "trainer-worker/engine/tests"


def ours(a, tokens: list[int], *more: str) -> dict:
    ids = ",".join(map(str, tokens))
    command = [a.worker, "logits", "--model", a.model, "--tokens", ids, "--top", "2", "--json"]
    return json.loads(subprocess.run([*command, *more], capture_output=True, check=True).stdout)


INTEGERS = ("--quantised", "--one-by-one")


def llama(a, tool: str, *more: str) -> subprocess.CompletedProcess:
    command = [f"{a.llamacpp}/{tool}", *more]
    environment = {**os.environ, "LD_LIBRARY_PATH": str(a.llamacpp)}
    run = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if run.returncode:
        raise SystemExit(f"{tool} ended with {run.returncode}: {run.stderr[-2000:]}")
    return run


class Saved:
    """What llama-perplexity --save-all-logits writes: tokens, and log probabilities in 16 bits of the
    second half of each window."""

    def __init__(self, path: pathlib.Path):
        data = path.read_bytes()
        assert data[:8] == b"_logits_", path
        self.context, vocabulary, windows = struct.unpack("<3i", data[8:20])
        count = self.context * windows
        self.tokens = np.frombuffer(data, "<i4", count, 20).reshape(windows, self.context)
        self.first = self.context // 2
        rows = self.context - 1 - self.first
        width = 2 * ((vocabulary + 1) // 2) + 4
        values = np.frombuffer(data, "<u2", offset=20 + 4 * count).reshape(windows, rows, width)
        # Of equal codes, all count as the likeliest.
        codes = values[:, :, 4 : 4 + vocabulary]
        self.top = [[set(np.flatnonzero(r == r.max())) for r in window] for window in codes]


def perplexity(a) -> None:
    with tempfile.TemporaryDirectory() as folder:
        dense = f"{folder}/f32.gguf"
        llama(a, "llama-quantize", "--allow-requantize", a.model, dense, "f32")
        saved, figures = {}, {}
        for name, model in [("llama.cpp", a.model), ("llama.cpp, f32", dense)]:
            out = pathlib.Path(folder, "logits")
            size = str(a.context)
            more = ["-c", size, "-b", size, "-t", str(a.threads), "--save-all-logits", str(out)]
            run = llama(a, "llama-perplexity", "-m", model, "-f", a.text, *more)
            line = [l for l in (run.stdout + run.stderr).splitlines() if "Final estimate" in l][-1]
            figures[name] = float(line.split("PPL =")[1].split()[0])
            saved[name] = Saved(out)
    reference = saved["llama.cpp, f32"]
    first, top = reference.first, {"ours, f32": [], "ours, integers": []}
    for name, more in [("ours, f32", ()), ("ours, integers", INTEGERS)]:
        losses = []
        for window in reference.tokens:
            answer = ours(a, window.tolist(), *more)
            losses += [-p for p in answer["log_probabilities"][first:]]
            top[name] += [row[0][0] for row in answer["top"][first:-1]]
        figures[name] = math.exp(sum(losses) / len(losses))
    for name, file in saved.items():
        top[name] = [row for window in file.top for row in window]
    n = len(top["ours, f32"])
    print(f"{len(reference.tokens)} windows of {reference.context} tokens, {n} predictions")
    print(f"{'':16} {'perplexity':>10} {'to its f32':>11} {'to our f32':>11}  same top token as our f32")
    exact = top["ours, f32"]
    for name, value in sorted(figures.items(), reverse=True):
        own = figures[name.split(",")[0] + ", f32"]
        same = sum(e in t if isinstance(t, set) else e == t for e, t in zip(exact, top[name]))
        to_own, to_ours = ((value / base - 1) * 100 for base in (own, figures["ours, f32"]))
        print(f"{name:16} {value:10.4f} {to_own:+10.3f}% {to_ours:+10.3f}%  {same} of {n}")


class Server:
    """llama-server with one slot."""

    def __init__(self, a):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        command = [f"{a.llamacpp}/llama-server", "-m", a.model, "-t", str(a.threads), "-np", "1"]
        self.process = subprocess.Popen(
            [*command, "-c", "1024", "--port", str(self.port)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "LD_LIBRARY_PATH": str(a.llamacpp)},
        )

    def __enter__(self):
        for _ in range(240):
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health") as answer:
                    if answer.status == 200:
                        return self
            except OSError:
                time.sleep(0.5)
        raise SystemExit("llama-server did not start")

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def complete(self, tokens: list[int], count: int) -> list[dict]:
        body = {
            "prompt": tokens, "n_predict": count, "temperature": 0, "n_probs": 2,
            "cache_prompt": False, "repeat_penalty": 1.0,
        }
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/completion",
            json.dumps(body).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)["completion_probabilities"]


def greedy(a) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    path = pathlib.Path(a.model)
    tokenizer = AutoTokenizer.from_pretrained(path.parent, gguf_file=path.name)
    model = AutoModelForCausalLM.from_pretrained(
        path.parent, gguf_file=path.name, dtype=torch.float32
    )
    cases = json.loads((TESTS / "golden/smollm2.json").read_text())["greedy"]
    with Server(a) as server:
        for case in cases:
            prompt = case["prompt_ids"]
            theirs = server.complete(prompt, a.new_tokens)
            ids = [step["id"] for step in theirs]
            question = case["question"]
            # What the engine would have written after each of llama.cpp's tokens.
            integer, dense = (ours(a, prompt + ids, *more)["top"] for more in (INTEGERS, ()))
            start = len(prompt) - 1
            parted = None
            for i, token in enumerate(ids):
                if integer[start + i][0][0] != token:
                    parted = i
                    break
            if parted is None:
                print(f"{question!r}: the same {len(ids)} tokens")
                continue
            with torch.no_grad():
                row = model(torch.tensor([prompt + ids[:parted]])).logits[0, -1].log_softmax(-1)
            values, indices = row.topk(2)
            show = lambda pairs: "  ".join(
                f"{tokenizer.decode([t])!r} {p:.4f}" for t, p in pairs
            ) + f"  gap {pairs[0][1] - pairs[1][1]:.4f}"
            print(f"{question!r}: parted after {parted} tokens: {tokenizer.decode(ids[:parted])[-60:]!r}")
            theirs_here = [(t["id"], t["logprob"]) for t in theirs[parted]["top_logprobs"]]
            for name, pairs in [
                ("transformers, dequantised", list(zip(indices.tolist(), values.tolist()))),
                ("ours, f32", dense[start + parted]),
                ("ours, integers", integer[start + parted]),
                ("llama.cpp", theirs_here),
            ]:
                print(f"    {name:26} {show(pairs)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--worker", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--llamacpp", required=True, help="its bin folder")
    parser.add_argument("--text", default=str(TESTS / "engine_models/facts.md"))
    parser.add_argument("--context", type=int, default=374)
    parser.add_argument("--new-tokens", type=int, default=64)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    a = parser.parse_args()
    perplexity(a)
    greedy(a)


if __name__ == "__main__":
    main()
