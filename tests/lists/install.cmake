# The installed tree, moved elsewhere, and programs built on it.
add_test(NAME t92-install COMMAND bash ${CMAKE_CURRENT_SOURCE_DIR}/install/install.sh
  ${PROJECT_BINARY_DIR} ${PROJECT_SOURCE_DIR})
set_tests_properties(t92-install PROPERTIES
  ENVIRONMENT "${TWOFOLD_TEST_ENV};TWOFOLD_MPIRUN=${TWOFOLD_MPIRUN_WORDS}" TIMEOUT 600 COST 40 SKIP_RETURN_CODE 77)
if(TWOFOLD_SANITIZE) # a sanitised library asks its users for the same flags
  set_tests_properties(t92-install PROPERTIES DISABLED TRUE)
endif()
