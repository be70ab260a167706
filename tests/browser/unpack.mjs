// Unpacks the browser, its libraries and its fonts into the folder for temporary files.
import { fileURLToPath } from "node:url";
import { inflate } from "@sparticuz/chromium";

const archives = new URL("node_modules/@sparticuz/chromium/bin/", import.meta.url);
await Promise.all(
  ["chromium.br", "fonts.tar.br", "al2023.tar.br"].map((name) => inflate(fileURLToPath(new URL(name, archives)))),
);
