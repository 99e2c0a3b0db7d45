twofold_test(t13-text RANKS 1 2 3 7)
