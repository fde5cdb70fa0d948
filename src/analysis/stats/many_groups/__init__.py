"""Many small groups: shrinkage, places, spread, case mix, funnels."""
