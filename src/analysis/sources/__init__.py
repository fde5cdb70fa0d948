"""Where tables come from: opening, checking, collecting, importing."""

from __future__ import annotations

from analysis.sources.calendars import business_calendars
from analysis.sources.checking import check, check_files, require_valid
from analysis.sources.describing import describe
from analysis.sources.engine import (
    business_seconds_between,
    collect,
    epoch_seconds,
    seconds_between,
    whole_units,
)
from analysis.sources.opening import open_tables
from analysis.sources.sharing import SHARED_FOLDER, THREADS, share, shared_answer
from analysis.sources.spark import spark_backend, spark_session
from analysis.sources.tables import Size, Tables

__all__ = [
    "SHARED_FOLDER",
    "THREADS",
    "Size",
    "Tables",
    "business_calendars",
    "business_seconds_between",
    "check",
    "check_files",
    "collect",
    "describe",
    "epoch_seconds",
    "open_tables",
    "require_valid",
    "seconds_between",
    "share",
    "shared_answer",
    "spark_backend",
    "spark_session",
    "whole_units",
]
