"""The report: every notebook executed on a dataset and rendered as one site."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
