#!/usr/bin/env python3
"""Measures the gateway over made-up chains. Called by `scripts/bench web`.

`index_blocks_per_second`: re-indexing a chain from its first block, four files and a job a block.
`api_p99_ms`: the 99th percentile of board, job and submission pages with a million submissions beside a
thousand, asked in turns; a ratio of 1 means that pages take no longer.
`sse_clients`: streams that one process serves, listeners within the same process, all of them hearing every
event of the same run once.
`first_load_bytes`: what a browser loads for the home page, compressed; `scripts/web` builds it.
`usable_ms_*`: from opening a page for the first time until one can begin, in Chromium at 1.6 Mbit/s, 150 ms and a
quarter of the processor's speed; needs the network of `npm run e2e`, whose programs and model must be there.
"""

import argparse
import json
import os
import pathlib
import subprocess
import tempfile


def run(program: pathlib.Path, *arguments: str) -> dict:
    with tempfile.TemporaryDirectory() as folder:
        answer = subprocess.run(
            [program, "--directory", folder, *arguments], check=True, stdout=subprocess.PIPE
        )
    return json.loads(answer.stdout)


ROOT = pathlib.Path(__file__).resolve().parents[2]


def npm(*arguments: str, **more: str) -> subprocess.CompletedProcess:
    """Runs a script of the web app."""
    found = subprocess.run([ROOT / "scripts/node"], check=True, stdout=subprocess.PIPE, text=True)
    path = f"{found.stdout.strip()}:{os.environ['PATH']}"
    return subprocess.run(
        ["npm", "run", "--silent", *arguments],
        cwd=ROOT / "web",
        env={**os.environ, "PATH": path, **more},
        stdout=subprocess.PIPE,
        text=True,
    )


def first_load() -> int | None:
    """Bytes of a first visit; none where the web app cannot be built."""
    built = subprocess.run([ROOT / "scripts/web"], stdout=subprocess.DEVNULL)
    if built.returncode != 0:
        return None
    sizes = npm("size").stdout.splitlines()
    return next(int(line.split()[0]) for line in sizes if "first load" in line)


def usable() -> list[dict] | None:
    """Waiting times of a first visit; none where the network cannot be started."""
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "usable.json"
        ran = npm("usable", OPENLEDGER_USABLE=str(file))
        if ran.returncode != 0 or not file.exists():
            print(ran.stdout)
            return None
        return json.loads(file.read_text())


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", type=pathlib.Path, required=True)
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("--quick", action="store_true")
    arguments = parser.parse_args()
    blocks, many, clients = (2_000, 20_000, 100) if arguments.quick else (50_000, 1_000_000, 1_000)

    lines = []

    def line(name: str, unit: str, ours: float, peer=None, peer_name=None, ratio=None) -> None:
        entry = {"name": name, "unit": unit, "ours": ours, "peer": peer, "peer_name": peer_name}
        lines.append({**entry, "ratio": ratio})
        beside = "" if peer is None else f", {peer_name}: {peer:.2f}, ratio {ratio:.2f}"
        print(f"{name}: {ours:.2f} {unit}{beside}", flush=True)

    indexed = run(arguments.program, "index", "--blocks", str(blocks))
    line("index_blocks_per_second", "blocks/s", indexed["blocks_per_second"])
    asked = run(arguments.program, "pages", "--submissions", str(many))["pages"]
    for page, times in asked.items():
        for part in ("p50", "p99"):
            ours, peer = times[f"many_{part}_ms"], times[f"few_{part}_ms"]
            name = f"api_{part}_ms_{page}"
            line(name, "ms", ours, peer, "1,000 submissions", peer / ours)
    heard = run(arguments.program, "streams", "--clients", str(clients))
    line("sse_clients", "streams", heard["clients"])
    line("sse_events_per_second", "events/s", heard["events_per_second"])
    line("sse_memory_mib", "MiB", heard["memory_peak_mib"])
    loaded = first_load()
    if loaded is None:
        print("first_load_bytes: skipped, the web app could not be built")
    else:
        line("first_load_bytes", "bytes", loaded)
    waited = None if loaded is None else usable()
    if waited is None:
        print("usable_ms: skipped, the app's network did not come up (is everything built, Chromium there?)")
    else:
        for entry in waited:
            line(entry["name"], entry["unit"], entry["ours"])
    if arguments.json:
        arguments.json.write_text(json.dumps(lines, indent=2) + "\n")


if __name__ == "__main__":
    main()
