# Chebyshev's method for the adjoint, its interval and rate.
twofold_dense_test(t54-chebyshev RANKS 1 2 3 4 7)
