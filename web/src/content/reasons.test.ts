import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { rejections } from "./reasons";

it("the reasons of refusals are those of the chain, in its words", () => {
  const source = readFileSync(new URL("../../../primitives/src/verdict.rs", import.meta.url), "utf8");
  const list = source.slice(
    source.indexOf("pub enum RejectionReason"),
    source.indexOf("/// Version of the rules"),
  );
  const found = [...list.matchAll(/= \d+, "([\w-]+)", "([^"]+)"/g)].map(([, name, words]) => [name, words]);
  expect(found.length).toBeGreaterThan(0);
  expect(Object.entries(rejections).map(([name, { words }]) => [name, words])).toEqual(found);
});
