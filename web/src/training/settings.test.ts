import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Spec } from "@/api/types";
import {
  ALL_LINEAR,
  compare,
  defaults,
  modules,
  parse,
  presets,
  seedProblem,
  settings,
  written,
} from "./settings";

const root = new URL("../../../", import.meta.url);
const source = readFileSync(new URL("primitives/src/training.rs", root), "utf8");
const cli = readFileSync(new URL("cli/src/commands/spec.rs", root), "utf8");
const views = readFileSync(new URL("cli/src/views.rs", root), "utf8");

const camel = (snake: string) => snake.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
const number = (text: string) => Number(text.replaceAll("_", ""));
const setting = (field: string) => {
  const found = settings.find((each) => each.field === field);
  if (!found) throw new Error(`no setting ${field}`);
  return found;
};

describe("the table of settings", () => {
  it("has the bounds of the chain's source, all of them", () => {
    const bounds = [...source.matchAll(/Self::(\w+) => \((\w+), (\w+)\)/g)].map(
      ([, name = "", least = "", greatest = ""]) => ({
        field: name[0]?.toLowerCase() + name.slice(1),
        least: number(least),
        greatest: number(greatest),
      }),
    );
    expect(bounds).toHaveLength(13);
    const layers = { field: "targetModules", least: 0, greatest: ALL_LINEAR };
    const ours = [...settings.map(({ field, least, greatest }) => ({ field, least, greatest })), layers];
    const byName = (one: { field: string }, other: { field: string }) => (one.field < other.field ? -1 : 1);
    expect(ours.sort(byName)).toEqual(bounds.sort(byName));
  });

  it("has the defaults of the chain's source", () => {
    const body = /impl Default for TrainingSpec[\s\S]*?Self \{([\s\S]*?)\}/.exec(source)?.[1] ?? "";
    const read = Object.fromEntries(
      [...body.matchAll(/(\w+): ([\w:]+),/g)].map(([, name = "", value = ""]) => {
        if (value === "TargetModules::DEFAULT") return [camel(name), 0];
        if (value.includes("::")) return [camel(name), value.split("::")[1]?.toLowerCase()];
        return [camel(name), name === "seed" ? value : number(value)];
      }),
    );
    expect(read).toEqual(defaults);
  });

  it("names the layers by the bits of the command line", () => {
    const names = [...views.matchAll(/\("(\w+)", TargetModules::(\w+)\)/g)].map(([, name]) => name);
    expect(names).toEqual([...modules]);
  });

  it("scales as the command line does", () => {
    const unit = /fn unit\([\s\S]*?\n\}/.exec(cli)?.[0] ?? "";
    const scaled = new Map<string, number>();
    for (const [, names = "", factor = ""] of unit.matchAll(/((?:SpecField::\w+[\s|]*)+)=> (1e\d)/g)) {
      for (const [, name = ""] of names.matchAll(/SpecField::(\w+)/g)) {
        scaled.set(name[0]?.toLowerCase() + name.slice(1), Number(factor));
      }
    }
    expect(scaled.size).toBe(6);
    for (const { field, per } of settings) expect(per, field).toBe(scaled.get(field) ?? 1);
  });

  it("has presets within the bounds", () => {
    for (const { name, changes } of presets) {
      const spec: Spec = { ...defaults, ...changes };
      for (const { field, least, greatest } of settings) {
        expect(spec[field], `${name}: ${field}`).toBeGreaterThanOrEqual(least);
        expect(spec[field], `${name}: ${field}`).toBeLessThanOrEqual(greatest);
      }
    }
  });
});

describe("a value", () => {
  it("is written without noise and read back to the same integer", () => {
    expect(written(setting("learningRateNano"), 1_000_000)).toBe("0.001");
    expect(written(setting("loraDropoutBp"), 500)).toBe("0.05");
    expect(written(setting("weightDecayMicro"), 1_000_000)).toBe("1");
    expect(written(setting("maxGradNormMilli"), 100_000)).toBe("100");
    expect(written(setting("numTrainEpochs"), 10)).toBe("10");
    for (const each of settings) {
      const middle = Math.floor((each.least + each.greatest) / 3);
      for (const value of [each.least, middle, each.greatest]) {
        expect(parse(each, written(each, value)), each.field).toEqual({ value });
      }
    }
  });
  it("may have an exponent", () => {
    expect(parse(setting("learningRateNano"), "2e-4")).toEqual({ value: 200_000 });
    expect(parse(setting("learningRateNano"), ".01")).toEqual({ value: 10_000_000 });
  });
  it("is refused with the bounds, in the user's units", () => {
    expect(parse(setting("learningRateNano"), "1").error).toBe("It may be 0.000000001 to 0.1");
    expect(parse(setting("loraR"), "8.5").error).toBe("Its smallest step is 1");
    expect(parse(setting("loraR"), "0").error).toBe("It may be 1 to 256");
    for (const wrong of ["", "many", "-1", "1,5", "NaN", "Infinity", "0x8"]) {
      expect(parse(setting("loraR"), wrong).error, wrong).toBeDefined();
    }
  });
  it("of a seed is a u64", () => {
    expect(seedProblem("18446744073709551615")).toBeUndefined();
    expect(seedProblem("18446744073709551616")).toBeDefined();
    expect(seedProblem("-1")).toBeDefined();
  });
});

describe("a comparison", () => {
  it("puts first what differs", () => {
    const lines = compare([defaults, { ...defaults, loraR: 16, targetModules: 5 }]);
    expect(lines.filter(({ differ }) => differ)).toEqual([
      { label: "Layers", values: ["the family's default", "q_proj, v_proj"], differ: true },
      { label: "Rank", values: ["8", "16"], differ: true },
    ]);
    expect(lines.slice(2).some(({ differ }) => differ)).toBe(false);
  });
});
