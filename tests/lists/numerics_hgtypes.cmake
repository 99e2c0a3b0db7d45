# Types of hypergradients: exact, forward mode. Steps that are differentiated.
twofold_dense_test(t50-exact RANKS 1 2 3 4 7)
twofold_test(t50-forward RANKS 1 2 3 4 7 TIMEOUT 240)
twofold_test(t31-follow RANKS 1 2 3 4 7 TIMEOUT 240)

# The table of methods and problems in the documentation.
add_test(NAME docs-methods COMMAND bash ${CMAKE_CURRENT_SOURCE_DIR}/methods.sh)
