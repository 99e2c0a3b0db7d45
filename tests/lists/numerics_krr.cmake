# Kernel ridge regression on hard samples.
twofold_dense_test(t27-krr RANKS 1 2 3 4 7)
