import { describe, expect, it } from "vitest";
import { kindTitle, percent, plural, possibleSegments } from "../src/format";

describe("possibleSegments", () => {
  it.each([
    [1000, 0.05, 0.1, [10, 20]],
    // 101 is the most that 10 % of 1,013 allows, and 10 times 101 is 1,010.
    [1013, 0.05, 0.1, [11, 19]],
    [300, 0.07, 0.1, [10, 14]],
    [7043, 0.05, 0.1, [11, 19]],
    [100, 0, 1, [1, 100]],
    [9, 0.05, 0.1, null],
    [21, 0.05, 0.1, null],
    [1000, 0.4, 0.45, null],
  ] as const)("of %i records between %f and %f", (records, least, most, expected) => {
    expect(possibleSegments(records, least, most)).toEqual(expected);
  });
});

describe("words", () => {
  it("says figures as people do", () => {
    expect(percent(0.0833)).toBe("8.3%");
    expect(percent(0.1)).toBe("10%");
    expect(plural(1, "record")).toBe("1 record");
    expect(plural(48_333, "variable")).toBe("48,333 variables");
    expect(kindTitle("behavioral")).toBe("Behavioural");
    expect(kindTitle("other")).toBe("Other");
  });
});
