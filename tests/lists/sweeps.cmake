# Sweeps of a feature matrix, a step of a method each.
twofold_test(t16-sweep RANKS 1 2 3 4 7)
target_include_directories(t16-sweep PRIVATE ${PROJECT_SOURCE_DIR}/src/data)
