// Search over assets and columns: a combobox with a list of results.

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { columnKey, type Graph } from "./graph";
import type { Selection } from "./view";

interface Entry {
  selection: Selection;
  name: string;
  of: string;
  kind: string;
  text: string;
}

const MOST = 40;

function entries(graph: Graph): Entry[] {
  const node = (id: string, kind: string, name: string, of: string): Entry => ({
    selection: { kind: "node", id }, name, of, kind, text: `${name} ${of}`.toLowerCase(),
  });
  return [
    ...graph.document.datasets.map((each) => node(each.id, "Dataset", graph.name(each.id), each.qualifiedName)),
    ...graph.document.processes.map((each) => node(each.id, "Process", each.name, each.qualifiedName)),
    ...graph.document.datasets.flatMap((each) =>
      graph.columnsOf(each.id).map(({ name }): Entry => ({
        selection: { kind: "column", key: columnKey({ dataset: each.id, column: name }) },
        name, of: graph.name(each.id), kind: "Column", text: `${graph.name(each.id)}.${name} ${each.qualifiedName}`.toLowerCase(),
      })),
    ),
  ];
}

/** What begins with the words comes first. */
function found(all: Entry[], query: string): Entry[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  if (!words.length) return [];
  const rank = (entry: Entry) => {
    const name = entry.name.toLowerCase();
    const whole = `${entry.of.toLowerCase()}.${name}`;
    if (name === words[0] || whole === words[0] || whole.endsWith(`.${words[0]}`)) return 0;
    return name.startsWith(words[0]!) ? 1 : name.includes(words[0]!) ? 2 : 3;
  };
  return all.filter((entry) => words.every((word) => entry.text.includes(word))).sort((one, other) => rank(one) - rank(other)).slice(0, MOST);
}

export function Search({ graph, select }: { graph: Graph; select(selection: Selection): void }) {
  const all = useMemo(() => entries(graph), [graph]);
  const [query, setQuery] = useState("");
  const [open, setOpen] = useState(false);
  const [active, setActive] = useState(0);
  const field = useRef<HTMLInputElement>(null);
  const results = useMemo(() => found(all, query), [all, query]);

  useEffect(() => {
    const focus = (event: KeyboardEvent) => {
      const typing = (event.target as Element).matches?.("input, textarea, select");
      if (event.key === "/" && !typing) {
        event.preventDefault();
        field.current?.focus();
      }
    };
    document.addEventListener("keydown", focus);
    return () => document.removeEventListener("keydown", focus);
  }, []);
  useEffect(() => {
    document.getElementById(`result-${active}`)?.scrollIntoView({ block: "nearest" });
  }, [active]);

  const choose = (entry: Entry | undefined) => {
    if (!entry) return;
    select(entry.selection);
    setOpen(false);
    setQuery("");
  };
  const keys = (event: KeyboardEvent) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      const step = event.key === "ArrowDown" ? 1 : -1;
      setActive((active + step + results.length) % Math.max(results.length, 1));
    } else if (event.key === "Enter") choose(results[active]);
    else if (event.key === "Escape") {
      event.stopPropagation();
      if (query) setQuery("");
      else field.current?.blur();
    }
  };
  const isOpen = open && query.trim() !== "";
  return (
    <div class="search">
      <input
        ref={field}
        type="search"
        list={undefined}
        role="combobox"
        aria-label="Search assets and columns"
        placeholder="Search assets and columns"
        aria-expanded={isOpen}
        aria-controls="results"
        aria-autocomplete="list"
        aria-activedescendant={isOpen && results.length ? `result-${active}` : undefined}
        autocomplete="off"
        value={query}
        onInput={(event) => { setQuery(event.currentTarget.value); setActive(0); setOpen(true); }}
        onFocus={() => setOpen(true)}
        onBlur={() => setOpen(false)}
        onKeyDown={keys}
      />
      <kbd aria-hidden="true">/</kbd>
      <ul id="results" role="listbox" aria-label="Results" hidden={!isOpen}>
        {isOpen && results.map((entry, at) => (
          <li
            key={at}
            id={`result-${at}`}
            role="option"
            aria-selected={at === active}
            // Before the field loses the focus, which closes the list.
            onMouseDown={(event) => { event.preventDefault(); choose(entry); }}
            onMouseEnter={() => setActive(at)}
          >
            <span class={`kind ${entry.kind.toLowerCase()}`}>{entry.kind}</span>
            <span class="text"><b>{entry.name}</b><small>{entry.of}</small></span>
          </li>
        ))}
        {isOpen && !results.length && <li role="option" aria-selected="false" aria-disabled="true" class="none">Nothing fits “{query}”</li>}
      </ul>
    </div>
  );
}
