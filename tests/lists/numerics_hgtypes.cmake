# Types of hypergradients: exact, forward mode.
twofold_dense_test(t50-exact RANKS 1 2 3 4 7)
twofold_test(t50-forward RANKS 1 2 3 4 7)
