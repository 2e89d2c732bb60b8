import { useRef, useState } from "react";
import { Button } from "@/components/ui/Button";
import { Icon } from "@/components/ui/Icon";
import { classes } from "@/lib/classes";

/** The files of a drop, those in its folders too. */
async function dropped(items: DataTransferItemList): Promise<File[]> {
  const entries = [...items].flatMap((item) => item.webkitGetAsEntry() ?? []);
  const files: File[] = [];
  while (entries.length > 0) {
    const entry = entries.shift();
    if (entry?.isFile) {
      files.push(
        await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject)),
      );
    } else if (entry?.isDirectory) {
      const reader = (entry as FileSystemDirectoryEntry).createReader();
      for (;;) {
        const some = await new Promise<FileSystemEntry[]>((resolve, reject) =>
          reader.readEntries(resolve, reject),
        );
        if (some.length === 0) break;
        entries.push(...some);
      }
    }
    if (files.length >= MOST) break;
  }
  return files;
}

/** Files that are looked at of one drop. */
export const MOST = 500;

/** Where files are dropped or chosen. */
export function DropZone({
  formats,
  disabled,
  onFiles,
}: {
  formats: readonly string[];
  disabled: boolean;
  onFiles: (files: File[]) => void;
}) {
  const [over, setOver] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const endings = formats.map((format) => `.${format}`);
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the button within does the same
    <div
      onDragOver={(event) => {
        event.preventDefault();
        setOver(!disabled);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        if (!disabled) void dropped(event.dataTransfer.items).then(onFiles);
      }}
      className={classes(
        "grid justify-items-center gap-3 rounded-card border-2 border-dashed px-4 py-10 text-center transition-colors",
        over ? "border-accent bg-accent-soft" : "border-line-strong/50 bg-surface",
      )}
    >
      <span className="grid size-12 place-items-center rounded-full bg-accent-soft text-accent-strong">
        <Icon name="upload" className="size-6" />
      </span>
      <p className="font-medium">Drop files or folders here</p>
      <Button look="primary" disabled={disabled} onClick={() => input.current?.click()}>
        Choose files
      </Button>
      <input
        ref={input}
        type="file"
        multiple
        accept={endings.join(",")}
        aria-label="Files to contribute"
        className="sr-only"
        tabIndex={-1}
        disabled={disabled}
        onChange={(event) => {
          onFiles([...(event.target.files ?? [])]);
          event.target.value = "";
        }}
      />
      <p className="text-sm text-soft">{endings.join(", ")}; up to 10 MiB each</p>
    </div>
  );
}
