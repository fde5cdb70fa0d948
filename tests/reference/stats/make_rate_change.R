# Kitagawa's two parts of the change of a death rate, cell by cell, from the definition.
#
#   Rscript tests/reference/stats/make_rate_change.R tests/reference/stats
#
# Data: deaths in the United States, 1970 and 1985, by race and age; population in thousands and
# rates per thousand, example 5.3 of Das Gupta (1993), Standardization and Decomposition of Rates,
# U.S. Bureau of the Census, P23-186.

folder <- commandArgs(trailingOnly = TRUE)[1]
size <- rbind(
  c(2968, 11484, 34614, 30992, 21983, 20314, 20928, 16897, 11339, 5720, 1315,
    535, 2162, 6120, 4781, 3096, 2718, 2363, 1767, 1149, 448, 117),
  c(3041, 11577, 27450, 32711, 35480, 27411, 19555, 19795, 15254, 8022, 2472,
    707, 2692, 6473, 6841, 6547, 4352, 3034, 2540, 1749, 804, 236))
rate <- rbind(
  c(18.469, 0.751, 0.391, 1.146, 1.287, 2.672, 6.636, 15.691, 34.723, 79.763, 176.837,
    36.993, 1.352, 0.541, 2.040, 3.523, 6.746, 12.967, 24.471, 45.091, 74.902, 123.205),
  c(9.163, 0.462, 0.248, 0.929, 1.084, 1.810, 4.715, 12.187, 27.728, 64.068, 157.570,
    17.208, 0.738, 0.328, 1.103, 2.045, 3.724, 8.052, 17.812, 34.128, 68.276, 125.161)) / 1000

crude <- rowSums(size * rate) / rowSums(size)
rows <- data.frame()
for (cell in seq_len(ncol(size))) {
  share <- size[, cell] / rowSums(size)
  rows <- rbind(rows, data.frame(
    cell = cell - 1, n0 = size[1, cell], n1 = size[2, cell],
    k0 = size[1, cell] * rate[1, cell], k1 = size[2, cell] * rate[2, cell],
    mix = (mean(rate[, cell]) - mean(crude)) * (share[2] - share[1]),
    rate = mean(share) * (rate[2, cell] - rate[1, cell])))
}
stopifnot(abs(sum(rows$mix) + sum(rows$rate) - diff(crude)) < 1e-15)
# the same two sums as differences of standardised rates
standard <- colMeans(size / rowSums(size))
stopifnot(abs(sum(rows$rate) - sum(standard * (rate[2, ] - rate[1, ]))) < 1e-15)
write.csv(format(rows, digits = 17, trim = TRUE), file.path(folder, "rate_change.csv"),
          row.names = FALSE, quote = FALSE)
