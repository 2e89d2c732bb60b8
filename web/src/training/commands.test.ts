import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Spec } from "@/api/types";
import { commandLine, configuration, type JobRequest } from "./commands";
import { ALL_LINEAR, defaults, parse, settings } from "./settings";

const root = new URL("../../../", import.meta.url);
const read = (path: string) => readFileSync(new URL(path, root), "utf8");
const cli = read("cli/src/commands/spec.rs") + read("cli/src/commands/job.rs");
const trainer =
  read("trainer-worker/src/commands/train/args.rs") + read("trainer-worker/src/commands/mod.rs");

const changed: Spec = {
  method: "qlora",
  loraR: 16,
  loraAlpha: 32,
  loraDropoutBp: 500,
  targetModules: 0b101,
  learningRateNano: 200_000,
  schedule: "constant",
  warmupRatioBp: 300,
  perDeviceTrainBatchSize: 2,
  gradientAccumulationSteps: 8,
  numTrainEpochs: 5,
  maxSeqLength: 256,
  weightDecayMicro: 10_000,
  maxGradNormMilli: 500,
  seed: "18446744073709551615",
  evalFractionBp: 2000,
};
const job: JobRequest = {
  base: 3,
  parent: null,
  datasets: [
    { datanet: 0, leaves: 12 },
    { datanet: 7, leaves: 3 },
  ],
  spec: changed,
  tokenCeiling: 200_000,
  budget: 5_500_000_000_000_000_000n,
  deadline: 2400,
};

/** Reads a line as the command line does, into what it was made from. */
function parsed(line: string): Map<string, string[]> {
  const words = line.replaceAll("\\\n", " ").split(/\s+/);
  const found = new Map<string, string[]>();
  for (let at = 0; at < words.length; at += 1) {
    const name = words[at] ?? "";
    if (!name.startsWith("--")) continue;
    found.set(name, [...(found.get(name) ?? []), words[at + 1] ?? ""]);
  }
  return found;
}

describe("the command line", () => {
  it("uses options that `job create` has, and says every setting that differs", () => {
    const options = parsed(commandLine(job));
    for (const name of options.keys()) {
      if (name === "--key") continue;
      const field = name.slice(2).replaceAll("-", "_");
      expect(cli.includes(` ${field}:`) || cli.includes(`long = "${name.slice(2)}"`), name).toBe(true);
    }
    for (const setting of settings) {
      const text = options.get(`--${setting.option}`)?.[0] ?? "";
      expect(parse(setting, text).value, setting.field).toBe(changed[setting.field]);
    }
    expect(options.get("--datanet")).toEqual(["0@12", "7@3"]);
    expect(options.get("--budget")).toEqual(["5.5OPEN"]);
    expect(options.get("--target-modules")).toEqual(["q_proj,v_proj"]);
    expect(options.get("--lr-scheduler-type")).toEqual(["constant"]);
    expect(options.get("--seed")).toEqual([changed.seed]);
    expect(options.get("--model")).toEqual(["3"]);
  });

  it("leaves defaults out, and what a parent decides", () => {
    expect(commandLine({ ...job, datasets: job.datasets.slice(0, 1), spec: defaults })).toBe(
      [
        "openledger --key me job create",
        "--model 3",
        "--datanet 0@12",
        "--budget 5.5OPEN",
        "--token-ceiling 200000",
        "--deadline 2400",
      ].join(" \\\n    "),
    );
    const options = parsed(commandLine({ ...job, parent: 9 }));
    expect(options.get("--parent")).toEqual(["9"]);
    for (const name of ["--model", "--lora-r", "--lora-alpha", "--target-modules"]) {
      expect(options.has(name), name).toBe(false);
    }
  });
});

describe("the configuration", () => {
  const keys = (text: string) =>
    [...text.matchAll(/^(\w+): (.*)$/gm)].map(([, key = "", value]) => [key, value]);

  it("has keys that the trainer reads", () => {
    for (const [key] of keys(configuration(changed, "model.gguf"))) {
      expect(trainer, key).toMatch(new RegExp(`\\b${key}: `));
    }
  });

  it("says every setting, in the trainer's words", () => {
    const found = new Map(keys(configuration(changed, "a model: new.gguf")) as [string, string][]);
    for (const setting of settings) {
      expect(parse(setting, found.get(setting.key) ?? "").value, setting.field).toBe(changed[setting.field]);
    }
    expect(found.get("model")).toBe('"a model: new.gguf"');
    expect(found.get("lr_scheduler_type")).toBe("constant_with_warmup");
    expect(found.get("target_modules")).toBe("q_proj,v_proj");
    const plain = configuration({ ...defaults, schedule: "constant", warmupRatioBp: 0 }, "m.gguf");
    expect(plain).toContain("lr_scheduler_type: constant\n");
    expect(plain).not.toContain("target_modules");
    expect(configuration({ ...defaults, targetModules: ALL_LINEAR }, "m.gguf")).toContain(
      "target_modules: all-linear\n",
    );
  });
});
