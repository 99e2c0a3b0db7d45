# Problem biasedreg: after numerics.cmake, whose dense references it uses.
twofold_dense_test(t27-biasedreg RANKS 1 2 3 4 7)
