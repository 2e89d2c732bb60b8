#!/usr/bin/env python3
"""Measures search and answers of the documentation. Called by `scripts/bench docs`.

Every question of docs/questions-held-out.toml is asked in turns; `docs_search_p95_ms` and `docs_answer_p95_ms` are the
95th percentiles over all of them, `docs_ready_ms` is how long reading and indexing the book takes. There is
no peer: a bar is what is to be kept, 10 ms for a search and 50 ms for an answer.
"""

import argparse
import json
import pathlib
import subprocess


def percentile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", type=pathlib.Path, required=True)
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("--quick", action="store_true")
    arguments = parser.parse_args()
    questions = pathlib.Path(__file__).resolve().parents[2] / "docs/questions-held-out.toml"
    rounds = "1" if arguments.quick else "10"
    answer = subprocess.run(
        [arguments.program, questions, rounds], check=True, stdout=subprocess.PIPE
    )
    measured = json.loads(answer.stdout)
    print(f"{measured['questions']} questions, {measured['pages']} pages, {rounds} rounds", flush=True)

    lines = []
    for name, ours, bar in [
        ("docs_search_p95_ms", percentile(measured["search_ms"], 0.95), 10.0),
        ("docs_answer_p95_ms", percentile(measured["answer_ms"], 0.95), 50.0),
        ("docs_ready_ms", measured["ready_ms"], None),
    ]:
        beside = {"peer": bar, "peer_name": bar and "bar", "ratio": bar and bar / ours}
        lines.append({"name": name, "unit": "ms", "ours": ours, **beside})
        print(f"{name}: {ours:.2f} ms" + (f", bar: {bar:.0f} ms" if bar else ""), flush=True)
    if arguments.json:
        arguments.json.write_text(json.dumps(lines, indent=2) + "\n")


if __name__ == "__main__":
    main()
