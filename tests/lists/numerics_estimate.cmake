# Derivatives along directions; the estimate of the error, and a tolerance of it.
twofold_dense_test(t31-derivative RANKS 1 2 3 4 7)
twofold_dense_test(t57-estimate RANKS 1 2 3 4 7)
twofold_dense_test(t58-tolerance RANKS 1 2 3 4 7)
