# After cli.cmake, whose variables and helpers it uses.
add_test(NAME cli-bench COMMAND bash ${CMAKE_CURRENT_SOURCE_DIR}/cli/bench.sh
  $<TARGET_FILE:twofold-cli> $<TARGET_FILE_DIR:vecdiff>)
set_tests_properties(cli-bench PROPERTIES
  ENVIRONMENT "${TWOFOLD_TEST_ENV};TWOFOLD_MPIRUN=${TWOFOLD_MPIRUN_WORDS}" TIMEOUT 300 PROCESSORS 2 LABELS cli)
