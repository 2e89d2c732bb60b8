#!/usr/bin/env python3
"""Runs the engine and its peers in turns and writes what came out. Called by `scripts/bench`.

Both sides of a comparison are loaded, then they do a round each, one after the other, so that
whatever else the machine does hits both. Figures are medians over the rounds; `ratio` is above 1
where the engine is better, also for memory.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).parent
SIZES = {"128": (4, 128), "512": (2, 512)}


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


class Worker:
    """A program that is ready after its first line and does a round for each line it is sent."""

    def __init__(self, name: str, command: list[str], environment: dict[str, str] | None = None):
        self.name = name
        self.log = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.log,
            text=True,
            env={**os.environ, **(environment or {})},
        )
        self.rounds: list[dict] = []
        self.ready: dict = {}

    def read(self) -> dict:
        while True:
            line = self.process.stdout.readline()
            if not line:
                self.process.wait()
                self.log.seek(0)
                tail = self.log.read()[-2000:]
                raise RuntimeError(f"{self.name} ended with {self.process.returncode}: {tail}")
            if line.startswith("{"):
                return json.loads(line)

    def wait_ready(self) -> None:
        self.ready = self.read()

    def round(self) -> None:
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        self.rounds.append(self.read())

    def median(self, field: str) -> float:
        return statistics.median(r[field] for r in self.rounds)

    def peak(self) -> float:
        return max(r["peak_memory"] or 0 for r in self.rounds)

    def close(self) -> None:
        try:
            self.process.stdin.close()
            self.process.wait(timeout=5)
        except (subprocess.TimeoutExpired, BrokenPipeError):
            self.process.kill()
            self.process.wait()


def in_turns(workers: list[Worker], rounds: int) -> None:
    """Waits until all are loaded, then lets each do a round in turn."""
    try:
        for worker in workers:
            worker.wait_ready()
        for _ in range(rounds):
            for worker in workers:
                worker.round()
                # Threads of a peer may spin for a moment after their work.
                time.sleep(0.3)
    finally:
        for worker in workers:
            worker.close()


class Bench:
    def __init__(self, arguments: argparse.Namespace):
        self.a = arguments
        self.entries: list[dict] = []
        self.problems: list[str] = []
        self.peaks: dict[str, dict[str, float]] = {}

    def add(self, name: str, unit: str, ours: float, peer: float, peer_name: str, less=False):
        good = bool(ours) and bool(peer)
        ratio = (peer / ours if less else ours / peer) if good else None
        entry = {"name": name, "unit": unit, "ours": ours, "peer": peer, "peer_name": peer_name}
        entry["ratio"] = round(ratio, 4) if ratio else None
        self.entries.append(entry)
        shown = "–" if ratio is None else f"{ratio:.2f}"
        say(f"  {name}: {ours:.4g} {unit}, {peer_name} {peer:.4g}, ratio {shown}")

    def part(self, what: str, function) -> None:
        say(what)
        try:
            function()
        except (RuntimeError, OSError, subprocess.SubprocessError, KeyError) as error:
            self.problems.append(f"{what}: {error}")
            say(f"  failed: {error}")

    def ours(self, *command: str) -> list[str]:
        model = ["--model", str(self.a.model), "--threads", str(self.a.threads)]
        return [str(self.a.worker), "bench", *command, *model]

    def torch(self) -> tuple[list[str], dict[str, str]]:
        threads = str(self.a.threads)
        environment = {"OMP_NUM_THREADS": threads, "MKL_NUM_THREADS": threads}
        return [str(self.a.torch), str(HERE / "peft_peer.py"), str(self.a.model)], {
            **environment,
            "TOKENIZERS_PARALLELISM": "false",
            "HF_HUB_OFFLINE": "1",
        }

    # --- Parts ------------------------------------------------------------------------------

    def gemm(self) -> None:
        worker = Worker("ours", self.ours("gemm", "--tokens", "512", "--wait"))
        in_turns([worker], self.a.rounds)
        ours, free = worker.median("gflops"), worker.median("free_order_gflops")
        # The limit is the fastest that any product of a step ran, by either, in any round.
        self.limit = max(r["fastest_product_gflops"] for r in worker.rounds) * 1e9
        self.add("reproducibility_cost", "GFLOP/s", ours, free, "gemm 0.19 in free order")

    def lora(self, label: str) -> None:
        batch, sequence = SIZES[label]
        sizes = ["--batch", str(batch), "--sequence", str(sequence), "--steps", str(self.a.steps)]
        command, environment = self.torch()
        ours = Worker("ours", self.ours("train", *sizes, "--wait"))
        peft = Worker(
            "PyTorch + PEFT", [*command, *sizes, "--threads", str(self.a.threads)], environment
        )
        qlora = Worker("QLoRA", self.ours("train", "--qlora", *sizes, "--wait"))
        workers = [ours, peft, qlora]
        in_turns(workers, self.a.rounds)
        speed = ours.median("tokens_per_second")
        peer = f"PyTorch {peft.ready.get('torch', '?')} + PEFT"
        self.add(
            f"lora_tokens_per_second_{label}",
            "tokens/s",
            speed,
            peft.median("tokens_per_second"),
            peer,
        )
        if getattr(self, "limit", 0):
            flops = ours.ready["flops_per_token"]
            limit = self.limit / flops
            self.add(f"lora_gemm_share_{label}", "tokens/s", speed, limit, "GEMM limit")
        suffix = "" if label == "512" else f"_{label}"
        self.add(f"lora_peak_memory{suffix}", "bytes", ours.peak(), peft.peak(), peer, less=True)
        lora = "our LoRA"
        self.add(
            f"qlora_tokens_per_second{suffix}",
            "tokens/s",
            qlora.median("tokens_per_second"),
            speed,
            lora,
        )
        self.add(f"qlora_peak_memory{suffix}", "bytes", qlora.peak(), ours.peak(), lora, less=True)
        if label == "512":
            base = qlora.ready["base_memory"], ours.ready["base_memory"]
            self.add("qlora_base_memory", "bytes", *base, lora, less=True)

    def llama(self, tool: str, *more: str) -> list[dict]:
        """Rows of llama-bench or llama-batched-bench, which print JSON lines."""
        bin_dir = self.a.llamacpp
        command = [str(bin_dir / tool), "-m", str(self.a.model), "-t", str(self.a.threads), *more]
        libraries = f"{bin_dir}:{os.environ.get('LD_LIBRARY_PATH', '')}"
        run = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
            env={**os.environ, "LD_LIBRARY_PATH": libraries},
        )
        if run.returncode != 0:
            raise RuntimeError(f"{tool} ended with {run.returncode}: {run.stderr[-2000:]}")
        return [json.loads(line) for line in run.stdout.splitlines() if line.startswith("{")]

    def decoding_rounds(
        self, workers: list[Worker], peers: dict[str, list[float]], adapter: pathlib.Path
    ) -> None:
        tokens, prompt = str(self.a.tokens), "512"
        writer = [str(self.a.torch), str(HERE / "gguf_adapter.py"), str(self.a.model), str(adapter)]
        subprocess.run(writer, check=True, capture_output=True)
        for worker in workers:
            worker.wait_ready()
        for _ in range(self.a.rounds):
            for worker in workers:
                worker.round()
            rows = self.llama("llama-bench", "-p", prompt, "-n", tokens, "-r", "1", "-o", "jsonl")
            for row in rows:
                peers["decode" if row["n_gen"] else "prompt"].append(row["avg_ts"])
            rows = self.llama(
                "llama-batched-bench",
                *("-npp", "1", "-ntg", tokens, "-npl", "1", "-c", "1024"),
                *("--lora", str(adapter), "--output-format", "jsonl"),
            )
            peers["adapted"] += [row["speed_tg"] for row in rows if "speed_tg" in row]

    def decoding(self) -> None:
        tokens, prompt = str(self.a.tokens), "512"
        decode = Worker("ours", self.ours("decode", "--tokens", tokens, "--wait"))
        adapted = Worker("ours", self.ours("decode", "--with-adapter", "--tokens", tokens, "--wait"))
        reader = Worker("ours", self.ours("prompt", "--tokens", prompt, "--wait"))
        workers = [decode, adapted, reader]
        peers: dict[str, list[float]] = {"decode": [], "adapted": [], "prompt": []}
        try:
            with tempfile.TemporaryDirectory() as folder:
                self.decoding_rounds(workers, peers, pathlib.Path(folder) / "adapter.gguf")
        finally:
            for worker in workers:
                worker.close()
        for name, worker, key in [
            ("decode_tokens_per_second", decode, "decode"),
            ("decode_tokens_per_second_with_adapter", adapted, "adapted"),
            ("prompt_tokens_per_second", reader, "prompt"),
        ]:
            if not peers[key]:
                raise RuntimeError(f"llama.cpp gave no figure for {key}")
            speed = worker.median("tokens_per_second")
            self.add(name, "tokens/s", speed, statistics.median(peers[key]), "llama.cpp")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--worker", type=pathlib.Path, required=True)
    parser.add_argument("--model", type=pathlib.Path, required=True)
    parser.add_argument("--torch", type=pathlib.Path, required=True, help="a venv's python")
    parser.add_argument("--llamacpp", type=pathlib.Path, required=True, help="its bin folder")
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", default="gemm,lora,decode")
    arguments = parser.parse_args()
    arguments.rounds, arguments.steps, arguments.tokens = (
        (2, 1, 32) if arguments.quick else (5, 2, 128)
    )
    started = time.time()
    bench = Bench(arguments)
    only = arguments.only.split(",")
    if "gemm" in only:
        bench.part("Products of a training step", bench.gemm)
    if "lora" in only:
        for label, (batch, sequence) in SIZES.items():
            bench.part(f"LoRA, {batch} × {sequence} tokens", lambda: bench.lora(label))
    if "decode" in only:
        bench.part("Decoding", bench.decoding)

    print(f"\n{'entry':40} {'ours':>12} {'peer':>12} {'ratio':>6}  unit, peer")
    for e in bench.entries:
        scale, unit = (2**20, "MiB") if e["unit"] == "bytes" else (1, e["unit"])
        ours, peer = (f"{(e[k] or 0) / scale:.1f}" for k in ("ours", "peer"))
        ratio = "–" if e["ratio"] is None else f"{e['ratio']:.2f}"
        print(f"{e['name']:40} {ours:>12} {peer:>12} {ratio:>6}  {unit}, {e['peer_name']}")
    print(f"{time.time() - started:.0f} s, {arguments.threads} threads, medians of {arguments.rounds} rounds in turns")
    if arguments.json:
        arguments.json.write_text(json.dumps(bench.entries, indent=1) + "\n")
    for problem in bench.problems:
        say(f"error: {problem}")
    sys.exit(1 if bench.problems else 0)


if __name__ == "__main__":
    main()
