# Constants by SLEPc against LAPACK, rates by formula, optimal steps.
twofold_dense_test(t45-bound RANKS 1 2 3 4 7)
