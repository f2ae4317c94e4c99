import { capital, score as written } from "./format";

/** Part-scores in the order in which they are stacked; others follow. */
const ORDER = ["meaning", "words", "concepts", "spelling"];

export function orderedParts(parts: Record<string, number>): [string, number][] {
  const place = (name: string) => (ORDER.includes(name) ? ORDER.indexOf(name) : ORDER.length);
  return Object.entries(parts).sort(([a], [b]) => place(a) - place(b) || a.localeCompare(b));
}

/** A score in [0, 1] as a bar stacked from its parts. */
export function ScoreBar({ score, parts }: { score: number; parts: Record<string, number> }) {
  return (
    <span class="anb-score">
      <span class="anb-score-track" aria-hidden="true">
        {orderedParts(parts).map(([name, part]) => (
          <span
            key={name}
            class="anb-score-part"
            data-part={name}
            style={{ width: `${Math.max(0, Math.min(1, part)) * 100}%` }}
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
          {capital(name)}
        </li>
      ))}
    </ul>
  );
}
