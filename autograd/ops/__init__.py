"""Operations: one row or one small class each.

op            what an operation is, and the registry
formula       elementwise operations made from a formula; `derivative`, their gradients
loops         how these come by their kernels
elementwise   their rows: arithmetic exponential trigonometric special rounding comparison selection activation; losses
reduce        totals (sum, mean, var ...) and extremum (max, amin, argmax ...)
scan          partial sums, products and extrema
sort search statistics distance   orders and ranks, places, quantiles and histograms, norms and areas
products contractions einsum solvers decompositions spectral matrix_functions   linear algebra
linalg        its names outside autograd.linalg
shape index join softmax convert ...   the others, by what they do
"""
