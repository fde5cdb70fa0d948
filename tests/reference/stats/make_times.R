# Reference values for tests/parity/times.py, from R. Run in this folder:  Rscript make_times.R
# Uses the made-up spells of make_reference.R (run that first). Numbers carry 15 significant digits.
suppressPackageStartupMessages(library(survival))
options(digits = 15, warn = 1)
save_csv <- function(x, file) { x[] <- lapply(x, function(v) if (is.numeric(v)) ifelse(is.na(v), NA, sprintf("%.15g", v)) else v)
  write.csv(x, file, row.names = FALSE, na = "", quote = FALSE) }
spells <- read.csv("made_up_spells.csv")
spells$end <- factor(spells$cause, 0:2, c("open", "first", "second"))
spells$id <- seq_len(nrow(spells))

# Time lost to each cause: mean time in its state up to tau, by survfit's influence functions
lost <- NULL
for (tau in c(3, 7.5, 12)) {
  t <- summary(survfit(Surv(exit, end) ~ group, data = spells, influence = TRUE), rmean = tau)$table
  lost <- rbind(lost, data.frame(tau = tau, group = rep(0:1, 3), cause = rep(0:2, each = 2),
    mean = t[, "rmean"], std_error = t[, "se(rmean)"]))
}
save_csv(lost, "time_lost.csv")
writeLines(c(R.version.string, paste("survival", packageVersion("survival"))), "R_VERSIONS_times.txt")
