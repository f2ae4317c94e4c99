import type { RenderProps } from "@anywidget/types";
import { render } from "preact";
import { App } from "./App";
import type { Traits } from "./snapshot";
import "./widget.css";

export default {
  render({ model, el, host }: RenderProps<Traits>) {
    render(<App model={model} host={host} />, el);
    return () => render(null, el);
  },
};
