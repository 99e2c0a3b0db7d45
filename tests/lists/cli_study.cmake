# After cli.cmake, whose variables and helpers it uses.
foreach(name study figure1)
  add_test(NAME cli-${name} COMMAND bash ${CMAKE_CURRENT_SOURCE_DIR}/cli/${name}.sh
    $<TARGET_FILE:twofold-cli> $<TARGET_FILE_DIR:vecdiff>)
  set_tests_properties(cli-${name} PROPERTIES ENVIRONMENT "${TWOFOLD_TEST_ENV};TWOFOLD_MPIRUN=${TWOFOLD_MPIRUN_WORDS}"
    TIMEOUT 300 PROCESSORS 2 LABELS cli)
endforeach()
