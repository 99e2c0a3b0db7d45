# Text that is made.
twofold_test(t19-synthetictext RANKS 1 2 3 4 7)
