// The one script of the explorer. Where there is no document, it is the Web Worker that lays out the picture.

import { run } from "./app";
import { startTheme } from "./theme";

declare const require: (name: string) => unknown;

if (typeof document === "undefined") {
  require("elkjs/lib/elk-worker.min.js");
} else {
  startTheme();
  run();
}
