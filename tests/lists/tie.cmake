# Tied hyperparameters and the penalty of lambda.
twofold_test(t24-tie RANKS 1 2 3 4 7)
twofold_cli_test(tie)
