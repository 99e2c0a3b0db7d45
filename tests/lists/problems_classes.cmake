# Problems distill and dataclean: after numerics.cmake, whose dense references they use.
twofold_dense_test(t29-distill RANKS 1 2 3 4 7)
twofold_dense_test(t29-dataclean RANKS 1 2 3 4 7)
twofold_cli_test(distill dataclean images memory)
