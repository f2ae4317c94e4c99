// Figures and words as people read them.

const whole = new Intl.NumberFormat("en");
const oneDecimal = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });

export const count = (n: number): string => whole.format(n);

/** A share in [0, 1] as a percentage with at most one decimal. */
export const percent = (share: number): string => `${oneDecimal.format(share * 100)}%`;

export const plural = (n: number, one: string, many = `${one}s`): string =>
  `${count(n)} ${n === 1 ? one : many}`;

/** A score in [0, 1] as it stands in a list. */
export const score = (value: number): string => value.toFixed(2);

export const capital = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1);

const KINDS: Record<string, string> = {
  demographic: "Demographic",
  behavioral: "Behavioural",
  psychographic: "Psychographic",
  lifestyle: "Lifestyle",
};

const DATA_TYPES: Record<string, string> = {
  first_party: "First party",
  third_party: "Third party",
  clean_room: "Clean room",
};

export const dataTypeTitle = (type: string): string => DATA_TYPES[type] ?? type;

export const kindTitle = (kind: string): string => KINDS[kind] ?? capital(kind);

/** Which numbers of segments the size limits allow, as Python's `feasible_n_clusters` counts. */
export function possibleSegments(
  records: number,
  minShare: number,
  maxShare: number,
): [number, number] | null {
  // Shares come from decimal text: rounding first keeps 0.07 * 300 from being 21.000000000000004.
  const exact = (share: number) => Math.round(share * records * 1e6) / 1e6;
  const smallest = Math.max(1, Math.ceil(exact(minShare)));
  const largest = Math.floor(exact(maxShare));
  if (largest < smallest) return null;
  const [fewest, most] = [Math.ceil(records / largest), Math.floor(records / smallest)];
  return fewest <= most ? [fewest, most] : null;
}
