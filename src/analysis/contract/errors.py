"""What can be wrong with data, said once and clearly."""

from __future__ import annotations

from collections.abc import Iterable, Mapping


class ContractError(ValueError):
    """The data breaks the contract; ``failures`` maps each broken rule to its number of rows."""

    def __init__(self, message: str, failures: Mapping[str, int] | None = None) -> None:
        super().__init__(message)
        self.failures = dict(failures or {})

    @classmethod
    def from_failures(cls, failures: Mapping[str, int]) -> ContractError:
        """One error for everything wrong: ``failures`` maps "table: rule" to rows."""
        tables = sorted({rule.split(":")[0] for rule in failures})
        rules = "rule" if len(failures) == 1 else "rules"
        lines = [f"  {rule}: {n:,} rows" for rule, n in failures.items()]
        head = f"{', '.join(tables)} break{'s' * (len(tables) == 1)} {len(failures)} {rules}:"
        return cls("\n".join([head, *lines]), failures)


class MissingData(LookupError):  # noqa: N818 - reads as what it is in a sentence
    """A table or column that a question needs is not in this data."""

    def __init__(self, what: str, *, needed_by: str = "", known: Iterable[str] = ()) -> None:
        self.what = what
        self.needed_by = needed_by
        needed = f", needed by {needed_by}" if needed_by else ""
        hint = f"; there are: {', '.join(sorted(known))}" if known else ""
        super().__init__(f"{what} is not in this data{needed}{hint}")

    def __str__(self) -> str:
        """Return the sentence itself (``LookupError`` subclasses may quote it)."""
        return str(self.args[0])
