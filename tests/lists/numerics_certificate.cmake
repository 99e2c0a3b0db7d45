# Error bounds: the theorems and the certificate.
twofold_dense_test(t46-theorem RANKS 1 2 3 4 7)
twofold_test(t47-lipschitz RANKS 1 2 3 4 7)
twofold_dense_test(t56-certificate RANKS 1 2 3 4 7)
