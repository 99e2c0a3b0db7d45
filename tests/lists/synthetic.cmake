# Synthetic samples and the problems made for them.
string(JOIN " " TWOFOLD_MPIRUN_WORDS ${TWOFOLD_MPIRUN})
add_test(NAME cli-synthetic COMMAND bash ${CMAKE_CURRENT_SOURCE_DIR}/cli/synthetic.sh
  $<TARGET_FILE:twofold-cli> $<TARGET_FILE_DIR:vecdiff>)
set_tests_properties(cli-synthetic PROPERTIES ENVIRONMENT "${TWOFOLD_TEST_ENV};TWOFOLD_MPIRUN=${TWOFOLD_MPIRUN_WORDS}"
  TIMEOUT 300 PROCESSORS 2 LABELS cli)
