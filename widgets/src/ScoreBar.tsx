import { capital, score as written } from "./format";

/** Part-scores in the order in which they are stacked; others follow. */
const ORDER = ["meaning", "words", "concepts", "spelling", "use"];
const TITLES: Record<string, string> = { use: "Earlier picks" };

export const partTitle = (name: string): string => TITLES[name] ?? capital(name);

export function orderedParts(parts: Record<string, number>): [string, number][] {
  const place = (name: string) => (ORDER.includes(name) ? ORDER.indexOf(name) : ORDER.length);
  return Object.entries(parts).sort(([a], [b]) => place(a) - place(b) || a.localeCompare(b));
}

/** Parts in words, as a sum that can be checked: those that gave nothing are left out. */
export function sumOf(score: number, parts: Record<string, number>): string {
  const given = orderedParts(parts).filter(([, part]) => written(Math.abs(part)) !== written(0));
  const terms = given.map(([name, part], place) => {
    const sign = part < 0 ? "− " : place ? "+ " : "";
    return `${sign}${partTitle(name).toLowerCase()} ${written(Math.abs(part))}`;
  });
  return `${terms.join(" ")} = ${written(score)}`.trim();
}

/** How wide each part is drawn, in percent of the track. Together they are as long as the score,
 * also where one part takes something away again. */
export function widths(score: number, parts: Record<string, number>): [string, number][] {
  const positive = orderedParts(parts).filter(([, part]) => part > 0);
  const sum = positive.reduce((all, [, part]) => all + part, 0);
  const whole = Math.max(0, Math.min(1, score));
  return positive.map(([name, part]) => [name, (part / sum) * whole * 100]);
}

/** A score in [0, 1] as a bar stacked from its parts; the whole track is 1. */
export function ScoreBar({ score, parts }: { score: number; parts: Record<string, number> }) {
  return (
    <span class="anb-score" title={sumOf(score, parts)}>
      <span class="anb-score-track" aria-hidden="true">
        {widths(score, parts).map(([name, width]) => (
          <span
            key={name}
            class="anb-score-part"
            data-part={name}
            style={{ width: `${Number(width.toFixed(2))}%` }}
          />
        ))}
      </span>
      <span class="anb-figure">
        <span class="anb-hidden">Score </span>
        {written(score)}
      </span>
    </span>
  );
}

export function PartsLegend({ names }: { names: string[] }) {
  return (
    <ul class="anb-legend" aria-label="Parts of a score">
      {names.map((name) => (
        <li key={name}>
          <span class="anb-swatch" data-part={name} aria-hidden="true" />
          {partTitle(name)}
        </li>
      ))}
    </ul>
  );
}
