# Hypergradients from tapes in single precision.
twofold_test(t59-single RANKS 1 2 3 4 7)
