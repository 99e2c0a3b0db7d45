# Lower-level solvers for AID, preconditioners.
twofold_dense_test(t42-lls-newton RANKS 1 2 3 4 7)
twofold_dense_test(t53-precond RANKS 1 2 3 4 7)
