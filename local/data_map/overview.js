// Shows the overview anew every few seconds, while somebody looks at it and has not stopped it.
const SECONDS = 3;
const pause = document.getElementById("pause");
let isPaused = false;

pause.addEventListener("click", () => {
  isPaused = !isPaused;
  pause.setAttribute("aria-pressed", String(isPaused));
  if (!isPaused) void refresh();
});

async function refresh() {
  const asOf = document.getElementById("as-of");
  try {
    const answer = await fetch(location.href, { cache: "no-store" });
    const made = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (isPaused) return;
    asOf.textContent = made.getElementById("as-of").textContent;
    replace(document.getElementById("overview"), made.getElementById("overview"));
  } catch {
    asOf.textContent = "the local Data Map does not answer";
  }
}

/** What has not changed stays, and with it the focus and what is selected; a link that is made anew keeps the focus. */
function replace(shown, made) {
  if (shown.innerHTML === made.innerHTML) return;
  const focused = shown.contains(document.activeElement) ? document.activeElement : null;
  const [address, label] = [focused?.getAttribute("href"), focused?.getAttribute("aria-label")];
  const places = [...shown.querySelectorAll(".scroll")].map((each) => [each.getAttribute("aria-label"), each.scrollLeft, each.scrollTop]);
  shown.replaceChildren(...made.childNodes);
  const by = (name, value) => [...shown.querySelectorAll(`[${name}]`)].find((each) => each.getAttribute(name) === value);
  for (const [name, left, top] of places) by("aria-label", name)?.scrollTo(left, top);
  if (focused) (address ? by("href", address) : by("aria-label", label))?.focus({ preventScroll: true });
}

setInterval(() => {
  if (!isPaused && !document.hidden) void refresh();
}, SECONDS * 1000);
