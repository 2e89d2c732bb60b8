// The same job for the command line and for a training on one's own machine.

import type { Spec } from "@/api/types";
import { formatOpen } from "@/lib/format";
import { ALL_LINEAR, defaults, moduleNames, settings, written } from "./settings";

/** What `openledger job create` takes. */
export interface JobRequest {
  base: number;
  parent: number | null;
  datasets: readonly { datanet: number; leaves: number }[];
  spec: Spec;
  tokenCeiling: number;
  /** Plancks; null where none is known yet. */
  budget: bigint | null;
  /** Blocks from now. */
  deadline: number;
}

/** Settings that a parent adapter decides. */
export const settledByParent: readonly (keyof Spec)[] = ["loraR", "loraAlpha", "targetModules"];

/** `openledger job create` for this job; settings that are the default are left out. */
export function commandLine(job: JobRequest): string {
  const words = ["openledger --key me job create"];
  if (job.parent === null) words.push(`--model ${job.base}`);
  else words.push(`--parent ${job.parent}`);
  for (const { datanet, leaves } of job.datasets) words.push(`--datanet ${datanet}@${leaves}`);
  words.push(
    `--budget ${job.budget === null ? "AMOUNT" : `${formatOpen(job.budget).replaceAll(",", "")}OPEN`}`,
  );
  words.push(`--token-ceiling ${job.tokenCeiling}`, `--deadline ${job.deadline}`);
  for (const [option, value] of options(job.spec, job.parent !== null)) words.push(`--${option} ${value}`);
  return words.join(" \\\n    ");
}

/** Options that differ from the default; of a refinement without what its parent decides. */
function options(spec: Spec, refines: boolean): [string, string][] {
  const found: [string, string][] = [];
  if (spec.method !== defaults.method) found.push(["method", spec.method]);
  if (spec.schedule !== defaults.schedule) found.push(["lr-scheduler-type", spec.schedule]);
  if (spec.targetModules !== 0 && !refines) {
    found.push(["target-modules", layers(spec.targetModules)]);
  }
  for (const setting of settings) {
    if (refines && settledByParent.includes(setting.field)) continue;
    const value = spec[setting.field];
    if (value !== defaults[setting.field]) found.push([setting.option, written(setting, value)]);
  }
  if (spec.seed !== defaults.seed) found.push(["seed", spec.seed]);
  return found;
}

function layers(bits: number): string {
  return bits === ALL_LINEAR ? "all-linear" : moduleNames(bits).join(",");
}

/** The trainer's name of a schedule: its `constant` has no warm-up, the chain's has. */
function trainerSchedule(spec: Spec): string {
  return spec.schedule === "constant" && spec.warmupRatioBp > 0 ? "constant_with_warmup" : spec.schedule;
}

/** A text that YAML reads as this text. */
function quoted(text: string): string {
  return /^[A-Za-z0-9][\w./-]*$/.test(text) && !/^(true|false|null|yes|no|on|off|[\d.e]+)$/i.test(text)
    ? text
    : `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}

/** The settings as a file for `trainer-worker train --config`, every one of them written out. */
export function configuration(spec: Spec, model: string): string {
  const lines = [
    "# trainer-worker train --config run.yaml",
    `model: ${quoted(model)}`,
    "data: [data/]",
    "output: adapter",
    `method: ${spec.method}`,
    `lr_scheduler_type: ${trainerSchedule(spec)}`,
    ...settings.map((setting) => `${setting.key}: ${written(setting, spec[setting.field])}`),
    `seed: ${spec.seed}`,
  ];
  if (spec.targetModules !== 0) {
    lines.push(`target_modules: ${layers(spec.targetModules)}`);
  }
  return `${lines.join("\n")}\n`;
}
