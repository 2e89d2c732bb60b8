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
    const declared = [...source.matchAll(/export interface (\w+)(?: extends (\w+))? \{([\s\S]*?)\n\}/g)];
    expect(declared.length).toBeGreaterThan(30);
    const own = new Map(
      declared.map(([, name = "", , body = ""]) => [
        name,
        [...body.matchAll(/^ {2}(\w+)\??:/gm)].map(([, field = ""]) => field),
      ]),
    );
    const fields = (schema: Schema | undefined): string[] => [
      ...Object.keys(schema?.properties ?? {}),
      ...(schema?.allOf ?? []).flatMap(fields),
      ...(schema?.$ref ? fields(schemas[schema.$ref.replace(/^.*\//, "")]) : []),
    ];
    for (const [, name = "", base = ""] of declared) {
      expect(schemas[name], name).toBeDefined();
      const written = [...(own.get(name) ?? []), ...(own.get(base) ?? [])];
      expect(written.sort(), name).toEqual(fields(schemas[name]).sort());
    }
  });
});
