# Models: saved, read back and applied; and `twofold predict` as its users meet it.
twofold_test(t23-model RANKS 1 2 3 4 7)

string(JOIN " " TWOFOLD_MPIRUN_WORDS ${TWOFOLD_MPIRUN})
add_test(NAME cli-predict COMMAND bash ${CMAKE_CURRENT_SOURCE_DIR}/cli/predict.sh
  $<TARGET_FILE:twofold-cli> $<TARGET_FILE_DIR:vecdiff>)
set_tests_properties(cli-predict PROPERTIES ENVIRONMENT "${TWOFOLD_TEST_ENV};TWOFOLD_MPIRUN=${TWOFOLD_MPIRUN_WORDS}"
  TIMEOUT 300 PROCESSORS 2 SKIP_RETURN_CODE 77 LABELS cli)
