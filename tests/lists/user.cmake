# Problems by callbacks and the tests of derivatives.
twofold_test(t21-user RANKS 1 2 3 4 7)
twofold_test(t22-blptest RANKS 1 2 3 4 7)
