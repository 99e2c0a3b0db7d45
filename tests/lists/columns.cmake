# Separated values, HDF5, and the scaling of features.
twofold_test(t14-csv RANKS 1 2 3 7)
twofold_test(t17-hdf5 RANKS 1 2 3 7)
twofold_test(t18-scale RANKS 1 2 3 7)
add_test(NAME cli-readers COMMAND bash ${CMAKE_CURRENT_SOURCE_DIR}/cli/readers.sh
  $<TARGET_FILE:twofold-cli> $<TARGET_FILE_DIR:vecdiff>)
string(REPLACE ";" " " TWOFOLD_MPIRUN_WORDS "${TWOFOLD_MPIRUN}")
set_tests_properties(cli-readers PROPERTIES ENVIRONMENT "${TWOFOLD_TEST_ENV};TWOFOLD_MPIRUN=${TWOFOLD_MPIRUN_WORDS}"
  TIMEOUT 300 PROCESSORS 2 LABELS cli)
