// The lineage as docs/contracts/lineage.schema.json describes it, and the questions that the viewer asks of it.

export interface Reference {
  dataset: string;
  column: string;
}

export interface Use extends Reference {
  kind: string;
}

export interface Column {
  name: string;
  type?: string;
}

export interface Dataset {
  id: string;
  type: string;
  qualifiedName: string;
  name: string;
  /** Absent if the name tells it apart. */
  label?: string;
  guid?: string;
  columns: Column[];
  moreUpstream?: number;
  moreDownstream?: number;
}

export interface Derivation extends Reference {
  sources: Reference[];
  influences: Use[];
  expression?: string;
  constant?: true;
}

export interface Run {
  run: string;
  state?: string;
  started?: string;
  ended?: string;
  rowsWritten?: number;
  bytesWritten?: number;
  filesWritten?: number;
}

export interface Process {
  id: string;
  qualifiedName: string;
  name: string;
  guid?: string;
  application?: string;
  operation?: string;
  link?: string;
  inputs: string[];
  outputs: string[];
  columns: Derivation[];
  rows: Use[];
  conditions: string[];
  runs: Run[];
}

export interface Note {
  code: string;
  text: string;
  process?: string;
}

export type Direction = "up" | "down" | "both";

export interface Document {
  source: "catalog" | "details" | "events";
  focus?: { dataset: string; column?: string; direction: Direction; depth?: number };
  datasets: Dataset[];
  processes: Process[];
  notes: Note[];
}

/** How one process computes one column. */
export interface Step {
  key: string;
  process: Process;
  derivation: Derivation;
  copy: boolean;
}

/** Opaque ids and column names may contain anything, so the parts of a key are joined by what neither contains. */
const SEPARATOR = "\u0000";

export const columnKey = ({ dataset, column }: Reference): string => dataset + SEPARATOR + column;

export const stepKey = (process: string, { dataset, column }: Reference): string =>
  [process, dataset, column].join(SEPARATOR);

export function reference(key: string): Reference {
  const at = key.indexOf(SEPARATOR);
  return { dataset: key.slice(0, at), column: key.slice(at + 1) };
}

/** True if the column only takes over the value of another one. */
function isCopy(derivation: Derivation): boolean {
  const [source, ...others] = derivation.sources;
  if (!source || others.length) return false;
  const expression = derivation.expression?.replaceAll("`", "").trim();
  return !expression || expression === source.column || expression.endsWith(`.${source.column}`) && /^[\w.]+$/.test(expression);
}

const push = <K, V>(map: Map<K, V[]>, key: K, value: V): void => {
  const found = map.get(key);
  if (found) found.push(value);
  else map.set(key, [value]);
};

/** A document with its indexes; never changes. */
export class Graph {
  readonly datasets = new Map<string, Dataset>();
  readonly processes = new Map<string, Process>();
  /** Steps by their key. */
  readonly steps = new Map<string, Step>();
  /** Steps by the column that they compute, and by each column whose value they use. */
  readonly computing = new Map<string, Step[]>();
  readonly using = new Map<string, Step[]>();
  /** Steps by a column that only influences them. */
  readonly influenced = new Map<string, Step[]>();
  /** Processes by a column that decides which rows they write. */
  readonly selecting = new Map<string, Process[]>();
  readonly writers = new Map<string, Process[]>();
  readonly readers = new Map<string, Process[]>();
  readonly stepsOf = new Map<string, Step[]>();
  private readonly columns = new Map<string, Column[]>();

  constructor(readonly document: Document) {
    for (const dataset of document.datasets) this.datasets.set(dataset.id, dataset);
    for (const process of document.processes) this.add(process);
    this.nameColumns();
    this.orderSteps();
  }

  private add(process: Process): void {
    this.processes.set(process.id, process);
    for (const id of new Set(process.inputs)) push(this.readers, id, process);
    for (const id of new Set(process.outputs)) push(this.writers, id, process);
    for (const use of process.rows) push(this.selecting, columnKey(use), process);
    for (const derivation of process.columns) {
      const step = { key: stepKey(process.id, derivation), process, derivation, copy: isCopy(derivation) };
      this.steps.set(step.key, step);
      push(this.stepsOf, process.id, step);
      push(this.computing, columnKey(derivation), step);
      for (const key of new Set(derivation.sources.map(columnKey))) push(this.using, key, step);
      for (const key of new Set(derivation.influences.map(columnKey))) push(this.influenced, key, step);
    }
  }

  /** The columns of each dataset's schema, then those that only the lineage names. */
  private nameColumns(): void {
    for (const dataset of this.document.datasets) this.columns.set(dataset.id, [...dataset.columns]);
    const known = new Set(this.document.datasets.flatMap(({ id, columns }) => columns.map(({ name }) => columnKey({ dataset: id, column: name }))));
    for (const index of [this.computing, this.using, this.influenced, this.selecting]) {
      for (const key of index.keys()) {
        const { dataset, column } = reference(key);
        if (!known.has(key)) this.columns.get(dataset)?.push({ name: column });
        known.add(key);
      }
    }
  }

  /** Steps in the order of the columns that they compute, so that lines between the two do not cross. */
  private orderSteps(): void {
    const places = new Map<string, number>();
    for (const [dataset, columns] of this.columns) columns.forEach(({ name }, at) => places.set(columnKey({ dataset, column: name }), at));
    const place = (step: Step) => places.get(columnKey(step.derivation)) ?? 0;
    for (const steps of this.stepsOf.values()) steps.sort((one, other) => place(one) - place(other));
  }

  columnsOf(dataset: string): Column[] {
    return this.columns.get(dataset) ?? [];
  }

  /** True if a value flows into the column or out of it. */
  carries(key: string): boolean {
    return this.computing.has(key) || this.using.has(key);
  }

  name(id: string): string {
    const dataset = this.datasets.get(id);
    return dataset?.label ?? dataset?.name ?? this.processes.get(id)?.name ?? id;
  }

  label(part: Reference): string {
    return `${this.name(part.dataset)}.${part.column}`;
  }

  /** What lies next to a dataset or process against the flow of data, and with it. */
  before(id: string): string[] {
    return this.processes.get(id)?.inputs ?? (this.writers.get(id) ?? []).map((process) => process.id);
  }

  after(id: string): string[] {
    return this.processes.get(id)?.outputs ?? (this.readers.get(id) ?? []).map((process) => process.id);
  }
}
