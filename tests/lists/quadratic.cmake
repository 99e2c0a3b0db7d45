# The problem whose solution is known in closed form.
twofold_dense_test(t28-quadratic RANKS 1 2 3 4 7)
string(JOIN " " TWOFOLD_MPIRUN_WORDS ${TWOFOLD_MPIRUN})
add_test(NAME cli-quadratic COMMAND bash ${CMAKE_CURRENT_SOURCE_DIR}/cli/quadratic.sh
  $<TARGET_FILE:twofold-cli> $<TARGET_FILE_DIR:vecdiff>)
set_tests_properties(cli-quadratic PROPERTIES
  ENVIRONMENT "${TWOFOLD_TEST_ENV};TWOFOLD_MPIRUN=${TWOFOLD_MPIRUN_WORDS}" TIMEOUT 300 PROCESSORS 2 LABELS cli)
