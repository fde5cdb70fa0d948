"""Shares: limits of one, two side by side, many strata, change, and money."""
