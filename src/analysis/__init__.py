"""Analytics of order cancellations on marketplaces."""
