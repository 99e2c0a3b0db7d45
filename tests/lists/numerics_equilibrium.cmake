# The classifiers of fixed points.
twofold_dense_test(t29-equilibrium RANKS 1 2 3 4 7)
twofold_dense_test(t29-convequilibrium RANKS 1 2 3 4 7)
twofold_cli_test(equilibrium figure2)
twofold_cli_test(convequilibrium)
