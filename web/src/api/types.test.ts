import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

interface Schema {
  $ref?: string;
  allOf?: Schema[];
  properties?: Record<string, unknown>;
}

describe("the types of answers", () => {
  it("have the fields that the gateway describes, and no others", () => {
    const description = JSON.parse(readFileSync("../gateway/openapi.json", "utf8"));
    const schemas = description.components.schemas as Record<string, Schema>;
    const source = readFileSync("src/api/types.ts", "utf8");
    const declared = [...source.matchAll(/export interface (\w+)(?: extends \w+)? \{([\s\S]*?)\n\}/g)];
    expect(declared.length).toBeGreaterThan(30);
    for (const [, name = "", body = ""] of declared) {
      const schema = schemas[name];
      expect(schema, name).toBeDefined();
      const own = (schema?.allOf ?? [schema]).filter((part) => !part?.$ref);
      const fields = own.flatMap((part) => Object.keys(part?.properties ?? {}));
      const written = [...body.matchAll(/^ {2}(\w+)\??:/gm)].map(([, field]) => field);
      expect(written.sort(), name).toEqual(fields.sort());
    }
  });
});
