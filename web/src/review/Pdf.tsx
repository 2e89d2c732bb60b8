import * as pdf from "pdfjs-dist";
import worker from "pdfjs-dist/build/pdf.worker.min.mjs?url";
import { useEffect, useRef, useState } from "react";
import { Button } from "@/components/ui/Button";
import { ErrorState } from "@/components/ui/States";

pdf.GlobalWorkerOptions.workerSrc = worker;

/** Pages at full width are drawn this wide. */
const WIDTH = 900;

/** The pages of a PDF as pictures: it is never run as a document, so no script, form or link of it works. */
export default function Pdf({ file }: { file: Blob }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [document, setDocument] = useState<pdf.PDFDocumentProxy>();
  const [number, setNumber] = useState(1);
  const [error, setError] = useState<unknown>();

  useEffect(() => {
    let gone = false;
    let loading: pdf.PDFDocumentLoadingTask | undefined;
    void file.arrayBuffer().then((bytes) => {
      if (gone) return;
      // Glyphs as outlines: fonts of strangers do not reach the browser's own reader of fonts.
      loading = pdf.getDocument({
        data: bytes,
        disableFontFace: true,
        enableXfa: false,
        stopAtErrors: false,
      });
      loading.promise.then(
        (opened) => !gone && setDocument(opened),
        (cause) => !gone && setError(cause),
      );
    });
    return () => {
      gone = true;
      void loading?.destroy();
    };
  }, [file]);

  useEffect(() => {
    const target = canvas.current;
    if (!document || !target) return;
    let gone = false;
    void (async () => {
      try {
        const page = await document.getPage(number);
        const natural = page.getViewport({ scale: 1 });
        const viewport = page.getViewport({ scale: WIDTH / Math.max(1, natural.width) });
        if (gone) return;
        target.width = viewport.width;
        target.height = Math.min(viewport.height, 4 * WIDTH);
        await page.render({ canvas: target, viewport }).promise;
      } catch (cause) {
        if (!gone) setError(cause);
      }
    })();
    return () => {
      gone = true;
    };
  }, [document, number]);

  if (error !== undefined) return <ErrorState error={error} />;
  return (
    <div className="grid gap-3">
      <canvas
        ref={canvas}
        role="img"
        aria-label={`Page ${number} as a picture; its text stands beside it`}
        className="w-full rounded-control border border-line bg-white"
      />
      {document && document.numPages > 1 && (
        <div className="flex items-center justify-center gap-3 text-sm">
          <Button size="small" disabled={number <= 1} onClick={() => setNumber(number - 1)}>
            Previous page
          </Button>
          <span className="tabular">
            {number} of {document.numPages}
          </span>
          <Button size="small" disabled={number >= document.numPages} onClick={() => setNumber(number + 1)}>
            Next page
          </Button>
        </div>
      )}
    </div>
  );
}
