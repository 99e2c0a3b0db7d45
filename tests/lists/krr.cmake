# Kernel ridge regression by the program.
string(JOIN " " TWOFOLD_MPIRUN_WORDS ${TWOFOLD_MPIRUN})
add_test(NAME cli-krr COMMAND bash ${CMAKE_CURRENT_SOURCE_DIR}/cli/krr.sh
  $<TARGET_FILE:twofold-cli> $<TARGET_FILE_DIR:vecdiff>)
set_tests_properties(cli-krr PROPERTIES
  ENVIRONMENT "${TWOFOLD_TEST_ENV};TWOFOLD_MPIRUN=${TWOFOLD_MPIRUN_WORDS}" TIMEOUT 300 PROCESSORS 2 LABELS cli)
