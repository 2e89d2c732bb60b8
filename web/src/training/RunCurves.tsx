import { EmptyState } from "@/components/ui/States";
import { formatBytes } from "@/lib/format";
import { Curve, type Series } from "./Curve";
import type { Run } from "./metrics";

type Tone = Series["tone"];
type Read = (step: Run["steps"][number]) => number | null | undefined;

/** A run and what its lines are called. */
export interface Named {
  /** Before the name of a line where several runs are drawn. */
  name: string;
  run: Run | undefined;
}

/** A line of what was told of each step. */
export function line(name: string, run: Run | undefined, tone: Tone, read: Read): Series {
  const points = [];
  for (const step of run?.steps ?? []) {
    const value = read(step);
    if (typeof value === "number" && Number.isFinite(value)) points.push({ step: step.step, value });
  }
  return { name, tone, points };
}

/** A line of the held-out losses. */
export function heldOut(name: string, run: Run | undefined, tone: Tone): Series {
  const points = (run?.evaluations ?? []).map(({ step, loss }) => ({ step, value: loss }));
  return { name, tone, points, sparse: true };
}

function tone(n: number): Tone {
  return (n % 4) as Tone;
}

/** Loss, learning rate, gradient norm, speed and memory of one run, or of several over each other. */
export function RunCurves({ runs }: { runs: readonly Named[] }) {
  // One word instead of five empty frames, which fill a phone's screen three times.
  if (runs.every(({ run }) => !run?.steps.length && !run?.evaluations.length)) {
    return (
      <EmptyState icon="runs" title="Nothing was reported yet">
        Curves appear here while a worker trains.
      </EmptyState>
    );
  }
  const alone = runs.length === 1;
  const each = (what: string, read: Read) =>
    runs.map(({ name, run }, n) => line(alone ? what : name, run, tone(n), read));
  const evaluated = runs.map(({ name, run }, n) =>
    heldOut(alone ? "held out" : name, run, tone(alone ? 1 : n)),
  );
  const training = each("training", ({ loss }) => loss);
  return (
    <div className="grid grid-cols-[minmax(0,1fr)] gap-x-8 gap-y-7 lg:grid-cols-2">
      {alone ? (
        <div className="lg:col-span-2">
          <Curve title="Loss, nats a token" series={[...training, ...evaluated]} />
        </div>
      ) : (
        <>
          <Curve title="Training loss, nats a token" series={training} />
          <Curve title="Held-out loss, nats a token" series={evaluated} />
        </>
      )}
      <Curve title="Learning rate" series={each("rate", ({ learningRate }) => learningRate)} />
      <Curve title="Gradient norm" series={each("norm", ({ gradNorm }) => gradNorm)} />
      <Curve title="Tokens a second" series={each("tokens/s", ({ tokensPerSecond }) => tokensPerSecond)} />
      <Curve
        title="Memory of the worker"
        series={each("memory", ({ memory }) => memory)}
        format={formatBytes}
      />
    </div>
  );
}
