# The problem whose solution is known in closed form, and that of a learnt representation.
twofold_dense_test(t28-quadratic RANKS 1 2 3 4 7)
twofold_dense_test(t28-hyperrep RANKS 1 2 3 4 7)
twofold_cli_test(quadratic hyperrep)
