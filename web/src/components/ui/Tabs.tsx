import { Tabs as Base } from "@base-ui/react/tabs";
import type { ReactNode } from "react";

/** Parts of a page of which one is seen at a time; arrow keys move between them. */
export function Tabs({
  value,
  onChange,
  label,
  tabs,
}: {
  value: string;
  onChange: (value: string) => void;
  label: string;
  tabs: readonly { value: string; label: ReactNode; content: ReactNode }[];
}) {
  return (
    <Base.Root value={value} onValueChange={(next) => onChange(String(next))} className="grid min-w-0 gap-5">
      <div className="overflow-x-auto border-b border-line">
        <Base.List aria-label={label} className="flex w-max gap-1">
          {tabs.map((tab) => (
            <Base.Tab
              key={tab.value}
              value={tab.value}
              className="-mb-px min-h-10 border-b-2 border-transparent px-3 py-2 text-sm font-medium whitespace-nowrap text-soft -outline-offset-2 hover:text-ink data-[active]:border-accent data-[active]:text-ink"
            >
              {tab.label}
            </Base.Tab>
          ))}
        </Base.List>
      </div>
      {tabs.map((tab) => (
        <Base.Panel key={tab.value} value={tab.value} className="grid min-w-0 gap-5">
          {tab.content}
        </Base.Panel>
      ))}
    </Base.Root>
  );
}
