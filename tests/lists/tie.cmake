# Tied hyperparameters and the penalty of lambda.
twofold_test(t24-tie RANKS 1 2 3 4 7)
string(JOIN " " TWOFOLD_MPIRUN_WORDS ${TWOFOLD_MPIRUN})
add_test(NAME cli-tie COMMAND bash ${CMAKE_CURRENT_SOURCE_DIR}/cli/tie.sh $<TARGET_FILE:twofold-cli>
  $<TARGET_FILE_DIR:vecdiff>)
set_tests_properties(cli-tie PROPERTIES ENVIRONMENT "${TWOFOLD_TEST_ENV};TWOFOLD_MPIRUN=${TWOFOLD_MPIRUN_WORDS}"
  TIMEOUT 300 PROCESSORS 2 SKIP_RETURN_CODE 77 LABELS cli)
