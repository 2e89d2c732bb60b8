import type { Spec } from "@/api/types";
import { Button } from "@/components/ui/Button";
import { Card } from "@/components/ui/Card";
import { CheckField, Field, SelectField } from "@/components/ui/Field";
import { settledByParent } from "@/training/commands";
import {
  ALL_LINEAR,
  defaults,
  groups,
  methods,
  modules,
  presets,
  schedules,
  settings,
  written,
} from "@/training/settings";
import type { Checked, Draft } from "./factory.state";
import { ChoiceCard } from "./ModelChoice";

interface Props {
  draft: Draft;
  checked: Checked;
  change: (changes: Partial<Draft>) => void;
  onPreset: (changes: Partial<Spec>) => void;
}

/** How it is trained: method, presets, every setting. */
export function SettingsForm({ draft, checked, change, onPreset }: Props) {
  return (
    <>
      <Card title="Method">
        <fieldset className="grid gap-3 sm:grid-cols-2">
          <legend className="sr-only">Method</legend>
          {methods.map(({ value, label, about }) => (
            <ChoiceCard
              key={value}
              name="method"
              value={value}
              checked={draft.method === value}
              onChoose={() => change({ method: value })}
              title={label}
            >
              <p className="text-sm text-soft">{about}</p>
            </ChoiceCard>
          ))}
        </fieldset>
      </Card>
      <Card title="Settings" about="Start from a preset and change what you know better.">
        <div className="grid gap-6">
          <ul className="flex flex-wrap gap-2">
            {presets.map(({ name, about, changes }) => (
              <li key={name}>
                <Button size="small" title={about} onClick={() => onPreset(changes)}>
                  {name}
                </Button>
              </li>
            ))}
          </ul>
          {groups.map(({ group, title, about }) => (
            <fieldset key={group} className="grid gap-4 border-t border-line pt-5">
              <legend className="float-left mb-1 w-full">
                <span className="font-semibold">{title}</span>
                <span className="ml-2 text-sm text-soft">{about}</span>
              </legend>
              <div className="clear-both grid gap-x-5 gap-y-5 sm:grid-cols-2">
                {settings
                  .filter((setting) => setting.group === group)
                  .map((setting) => {
                    const { field, label, unit, help } = setting;
                    const settled = draft.parent !== null && settledByParent.includes(field);
                    const range = `${written(setting, setting.least)} to ${written(setting, setting.greatest)}; usually ${written(setting, defaults[field])}.`;
                    return (
                      <Field
                        key={field}
                        label={label}
                        unit={unit}
                        inputMode="decimal"
                        autoComplete="off"
                        disabled={settled}
                        help={settled ? "The parent adapter's." : `${help} ${range}`}
                        error={checked.errors[field]}
                        value={draft.texts[field]}
                        onChange={(event) =>
                          change({ texts: { ...draft.texts, [field]: event.target.value } })
                        }
                      />
                    );
                  })}
                {group === "adapter" && <Layers draft={draft} change={change} />}
                {group === "optimiser" && (
                  // Its options are sentences, which half a card would cut off.
                  <div className="sm:col-span-2">
                    <SelectField
                      label="Schedule"
                      help="How the learning rate changes after the warm-up. Usually cosine."
                      value={draft.schedule}
                      options={schedules}
                      onChange={(event) => change({ schedule: event.target.value })}
                    />
                  </div>
                )}
                {group === "data" && (
                  <Field
                    label="Seed"
                    inputMode="numeric"
                    autoComplete="off"
                    help={`Decides what is held out, the order, the beginning and the dropout. The same seed gives the same adapter. Usually ${defaults.seed}.`}
                    error={checked.errors.seed}
                    value={draft.seed}
                    onChange={(event) => change({ seed: event.target.value })}
                  />
                )}
              </div>
            </fieldset>
          ))}
        </div>
      </Card>
    </>
  );
}

function Layers({ draft, change }: Pick<Props, "draft" | "change">) {
  const settled = draft.parent !== null;
  const bits = draft.targetModules;
  const mode = bits === 0 ? "default" : bits === ALL_LINEAR ? "all" : "some";
  return (
    <div className="grid content-start gap-3 sm:col-span-2">
      <SelectField
        label="Layers with an adapter"
        disabled={settled}
        help={
          settled
            ? "The parent adapter's."
            : "More layers learn more and take more memory. The family's default is what PEFT chooses, usually queries and values."
        }
        value={mode}
        options={[
          { value: "default", label: "The family's default" },
          { value: "all", label: "All linear layers of a block" },
          { value: "some", label: "Chosen below" },
        ]}
        onChange={({ target }) =>
          change({
            targetModules: target.value === "default" ? 0 : target.value === "all" ? ALL_LINEAR : 0b101,
          })
        }
      />
      {mode === "some" && (
        <div className="flex flex-wrap gap-x-6 gap-y-2">
          {modules.map((name, bit) => (
            <CheckField
              key={name}
              label={name}
              disabled={settled}
              checked={(bits & (1 << bit)) !== 0}
              // The last one stays: none at all would be the family's default.
              onChange={() => change({ targetModules: bits ^ (1 << bit) || bits })}
            />
          ))}
        </div>
      )}
    </div>
  );
}
