# Models: saved, read back and applied; and `twofold predict` as its users meet it.
twofold_test(t23-model RANKS 1 2 3 4 7)

twofold_cli_test(predict)
