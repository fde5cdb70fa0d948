"""Groups beside each other in time: tests, differences of means, hazard ratios."""
