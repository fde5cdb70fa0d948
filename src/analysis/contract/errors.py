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
        blocks = []
        for table in dict.fromkeys(rule.split(": ", 1)[0] for rule in failures):
            own = {
                r.split(": ", 1)[1]: n for r, n in failures.items() if r.startswith(f"{table}: ")
            }
            rules = "rule" if len(own) == 1 else "rules"
            blocks.append(f"{table} breaks {len(own)} {rules}:")
            blocks += [f"  {rule}: {n:,} rows" for rule, n in own.items()]
        return cls("\n".join(blocks), failures)


class GroupError(ValueError):
    """A question cannot be asked by this column, whatever is in it."""


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
