# Problem logistic: after numerics.cmake, whose dense references it uses.
twofold_dense_test(t26-logistic RANKS 1 2 3 4 7)
