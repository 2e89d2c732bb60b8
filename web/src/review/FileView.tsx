import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense, useEffect, useState } from "react";
import type { Submission } from "@/api/types";
import { Skeleton } from "@/components/ui/Skeleton";
import { Loaded } from "@/components/ui/States";
import { fileQuery } from "./file";

const Pdf = lazy(() => import("./Pdf"));

/** An address of a blob for as long as it is shown. */
function useBlobAddress(blob: Blob): string | undefined {
  const [address, setAddress] = useState<string>();
  useEffect(() => {
    const made = URL.createObjectURL(blob);
    setAddress(made);
    return () => URL.revokeObjectURL(made);
  }, [blob]);
  return address;
}

function Picture({ file, name }: { file: Blob; name: string }) {
  const address = useBlobAddress(file);
  return <img src={address} alt={name} className="max-h-[32rem] w-full rounded-control object-contain" />;
}

function Sound({ file }: { file: Blob }) {
  const address = useBlobAddress(file);
  // biome-ignore lint/a11y/useMediaCaption: a contributor's recording comes without captions
  return <audio src={address} controls className="w-full" />;
}

function Text({ file, sha256, label }: { file: Blob; sha256: string; label: string }) {
  const text = useQuery({ queryKey: ["review", "text", sha256], queryFn: () => file.text() });
  return (
    <Loaded query={text}>
      {(data) => (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by the keyboard
        <section aria-label={label} tabIndex={0} className="max-h-[32rem] overflow-auto">
          <pre className="rounded-control bg-sunken p-3 text-xs whitespace-pre-wrap">{data}</pre>
        </section>
      )}
    </Loaded>
  );
}

/** A file as people see it, from bytes that this browser has hashed. */
export function FileView({
  submission,
  label = "The file",
}: {
  submission: Pick<Submission, "id" | "sha256" | "size" | "media">;
  /** What a screen reader calls it. */
  label?: string;
}) {
  const file = useQuery(fileQuery(submission));
  const name = `Submission ${submission.id}`;
  return (
    <Loaded query={file} skeleton={<Skeleton lines={8} />}>
      {(blob) => {
        switch (submission.media) {
          case "pdf":
            return (
              <Suspense fallback={<Skeleton lines={8} />}>
                <Pdf file={blob} />
              </Suspense>
            );
          case "docx":
            return (
              <p className="text-sm text-soft">Word files are judged by the text that counts, beside this.</p>
            );
          case "md":
          case "txt":
            return <Text file={blob} sha256={submission.sha256} label={label} />;
          case "tiff":
          case "bmp":
            // Browsers do not draw these: the gateway's confined decoder makes a PNG of them.
            return (
              <img
                src={`/v1/files/${submission.sha256}/picture`}
                alt={name}
                className="max-h-[32rem] w-full rounded-control object-contain"
              />
            );
          case "wav":
          case "mp3":
          case "flac":
            return <Sound file={blob} />;
          default:
            return <Picture file={blob} name={name} />;
        }
      }}
    </Loaded>
  );
}
