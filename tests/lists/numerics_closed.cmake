# The problem whose solution is known in closed form, and that of a learnt representation.
twofold_dense_test(t28-quadratic RANKS 1 2 3 4 7)
twofold_dense_test(t28-hyperrep RANKS 1 2 3 4 7)
foreach(name quadratic hyperrep)
  string(JOIN " " TWOFOLD_MPIRUN_WORDS ${TWOFOLD_MPIRUN})
  add_test(NAME cli-${name} COMMAND bash ${CMAKE_CURRENT_SOURCE_DIR}/cli/${name}.sh
    $<TARGET_FILE:twofold-cli> $<TARGET_FILE_DIR:vecdiff>)
  set_tests_properties(cli-${name} PROPERTIES
    ENVIRONMENT "${TWOFOLD_TEST_ENV};TWOFOLD_MPIRUN=${TWOFOLD_MPIRUN_WORDS}" TIMEOUT 300 PROCESSORS 2 LABELS cli)
endforeach()
