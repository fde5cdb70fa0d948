"""Time until an end: curves of many groups on counts, and what is read off them."""
