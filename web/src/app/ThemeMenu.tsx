import { Icon } from "@/components/ui/Icon";
import { Menu, MenuChoices } from "@/components/ui/Menu";
import { useStore } from "@/lib/store";
import { type Theme, theme } from "./theme";

const choices: readonly { value: Theme; label: string }[] = [
  { value: "system", label: "As the system" },
  { value: "light", label: "Light" },
  { value: "dark", label: "Dark" },
];

export function ThemeMenu() {
  const chosen = useStore(theme);
  return (
    <Menu
      label="Theme"
      className="grid size-10 place-items-center rounded-control text-soft hover:bg-sunken hover:text-ink"
      trigger={
        <>
          <Icon name="sun" className="size-5 dark:hidden" />
          <Icon name="moon" className="hidden size-5 dark:block" />
        </>
      }
    >
      <MenuChoices label="Theme" value={chosen} onChange={theme.set} choices={choices} />
    </Menu>
  );
}
