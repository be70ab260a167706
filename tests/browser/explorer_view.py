"""What a person sees and does in the explorer, for tests."""

from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Locator, Page, expect

# Of each node in the picture: its name, and the rectangle that it takes on the screen.
_NODES = """() => [...document.querySelectorAll('.picture [data-node]')].map((each) => {
  const {x, y, width, height} = each.querySelector('.card').getBoundingClientRect();
  return {name: each.dataset.node, x, y, width, height};
})"""
# Texts that stick out of their node, or reach into another text of the same node.
_SPILLED = """() => [...document.querySelectorAll('.picture [data-node]')].flatMap((node) => {
  const card = node.querySelector('.card').getBoundingClientRect();
  const all = [...node.querySelectorAll('.head text, .row text')];
  const texts = all.filter((each) => each.textContent && each.checkVisibility());
  const boxes = texts.map((each) => [each.textContent, each.getBoundingClientRect()]);
  const out = boxes.filter(([, box]) => box.left < card.left || box.right > card.right || box.bottom > card.bottom + 1);
  const over = boxes.filter(([, one], at) => boxes.slice(at + 1).some(([, other]) => one.left < other.right - 1 &&
    other.left < one.right - 1 && one.top < other.bottom - 3 && other.top < one.bottom - 3));
  return [...out, ...over].map(([text]) => text);
})"""
_ROWS = """(selector) => [...document.querySelectorAll(`.picture ${selector}`)].map((each) =>
  each.closest('[data-node]').dataset.node + '.' + each.querySelector('.name').textContent)"""


@dataclass(frozen=True, slots=True)
class Box:
    """A node on the screen."""

    name: str
    x: float
    y: float
    width: float
    height: float

    def overlaps(self, other: "Box") -> bool:
        """True if the two share a pixel."""
        apart_x = self.x + self.width <= other.x or other.x + other.width <= self.x
        return not (apart_x or self.y + self.height <= other.y or other.y + other.height <= self.y)


class ExplorerView:
    """An open explorer."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def ready(self) -> None:
        """Waits until the picture or the table shows what was asked for last."""
        expect(self.page.locator(".main[aria-busy=false]")).to_be_visible()

    # What it shows.

    def nodes(self) -> list[str]:
        """The names of the nodes in the picture."""
        return sorted(box.name for box in self.boxes())

    def boxes(self) -> list[Box]:
        """The nodes on the screen."""
        return [Box(**each) for each in self.page.evaluate(_NODES)]

    def box(self, name: str) -> Box:
        """One of them."""
        return next(each for each in self.boxes() if each.name == name)

    def is_in_view(self, name: str) -> bool:
        """True if the whole node is within the picture's part of the window."""
        stage = self.page.locator(".stage").bounding_box()
        assert stage
        box = self.box(name)
        right, bottom = stage["x"] + stage["width"], stage["y"] + stage["height"]
        is_beside = box.x >= stage["x"] - 1 and box.x + box.width <= right + 1
        return is_beside and box.y >= stage["y"] - 1 and box.y + box.height <= bottom + 1

    def signs(self) -> list[tuple[str, float]]:
        """The labels that represent nodes in an overview, with the height of their letters on the screen."""
        shown = """(all) => all.filter((each) => each.checkVisibility()).map((each) =>
          [[...each.children].map((line) => line.textContent).join(' '),
           parseFloat(each.style.fontSize) * each.getScreenCTM().a])"""
        return [tuple(each) for each in self.page.locator(".picture .sign").evaluate_all(shown)]

    def overlaps(self) -> list[tuple[str, str]]:
        """Pairs of nodes that cover each other."""
        boxes = self.boxes()
        return [(one.name, other.name) for at, one in enumerate(boxes) for other in boxes[:at] if one.overlaps(other)]

    def spilled(self) -> list[str]:
        """Texts that do not fit into their place."""
        return list(self.page.evaluate(_SPILLED))

    def rows(self, selector: str = ".row.column") -> list[str]:
        """Columns in the picture as ``dataset.column``."""
        return sorted(self.page.evaluate(_ROWS, selector))

    def traced(self) -> list[str]:
        """The columns that are lit up."""
        return self.rows(".row.column.traced")

    def faded(self) -> list[str]:
        """The nodes that are faded out."""
        names = "(all) => all.map((each) => each.closest('[data-node]').dataset.node)"
        return sorted(self.page.locator(".picture .node.off").evaluate_all(names))

    def scale(self) -> float:
        """The zoom of the picture: 1 is its natural size."""
        made = self.page.evaluate("() => document.querySelector('.picture > g').transform.baseVal[1].matrix.a")
        return float(made)

    def panel(self) -> str:
        """The text of the panel, with single blanks."""
        return " ".join(self.page.locator(".panel").inner_text().split())

    def table(self) -> list[list[str]]:
        """The cells of the table."""
        rows: list[list[str]] = self.page.locator("tbody tr").evaluate_all(
            "(rows) => rows.map((row) => [...row.cells].map((cell) => cell.innerText.trim().replace(/\\s+/g, ' ')))"
        )
        return rows

    def colours(self) -> int:
        """How many different colours a screenshot of the picture has."""
        shot = self.page.locator(".stage").screenshot()
        return self.count_colours(shot)

    def count_colours(self, png: bytes) -> int:
        """How many different colours an image has."""
        count = """async (base64) => {
          const bytes = Uint8Array.from(atob(base64), (each) => each.charCodeAt(0));
          const bitmap = await createImageBitmap(new Blob([bytes], {type: 'image/png'}), {resizeWidth: 1000});
          const canvas = new OffscreenCanvas(bitmap.width, bitmap.height).getContext('2d');
          canvas.drawImage(bitmap, 0, 0);
          return new Set(new Uint32Array(canvas.getImageData(0, 0, bitmap.width, bitmap.height).data.buffer)).size;
        }"""
        return int(self.page.evaluate(count, b64encode(png).decode()))

    # What a person does.

    def row(self, node: str, text: str) -> Locator:
        """The button of a row of a node: of a column, a computation or what is folded."""
        node_of = self.page.locator(f'[data-node="{node}"]')
        return node_of.locator(".row").filter(has=self.page.locator(f'.name:text-is("{text}")')).locator(".hit")

    def click(self, node: str, text: str) -> None:
        """Clicks a row, wherever in the picture it is."""
        self.row(node, text).focus()
        self.ready()
        self.row(node, text).click()
        self.ready()

    def point(self, node: str, text: str) -> None:
        """Points at a row, wherever in the picture it is."""
        self.row(node, text).focus()
        self.ready()
        self.row(node, text).hover()

    def search(self, text: str) -> None:
        """Searches, and selects the first result."""
        self.page.get_by_role("combobox").fill(text)
        self.keys("Enter")

    def open(self, node: str) -> None:
        """Clicks the head of a node."""
        head = self.page.locator(f'[data-node="{node}"] .head .hit')
        head.focus()
        head.click()
        self.ready()

    def hover_line(self, source: str, target: str) -> None:
        """Points at the middle of a lit line between two nodes."""
        middle = """([from, to]) => {
          const lit = [...document.querySelectorAll('.line.lit')];
          const line = lit.find((each) => each.dataset.from === from && each.dataset.to === to).querySelector('.reach');
          const point = line.getPointAtLength(line.getTotalLength() / 2).matrixTransform(line.getScreenCTM());
          return [point.x, point.y];
        }"""
        x, y = self.page.evaluate(middle, [source, target])
        self.page.mouse.move(x, y)

    def button(self, name: str) -> Locator:
        """A button of the toolbar or the panel."""
        return self.page.get_by_role("button", name=name, exact=True)

    def press(self, *names: str) -> None:
        """Presses buttons one after the other."""
        for name in names:
            self.button(name).click()
            self.ready()

    def keys(self, *names: str) -> None:
        """Presses keys one after the other."""
        for name in names:
            self.page.keyboard.press(name)
        self.ready()

    def saved(self, name: str) -> tuple[str, bytes]:
        """Presses a button that saves a file; returns its name and content."""
        with self.page.expect_download() as waiting:
            self.button(name).click()
        return waiting.value.suggested_filename, waiting.value.path().read_bytes()

    def settled(self, read: Callable[[], Any]) -> Any:
        """A value as soon as it stays the same from one frame to the next."""
        frame = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
        before = read()
        while True:
            self.page.evaluate(frame)
            if (now := read()) == before:
                return now
            before = now
