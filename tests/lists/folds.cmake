# Cross-validation: problems with folds.
twofold_test(t55-folds RANKS 1 2 3 4 7)
add_test(NAME cli-folds COMMAND bash ${CMAKE_CURRENT_SOURCE_DIR}/cli/folds.sh
  $<TARGET_FILE:twofold-cli> $<TARGET_FILE_DIR:vecdiff>)
string(REPLACE ";" " " TWOFOLD_MPIRUN_WORDS "${TWOFOLD_MPIRUN}")
set_tests_properties(cli-folds PROPERTIES ENVIRONMENT "${TWOFOLD_TEST_ENV};TWOFOLD_MPIRUN=${TWOFOLD_MPIRUN_WORDS}"
  TIMEOUT 300 PROCESSORS 2 LABELS cli)
