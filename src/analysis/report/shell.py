"""IPython without a kernel: runs cells and hands over what they show, as outputs of a notebook."""

from __future__ import annotations

import base64
import io
import json
import sys
import warnings
from collections.abc import Callable
from typing import Any

from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.formatters import DisplayFormatter
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from analysis.report.html import OURS, Html
from analysis.report.html_tables import table_html

Reply = Callable[..., None]


def run_cells(cells: list[tuple[int, str, bool]], reply: Reply) -> None:
    """Run cells in a fresh shell, in order, up to the first that fails and may not."""
    outputs = Outputs()
    shell = NotebookShell.started(outputs)
    sys.stdout, sys.stderr = Stream("stdout", outputs), Stream("stderr", outputs)
    warnings.formatwarning = _short_warning
    for number, source, may_fail in cells:
        reply(starts=number)
        outputs.begin()
        shell.run_cell(source, store_history=True)
        reply(cell=number, count=shell.execution_count - 1, outputs=outputs.items)
        if not may_fail and any(item["output_type"] == "error" for item in outputs.items):
            return


def _short_warning(message: Any, category: type[Warning], *_place: Any) -> str:
    """Return a warning without the path of this machine."""
    return f"{category.__name__}: {message}\n"


class Outputs:
    """What one cell has shown so far, as outputs of the notebook format."""

    def __init__(self) -> None:
        self.items: list[dict[str, Any]] = []
        self.named: dict[str, dict[str, Any]] = {}  # displays that may be updated later
        self.clears_next = False

    def begin(self) -> None:
        """Start a cell."""
        self.items, self.clears_next = [], False

    def add(self, output_type: str, **content: Any) -> None:
        """Append an output."""
        if self.clears_next:
            self.begin()
        self.items.append({"output_type": output_type, **_as_json(content)})

    def stream(self, name: str, text: str) -> None:
        """Append printed text, to the output before it where that is of the same stream."""
        last = self.items[-1] if self.items and not self.clears_next else {}
        if last.get("name") == name:
            last["text"] += text
        else:
            self.add("stream", name=name, text=text)

    def display(self, data: dict, metadata: dict, name: str | None, *, is_update: bool) -> None:
        """Append a display, or change the one of this name."""
        if is_update and name in self.named:
            self.named[name].update(_as_json({"data": data, "metadata": metadata}))
            return
        self.add("display_data", data=data, metadata=metadata)
        if name is not None:
            self.named[name] = self.items[-1]


def _as_json(content: dict[str, Any]) -> dict[str, Any]:
    """Return a copy in JSON's types: pictures in base 64, other strangers as their text."""
    return json.loads(json.dumps(content, default=_as_text))


def _as_text(stranger: Any) -> str:
    return base64.b64encode(stranger).decode() if isinstance(stranger, bytes) else str(stranger)


class Stream(io.TextIOBase):
    """A text stream whose lines become outputs."""

    def __init__(self, name: str, outputs: Outputs) -> None:
        self.called, self.outputs = name, outputs

    def writable(self) -> bool:
        """Return that it can be written to."""
        return True

    def write(self, text: str) -> int:
        """Take printed text."""
        if text:
            self.outputs.stream(self.called, text)
        return len(text)


class Publisher(DisplayPublisher):
    """Takes what ``display`` shows."""

    def publish(
        self,
        data: dict,
        metadata: dict | None = None,
        source: object = None,
        *,
        transient: dict | None = None,
        update: bool = False,
        **_other: Any,
    ) -> None:
        """Take one display."""
        name = (transient or {}).get("display_id")
        self.shell.outputs.display(data, metadata or {}, name, is_update=update)

    def clear_output(self, wait: bool = False) -> None:
        """Forget what the cell has shown, now or when something new comes."""
        if wait:
            self.shell.outputs.clears_next = True
        else:
            self.shell.outputs.begin()


class Hook(DisplayHook):
    """Takes the value of a cell's last line."""

    def write_output_prompt(self) -> None:
        """Write no prompt."""

    def write_format_data(self, format_dict: dict, md_dict: dict | None = None) -> None:
        """Take the value in its forms."""
        self.shell.outputs.add(
            "execute_result",
            data=format_dict,
            metadata=md_dict or {},
            execution_count=self.prompt_count,
        )

    def finish_displayhook(self) -> None:
        """End the value without printing a line end."""
        self._is_active = False


class Formatter(DisplayFormatter):
    """Marks what this package made, and makes tables of pandas anew with its own escaping."""

    def format(
        self, obj: Any, include: Any = None, exclude: Any = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the forms of a value."""
        import pandas as pd

        if isinstance(obj, pd.DataFrame):
            obj = table_html(obj)
        if isinstance(obj, Html):
            return obj._repr_mimebundle_(include=["text/html"]), {}
        data, metadata = super().format(obj, include, exclude)
        if type(obj).__module__.partition(".")[0] == "analysis" and "text/html" in data:
            data.setdefault(OURS, {"says": ""})
        return data, metadata


class NotebookShell(InteractiveShell):
    """IPython without a terminal, a history file or a kernel."""

    outputs: Outputs

    @classmethod
    def started(cls, outputs: Outputs) -> NotebookShell:
        """Return the shell of this process, writing to ``outputs``."""
        settings = Config()
        settings.HistoryManager.enabled = False
        settings.InteractiveShell.colors = "nocolor"
        cls.outputs = outputs
        return cls.instance(config=settings, display_pub_class=Publisher, displayhook_class=Hook)

    def init_display_formatter(self) -> None:
        """Use the formatter that knows this package."""
        self.display_formatter = Formatter(parent=self)
        self.configurables.append(self.display_formatter)

    def enable_gui(self, gui: str | None = None) -> None:
        """Do nothing: there is no event loop to join."""

    def _showtraceback(self, etype: type, evalue: BaseException, stb: list[str]) -> None:
        self.outputs.add("error", ename=etype.__name__, evalue=str(evalue), traceback=stb)
