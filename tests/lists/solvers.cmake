# Lower-level solvers for AID.
twofold_dense_test(t42-lls-newton RANKS 1 2 3 4 7)
