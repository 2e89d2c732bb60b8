// Every setting of a job: its bounds, its default, how people write it, and what it does. Bounds and defaults
// are those of `TrainingSpec` in primitives/src/training.rs, against which settings.test.ts holds them.

import type { Spec } from "@/api/types";

/** The settings that are numbers. */
export type NumberSetting = Exclude<keyof Spec, "method" | "schedule" | "seed" | "targetModules">;

export type SettingGroup = "adapter" | "optimiser" | "length" | "data";

export interface Setting {
  field: NumberSetting;
  label: string;
  /** Written after the label. */
  unit?: string;
  help: string;
  group: SettingGroup;
  least: number;
  greatest: number;
  /** How many of the chain's integers make one, as people write it. */
  per: number;
  /** The option of `openledger job create`. */
  option: string;
  /** The key of `trainer-worker train --config`. */
  key: string;
}

export const groups: readonly { group: SettingGroup; title: string; about: string }[] = [
  { group: "adapter", title: "Adapter", about: "How much the model can change, and where" },
  { group: "optimiser", title: "Optimiser", about: "How large each change is" },
  { group: "length", title: "Length", about: "How long it trains, and on how much at once" },
  { group: "data", title: "Data", about: "What is held out, and the order of the rest" },
];

export const settings: readonly Setting[] = [
  {
    field: "loraR",
    label: "Rank",
    help: "Size of the adapter. More rank learns more detail, takes more memory and overfits sooner.",
    group: "adapter",
    least: 1,
    greatest: 256,
    per: 1,
    option: "lora-r",
    key: "lora_r",
  },
  {
    field: "loraAlpha",
    label: "Alpha",
    help: "Changes are scaled by alpha ÷ rank. Twice the rank is usual.",
    group: "adapter",
    least: 1,
    greatest: 1024,
    per: 1,
    option: "lora-alpha",
    key: "lora_alpha",
  },
  {
    field: "loraDropoutBp",
    label: "Dropout",
    help: "Share of the adapter's inputs left out at random. 0.05 to 0.1 helps on little data.",
    group: "adapter",
    least: 0,
    greatest: 5000,
    per: 10_000,
    option: "lora-dropout",
    key: "lora_dropout",
  },
  {
    field: "learningRateNano",
    label: "Learning rate",
    help: "Size of a step at its peak. Too large and the loss climbs; too small and nothing is learned.",
    group: "optimiser",
    least: 1,
    greatest: 100_000_000,
    per: 1_000_000_000,
    option: "learning-rate",
    key: "learning_rate",
  },
  {
    field: "warmupRatioBp",
    label: "Warm-up",
    help: "Share of all steps in which the learning rate climbs to its peak.",
    group: "optimiser",
    least: 0,
    greatest: 5000,
    per: 10_000,
    option: "warmup-ratio",
    key: "warmup_ratio",
  },
  {
    field: "weightDecayMicro",
    label: "Weight decay",
    help: "Pulls the adapter's weights towards zero. 0 switches it off.",
    group: "optimiser",
    least: 0,
    greatest: 1_000_000,
    per: 1_000_000,
    option: "weight-decay",
    key: "weight_decay",
  },
  {
    field: "maxGradNormMilli",
    label: "Largest gradient norm",
    help: "Larger gradients are scaled down to it. 0 switches it off.",
    group: "optimiser",
    least: 0,
    greatest: 100_000,
    per: 1000,
    option: "max-grad-norm",
    key: "max_grad_norm",
  },
  {
    field: "numTrainEpochs",
    label: "Epochs",
    help: "Passes over the training examples.",
    group: "length",
    least: 1,
    greatest: 100,
    per: 1,
    option: "num-train-epochs",
    key: "num_train_epochs",
  },
  {
    field: "perDeviceTrainBatchSize",
    label: "Batch size",
    unit: "examples",
    help: "Examples a step. More is steadier and takes more memory.",
    group: "length",
    least: 1,
    greatest: 64,
    per: 1,
    option: "per-device-train-batch-size",
    key: "per_device_train_batch_size",
  },
  {
    field: "gradientAccumulationSteps",
    label: "Gradient accumulation",
    unit: "batches",
    help: "Batches before the weights move: the effect of a larger batch without its memory.",
    group: "length",
    least: 1,
    greatest: 256,
    per: 1,
    option: "gradient-accumulation-steps",
    key: "gradient_accumulation_steps",
  },
  {
    field: "maxSeqLength",
    label: "Longest example",
    unit: "tokens",
    help: "Longer texts are cut into windows of this length; longer conversations are cut off.",
    group: "length",
    least: 16,
    greatest: 8192,
    per: 1,
    option: "max-seq-length",
    key: "max_seq_length",
  },
  {
    field: "evalFractionBp",
    label: "Held out",
    help: "Share of the examples that are not trained on and measure the loss before and after.",
    group: "data",
    least: 100,
    greatest: 5000,
    per: 10_000,
    option: "eval-fraction",
    key: "eval_fraction",
  },
];

export const defaults: Spec = {
  method: "lora",
  loraR: 8,
  loraAlpha: 16,
  loraDropoutBp: 0,
  targetModules: 0,
  learningRateNano: 1_000_000,
  schedule: "cosine",
  warmupRatioBp: 500,
  perDeviceTrainBatchSize: 4,
  gradientAccumulationSteps: 1,
  numTrainEpochs: 3,
  maxSeqLength: 512,
  weightDecayMicro: 0,
  maxGradNormMilli: 1000,
  seed: "42",
  evalFractionBp: 1000,
};

/** The largest seed: it is a u64 on chain. */
const GREATEST_SEED = (1n << 64n) - 1n;

export const schedules: readonly { value: string; label: string }[] = [
  { value: "cosine", label: "Cosine: down to zero along a half cosine" },
  { value: "linear", label: "Linear: down to zero in a straight line" },
  { value: "constant", label: "Constant: unchanged after the warm-up" },
];

export const methods: readonly { value: string; label: string; about: string }[] = [
  {
    value: "lora",
    label: "LoRA",
    about: "On the model's weights in full precision: exact, and takes more memory.",
  },
  {
    value: "qlora",
    label: "QLoRA",
    about: "On the quantised weights as they are: a fraction of the memory.",
  },
];

/** The linear layers of a block, by bit, in the names that LLaMA, Mistral and Qwen give them. */
export const modules = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"] as const;
export const ALL_LINEAR = 0x7f;

/** The names of a set of layers; empty for the family's default. */
export function moduleNames(bits: number): string[] {
  return modules.filter((_, bit) => bits & (1 << bit));
}

export interface Preset {
  name: string;
  about: string;
  changes: Partial<Spec>;
}

/** Starting points; each is the defaults with these changes. */
export const presets: readonly Preset[] = [
  { name: "Balanced", about: "The defaults: a small adapter, three passes.", changes: {} },
  {
    name: "Quick look",
    about: "One pass and short examples, to see whether the data teaches anything.",
    changes: { numTrainEpochs: 1, maxSeqLength: 256 },
  },
  {
    name: "Thorough",
    about: "All layers, more rank, a smaller learning rate and dropout.",
    changes: {
      loraR: 16,
      loraAlpha: 32,
      loraDropoutBp: 500,
      targetModules: ALL_LINEAR,
      learningRateNano: 200_000,
      numTrainEpochs: 5,
    },
  },
  {
    name: "Little memory",
    about: "QLoRA with one example at a time, gathered to the same batch.",
    changes: { method: "qlora", perDeviceTrainBatchSize: 1, gradientAccumulationSteps: 4 },
  },
  {
    name: "Learn by heart",
    about: "Many passes at a high rate over few examples.",
    changes: { loraR: 16, loraAlpha: 32, learningRateNano: 2_000_000, numTrainEpochs: 10, warmupRatioBp: 0 },
  },
];

/** A setting's value as people write it. */
export function written(setting: Setting, value: number): string {
  return decimal(value, setting.per);
}

/** `value / per` without the noise of binary fractions; `per` is a power of ten. */
function decimal(value: number, per: number): string {
  if (per === 1) return String(value);
  const digits = String(per).length - 1;
  const text = String(value).padStart(digits + 1, "0");
  return `${text.slice(0, -digits)}.${text.slice(-digits)}`.replace(/\.?0+$/, "");
}

export type Parsed = { value: number; error?: undefined } | { value?: undefined; error: string };

/** Reads what was typed for a setting: decimals, and `1e-4`. */
export function parse(setting: Setting, text: string): Parsed {
  const typed = text.trim();
  const bounds = `${written(setting, setting.least)} to ${written(setting, setting.greatest)}`;
  if (!/^\d*\.?\d+(e[+-]?\d+)?$|^\d+\.(e[+-]?\d+)?$/i.test(typed)) {
    return { error: `Write a number, ${bounds}` };
  }
  const exact = Number(typed) * setting.per;
  const value = Math.round(exact);
  if (!Number.isFinite(exact) || value < setting.least || value > setting.greatest) {
    return { error: `It may be ${bounds}` };
  }
  if (Math.abs(exact - value) > 1e-3) {
    return { error: `Its smallest step is ${written(setting, 1)}` };
  }
  return { value };
}

/** What is wrong with a seed. */
export function seedProblem(text: string): string | undefined {
  if (!/^\d{1,20}$/.test(text) || BigInt(text) > GREATEST_SEED) {
    return "Write a whole number, 0 to 18,446,744,073,709,551,615";
  }
  return undefined;
}

/** One line of a comparison: a setting of each of several jobs, and whether they differ. */
export interface Difference {
  label: string;
  values: string[];
  differ: boolean;
}

/** The settings of several jobs side by side, the differing ones first. */
export function compare(specs: readonly Spec[]): Difference[] {
  const line = (label: string, read: (spec: Spec) => string): Difference => {
    const values = specs.map(read);
    return { label, values, differ: new Set(values).size > 1 };
  };
  const lines = [
    line("Method", (spec) => (spec.method === "lora" ? "LoRA" : "QLoRA")),
    line("Layers", (spec) => layerWords(spec.targetModules)),
    line("Schedule", (spec) => spec.schedule),
    ...settings.map((setting) => line(setting.label, (spec) => written(setting, spec[setting.field]))),
    line("Seed", (spec) => spec.seed),
  ];
  return [...lines.filter(({ differ }) => differ), ...lines.filter(({ differ }) => !differ)];
}

/** The layers in words. */
export function layerWords(bits: number): string {
  if (bits === 0) return "the family's default";
  if (bits === ALL_LINEAR) return "all linear layers";
  return moduleNames(bits).join(", ");
}
