# Fits Cox's model to the refunds counted in refund_cells.csv: refund_drivers.csv, refund_dfbeta.csv.
# Run in this folder, after make_refund_cells.py:  Rscript make_refund_drivers.R
suppressPackageStartupMessages(library(survival))
options(digits = 15, warn = 1)
cells <- read.csv("refund_cells.csv", stringsAsFactors = TRUE)
rows <- cells[rep(seq_len(nrow(cells)), cells$n), ]
# levels beyond 8 are pooled; the reference is the commonest of the others
pooled <- function(x) {
  size <- sort(-table(as.character(x)))
  names <- names(size)[order(size, names(size))]
  if (length(names) > 8) x <- ifelse(as.character(x) %in% names[1:7], as.character(x), "all others")
  x <- factor(as.character(x))
  relevel(x, names[1])
}
for (name in c("method", "buyer_country", "size_tier")) rows[[name]] <- pooled(rows[[name]])
fit <- coxph(Surv(hours, credited) ~ method + buyer_country + size_tier + cluster(seller), data = rows,
             control = coxph.control(eps = 1e-13, toler.chol = 1e-15, iter.max = 60))
s <- summary(fit)$coefficients
out <- NULL
for (name in c("method", "buyer_country", "size_tier")) {
  own <- grepl(paste0("^", name), rownames(s))
  out <- rbind(out, data.frame(factor = name, level = sub(name, "", rownames(s)[own]), coef = s[own, "coef"],
    robust_se = s[own, "robust se"]))
}
# what each seller adds to each coefficient
moves <- as.data.frame(residuals(fit, "dfbeta", collapse = rows$seller))
names(moves) <- make.names(paste(out$factor, out$level, sep = "."))
moves <- data.frame(n = as.vector(table(rows$seller)), moves, check.names = FALSE)
write.csv(moves, "refund_dfbeta.csv", row.names = FALSE, quote = FALSE)
write.csv(out, "refund_drivers.csv", row.names = FALSE, quote = FALSE)
