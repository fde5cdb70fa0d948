"""Run every notebook top to bottom under papermill, as JupyterLab would, on one dataset.

Exit code: the number of notebooks that failed. Nothing is kept but what went wrong.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import papermill

ROOT = Path(__file__).resolve().parents[1]


def failures(dataset: Path) -> list[str]:
    """Run all notebooks; return a line for each that failed."""
    failed = []
    with tempfile.TemporaryDirectory() as out:
        for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
            try:
                papermill.execute_notebook(
                    path,
                    Path(out) / path.name,
                    parameters={"dataset": str(dataset.resolve())},
                    cwd=path.parent,
                    kernel_name="python3",
                    progress_bar=False,
                )
            except papermill.PapermillExecutionError as err:
                failed.append(f"{path.name}: {err.ename}: {err.evalue}")
            print(f"{path.name}: {'failed' if failed and path.name in failed[-1] else 'ran'}")
    return failed


def main() -> int:
    """Run all on the dataset named on the command line."""
    failed = failures(Path(sys.argv[1]))
    print("\n".join(failed), end="\n" if failed else "")
    return len(failed)


if __name__ == "__main__":
    sys.exit(main())
