# Sets of the upper level.
twofold_test(t25-lset RANKS 1 2 3 4 7)
