import { useEffect, useState } from "react";
import { type Figures, type History, type Report, remembered, type Sample, sample } from "../call/statistics";
import { locale, type MessageKey, t } from "../i18n";
import type { Meeting } from "../meeting/meeting";

const INTERVAL = 1_000;
const KEPT = 120;

/** How the call is doing, stream by stream. */
export function Statistics({ meeting }: { meeting: Meeting }) {
  const history = useHistory(meeting);
  const streams = [...history.values()];
  if (streams.length === 0) {
    return <p className="soft statistics-none">{t("statistics.none")}</p>;
  }
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: there is nothing else in it to scroll from with the keyboard
    <section className="statistics" data-testid="statistics" tabIndex={0} aria-label={t("statistics.title")}>
      {(["in", "out"] as const).map((direction) => (
        <section key={direction} aria-label={t(`statistics.${direction}`)}>
          <h3>{t(`statistics.${direction}`)}</h3>
          {streams
            .filter((values) => values[0]?.direction === direction)
            .map((values) => (
              <Stream key={values[0]?.id} values={values} />
            ))}
        </section>
      ))}
    </section>
  );
}

function useHistory(meeting: Meeting): History {
  const [history, setHistory] = useState<History>(new Map());
  useEffect(() => {
    let last: Sample | undefined;
    let current = true;
    const take = async () => {
      const found = await meeting.statistics();
      if (!current) return;
      if (!found) {
        last = undefined;
        return;
      }
      const first = last === undefined;
      last = sample(found.report as unknown as Report, found.slides, last);
      const { figures } = last;
      // The first sample has nothing to be compared with.
      if (!first) setHistory((before) => remembered(before, figures, KEPT));
    };
    const run = () => void take().catch((error: unknown) => console.info("no statistics", error));
    run();
    const timer = setInterval(run, INTERVAL);
    return () => {
      current = false;
      clearInterval(timer);
    };
  }, [meeting]);
  return history;
}

interface Measure {
  key: MessageKey;
  unit: string;
  digits: number;
  /** Top of the plot at least. */
  top: number;
  of(figures: Figures): number | undefined;
}

const MEASURES: readonly Measure[] = [
  { key: "statistics.bitrate", unit: "kbit/s", digits: 0, top: 100, of: (f) => f.bitrate },
  { key: "statistics.loss", unit: "%", digits: 1, top: 5, of: (f) => f.loss },
  { key: "statistics.jitter", unit: "ms", digits: 0, top: 40, of: (f) => f.jitter },
  { key: "statistics.rtt", unit: "ms", digits: 0, top: 100, of: (f) => f.rtt },
];

function Stream({ values }: { values: readonly Figures[] }) {
  const now = values.at(-1);
  if (!now) return null;
  const shape = now.resolution && `${now.resolution} · ${Math.round(now.rate ?? 0)} fps`;
  return (
    <article className="stream" data-testid={`stream-${now.id.replace(":", "-")}`}>
      <h4>
        {t(`statistics.${now.medium}`)}{" "}
        <span className="soft">{[now.codec, shape].filter(Boolean).join(" · ")}</span>
      </h4>
      <dl>
        {MEASURES.map((measure) => (
          <Row key={measure.key} measure={measure} values={values} />
        ))}
      </dl>
    </article>
  );
}

function Row({ measure, values }: { measure: Measure; values: readonly Figures[] }) {
  const numbers = values.map((one) => measure.of(one));
  const now = numbers.at(-1);
  if (now === undefined) return null;
  const format = new Intl.NumberFormat(locale(), { maximumFractionDigits: measure.digits });
  const value = `${format.format(now)} ${measure.unit}`;
  const what = t(measure.key);
  return (
    <div>
      <dt>{what}</dt>
      <dd>
        <span>{value}</span>
        <Plot numbers={numbers} top={measure.top} label={t("statistics.plot", { what, value })} />
      </dd>
    </div>
  );
}

const [WIDTH, HEIGHT] = [120, 26];

function Plot(props: { numbers: readonly (number | undefined)[]; top: number; label: string }) {
  const { numbers, top, label } = props;
  const most = Math.max(top, ...numbers.map((one) => one ?? 0));
  const points = numbers.map((one, index) => {
    const x = WIDTH - (numbers.length - 1 - index);
    const y = HEIGHT - 1 - ((one ?? 0) / most) * (HEIGHT - 3);
    return `${x.toFixed(1)},${y.toFixed(1)}`;
  });
  return (
    <svg className="plot" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={label}>
      <polyline points={points.join(" ")} />
    </svg>
  );
}
