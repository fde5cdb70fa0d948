"""Other people's exports turned into dataset folders; one module a format."""

from __future__ import annotations

from collections.abc import Callable

from analysis.contract import Manifest
from analysis.sources.importers.olist import import_olist
from analysis.sources.importers.plain import import_tables

IMPORTERS: dict[str, Callable[..., Manifest]] = {"olist": import_olist, "tables": import_tables}

__all__ = ["IMPORTERS", "import_olist", "import_tables"]
