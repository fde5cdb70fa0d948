"""Logistic regression of successes on categorical factors, on counts."""
