// Short names of datasets that distinguish those of one graph, by the same rule as explorer/labels.py.

import type { Dataset } from "./graph";

const PLACEHOLDER = "{SparkPartitions}";

/** A label for each id: the short name, with as many of the folders before it as no other dataset of it has. */
export function labels(datasets: Dataset[]): Map<string, string> {
  const found = new Map<string, string>();
  for (const same of Map.groupBy(datasets, (dataset) => dataset.name).values()) {
    const [only, ...others] = same;
    if (!others.length) found.set(only!.id, only!.name);
    else for (const [id, label] of apart(same)) found.set(id, label);
  }
  return found;
}

function apart(same: Dataset[]): [string, string][] {
  const ends = same.map((dataset): [Dataset, string[]] => {
    const path = folders(dataset);
    return [dataset, path.map((_, at) => path.slice(-2 - at).join("/")).slice(0, Math.max(path.length - 1, 0))];
  });
  const counts = new Map<string, number>();
  for (const [, found] of ends) for (const end of found) counts.set(end, (counts.get(end) ?? 0) + 1);
  return ends.map(([dataset, found]) => [dataset.id, found.find((end) => counts.get(end) === 1) ?? dataset.qualifiedName]);
}

function folders(dataset: Dataset): string[] {
  const parts = readable(dataset.qualifiedName).replaceAll("#", "/").split("/");
  return parts.filter((part) => part && part !== PLACEHOLDER);
}

/** Without percent-encoding, which Fabric's names have twice. */
function readable(name: string): string {
  try {
    return decodeURIComponent(decodeURIComponent(name));
  } catch {
    return name;
  }
}
