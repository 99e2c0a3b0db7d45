# Cross-validation: problems with folds.
twofold_test(t55-folds RANKS 1 2 3 4 7)
twofold_cli_test(folds)
