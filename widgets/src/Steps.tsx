import type { Step, StepState } from "./snapshot";

const WORDS: Record<StepState, string> = { done: "Done", current: "Now", waiting: "Later" };

/** Where one stands on the road from a sentence to a file. */
export function Steps({ steps }: { steps: Step[] }) {
  return (
    <ol class="anb-steps" aria-label="Steps">
      {steps.map((step) => (
        <li
          key={step.name}
          class="anb-step"
          data-state={step.state}
          aria-current={step.state === "current" ? "step" : undefined}
        >
          <span class="anb-step-title">{step.title}</span>
          <span class="anb-step-state">{WORDS[step.state]}</span>
        </li>
      ))}
    </ol>
  );
}
