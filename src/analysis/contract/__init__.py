"""What an order, a request and a refund are: tables, columns, units, codes and rules."""

from __future__ import annotations

from analysis.contract import codes
from analysis.contract.arrow import arrow_schema
from analysis.contract.errors import ContractError, GroupError, MissingData
from analysis.contract.folder import (
    MANIFEST,
    Manifest,
    Part,
    describe_part,
    read_manifest,
    replaced_when_complete,
    write_manifest,
)
from analysis.contract.promises import REFUND_PROMISES, Promise
from analysis.contract.rules import JOINED_RULES, REFERENCES, ROW_RULES, Reference, Rule
from analysis.contract.tables import (
    CONTRACT_VERSION,
    REQUIRED_TABLES,
    TABLES,
    Column,
    TableSpec,
)

__all__ = [
    "CONTRACT_VERSION",
    "JOINED_RULES",
    "MANIFEST",
    "REFERENCES",
    "REFUND_PROMISES",
    "REQUIRED_TABLES",
    "ROW_RULES",
    "TABLES",
    "Column",
    "ContractError",
    "GroupError",
    "Manifest",
    "MissingData",
    "Part",
    "Promise",
    "Reference",
    "Rule",
    "TableSpec",
    "arrow_schema",
    "codes",
    "describe_part",
    "read_manifest",
    "replaced_when_complete",
    "write_manifest",
]
