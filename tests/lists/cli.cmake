# The program as its users meet it: scripts that run it, and their small helpers.
add_executable(vecdiff cli/vecdiff.c)
target_link_libraries(vecdiff PRIVATE m)
set_target_properties(vecdiff PROPERTIES C_STANDARD 11 C_STANDARD_REQUIRED ON)
target_compile_options(vecdiff PRIVATE -Wall -Wextra $<$<BOOL:${TWOFOLD_WERROR}>:-Werror>)

string(JOIN " " TWOFOLD_MPIRUN_WORDS ${TWOFOLD_MPIRUN})
foreach(name options badinput reasons solve data realdata)
  add_test(NAME cli-${name} COMMAND bash ${CMAKE_CURRENT_SOURCE_DIR}/cli/${name}.sh
    $<TARGET_FILE:twofold-cli> $<TARGET_FILE_DIR:vecdiff>)
  set_tests_properties(cli-${name} PROPERTIES ENVIRONMENT "${TWOFOLD_TEST_ENV};TWOFOLD_MPIRUN=${TWOFOLD_MPIRUN_WORDS}"
    TIMEOUT 300 PROCESSORS 2 SKIP_RETURN_CODE 77 LABELS cli)
endforeach()
