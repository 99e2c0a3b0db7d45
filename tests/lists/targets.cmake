# Labels that are real numbers, and synthetic samples.
twofold_test(t19-targets RANKS 1 2 3 4 7)
