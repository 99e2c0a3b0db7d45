# The API reference: a warning of Doxygen fails.
add_test(NAME docs-api COMMAND bash ${CMAKE_CURRENT_SOURCE_DIR}/docs/api.sh ${PROJECT_SOURCE_DIR})
set_tests_properties(docs-api PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 120)
