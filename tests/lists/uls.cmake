# Upper-level solvers: Tao's types, Adam, constraint sets, the best point.
twofold_test(t61-tao RANKS 1 2 3 4 7)
target_compile_definitions(t61-tao PRIVATE TWOFOLD_TAOS="${CMAKE_CURRENT_SOURCE_DIR}/taos.txt")
twofold_test(t62-uls RANKS 1 2 3 4 7)
# f and accuracy at w(lambda); the paper's Table 1 on small problems.
twofold_cli_test(exact table1)
# checkpoints; runs that are told to stop
twofold_test(t63-stop RANKS 1 2 4)
twofold_cli_test(checkpoint stop)
