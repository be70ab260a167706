// Lights up the lines of a column, and of the columns behind them, while it is pointed at or has the focus.
// A click keeps them lit until the next one, or Escape.
(() => {
  const picture = document.getElementById("lineage");
  if (!picture) return;
  // The asset itself in the middle, if the picture is wider than the window.
  const base = picture.querySelector(".base");
  picture.scrollLeft = base.offsetLeft + base.offsetWidth / 2 - picture.clientWidth / 2;

  const links = [...picture.querySelectorAll(".link")];
  const buttons = new Map([...picture.querySelectorAll("button")].map((each) => [each.dataset.key, each]));
  const grouped = (end) => links.reduce((map, link) => {
    const key = link.dataset[end];
    return map.set(key, [...(map.get(key) || []), link]);
  }, new Map());
  const leaving = grouped("from"), arriving = grouped("to");
  let kept = null;

  const follow = (start, links, end, lit) => {
    const front = [start], seen = new Set(front);
    while (front.length) {
      for (const link of links.get(front.pop()) || []) {
        lit.add(link);
        const key = link.dataset[end];
        if (!seen.has(key)) { seen.add(key); front.push(key); }
      }
    }
    return seen;
  };
  const light = (key) => {
    const lit = new Set();
    const columns = key === null ? new Set()
      : new Set([...follow(key, leaving, "to", lit), ...follow(key, arriving, "from", lit)]);
    picture.classList.toggle("focused", key !== null);
    for (const link of links) link.classList.toggle("lit", lit.has(link));
    for (const [name, button] of buttons) {
      button.classList.toggle("lit", columns.has(name));
      button.setAttribute("aria-pressed", String(name === kept));
    }
  };
  for (const [key, button] of buttons) {
    button.addEventListener("mouseenter", () => light(key));
    button.addEventListener("mouseleave", () => light(kept));
    button.addEventListener("focus", () => light(key));
    button.addEventListener("blur", () => light(kept));
    button.addEventListener("click", () => { kept = kept === key ? null : key; light(kept); });
  }
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") { kept = null; light(null); }
  });
})();
