add_test(NAME t91-valgrind COMMAND bash ${CMAKE_CURRENT_SOURCE_DIR}/cli/valgrind.sh $<TARGET_FILE:twofold-cli>)
set_tests_properties(t91-valgrind PROPERTIES ENVIRONMENT "${TWOFOLD_TEST_ENV};MPIRUN=${TWOFOLD_MPIRUN_WORDS}"
  SKIP_RETURN_CODE 77 TIMEOUT 300 COST 20)
if(TWOFOLD_SANITIZE) # the two do not go together
  set_tests_properties(t91-valgrind PROPERTIES DISABLED TRUE)
endif()
